"""Where the summaries of failed deliveries meet their adapters; apart from `wiring`, as `wiring_sweep`."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from tocsin.actions.summarise_failures import SummariseFailures
from tocsin.adapters.delivery_indexes import DeliveryIndexes
from tocsin.adapters.delivery_log import DeliveryLog
from tocsin.data.remedies import Remedies
from tocsin.wiring import admin_notices, client, config, failure_marks, now, settings_store

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def summarise_failures(
    on_failure: Callable[[str, int], None], on_trouble: Callable[[str, str], None]
) -> SummariseFailures:
    """The action behind the schedule of every hour. `on_trouble` is told of projects that still wait for a summary."""
    table = config().deliveries_table
    return SummariseFailures(
        marks=failure_marks(),
        deliveries=DeliveryLog(client("dynamodb"), table, indexes=DeliveryIndexes(client("dynamodb"), table)),
        settings=settings_store(),
        admins=admin_notices(on_failure),
        remedies=Remedies(),
        clock=now,
        monotonic=time.monotonic,
        on_trouble=on_trouble,
    )
