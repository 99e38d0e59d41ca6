"""The one place where actions meet adapters; every client is made once, when it is first needed."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from threading import Lock
from typing import TYPE_CHECKING, Any

import boto3
from botocore.config import Config as ClientConfig

from tocsin.actions.deliver import Deliver
from tocsin.actions.log_in import LogIn
from tocsin.actions.receive import Receive
from tocsin.actions.refresh_due import RefreshDue
from tocsin.actions.renew_grant import RenewGrant
from tocsin.actions.tell_of_accounts import TellOfAccounts
from tocsin.actions.warn_of_secret_end import WarnOfSecretEnd
from tocsin.adapters import queues
from tocsin.adapters.admin_notices import AdminNotices
from tocsin.adapters.egress import Egress
from tocsin.adapters.event_bus import EventBus
from tocsin.adapters.grant_store import GrantStore
from tocsin.adapters.identity_providers import IdentityProviders
from tocsin.adapters.journal import Journals, Tables
from tocsin.adapters.leases import Leases
from tocsin.adapters.look_up import LookUp
from tocsin.adapters.mail_account_items import DUE_SHARDS
from tocsin.adapters.payload_store import PayloadStore
from tocsin.adapters.queues import BulkQueue, DeadLetterQueue, give_back_now
from tocsin.adapters.redrive_marks import RedriveMarks
from tocsin.adapters.secret_store import SecretStore
from tocsin.adapters.sessions import Sessions
from tocsin.adapters.settings_store import SettingsStore
from tocsin.adapters.shared_items import SharedItems
from tocsin.adapters.submission import Submission
from tocsin.adapters.transactions import Transactions
from tocsin.compose.composer import Composer
from tocsin.config import Config
from tocsin.data.presets import limits_of
from tocsin.data.remedies import Remedies

if TYPE_CHECKING:
    from collections.abc import Callable


_LEASE_OUTLIVES_FUNCTION_BY = timedelta(seconds=5)
_RENEWALS_AT_ONCE = 32
_CLIENT = ClientConfig(
    connect_timeout=2,
    read_timeout=4,
    retries={"mode": "standard", "total_max_attempts": 3},
    max_pool_connections=_RENEWALS_AT_ONCE,
)
_making_clients = Lock()


@cache
def config() -> Config:
    """The function's configuration."""
    return Config.from_environment()


@cache
def receive(on_event_failure: Callable[[str, int], None]) -> Receive:
    """The action behind both queues. `on_event_failure` is told of events that the bus did not take."""
    settings = config()
    payloads = PayloadStore(lambda: client("s3"), settings.payload_bucket)
    bus = EventBus(client("events"), settings.event_bus_name, on_failure=on_event_failure)
    return Receive(
        deliver=Deliver(
            settings=settings_store(),
            log_in=LogIn(
                secrets=SecretStore(lambda: client("secretsmanager"), settings.secret_prefix),
                renew=renew_grant(on_event_failure),
                clock=now,
            ),
            look_up=LookUp(
                client("dynamodb"),
                suppressions_table=settings.suppressions_table,
                ephemeral_table=settings.ephemeral_table,
            ),
            limits=limits_of,
            notices=TellOfAccounts(
                grants=grants(),
                bus=bus,
                marks=redrive_marks(),
                clock=now,
                jitter=random.random,
                on_failure=on_event_failure,
            ),
            composer=Composer(),
            sessions=sessions(),
            remedies=Remedies(),
            bus=bus,
            clock=now,
            jitter=random.random,
        ),
        journals=_journals(settings, payloads),
        payloads=payloads,
        bulk_queue=BulkQueue(lambda: client("sqs"), settings.bulk_queue_url, clock=now),
        dead_letters=DeadLetterQueue(lambda: client("sqs"), settings.dead_letter_queue_url, payloads),
        bus=bus,
        clock=now,
    )


@cache
def refresh_due(on_failure: Callable[[str, int], None], on_trouble: Callable[[str, str, str], None]) -> RefreshDue:
    """The action behind the schedule.

    `on_failure` is told of events and notices that were not taken, `on_trouble` of grants that were not renewed.
    """
    bus = EventBus(client("events"), config().event_bus_name, on_failure=on_failure)
    return RefreshDue(
        grants=grants(),
        renew=renew_grant(on_failure),
        warn=WarnOfSecretEnd(
            grants=grants(), bus=bus, admins=_admin_notices(on_failure), clock=now, jitter=random.random
        ),
        shards=DUE_SHARDS,
        workers=_RENEWALS_AT_ONCE,
        starts_per_second=float(config().secret_writes_per_second),
        clock=now,
        monotonic=time.monotonic,
        on_trouble=on_trouble,
        pause=time.sleep,
    )


