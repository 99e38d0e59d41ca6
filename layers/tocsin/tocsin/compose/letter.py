"""What the mails of one notification have in common, made once: the sender's headers, the subject, the renderings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal

from jinja2 import TemplateError
from markupsafe import Markup, escape

from tocsin.compose.body import Body, Places
from tocsin.compose.brand import brand_of
from tocsin.compose.headers import address_header, text_header
from tocsin.compose.list_headers import list_headers
from tocsin.compose.reader import Reader, reading
from tocsin.compose.subject import is_stable, thread_subject
from tocsin.compose.times import display_zones
from tocsin.compose.values import one_line, presentable
from tocsin.compose.words import role_word
from tocsin.errors import PermanentError
from tocsin.model.address import BadAddress, parse_address
from tocsin.model.notification import Recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from jinja2 import Environment

    from tocsin.compose.custom_texts import CustomTexts
    from tocsin.compose.tracking import Tracked
    from tocsin.model.address import Address
    from tocsin.model.branding import Look
    from tocsin.model.mail_account import Sender
    from tocsin.model.notification import Notification
    from tocsin.model.tracked_links import TrackedLinks
    from tocsin.model.tracking import Tracking

_SUBJECT_CHARACTERS = 250
_RENDERINGS = 32  # readers of one notification rarely have more locales and time zones between them


class CannotCompose(PermanentError):
    """No valid message can be made. The message names the part that is at fault, and holds no value of it."""


class Letter:
    """One notification from one sender, to whomever. Threads may share it.

    Raises:
        CannotCompose: something is wrong in the sender or the templates; later too, where it shows later.
    """

    def __init__(
        self,
        notification: Notification,
        sender: Sender,
        look: Look,
        environment: Environment,
        *,
        list_host: str = "localhost",
    ) -> None:
        self.from_address = _sender_address(sender.email, part="sender address")
        self.reply_to = _sender_address(sender.reply_to, part="reply-to address") if sender.reply_to else None
        self._sender = sender
        self._notification = notification
        self._look = look
        self._environment = environment
        self._list_host = list_host
        self._custom = _custom_texts(look)
        self._places = Places()
        self._values = _common_values(notification, sender, look)
        self._page_zones = _page_zones(notification)
        self._pictures = _pictures(notification)
        self._subjects = lru_cache(maxsize=_RENDERINGS)(self._make_subjects)
        self._headers = lru_cache(maxsize=_RENDERINGS)(self._make_headers)
        self._rendering = lru_cache(maxsize=_RENDERINGS)(self._make_rendering)

    @property
    def utf8(self) -> bool:
        """Whether the sender alone makes every message internationalised (RFC 6532)."""
        return any(address.needs_smtputf8 for address in (self.from_address, self.reply_to) if address)

    def headers(self, locale: str, *, utf8: bool) -> tuple[str, ...]:
        """Give From, Reply-To if there is one, Subject, Thread-Topic if there is a thread, and the fields of a list."""
        return self._headers(locale, utf8)

    def bodies(
        self, shown: Mapping[str, Any], locale: str, time_zone: str | None, links: TrackedLinks | None = None
    ) -> tuple[tuple[str, bytes], tuple[str, bytes]]:
        """Give text and HTML for a recipient of whom `shown` may be shown: transfer encoding and lines of each."""
        own = {name: value for name, value in shown.items() if value is not None}
        if "role" in own:
            own["role"] = role_word(own["role"], locale)
        rendering = self._rendering(locale, time_zone, tuple(own), links.tracking if links is not None else None)
        if links is not None and rendering.tracked is not None:
            own |= rendering.tracked.filled(links)
        text = {name: own[name].encode() for name in rendering.text.names}
        html = {name: str(escape(own[name])).encode() for name in rendering.html.names}
        return rendering.text.fill(text), rendering.html.fill(html)

    def _make_headers(self, locale: str, utf8: bool) -> tuple[str, ...]:  # noqa: FBT001  (what results are kept by)
        addresses = {"From": self.from_address} | ({"Reply-To": self.reply_to} if self.reply_to else {})
        mailboxes = [address_header(name, self._sender.name, address, utf8=utf8) for name, address in addresses.items()]
        subject, topic = self._subjects(locale)
        topics = [text_header("Thread-Topic", topic, utf8=utf8)] if topic else []
        of_list = list_headers(self._notification, host=self._list_host, utf8=utf8)
        return (*mailboxes, text_header("Subject", subject, utf8=utf8), *topics, *of_list)

    def _make_subjects(self, locale: str) -> tuple[str, str | None]:
        """Give the subject, and what Outlook is to know the thread by: whatever happens, this is the same."""
        with reading(Reader(locale=locale)):
            topic = thread_subject(self._notification, self._values, self._look)
            topic = one_line(topic, limit=_SUBJECT_CHARACTERS) if topic else None
            if self._custom is not None and self._custom.has("subject"):
                return self._custom.subject(self._values, limit=_SUBJECT_CHARACTERS), topic
            if topic and is_stable(self._notification, self._look):
                return topic, topic
            subject = self._render(f"{self._notification.type}/subject.txt.j2", self._values)
            return one_line(subject, limit=_SUBJECT_CHARACTERS), topic

    def _make_rendering(
        self, locale: str, time_zone: str | None, present: tuple[str, ...], tracking: Tracking | None
    ) -> _Rendering:
        """Render for all recipients who share a locale and a time zone and have the same attributes."""
        zones = tuple(display_zones(time_zone, self._page_zones))
        reader = Reader(locale=locale, zones=zones, pictures=self._pictures)
        recipient = dict.fromkeys(Recipient.model_fields) | {name: self._places.stand_in(name) for name in present}
        values = self._values | {"recipient": recipient, "reader": reader, "subject": self._subjects(locale)[0]}
        with reading(reader):
            text = re.sub(r"\n{3,}", "\n\n", self._body("text", values, present)).strip() + "\n"
            html = self._body("html", values, present)
        html, tracked = (html, None) if tracking is None else self._with_tracking(html, tracking)
        return _Rendering(text=Body(text, self._places), html=Body(html, self._places), tracked=tracked)

    def _with_tracking(self, html: str, tracking: Tracking) -> tuple[str, Tracked]:
        from tocsin.compose.tracking import with_places  # noqa: PLC0415  (only few projects want it)

        return with_places(html, tracking, self._places, values=self._values)

    def _body(self, part: Literal["text", "html"], values: Mapping[str, Any], present: tuple[str, ...]) -> str:
        """Render a body: the built-in one, or its frame around what the project has it say instead."""
        file = "body.html.j2" if part == "html" else "body.txt.j2"
        built_in = f"{self._notification.type}/{file}"
        if self._custom is None or not self._custom.has(part):
            return self._render(built_in, values)
        custom = self._custom.body(part, values, present, self._places)
        return self._render(f"_custom/{file}", {**values, "frame": built_in, "custom": custom})

    def _render(self, template: str, values: Mapping[str, object]) -> str:
        try:
            return self._environment.get_template(template).render(values)
        except TemplateError as error:
            raise CannotCompose(f"template {template}: {type(error).__name__}") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class _Rendering:
    text: Body
    html: Body
    tracked: Tracked | None


def _sender_address(text: str, *, part: str) -> Address:
    try:
        return parse_address(text)
    except BadAddress as error:  # not the recipient's fault, so it must not look like it
        raise CannotCompose(f"{part}: {error}") from error


def _custom_texts(look: Look) -> CustomTexts | None:
    if look.template is None:
        return None
    from tocsin.compose.custom_texts import CustomTexts  # noqa: PLC0415  (only few projects have templates)

    return CustomTexts(look.template)


def _common_values(notification: Notification, sender: Sender, look: Look) -> dict[str, Any]:
    """What a template may show to everybody, clean. Absent parts are None; one the type does not have is undefined."""
    values = presentable(notification.data, exclude={"recipients", "recipients_ref", "options"})
    values |= presentable(sender, include={"signature"})
    values["signature_html"] = Markup(sender.signature_html) if sender.signature_html else None  # noqa: S704  (harmless)
    values["told_at"] = notification.time
    values["brand"] = brand_of(values, look)
    return values


def _pictures(notification: Notification) -> frozenset[str]:
    """Give the content ids of the pictures that the mails bring along."""
    attachments = notification.data.options.attachments
    return frozenset(one.content_id for one in attachments if one.inline and one.content_id is not None)


def _page_zones(notification: Notification) -> tuple[str, ...]:
    page = getattr(notification.data, "status_page", None)
    return (page.time_zones or ()) if page else ()
