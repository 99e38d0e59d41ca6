"""Storms: how many mails a person gets of one thread, and of one route, before the rest waits for a digest."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel, ConfigDict

from tocsin.model.retry import route_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.notification import Notification
    from tocsin.model.route import Route

KIND = "storm#"
HELD_FOR_DIGEST = "held_for_digest"
IN_DIGEST = "in_digest"
SETTLED = timedelta(seconds=5)
"""How long after it was held a delivery is surely found by the index of what is held."""

_AFTER_WINDOW = timedelta(seconds=10)  # the last that were held have settled by then
_SPREAD = timedelta(seconds=20)  # so that not all that is held comes back at the same moment
_REMEMBERED = timedelta(hours=1)
_FAMILIES = frozenset(
    {"incident", "incident_episode", "alert", "alert_episode", "monitor", "slo", "probe", "maintenance"}
)
_CRITICAL = "critical"
_ASKS_TO_ACT = ".acknowledge_request"


class StormControl(BaseModel):
    """What a project wants done in a storm.

    A window begins with the first mail that a person gets by a route. The first `mails_per_thread` of one thread, and
    `mails_in_all` of all threads of the route, go at once; the rest comes in one digest when the window ends.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    enabled: bool = True
    window_seconds: int = 600
    mails_per_thread: int = 10
    mails_in_all: int = 20

    @property
    def window(self) -> timedelta:
        """How long a window lasts."""
        return timedelta(seconds=self.window_seconds)


@dataclass(frozen=True, slots=True, kw_only=True)
class StormGroup:
    """What is counted together, and comes in one digest: a person's mails by one route, and by one account if named."""

    project_id: str
    route: Route
    mail_account_id: str | None
    recipient: str

    @classmethod
    def of(cls, notification: Notification, recipient: str) -> StormGroup:
        """The group of the mail to canonical `recipient`."""
        return cls(
            project_id=notification.project_id,
            route=route_of(notification),
            mail_account_id=notification.data.options.mail_account_id,
            recipient=recipient,
        )

    @property
    def name(self) -> str:
        """What the index of held deliveries knows the group by."""
        return f"{self._line}#{self.recipient}"

    @property
    def counter_key(self) -> str:
        """The key of the shared item with the counts."""
        return f"{KIND}{self._line}#{_digest(self.recipient)}"

    @property
    def digest_key(self) -> str:
        """The key of the shared item that says who works on the group's digest."""
        return f"digest#{self._line}#{_digest(self.recipient)}"

    @property
    def _line(self) -> str:
        account = self.mail_account_id
        return f"{self.project_id}#{self.route.value}#{_digest(account) if account is not None else 'any'}"


@dataclass(frozen=True, slots=True, kw_only=True)
class StormCount:
    """What a person was mailed in the window that began at `begun_at`. Made of, and kept as, a plain document."""

    begun_at: datetime
    in_all: int
    threads: Mapping[str, int]

    @classmethod
    def of(cls, document: Mapping[str, Any], control: StormControl, now: datetime) -> StormCount:
        """What `document` says at `now`: nothing, if its window is over."""
        begun_at = datetime.fromtimestamp(document.get("begun_at", 0), UTC)
        if abs(now - begun_at) >= control.window:
            return cls(begun_at=now, in_all=0, threads={})
        return cls(begun_at=begun_at, in_all=int(document["in_all"]), threads=document["threads"])

    def document(self) -> dict[str, Any]:
        """What is kept."""
        return {"begun_at": self.begun_at.timestamp(), "in_all": self.in_all, "threads": dict(self.threads)}

    def is_full(self, thread: str, control: StormControl) -> bool:
        """Whether no mail of the thread goes before the window ends."""
        return self.in_all >= control.mails_in_all or self.threads.get(thread, 0) >= control.mails_per_thread

    def counting(self, thread: str, mails: int = 1) -> StormCount:
        """The count with so many mails more, or fewer; never fewer than none, since the window may be another."""
        threads = {**self.threads, thread: max(0, self.threads.get(thread, 0) + mails)}
        return replace(self, in_all=max(0, self.in_all + mails), threads=threads)

    def forgotten_at(self, control: StormControl) -> datetime:
        """When the count is of no use any more."""
        return self.begun_at + control.window + _REMEMBERED

    def digest_at(self, control: StormControl, *, jitter: float) -> datetime:
        """When what is held now comes back, soon after the window's end. `jitter` is 0 to 1."""
        return self.begun_at + control.window + _AFTER_WINDOW + jitter * _SPREAD


def may_be_held(notification: Notification) -> bool:
    """Whether a mail of the notification may wait for a digest: never what is critical, or asks somebody to act."""
    if notification.family not in _FAMILIES or notification.type.endswith(_ASKS_TO_ACT):
        return False
    part = getattr(notification.data, notification.data.about or "", None)
    severity = getattr(part, "severity", None) or ""
    return getattr(part, "kind", None) != _CRITICAL and severity.casefold() != _CRITICAL


def thread_of(notification: Notification) -> str:
    """What the counts know the notification's thread by."""
    return _digest(notification.correlation)


def _digest(text: str) -> str:
    return sha256(text.encode(errors="surrogatepass")).hexdigest()[:24]
