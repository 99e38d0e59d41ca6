"""What is parked for an account of the installation's own: deliveries of every project that fell back on it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tocsin.model.project import SYSTEM_PROJECT

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tocsin.adapters.waiting_deliveries import WaitingDeliveries
    from tocsin.model.redrive import DeliveryKey

    type Part = tuple[Sequence[DeliveryKey], str]

_PAGE = 100
_AT_ITS_END = "~"  # sorts after every time


class Projects(Protocol):
    """The list of all projects."""

    def ids(self, *, after: str | None, size: int) -> list[str]:
        """The ids of some of them, in order, behind the id `after`."""
        ...


class ParkedEverywhere:
    """Finds what is parked for an account where it is: with the project that it was for."""

    def __init__(self, deliveries: WaitingDeliveries, projects: Projects) -> None:
        self._deliveries = deliveries
        self._projects = projects

    def parked(self, project_id: str, mail_account_id: str | None, *, reached: str | None) -> Iterator[Part]:
        """What is parked for the account, in parts of at most 100, with how far each part reaches.

        Of an account of the installation's, project by project; a part may then be empty, so that whoever asks can
        stop between two of many projects in which there is nothing.
        """
        if project_id != SYSTEM_PROJECT:
            yield from self._deliveries.parked(project_id, mail_account_id, reached=reached)
            return
        name, _, time = (reached or f"{SYSTEM_PROJECT} ").partition(" ")
        yield from self._of(name, mail_account_id, reached=time or None)
        yield from self._behind(name if name != SYSTEM_PROJECT else None, mail_account_id)

    def _behind(self, name: str | None, mail_account_id: str | None) -> Iterator[Part]:
        while ids := self._projects.ids(after=name, size=_PAGE):
            for one in ids:
                if one != SYSTEM_PROJECT:
                    yield from self._of(one, mail_account_id, reached=None)
            name = ids[-1]
            yield (), f"{name} {_AT_ITS_END}"

    def _of(self, project_id: str, mail_account_id: str | None, *, reached: str | None) -> Iterator[Part]:
        for keys, time in self._deliveries.parked(project_id, mail_account_id, reached=reached):
            yield keys, f"{project_id} {time}"
