"""What is parked for an account that was mended: with the accounts that share a route with it, in whichever project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tocsin.model.project import SYSTEM_PROJECT
from tocsin.model.redrive import whose_mails_go

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tocsin.adapters.waiting_deliveries import WaitingDeliveries
    from tocsin.model.project import ProjectSettings
    from tocsin.model.redrive import DeliveryKey

    type Part = tuple[Sequence[DeliveryKey], str]

_PAGE = 100
_NO_ACCOUNT = "none"  # sorts after every account
_AT_ITS_END = "~"  # sorts after these, and after every time


class Projects(Protocol):
    """The list of all projects."""

    def ids(self, *, after: str | None, size: int) -> list[str]:
        """The ids of some of them, in order, behind the id `after`."""
        ...


class Settings(Protocol):
    """The settings of projects."""

    def fresh(self, project_id: str) -> ProjectSettings | None:
        """A project's settings as they stand; None where there is no such project."""
        ...


class ParkedEverywhere:
    """Finds what is parked for an account where it is: with the project that it was for.

    It may be parked under another account of the same route: whichever was the first choice, or the last that was
    tried. Words to admins, which any account may carry, are parked under none, where other mails wait for something
    else.
    """

    def __init__(self, deliveries: WaitingDeliveries, projects: Projects, settings: Settings) -> None:
        self._deliveries = deliveries
        self._projects = projects
        self._settings = settings

    def parked(self, project_id: str, mail_account_id: str | None, *, reached: str | None) -> Iterator[Part]:
        """What is parked for the account, in parts of at most 100, with how far each part reaches.

        Of an account of the installation's, project by project; a part may then be empty, so that whoever asks can
        stop between two of many projects in which there is nothing.
        """
        system = self._settings.fresh(SYSTEM_PROJECT)
        name, _, place = (reached or "").partition(" ")
        if project_id != SYSTEM_PROJECT or not place:
            name, place = project_id, place if name == project_id else ""
        yield from self._of(name, mail_account_id, system, reached=place)
        if project_id == SYSTEM_PROJECT:
            yield from self._behind(name if name != SYSTEM_PROJECT else None, mail_account_id, system)

    def _behind(self, name: str | None, mail_account_id: str | None, system: ProjectSettings | None) -> Iterator[Part]:
        while ids := self._projects.ids(after=name, size=_PAGE):
            for one in ids:
                if one != SYSTEM_PROJECT:
                    yield from self._of(one, mail_account_id, system)
            name = ids[-1]
            yield (), f"{name} {_AT_ITS_END}"

    def _of(
        self, project_id: str, mail_account_id: str | None, system: ProjectSettings | None, *, reached: str = ""
    ) -> Iterator[Part]:
        """What is parked in one project, account by account."""
        first, _, time = reached.partition(" ")
        for account_id in self._accounts(project_id, mail_account_id, system) if first != _AT_ITS_END else ():
            name = account_id or _NO_ACCOUNT
            if name >= first:
                begin = time if name == first else None
                only_to_admins = account_id is None and mail_account_id is not None
                for keys, end in self._deliveries.parked(
                    project_id, account_id, reached=begin, only_to_admins=only_to_admins
                ):
                    yield keys, f"{project_id} {name} {end}"

    def _accounts(
        self, project_id: str, mail_account_id: str | None, system: ProjectSettings | None
    ) -> Sequence[str | None]:
        """Whose parked mails of this project may go, in order."""
        settings = self._settings.fresh(project_id) if mail_account_id is not None else None
        if mail_account_id is None or settings is None:
            return [mail_account_id]
        return [*sorted(whose_mails_go(mail_account_id, settings, system)), None]
