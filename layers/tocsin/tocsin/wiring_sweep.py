"""Where the sweep meets its adapters; apart from `wiring`, so that `deliver` starts without it."""

from __future__ import annotations

import time
from functools import cache
from typing import TYPE_CHECKING

from tocsin.actions.redrive import Redrive
from tocsin.actions.sweep_due import SweepDue
from tocsin.adapters.account_secrets import AccountSecrets
from tocsin.adapters.left_secrets import LeftSecrets
from tocsin.adapters.overdue_chunks import OverdueChunks
from tocsin.adapters.parked_everywhere import ParkedEverywhere
from tocsin.adapters.project_ids import ProjectIds
from tocsin.adapters.queues import BulkQueue
from tocsin.adapters.redrive_marks import RedriveMarks
from tocsin.adapters.transactions import Transactions
from tocsin.adapters.waiting_deliveries import WaitingDeliveries
from tocsin.wiring import client, config, now, settings_store

if TYPE_CHECKING:
    from collections.abc import Callable


@cache
def sweep_due(on_trouble: Callable[[str, str, str], None]) -> SweepDue:
    """The action behind the schedule of every minute. `on_trouble` is told of accounts whose deliveries still wait."""
    deliveries = _deliveries()
    return SweepDue(
        marks=RedriveMarks(client("dynamodb"), config().settings_table),
        parked=ParkedEverywhere(deliveries, ProjectIds(client("dynamodb"), config().settings_table), settings_store()),
        redrive=Redrive(deliveries=deliveries, bulk_queue=_bulk_queue()),
        secrets=_left_secrets(),
        chunks=OverdueChunks(client("dynamodb"), config().deliveries_table, clock=now),
        bulk_queue=_bulk_queue(),
        clock=now,
        monotonic=time.monotonic,
        on_trouble=on_trouble,
    )


def _left_secrets() -> LeftSecrets:
    secrets = AccountSecrets(
        lambda: client("secretsmanager"), prefix=config().secret_prefix, key=config().secret_key_arn
    )
    return LeftSecrets(client("dynamodb"), config().settings_table, secrets)


@cache
def _deliveries() -> WaitingDeliveries:
    dynamodb = client("dynamodb")
    return WaitingDeliveries(
        dynamodb,
        config().deliveries_table,
        transactions=Transactions(dynamodb, pause=time.sleep),
        clock=now,
    )


@cache
def _bulk_queue() -> BulkQueue:
    return BulkQueue(lambda: client("sqs"), config().bulk_queue_url, clock=now)
