"""The events that Tocsin publishes on the stack's EventBridge bus (DESIGN 4.3)."""

from __future__ import annotations

import json
from itertools import groupby
from typing import TYPE_CHECKING, Any

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.model.delivery import State

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from mypy_boto3_events import EventBridgeClient
    from mypy_boto3_events.type_defs import PutEventsRequestEntryTypeDef

    from tocsin.errors import InvalidNotification
    from tocsin.model.chunk import Chunk
    from tocsin.model.delivery import Change
    from tocsin.model.digest import HeldMail
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.reply import Reply

_SCHEMA_VERSION = 1
_DELIVERIES_AN_EVENT = 50
_EVENT_BYTES = 200_000
_ENTRIES_A_CALL = 10  # PutEvents' limit
_REPLY_TEXT_CHARACTERS = 1000


class EventBus:
    """Publishes what happened. A failure is told to `on_failure` and changes nothing."""

    def __init__(self, client: EventBridgeClient, bus_name: str, *, on_failure: Callable[[str, int], None]) -> None:
        self._client = client
        self._bus_name = bus_name
        self._on_failure = on_failure

    def deliveries_changed(self, chunk: Chunk, notification: Notification, changes: Sequence[Change]) -> None:
        """One event per state and mail account, of at most 50 deliveries and 200 kB."""
        told = [change for change in changes if change.state is not State.SUBMITTING]
        entries: list[PutEventsRequestEntryTypeDef] = []
        for (state, account_id), group in groupby(sorted(told, key=_grouping), key=_grouping):
            frame = _frame(notification, account_id or None)
            room = _EVENT_BYTES - len(json.dumps(frame | {"deliveries": []}))
            parts = _parts([_delivery(chunk, change) for change in group], room)
            entries += [self._entry(f"delivery.{state}", frame | {"deliveries": deliveries}) for deliveries in parts]
        self._put(entries)

    def mails_digested(self, mails: Sequence[HeldMail], digest_id: str) -> None:
        """One event for each mail that a digest stands for: each is of another notification."""
        changes = ((mail, mail.digested(digest_id)) for mail in mails)
        self._put(
            self._entry(
                f"delivery.{change.state}", _frame(mail, None) | {"deliveries": [_delivery(mail.key.chunk, change)]}
            )
            for mail, change in changes
        )

    def account_changed(self, event: str, account: MailAccount) -> None:
        """Tell `mail_account.<event>`, with what an admin should do about it."""
        error = account.last_error
        detail = {
            "schema_version": _SCHEMA_VERSION,
            "project_id": account.project_id,
            "mail_account_id": account.id,
            "status": account.status,
            "error": error.model_dump(mode="json", include={"phase", "code", "text"}) if error is not None else None,
            "remedy": error.remedy if error is not None else None,
        }
        self._put([self._entry(f"mail_account.{event}", detail)])

    def notification_rejected(self, rejection: InvalidNotification, event: dict[str, Any] | None) -> None:
        """Tell of an event that can never be delivered; with its identity as far as it could be read."""
        detail = {
            "schema_version": _SCHEMA_VERSION,
            "reason": rejection.reason,
            "detail": rejection.detail,
            "notification": {name: _short((event or {}).get(name)) for name in ("source", "id", "type", "subject")},
        }
        self._put([self._entry("notification.rejected", detail)])

    def _entry(self, detail_type: str, detail: dict[str, Any]) -> PutEventsRequestEntryTypeDef:
        return {
            "EventBusName": self._bus_name,
            "Source": "tocsin",
            "DetailType": detail_type,
            "Detail": json.dumps(detail),
        }

    def _put(self, entries: Iterable[PutEventsRequestEntryTypeDef]) -> None:
        for call in _calls(entries):
            try:
                failed = self._client.put_events(Entries=call).get("FailedEntryCount", 0)
            except (ClientError, BotoCoreError) as error:
                self._on_failure(type(error).__name__, len(call))
            else:
                if failed:
                    self._on_failure("FailedEntry", failed)


def _grouping(change: Change) -> tuple[str, str]:
    return change.state.value, change.mail_account_id or ""


def _frame(notification: Notification | HeldMail, account_id: str | None) -> dict[str, Any]:
    return {
        "schema_version": _SCHEMA_VERSION,
        "project_id": notification.project_id,
        "notification": {
            "source": notification.source,
            "id": notification.id,
            "type": notification.type,
            "subject": _short(notification.subject),
        },
        "mail_account_id": account_id,
    }


def _delivery(chunk: Chunk, change: Change) -> dict[str, Any]:
    return {
        "delivery_id": chunk.delivery_id(change.before.recipient),
        "recipient": change.before.recipient,
        "state": change.state.value,
        "attempt": change.attempt,
        "retry_at": change.retry_at.isoformat() if change.retry_at is not None else None,
        "reply": _reply(change.reply) if change.reply is not None else None,
        "remedy": change.verdict.remedy if change.verdict is not None else None,
    }


def _reply(reply: Reply) -> dict[str, Any]:
    text = reply.text[:_REPLY_TEXT_CHARACTERS]
    return {"phase": reply.phase.value, "code": reply.code, "enhanced": reply.enhanced, "text": text}


def _parts(deliveries: Sequence[dict[str, Any]], room: int) -> Iterator[list[dict[str, Any]]]:
    """The deliveries in parts that take at most `room` octets of JSON, which is all ASCII."""
    part: list[dict[str, Any]] = []
    octets = 0
    for delivery in deliveries:
        size = len(json.dumps(delivery)) + len(", ")
        if part and (len(part) == _DELIVERIES_AN_EVENT or octets + size > room):
            yield part
            part, octets = [], 0
        part.append(delivery)
        octets += size
    if part:
        yield part


def _calls(entries: Iterable[PutEventsRequestEntryTypeDef]) -> Iterator[list[PutEventsRequestEntryTypeDef]]:
    call: list[PutEventsRequestEntryTypeDef] = []
    octets = 0
    for entry in entries:
        size = len(entry["Detail"])
        if call and (len(call) == _ENTRIES_A_CALL or octets + size > _EVENT_BYTES):
            yield call
            call, octets = [], 0
        call.append(entry)
        octets += size
    if call:
        yield call


def _short(value: object) -> str | None:
    """A text as far as it is of use; of one that is no Unicode, what is."""
    return value[:512].encode(errors="replace").decode() if isinstance(value, str) else None
