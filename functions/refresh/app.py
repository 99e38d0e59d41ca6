"""Schedules -> refresh: renew grants; every minute, sweep what is parked or left behind; each day, tell what failed."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from tocsin import wiring, wiring_summary, wiring_sweep

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="refresh")
metrics = Metrics(namespace="Tocsin", service="refresh")

_LAST_START_SECONDS = 25.0
"""What one renewal may take: the identity provider's 15 s, and storing what it gave."""

_METRICS = {
    "GrantsRenewed": "renewed",
    "GrantsAdopted": "adopted",
    "GrantsNotDue": "not_due",
    "GrantsLost": "GrantRefused",
    "GrantsLate": "late",
    "GrantsLapsed": "lapsed",
}
"""The counts that are worth a metric; each is `RefreshDue`'s name for it."""

_SWEEP_SECONDS = 45.0


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Renew until all is done or the function's time is nearly over; the counts, by what happened.

    The schedules of the sweep and of the summaries say so in their events.
    """
    if event.get("task") == "sweep":
        return _sweep(context)
    if event.get("task") == "summarise":
        return _summarise(context)
    left = context.get_remaining_time_in_millis() / 1000
    until = time.monotonic() + left - min(_LAST_START_SECONDS, left / 2)
    counts = dict(wiring.refresh_due(_not_told, _not_renewed)(until=until))
    logger.info("grants_refreshed", extra={"counts": counts})
    for metric, counted in _METRICS.items():
        metrics.add_metric(metric, MetricUnit.Count, counts.get(counted, 0))
    return counts


def _sweep(context: LambdaContext) -> dict[str, int]:
    """Sweep until all is done, or nearly a minute is over: then the next run is about to begin."""
    left = context.get_remaining_time_in_millis() / 1000
    until = time.monotonic() + min(_SWEEP_SECONDS, left / 2)
    counts = dict(wiring_sweep.sweep_due(_not_redriven)(until=until))
    logger.info("swept", extra={"counts": counts})
    metrics.add_metric("DeliveriesRedriven", MetricUnit.Count, counts.get("redriven", 0))
    metrics.add_metric("RedrivesFailed", MetricUnit.Count, counts.get("failed", 0))
    metrics.add_metric("ChunksSentAgain", MetricUnit.Count, counts.get("sent_again", 0))
    return counts


def _summarise(context: LambdaContext) -> dict[str, int]:
    """Sum up the failures of each project whose day is over; what is left is the next hour's."""
    until = time.monotonic() + context.get_remaining_time_in_millis() / 2000
    counts = dict(wiring_summary.summarise_failures(_not_told, _not_summarised)(until=until))
    logger.info("failures_summarised", extra={"counts": counts})
    metrics.add_metric("SummariesSent", MetricUnit.Count, counts.get("sent", 0))
    metrics.add_metric("SummariesFailed", MetricUnit.Count, counts.get("failed", 0))
    return counts


def _not_told(error: str, count: int) -> None:
    logger.warning("not_told", error=error, count=count)


def _not_renewed(project_id: str, mail_account_id: str, error: str) -> None:
    logger.warning("grant_not_renewed", project_id=project_id, mail_account_id=mail_account_id, error=error)


def _not_redriven(project_id: str, mail_account_id: str, error: str) -> None:
    logger.warning("parked_not_redriven", project_id=project_id, mail_account_id=mail_account_id, error=error)


def _not_summarised(project_id: str, error: str) -> None:
    logger.warning("failures_not_summarised", project_id=project_id, error=error)
