"""What somebody looks for among a project's deliveries, and how far a search has come."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self, TypedDict, Unpack

from tocsin.model.address import KEY_OCTETS, canonical_recipient
from tocsin.model.chunk import Chunk
from tocsin.model.redrive import DeliveryKey

if TYPE_CHECKING:
    from tocsin.model.delivery import State

NO_ACCOUNT = "none"
"""Stands for a mail account's id where what is looked for has none: there was no route for it."""

_PLACE = re.compile(
    r"(?P<at>[0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}Z)"
    r"(?:/(?P<chunk>[0-9a-f]{64}#[0-9]{1,6})/(?P<recipient>[A-Za-z0-9_-]{1,1400}))?",
    re.ASCII,
)
_TICK = timedelta(microseconds=1)
_TTL_DELAY = timedelta(days=2)  # how late DynamoDB may be with what is over


class What(TypedDict, total=False):
    """What a search may ask for besides a time, as `Search` has it."""

    states: frozenset[State]
    recipient: str | None
    correlation: str | None
    mail_account_id: str | None
    type: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """All that a delivery must be, to be found; None, and no states: it may be any.

    `recipient` is canonical, `type` one type or a whole family. It was first written at `since` or later, and before
    `until`.
    """

    since: datetime
    until: datetime
    states: frozenset[State] = frozenset()
    recipient: str | None = None
    correlation: str | None = None
    mail_account_id: str | None = None
    type: str | None = None

    @classmethod
    def within(
        cls,
        retention: timedelta,
        now: datetime,
        *,
        since: datetime | None,
        until: datetime | None,
        **rest: Unpack[What],
    ) -> Self:
        """A search as somebody asks for it: no further back than anything is kept, and not for what is to come."""
        earliest = now - retention - _TTL_DELAY
        since = max(since or earliest, earliest)
        recipient = rest.get("recipient")
        if recipient is not None:
            rest["recipient"] = canonical_recipient(recipient)
        return cls(since=since, until=max(min(until or now, now), since), **rest)

    def finds(self, *, state: State, mail_account_id: str | None, type: str) -> bool:  # noqa: A002  (the field's name)
        """Whether a delivery that is about the right thing at the right time is looked for as it stands now."""
        return (
            (not self.states or state in self.states)
            and (self.mail_account_id is None or self.mail_account_id == (mail_account_id or NO_ACCOUNT))
            and (self.type is None or self.type in {type, type.partition(".")[0]})
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Position:
    """A place in a list whose newest comes first: behind the delivery `key`, or before all that are `at` or older.

    `at` is a time as indexes hold it, which sorts.
    """

    at: str
    key: DeliveryKey | None = None

    @classmethod
    def before(cls, moment: datetime) -> Self:
        """The place of what is older than `moment`."""
        return cls(at=(moment - _TICK).astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ"))

    @classmethod
    def of(cls, project_id: str, text: str) -> Self:
        """The place that this text says; it can only be in the project that is asked for.

        Raises:
            ValueError: it says none.
        """
        match = _PLACE.fullmatch(text)
        if match is None:
            raise ValueError("no place in a list of deliveries")
        datetime.fromisoformat(match["at"])
        if match["chunk"] is None:
            return cls(at=match["at"])
        chunk = Chunk.of(f"{project_id}#{match['chunk']}")
        padding = "=" * (-len(match["recipient"]) % 4)
        octets = urlsafe_b64decode(match["recipient"] + padding)
        if len(octets) > KEY_OCTETS:
            raise ValueError("no recipient of a delivery")
        recipient = octets.decode()
        return cls(at=match["at"], key=DeliveryKey(chunk=chunk, recipient=recipient))

    @property
    def text(self) -> str:
        """The place as `of` reads it: without the project, and without an address that anybody sees."""
        if self.key is None:
            return self.at
        chunk, recipient = self.key.chunk, urlsafe_b64encode(self.key.recipient.encode()).rstrip(b"=").decode()
        return f"{self.at}/{chunk.notification_key}#{chunk.number}/{recipient}"

    @property
    def hour_before(self) -> Self:
        """The place of what is older than the hour that this one is in."""
        return type(self).before(datetime.fromisoformat(f"{self.at[:13]}:00:00+00:00"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """Some of what is looked for, newest first, and where the search goes on: None where it is through.

    There may be nothing here, and more behind: a search does so much work at a time.
    """

    keys: list[DeliveryKey]
    behind: Position | None


def is_place(text: str) -> bool:
    """Whether a list of deliveries can go on there."""
    try:
        Position.of("any", text)
    except ValueError:
        return False
    return True
