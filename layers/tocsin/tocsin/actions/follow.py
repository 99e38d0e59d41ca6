"""Answer an address of a tracked mail: say where it leads, and count it if that takes no time."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.errors import TransientError
from tocsin.model.reaction import Reaction
from tocsin.model.tracked_links import Trail

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime, timedelta

    from tocsin.model.signed_token import LinkKey
    from tocsin.model.tracking import Tracking


class LinkKeys(Protocol):
    """The keys of our own links."""

    def for_token(self, token: str) -> Iterable[LinkKey]:
        """The keys that this token may be signed with.

        Raises:
            BadToken: it is no token.
            SecretUnavailable: there is no key that we can read.
            TransientError: none can be read now.
        """
        ...


class Counter(Protocol):
    """Where reactions are counted, without waiting for long."""

    def add(
        self, project_id: str, delivery_id: str, reaction: Reaction, *, at: datetime, until: datetime, is_machine: bool
    ) -> None:
        """Count one, to be forgotten after `until`.

        Raises:
            TransientError: it is uncounted, or that is not known.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Followed:
    """Where it leads (None: it is a picture), and what came of counting. `is_off`: the project no longer counts."""

    project_id: str
    delivery_id: str
    target: str | None
    is_off: bool = False
    trouble: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Follow:
    """The action and all that it needs. `tracking` tells what a project counts, or raises TransientError."""

    keys: LinkKeys
    tracking: Callable[[str], Tracking]
    counter: Counter
    retention: timedelta
    clock: Callable[[], datetime]

    def __call__(self, token: str, reaction: Reaction, *, is_machine: bool) -> Followed:
        """Read the token and count once. What is in trouble is not waited for: the answer is the same without it.

        Raises:
            BadToken: we never gave such an address, or it is too old.
            SecretUnavailable, TransientError: it cannot be told whether we did.
        """
        now = self.clock()
        trail = Trail.of(token, reaction, keys=self.keys.for_token(token), now=now)
        is_off, trouble = False, None
        try:
            is_off = not self._is_counted(trail, reaction)
            if not is_off and now < trail.since + self.retention:
                self._count(trail, reaction, now, is_machine=is_machine)
        except TransientError as error:
            trouble = str(error)
        return Followed(
            project_id=trail.project_id,
            delivery_id=trail.delivery_id,
            target=trail.target,
            is_off=is_off,
            trouble=trouble,
        )

    def _is_counted(self, trail: Trail, reaction: Reaction) -> bool:
        tracking = self.tracking(trail.project_id)
        return tracking.opens if reaction is Reaction.OPEN else tracking.clicks

    def _count(self, trail: Trail, reaction: Reaction, now: datetime, *, is_machine: bool) -> None:
        until = trail.since + self.retention
        self.counter.add(trail.project_id, trail.delivery_id, reaction, at=now, until=until, is_machine=is_machine)
