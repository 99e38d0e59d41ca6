"""Sum up a day's failed deliveries for the admins of each project that had any."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.actions.read_deliveries import remedy_of
from tocsin.model.day_of_failures import FAILED, DayOfFailures
from tocsin.model.delivery_search import Search

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from tocsin.actions.read_deliveries import Remedies
    from tocsin.model.day_of_failures import FailureMark
    from tocsin.model.delivery_record import DeliveryRecord
    from tocsin.model.delivery_search import Found, Position
    from tocsin.model.project import Project, ProjectSettings
    from tocsin.model.redrive import DeliveryKey

_A_PAGE = 100
_MOST = 1000


class FailureMarks(Protocol):
    """Which projects had failures in which days."""

    def due(self, now: datetime) -> Iterable[FailureMark]:
        """The marks whose day is over, the oldest first."""
        ...

    def done(self, mark: FailureMark) -> None:
        """Have the mark not looked at again."""
        ...


class Deliveries(Protocol):
    """The journals of all chunks, as they can be looked through."""

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        """At most `size` of the deliveries that are looked for, newest first: as they stood a moment ago."""
        ...

    def records(self, keys: list[DeliveryKey]) -> list[DeliveryRecord]:
        """These deliveries, of 100 at most, as they stand now; those that are gone are left out."""
        ...


class SettingsStore(Protocol):
    """Where projects are kept."""

    def project(self, project_id: str) -> ProjectSettings | None:
        """The project's settings; None where there is no such project."""
        ...


class SummaryNotices(Protocol):
    """The people who look after a project."""

    def failed_summary(self, project: Project, failures: dict[str, Any], *, due_at: datetime) -> None:
        """Tell them what failed in the day before `due_at`; once, however often it is told. Raises where it cannot."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class SummariseFailures:
    """The action and all that it needs. `on_trouble` is told the project and the error."""

    marks: FailureMarks
    deliveries: Deliveries
    settings: SettingsStore
    admins: SummaryNotices
    remedies: Remedies
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    on_trouble: Callable[[str, str], None]

    def __call__(self, *, until: float) -> Counter[str]:
        """Sum up what is due, begin nothing after `until` (monotonic seconds), and count; the rest is the next run's.

        The counts are `sent`, `nothing_left` (all was mended, or nobody wants to know), `failed`, and
        `left_for_next_run`: nothing was found so far, and not all was looked at. A project has half of the time that is
        left, so that none waits behind one whose deliveries are very many.
        """
        counts: Counter[str] = Counter()
        for mark in self.marks.due(self.clock()):
            if (now := self.monotonic()) >= until:
                break
            try:
                counts[self._sum_up(mark, until=now + (until - now) / 2)] += 1
            except Exception as error:  # noqa: BLE001  (the trouble of one project is told, and stays its own)
                self.on_trouble(mark.project_id, type(error).__name__)
                counts["failed"] += 1
        return counts

    def _sum_up(self, mark: FailureMark, *, until: float) -> str:
        """Sum up one day, and have it not looked at again if that came to an end; what it is counted as."""
        settings = self.settings.project(mark.project_id)
        if settings is None or not settings.project.is_told_of_failures:
            self.marks.done(mark)
            return "nothing_left"
        day = self._day(mark, settings, until)
        if day.count == 0 and day.is_more:
            return "left_for_next_run"
        if day.count > 0:
            self.admins.failed_summary(settings.project, day.document(), due_at=mark.due_at)
        self.marks.done(mark)
        return "sent" if day.count > 0 else "nothing_left"

    def _day(self, mark: FailureMark, settings: ProjectSettings, until: float) -> DayOfFailures:
        """Look through the project's deliveries, newest first, until they are many, or the time is over."""
        search = Search(since=mark.since, until=mark.due_at, states=FAILED)
        day, behind = DayOfFailures(mark=mark), None
        while True:
            found = self.deliveries.find(mark.project_id, search, behind=behind, size=_A_PAGE)
            for record in filter(mark.covers, self.deliveries.records(found.keys)):
                account = settings.mail_accounts.get(record.mail_account_id or "")
                line = record.last_answered
                remedy = remedy_of(line, self.remedies) if line is not None else None
                day.add(record, mail_account=account.name if account is not None else None, remedy=remedy)
            behind = found.behind
            if behind is None:
                return day
            if day.count >= _MOST or self.monotonic() >= until:
                day.is_more = True
                return day
