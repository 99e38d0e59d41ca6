"""A storm in a project to which everything may happen, the workers that send its digests among it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tocsin.model.delivery import State

from tests.unit.actions.misfortune import Died, Misfortune
from tests.unit.actions.storm_world import HeldInMemory

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from datetime import datetime

    from tocsin.model.digest import HeldMail
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.shared_item import SharedItem
    from tocsin.model.storm import StormGroup

_SELDOM = 0.1


@dataclass(frozen=True, slots=True)
class _Held(HeldInMemory):
    """What is held, in tables that are sometimes too busy, by a worker that sometimes dies."""

    world: MisfortuneInStorm

    def put(self, item: SharedItem) -> None:
        """Write one, or not, or nobody knows."""
        self.world.die()
        self.world.be_busy()
        HeldInMemory.put(self, item)
        self.world.be_busy()

    def held(self, group: StormGroup, *, until: datetime) -> list[HeldMail]:
        """What waits for the group's digest."""
        self.world.be_busy()
        return HeldInMemory.held(self, group, until=until)

    def end(self, mails: Sequence[HeldMail], digest_id: str, *, while_stands: SharedItem) -> Sequence[HeldMail]:
        """End those that still wait, or not, or nobody knows."""
        self.world.be_busy()
        ended = HeldInMemory.end(self, mails, digest_id, while_stands=while_stands)
        self.world.be_busy()
        return ended


@dataclass(slots=True, kw_only=True)
class MisfortuneInStorm(Misfortune):
    """The project. `told_of` are how many mails each digest stands for, by its id: one is mailed once."""

    told_of: dict[str, int] = field(default_factory=dict)

    def die(self) -> None:
        """End the worker, now and then."""
        if not self.is_mild and self.happens(_SELDOM):
            raise Died

    def held_mails(self) -> _Held:
        """What is held, as `SendDigest` sees it."""
        return _Held(self)

    def publish_digest(self, event: Mapping[str, Any]) -> None:
        """Queue a digest; the same one always tells of the same."""
        self.be_busy()
        count = event["data"]["digest"]["count"]
        assert self.told_of.setdefault(event["id"], count) == count
        Misfortune.publish_digest(self, event)
        self.be_busy()

    def month_used_up(self, project_id: str, account: MailAccount | None, until: datetime) -> None:
        """No account has a month that could be."""
        raise NotImplementedError

    def digested(self) -> int:
        """How many deliveries ended because a digest stands for them."""
        return self.states()[State.SUPPRESSED]
