"""The rates that a mail counts in: that of the account that carries it, and that of its project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.model.rate import Rate

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.mail_account import Limits
    from tocsin.model.project import Project, ProjectLimits
    from tocsin.model.shared_item import SharedItem

OVER_LIMIT, PROJECT_OVER_LIMIT = "over_limit", "project_over_limit"
MONTH_USED_UP, PROJECT_MONTH_USED_UP = "month_used_up", "project_month_used_up"
OVER_LIMITS = frozenset({OVER_LIMIT, PROJECT_OVER_LIMIT})
"""Why a mail waits for room."""

MONTHS_USED_UP = frozenset({MONTH_USED_UP, PROJECT_MONTH_USED_UP})
"""Why a mail waits for the next month, or for a higher limit."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Counted:
    """One of the rates, out of its item."""

    item: SharedItem
    rate: Rate
    is_of_project: bool

    @classmethod
    def of(cls, item: SharedItem, limits: Limits | ProjectLimits, now: datetime, *, is_of_project: bool) -> Counted:
        """What the item says at `now`."""
        return cls(item=item, rate=Rate.of(item.document, limits, now), is_of_project=is_of_project)

    @property
    def over_limit(self) -> str:
        """Why a mail waits that finds no room in it."""
        return PROJECT_OVER_LIMIT if self.is_of_project else OVER_LIMIT

    @property
    def month_used_up(self) -> str:
        """Why it waits where the month has no room any more."""
        return PROJECT_MONTH_USED_UP if self.is_of_project else MONTH_USED_UP


def has_limit(limits: Limits | ProjectLimits) -> bool:
    """Whether anything has to be counted."""
    return any(limit is not None for limit in (limits.per_minute, limits.per_day, limits.per_month))


def project_rate_key(project: Project) -> str:
    """The key of what all mails of a project count in: no account's key is so short."""
    return f"rate#{project.project_id}"