@cache
def renew_grant(on_failure: Callable[[str, int], None]) -> RenewGrant:
    """The renewal of one grant. `on_failure` is told of events and notices that were not taken."""
    bus = EventBus(client("events"), config().event_bus_name, on_failure=on_failure)
    return RenewGrant(
        grants=grants(),
        leases=Leases(client("dynamodb"), config().ephemeral_table, clock=now),
        tokens=identity_providers(),
        bus=bus,
        admins=_admin_notices(on_failure),
        clock=now,
        jitter=random.random,
        pause=time.sleep,
        new_holder=lambda: secrets.token_hex(16),
    )


@cache
def identity_providers() -> IdentityProviders:
    """The OAuth2 client side."""
    return IdentityProviders(egress(), Remedies())


@cache
def egress() -> Egress:
    """The guard of all connections to hosts that an admin typed."""
    return Egress(config().allowed_private_hosts)


@cache
def grants() -> GrantStore:
    """Mail accounts with their secrets, as those need them who change them."""
    return GrantStore(
        client("dynamodb"),
        lambda: client("secretsmanager"),
        table=config().settings_table,
        secret_prefix=config().secret_prefix,
        transactions=Transactions(client("dynamodb"), pause=time.sleep),
        clock=now,
    )


@cache
def redrive_marks() -> RedriveMarks:
    """What is to go again."""
    return RedriveMarks(client("dynamodb"), config().settings_table)


def _admin_notices(on_failure: Callable[[str, int], None]) -> AdminNotices:
    return AdminNotices(lambda: client("sqs"), config().notification_queue_url, settings_store(), on_failure=on_failure)


@cache
def settings_store() -> SettingsStore:
    """The settings that deliver reads, at most 10 s old."""
    return SettingsStore(client("dynamodb"), config().settings_table, monotonic=time.monotonic)


@cache
def sessions() -> Sessions:
    """The sessions with relays that the records of an invocation share."""
    return Sessions(
        lambda account, credential: Submission(account, credential, egress=egress()),
        SharedItems(
            client("dynamodb"), Transactions(client("dynamodb"), pause=time.sleep), config().ephemeral_table
        ),
        holder=secrets.token_hex(8),
        connections=lambda account: limits_of(account).connections,
        clock=now,
        monotonic=time.monotonic,
    )


def give_back(queue_arn: str, receipt_handle: str) -> None:
    """Make a message of one of our queues visible again at once."""
    give_back_now(client("sqs"), _queue_url(queue_arn), receipt_handle)


def send_again(queue_arn: str, body: str, *, group: str | None, after_seconds: int) -> None:
    """Put a message on one of our queues anew."""
    queues.send_again(client("sqs"), _queue_url(queue_arn), body, group=group, after_seconds=after_seconds)


def _queue_url(queue_arn: str) -> str:
    settings = config()
    return settings.bulk_queue_url if queue_arn == settings.bulk_queue_arn else settings.notification_queue_url


def _journals(settings: Config, payloads: PayloadStore) -> Journals:
    dynamodb = client("dynamodb")
    return Journals(
        dynamodb,
        Tables(deliveries=settings.deliveries_table, ephemeral=settings.ephemeral_table),
        transactions=Transactions(dynamodb, pause=time.sleep),
        payloads=payloads,
        lease=timedelta(seconds=float(settings.function_timeout_seconds)) + _LEASE_OUTLIVES_FUNCTION_BY,
        retention=timedelta(days=float(settings.retention_days)),
        clock=now,
    )


def now() -> datetime:
    """The time, aware and in UTC."""
    return datetime.now(UTC)


@cache
def _made(service: str) -> Any:  # noqa: ANN401  (each service's client is a type of its own)
    return boto3.client(service, config=_CLIENT)  # type: ignore[call-overload]  # the stubs know literals only


def client(service: str) -> Any:  # noqa: ANN401  (as above)
    """The function's client of an AWS service."""
    with _making_clients:  # boto3's default session is not thread-safe
        return _made(service)
