"""Mails that say what no other type does: the publisher's own words, or the publisher's own HTML."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from tocsin.model.notifications.parts import NotificationData, Part

_HTML_CHARACTERS = 100_000  # some providers clip a mail at 102 kB


class Message(Part):
    """A subject, Markdown, and a button if it has a URL. `preheader` is what an inbox shows behind the subject."""

    subject: Annotated[str, Field(min_length=1)]
    body: Annotated[str, Field(min_length=1)]
    preheader: str | None = None
    button_label: str | None = None
    button_url: str | None = None


class HtmlMessage(Part):
    """A subject, and HTML of which only what is harmless is kept: no scripts, forms or classes, and https images.

    The text part is made of it.
    """

    subject: Annotated[str, Field(min_length=1)]
    html: Annotated[str, Field(min_length=1, max_length=_HTML_CHARACTERS)]
    preheader: str | None = None


class GenericMessage(NotificationData):
    """A message in the publisher's own words, in the project's own frame."""

    message: Message


class GenericHtml(NotificationData):
    """The publisher's own HTML in the project's own frame."""

    message: HtmlMessage


TYPES: dict[str, type[NotificationData]] = {
    "generic.message": GenericMessage,
    "generic.html": GenericHtml,
}
