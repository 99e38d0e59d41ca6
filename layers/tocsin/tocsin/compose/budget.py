"""What a service level objective has come to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.reader import current_reader
from tocsin.compose.report import percent
from tocsin.compose.times import duration
from tocsin.compose.translate import gettext as _

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.compose.occurrence import Fact


def slo_facts(slo: Mapping[str, Any]) -> list[Fact]:
    """Give target, current value and error budget, which may be overspent."""
    return [
        (_("Target"), percent(slo["target_percent"])),
        (_("Current value"), percent(slo["current_percent"])),
        _budget(slo["error_budget_percent"], slo["error_budget_seconds"]),
    ]


def _budget(share: float | None, seconds: float | None) -> Fact:
    overspent = min(share or 0, seconds or 0) < 0
    label = _("Error budget overspent by") if overspent else _("Error budget left")
    known = [
        *([] if share is None else [percent(abs(share))]),
        *([] if seconds is None else [duration(abs(seconds), current_reader().locale)]),
    ]
    return label, " · ".join(text for text in known if text) or None
