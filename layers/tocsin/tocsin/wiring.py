"""The one place where actions meet adapters; every client is made once, when it is first needed."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config as ClientConfig

from tocsin.actions.deliver import Deliver
from tocsin.actions.receive import Receive
from tocsin.adapters.egress import Egress
from tocsin.adapters.event_bus import EventBus
from tocsin.adapters.journal import Journals
from tocsin.adapters.payload_store import PayloadStore
from tocsin.adapters.queues import BulkQueue, DeadLetterQueue, give_back_now
from tocsin.adapters.secret_store import SecretStore
from tocsin.adapters.sessions import Sessions
from tocsin.adapters.settings_store import SettingsStore
from tocsin.adapters.submission import Submission
from tocsin.adapters.suppression_store import SuppressionStore
from tocsin.adapters.transactions import Transactions
from tocsin.compose.composer import Composer
from tocsin.config import Config
from tocsin.data.remedies import Remedies

if TYPE_CHECKING:
    from collections.abc import Callable

_LEASE_OUTLIVES_FUNCTION_BY = timedelta(seconds=5)
_CLIENT = ClientConfig(connect_timeout=2, read_timeout=4, retries={"mode": "standard", "total_max_attempts": 3})
_making_clients = Lock()


@cache
def config() -> Config:
    """The function's configuration."""
    return Config.from_environment()


@cache
def receive(on_event_failure: Callable[[str, int], None]) -> Receive:
    """The action behind both queues. `on_event_failure` is told of events that the bus did not take."""
    settings = config()
    payloads = PayloadStore(lambda: _client("s3"), settings.payload_bucket)
    bus = EventBus(_client("events"), settings.event_bus_name, on_failure=on_event_failure)
    return Receive(
        deliver=Deliver(
            settings=SettingsStore(_client("dynamodb"), settings.settings_table, monotonic=time.monotonic),
            secrets=SecretStore(lambda: _client("secretsmanager"), settings.secret_prefix),
            suppressions=SuppressionStore(_client("dynamodb"), settings.suppressions_table),
            composer=Composer(),
            sessions=sessions(),
            remedies=Remedies(),
            bus=bus,
            clock=_now,
        ),
        journals=_journals(settings, payloads),
        payloads=payloads,
        bulk_queue=BulkQueue(lambda: _client("sqs"), settings.bulk_queue_url, clock=_now),
        dead_letters=DeadLetterQueue(lambda: _client("sqs"), settings.dead_letter_queue_url, payloads),
        bus=bus,
        clock=_now,
    )


@cache
def sessions() -> Sessions:
    """The sessions with relays that the records of an invocation share."""
    egress = Egress(config().allowed_private_hosts)
    return Sessions(
        lambda account, credential: Submission(account, credential, egress=egress), monotonic=time.monotonic
    )


def give_back(queue_arn: str, receipt_handle: str) -> None:
    """Make a message of one of our queues visible again at once."""
    settings = config()
    url = settings.bulk_queue_url if queue_arn == settings.bulk_queue_arn else settings.notification_queue_url
    give_back_now(_client("sqs"), url, receipt_handle)


def _journals(settings: Config, payloads: PayloadStore) -> Journals:
    dynamodb = _client("dynamodb")
    return Journals(
        dynamodb,
        settings.deliveries_table,
        transactions=Transactions(dynamodb, pause=time.sleep),
        payloads=payloads,
        lease=timedelta(seconds=float(settings.function_timeout_seconds)) + _LEASE_OUTLIVES_FUNCTION_BY,
        retention=timedelta(days=float(settings.retention_days)),
        clock=_now,
    )


def _now() -> datetime:
    return datetime.now(UTC)


@cache
def _made(service: str) -> Any:  # noqa: ANN401  (each service's client is a type of its own)
    return boto3.client(service, config=_CLIENT)  # type: ignore[call-overload]  # the stubs know literals only


def _client(service: str) -> Any:  # noqa: ANN401  (as above)
    with _making_clients:  # boto3's default session is not thread-safe
        return _made(service)
