"""Read deliveries: what became of which mail, and why it did not arrive."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.delivery_view import summary, view
from tocsin.model.settings_error import NotThere

if TYPE_CHECKING:
    from tocsin.actions.access import Access
    from tocsin.model.delivery_record import DeliveryRecord, LogLine, Story
    from tocsin.model.delivery_search import Found, Position, Search
    from tocsin.model.delivery_view import DeliverySummary, DeliveryView
    from tocsin.model.permissions import Caller
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


class Deliveries(Protocol):
    """The journals of all chunks, as they can be looked through."""

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        """At most `size` of the deliveries that are looked for, newest first: as they stood a moment ago."""
        ...

    def records(self, keys: list[DeliveryKey]) -> list[DeliveryRecord]:
        """These deliveries, of 100 at most, as they stand now; those that are gone are left out."""
        ...

    def story(self, project_id: str, delivery_id: str) -> Story | None:
        """The delivery with this id, and what it carries; None where the project has none of that id."""
        ...


class Remedies(Protocol):
    """The table of failures."""

    def text(self, remedy_id: str) -> str | None:
        """What the row with this id says; None where there is none."""
        ...

    def verdict(self, reply: Reply, *, auth_type: str) -> Verdict:
        """The class of a failed reply, and its remedy."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadDeliveries:
    """The action and all that it needs."""

    access: Access
    deliveries: Deliveries
    remedies: Remedies

    def page(
        self, caller: Caller, project_id: str, search: Search, *, behind: Position | None, size: int
    ) -> tuple[list[DeliverySummary], Position | None]:
        """At most `size` deliveries, of 100, and where the list goes on; there may be none here, and more behind.

        Raises:
            NotThere: the project is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        found = self.deliveries.find(project_id, search, behind=behind, size=size)
        records = [one for one in self.deliveries.records(found.keys) if _is_looked_for(one, search)]
        return [summary(one, self._remedy_of) for one in records], found.behind

    def read(self, caller: Caller, project_id: str, delivery_id: str) -> DeliveryView:
        """One delivery's whole story.

        Raises:
            NotThere: it, or its project, is not, or is not for this caller.
        """
        self.access.let_read(caller, project_id)
        story = self.deliveries.story(project_id, delivery_id)
        if story is None:
            raise NotThere("no such delivery")
        return view(story, self._remedy_of)

    def _remedy_of(self, line: LogLine) -> str | None:
        return remedy_of(line, self.remedies)


def remedy_of(line: LogLine, remedies: Remedies) -> str | None:
    """What to do about what the line says; None where all is well, or nothing can be done."""
    reply = line.reply
    if reply is not None and reply.code is None and reply.text in _OWN_REMEDIES:
        return _OWN_REMEDIES[reply.text]
    if line.remedy_id is None or reply is None:
        return None
    return remedies.text(line.remedy_id) or remedies.verdict(reply, auth_type="none").remedy


def _is_looked_for(record: DeliveryRecord, search: Search) -> bool:
    """Whether it still is what the index said."""
    return search.finds(state=record.state, mail_account_id=record.mail_account_id, type=record.type)


_OWN_REMEDIES = {
    "suppressed": "The project suppresses this address. Take it off the suppressions if it is to get mail again; this "
    "mail stays unsent.",
    "expired": "It could not be sent while it was of use. The lines before say why; put that right, and re-drive the "
    "delivery if it is still wanted.",
    "grant_busy": "The account's token was being renewed. Nothing needs to be done.",
}
