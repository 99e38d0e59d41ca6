"""Schedule -> refresh: renew the grants that are due."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.metrics import MetricUnit
from tocsin import wiring

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="refresh")
metrics = Metrics(namespace="Tocsin", service="refresh")

_LAST_START_SECONDS = 25.0
"""What one renewal may take: the identity provider's 15 s, and storing what it gave."""


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, int]:
    """Renew until all is done or the function's time is nearly over; the counts, by what happened."""
    del event
    left = context.get_remaining_time_in_millis() / 1000
    until = time.monotonic() + left - min(_LAST_START_SECONDS, left / 2)
    counts = dict(wiring.refresh_due(_not_told, _not_renewed)(until=until))
    logger.info("grants_refreshed", extra={"counts": counts})
    metrics.add_metric("GrantsRenewed", MetricUnit.Count, counts.get("renewed", 0))
    metrics.add_metric("GrantsLost", MetricUnit.Count, counts.get("GrantRefused", 0))
    return counts


def _not_told(error: str, count: int) -> None:
    logger.warning("not_told", error=error, count=count)


def _not_renewed(project_id: str, mail_account_id: str, error: str) -> None:
    logger.warning("grant_not_renewed", project_id=project_id, mail_account_id=mail_account_id, error=error)
