"""Deliveries as they are shown to admins."""

from __future__ import annotations

from typing import TYPE_CHECKING

from pydantic import AwareDatetime, BaseModel, ConfigDict

from tocsin.model.delivery import State
from tocsin.model.reply import Phase
from tocsin.model.retry import end_of_life, route_of_type

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.model.delivery_record import DeliveryRecord, LogLine, NotificationRecord, Story
    from tocsin.model.reply import Reply

    type RemedyOf = Callable[[LogLine], str | None]


class _View(BaseModel):
    model_config = ConfigDict(frozen=True)


class ReplyView(_View):
    """What the relay answered, or what happened instead: then there is no code, and `text` says it."""

    phase: Phase
    code: int | None
    enhanced: str | None
    text: str


class FallbackView(_View):
    """The mail account that would have been used first, and why it was not."""

    mail_account_id: str
    reason: str


class LogLineView(_View):
    """What happened at one time. `redriven_by` is the admin who let the delivery go again, or `sweep`."""

    at: AwareDatetime
    state: State
    attempt: int
    mail_account_id: str | None
    reply: ReplyView | None
    remedy: str | None
    instead_of: FallbackView | None
    redriven_by: str | None


class DeliverySummary(_View):
    """One delivery as it stands. `reply` is the last there was, `remedy` what to do about it."""

    delivery_id: str
    recipient: str
    state: State
    type: str
    attempt: int
    mail_account_id: str | None
    reply: ReplyView | None
    remedy: str | None
    created_at: AwareDatetime
    updated_at: AwareDatetime
    retry_at: AwareDatetime | None


class NotificationView(_View):
    """What the delivery carries, by the names its publisher gave it."""

    source: str
    id: str
    type: str
    subject: str | None
    received_at: AwareDatetime


class DeliveryView(DeliverySummary):
    """One delivery's whole story; `log` is oldest first. `expires_at` is when its useful life is over.

    `opens`, `clicks` and when the first was (`opened_at`, `clicked_at`) are known where the project's `tracking` is on.
    What programs opened or followed, such as a mail server's scanner, is counted apart. An open proves no reading, and
    none proves no neglect: many mail programs show no pictures.
    """

    message_id: str
    expires_at: AwareDatetime
    notification: NotificationView
    opened_at: AwareDatetime | None
    opens: int
    machine_opens: int
    clicked_at: AwareDatetime | None
    clicks: int
    machine_clicks: int
    log: tuple[LogLineView, ...]


class DeliveryPage(_View):
    """Some deliveries, newest first. There may be none, and more behind `cursor`."""

    items: tuple[DeliverySummary, ...]
    cursor: str | None


def summary(delivery: DeliveryRecord, remedy_of: RemedyOf) -> DeliverySummary:
    """The delivery as one row."""
    answered = delivery.last_answered
    return DeliverySummary(
        delivery_id=delivery.delivery_id,
        recipient=delivery.key.recipient,
        state=delivery.state,
        type=delivery.type,
        attempt=delivery.attempt,
        mail_account_id=delivery.mail_account_id,
        reply=_reply(answered.reply) if answered is not None else None,
        remedy=remedy_of(answered) if answered is not None else None,
        created_at=delivery.created_at,
        updated_at=delivery.updated_at,
        retry_at=delivery.retry_at,
    )


def view(story: Story, remedy_of: RemedyOf) -> DeliveryView:
    """The delivery with all that is known of it."""
    delivery, notification = story.delivery, story.notification
    expires_at = end_of_life(
        notification.expires_at, route=route_of_type(notification.type), revived_at=delivery.revived_at
    )
    opens, clicks = (seen.by_people(delivery.accepted_at) for seen in (story.reactions.opens, story.reactions.clicks))
    return DeliveryView(
        **dict(summary(delivery, remedy_of)),
        message_id=delivery.message_id,
        expires_at=expires_at,
        notification=_notification(notification),
        opened_at=opens.first_at,
        opens=opens.count,
        machine_opens=opens.machine_count,
        clicked_at=clicks.first_at,
        clicks=clicks.count,
        machine_clicks=clicks.machine_count,
        log=tuple(_line(line, remedy_of) for line in delivery.log),
    )


def _notification(notification: NotificationRecord) -> NotificationView:
    return NotificationView(
        source=notification.source,
        id=notification.id,
        type=notification.type,
        subject=notification.subject,
        received_at=notification.received_at,
    )


def _line(line: LogLine, remedy_of: RemedyOf) -> LogLineView:
    instead = line.instead_of
    return LogLineView(
        at=line.at,
        state=line.state,
        attempt=line.attempt,
        mail_account_id=line.mail_account_id,
        reply=_reply(line.reply),
        remedy=remedy_of(line),
        instead_of=FallbackView(mail_account_id=instead.mail_account_id, reason=instead.reason)
        if instead is not None
        else None,
        redriven_by=line.redriven_by,
    )


def _reply(reply: Reply | None) -> ReplyView | None:
    if reply is None:
        return None
    return ReplyView(phase=reply.phase, code=reply.code, enhanced=reply.enhanced, text=reply.text)
