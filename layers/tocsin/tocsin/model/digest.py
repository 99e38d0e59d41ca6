"""Digests: what is kept of a mail that is held, and the one event that tells of all of them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tocsin.model.delivery import Change, State
from tocsin.model.reply import Phase, Reply
from tocsin.model.storm import IN_DIGEST

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from tocsin.model.delivery import Entry
    from tocsin.model.notification import Notification, Recipient
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.storm import StormGroup

DIGEST_TYPE = "delivery.digest"
MOST_THREADS = 50
"""How many threads a digest names; it counts the others."""

_SOURCE = "/tocsin"
_TITLE_CHARACTERS, _WORD_CHARACTERS, _URL_CHARACTERS = 200, 60, 1000


@dataclass(frozen=True, slots=True, kw_only=True)
class HeldMail:
    """A delivery that is held since `held_at`. `line` is what was kept of its notification."""

    key: DeliveryKey
    entry: Entry
    held_at: datetime
    line: Mapping[str, Any]

    @property
    def project_id(self) -> str:
        """The project that sends."""
        return self.key.chunk.project_id

    @property
    def source(self) -> str:
        """The notification's source."""
        return str(self.line["source"])

    @property
    def id(self) -> str:
        """The notification's id."""
        return str(self.line["id"])

    @property
    def type(self) -> str:
        """The notification's type."""
        return str(self.line["type"])

    @property
    def subject(self) -> str | None:
        """The notification's subject."""
        return self.line.get("subject")

    @property
    def at(self) -> datetime:
        """When it happened, as far as the publisher said; else when it was held."""
        said = self.line.get("at")
        return datetime.fromisoformat(said) if said is not None else self.held_at

    def digested(self, digest_id: str) -> Change:
        """The end of it: the recipient hears of it by the digest whose delivery has this id."""
        reply = Reply(phase=Phase.SETTINGS, code=None, text=f"{IN_DIGEST} {digest_id}")
        return Change(before=self.entry, state=State.SUPPRESSED, attempt=self.entry.attempt, reply=reply)


def line_of(notification: Notification) -> dict[str, Any]:
    """What is kept of a notification whose mail is held, as a plain document."""
    data = notification.data
    part = getattr(data, data.about or "", None)
    change = getattr(data, "change", None)
    line = {
        "source": notification.source,
        "id": notification.id,
        "type": notification.type,
        "subject": _cut(notification.subject, 512),
        "thread": _cut(notification.correlation, 512),
        "number": getattr(part, "number", None),
        "title": _cut(getattr(part, "title", None) or getattr(part, "name", None), _TITLE_CHARACTERS),
        "state": _cut(getattr(change or part, "state", None), _WORD_CHARACTERS),
        "kind": getattr(part, "kind", None),
        "url": _url(getattr(part, "url", None)),
        "at": _moment(notification.time),
    }
    return {name: value for name, value in line.items() if value is not None}


def digest_event(group: StormGroup, recipient: Recipient, mails: Sequence[HeldMail]) -> dict[str, Any]:
    """The event that tells `recipient` of `mails`, one at least. The same mails always make the same event."""
    threads = _threads(mails)
    families = {mail.type.partition(".")[0] for mail in mails}
    return {
        "specversion": "1.0",
        "id": f"digest/{_identity(group, mails)}",
        "source": _SOURCE,
        "type": DIGEST_TYPE,
        "time": _moment(max(mail.held_at for mail in mails)),
        "subject": str(mails[0].line["thread"]) if len(threads) == 1 else None,
        "datacontenttype": "application/json",
        "data": {
            "project": {"id": group.project_id},
            "recipients": [recipient.model_dump(exclude_none=True)],
            "digest": {
                "route": group.route.value,
                "family": families.pop() if len(families) == 1 else None,
                "count": len(mails),
                "began_at": _moment(min(mail.held_at for mail in mails)),
                "ended_at": _moment(max(mail.held_at for mail in mails)),
                "threads": threads[:MOST_THREADS],
                "thread_count": len(threads),
            },
            "options": {"mail_account_id": group.mail_account_id},
        },
    }


def _threads(mails: Iterable[HeldMail]) -> list[dict[str, Any]]:
    """What is said of each thread: those with the most mails first, and of these the newest."""
    by_thread: dict[str, list[HeldMail]] = {}
    for mail in sorted(mails, key=lambda mail: (mail.at, mail.held_at)):
        by_thread.setdefault(str(mail.line["thread"]), []).append(mail)
    newest_first = sorted(by_thread.values(), key=lambda some: some[-1].at, reverse=True)
    return [_thread(some) for some in sorted(newest_first, key=len, reverse=True)]


def _thread(mails: Sequence[HeldMail]) -> dict[str, Any]:
    """What is said of a thread whose mails stand in the order in which it happened."""
    first, last = mails[0], mails[-1]
    return {
        "family": last.type.partition(".")[0],
        **{name: _newest(mails, name) for name in ("number", "title", "state", "kind", "url")},
        "count": len(mails),
        "first_at": _moment(first.at),
        "last_at": _moment(last.at),
    }


def _newest(mails: Sequence[HeldMail], name: str) -> Any:  # noqa: ANN401  (any value of a line)
    return next((mail.line[name] for mail in reversed(mails) if name in mail.line), None)


def _identity(group: StormGroup, mails: Iterable[HeldMail]) -> str:
    """The same for the same mails, whoever makes the digest, and however often."""
    ids = sorted(mail.key.chunk.delivery_id(mail.key.recipient) for mail in mails)
    return sha256("\n".join([group.name, *ids]).encode(errors="surrogatepass")).hexdigest()


def _cut(text: str | None, characters: int) -> str | None:
    return text[:characters] if text else None


def _url(url: str | None) -> str | None:
    return url if url is not None and len(url) <= _URL_CHARACTERS else None


def _moment(at: datetime | None) -> str | None:
    try:
        return at.astimezone(UTC).isoformat() if at is not None else None
    except OverflowError:  # the first or last hours that a datetime can hold
        return None
