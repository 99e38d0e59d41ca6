"""The pages around unsubscribing: they show what the link proves, and nothing that only we know."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Literal

from aws_lambda_powertools.event_handler import Response

from functions.authorize.answers import ALWAYS, STYLE, template

if TYPE_CHECKING:
    from tocsin.model.subscription import Subscription

COME_BACK = "come_back"
"""The field of the form by which a reader subscribes again."""

_HEADERS = ALWAYS | {
    "Content-Security-Policy": ALWAYS["Content-Security-Policy"].replace("form-action 'none'", "form-action 'self'")
}


class Ending(StrEnum):
    """What came of a visit."""

    ASKED = "asked"
    LEFT = "left"
    BACK = "back"
    TOO_OLD = "too_old"
    NOT_OURS = "not_ours"
    NOT_NOW = "not_now"


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A heading, what happened, what to do. `button` posts the form, by which `field` the name; `status` is HTTP's."""

    status: int
    tone: Literal["good", "warning", "bad"]
    heading: str
    happened: str
    remedy: str | None = None
    button: str | None = None
    field: str = "List-Unsubscribe"


def page(ending: Ending, subscription: Subscription | None) -> Response[str]:
    """The page for what came of it; `subscription` is what the link is about, where it says so."""
    words = _WORDS[ending]
    text = template("unsubscribe.html.j2").render(
        words=words,
        style=STYLE,
        address=subscription.masked_address if subscription else None,
        page_name=subscription.page_name if subscription else None,
    )
    return Response(status_code=words.status, content_type="text/html; charset=utf-8", body=text, headers=_HEADERS)


_WORDS = {
    Ending.ASKED: Words(
        status=200,
        tone="warning",
        heading="Unsubscribe from these mails?",
        happened="This address is told by mail what a status page has to say. Nothing is changed until you confirm.",
        button="Unsubscribe",
    ),
    Ending.LEFT: Words(
        status=200,
        tone="good",
        heading="You are unsubscribed",
        happened=(
            "This address gets no more mail from the status page. What is on its way already may still arrive in the "
            "next minutes."
        ),
        remedy="If this was a mistake, subscribe again. The link in the mail keeps working, too.",
        button="Subscribe again",
        field=COME_BACK,
    ),
    Ending.BACK: Words(
        status=200,
        tone="good",
        heading="You are subscribed again",
        happened="This address is told by mail again what the status page has to say.",
        button="Unsubscribe",
    ),
    Ending.TOO_OLD: Words(
        status=410,
        tone="warning",
        heading="This link is too old",
        happened="Links to unsubscribe work for more than a year, and this one is older. Nothing was changed.",
        remedy=(
            "Use the link in a newer mail. If you get none any more, there is nothing to do; if you do, and they have "
            "no link, answer one and ask its sender."
        ),
    ),
    Ending.NOT_OURS: Words(
        status=404,
        tone="bad",
        heading="This link does not work",
        happened="It is not complete, or it was never one of ours. Nothing was changed.",
        remedy=(
            "Open the newest mail and use its link there; if you copied it, copy all of it. If that fails as well, "
            "answer the mail and ask its sender to take you off the list."
        ),
    ),
    Ending.NOT_NOW: Words(
        status=503,
        tone="warning",
        heading="That did not work just now",
        happened="Something failed on our side. Nothing was changed, as far as we know.",
        remedy="Open the link again in a few minutes.",
    ),
}
