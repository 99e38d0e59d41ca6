"""Where the actions on deliveries, suppressions and the audit meet adapters; apart from `wiring`, as `wiring_api`."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cache

from tocsin.actions.access import Access
from tocsin.actions.read_audit import ReadAudit
from tocsin.actions.read_deliveries import ReadDeliveries
from tocsin.actions.redrive import Redrive
from tocsin.actions.redrive_deliveries import RedriveDeliveries
from tocsin.actions.suppress import Suppress
from tocsin.adapters.audit_items import Audit
from tocsin.adapters.audit_log import AuditLog
from tocsin.adapters.delivery_indexes import DeliveryIndexes
from tocsin.adapters.delivery_log import DeliveryLog
from tocsin.adapters.project_writer import ProjectWriter
from tocsin.adapters.queues import BulkQueue
from tocsin.adapters.suppressions import Suppressions
from tocsin.adapters.transactions import Transactions
from tocsin.adapters.waiting_deliveries import WaitingDeliveries
from tocsin.data.remedies import Remedies
from tocsin.wiring import client, config, now

__all__ = ["now", "read_audit", "read_deliveries", "redrive_deliveries", "retention", "suppress"]


@cache
def read_deliveries() -> ReadDeliveries:
    """The action behind the list of deliveries, and behind each of them."""
    return ReadDeliveries(access=_access(), deliveries=_delivery_log(), remedies=Remedies())


@cache
def redrive_deliveries() -> RedriveDeliveries:
    """The action by which an admin has deliveries sent again."""
    waiting = WaitingDeliveries(client("dynamodb"), config().deliveries_table, transactions=_transactions(), clock=now)
    bulk_queue = BulkQueue(lambda: client("sqs"), config().bulk_queue_url, clock=now)
    return RedriveDeliveries(
        access=_access(),
        deliveries=_delivery_log(),
        redrive=Redrive(deliveries=waiting, bulk_queue=bulk_queue),
        audit=_audit_log(),
        clock=now,
    )


@cache
def suppress() -> Suppress:
    """The actions behind the routes of suppressions."""
    suppressions = Suppressions(
        client("dynamodb"), config().suppressions_table, transactions=_transactions(), audit=_audit()
    )
    return Suppress(access=_access(), suppressions=suppressions, clock=now)


@cache
def read_audit() -> ReadAudit:
    """The action behind the audit."""
    return ReadAudit(access=_access(), audit=_audit_log())


def retention() -> timedelta:
    """How long deliveries are kept."""
    return timedelta(days=float(config().retention_days))


def _access() -> Access:
    projects = ProjectWriter(client("dynamodb"), config().settings_table, transactions=_transactions(), audit=_audit())
    return Access(projects=projects)


def _delivery_log() -> DeliveryLog:
    table = config().deliveries_table
    return DeliveryLog(client("dynamodb"), table, indexes=DeliveryIndexes(client("dynamodb"), table))


def _audit_log() -> AuditLog:
    return AuditLog(client("dynamodb"), _audit())


def _audit() -> Audit:
    return Audit(table=config().settings_table, retention=retention())


def _transactions() -> Transactions:
    return Transactions(client("dynamodb"), pause=time.sleep)
