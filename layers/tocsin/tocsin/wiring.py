"""The one place where actions meet adapters; every client is made once, when it is first needed."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any

from botocore.config import Config as ClientConfig

from tocsin.actions.deliver import Deliver
from tocsin.actions.log_in import LogIn
from tocsin.actions.receive import Receive
from tocsin.actions.tell_of_accounts import TellOfAccounts
from tocsin.adapters import aws_trouble, queues
from tocsin.adapters.aws_clients import AwsClients
from tocsin.adapters.egress import Egress
from tocsin.adapters.event_bus import EventBus
from tocsin.adapters.grant_store import GrantStore
from tocsin.adapters.journal import Journals, Tables
from tocsin.adapters.look_up import LookUp
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

    from tocsin.actions.refresh_due import RefreshDue
    from tocsin.actions.renew_grant import RenewGrant
    from tocsin.adapters.admin_notices import AdminNotices
    from tocsin.adapters.identity_providers import IdentityProviders
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


_LEASE_OUTLIVES_FUNCTION_BY = timedelta(seconds=5)
_RENEWALS_AT_ONCE = 32
_CLIENTS = AwsClients(
    ClientConfig(
        connect_timeout=2,
        read_timeout=4,
        retries={"mode": "standard", "total_max_attempts": 3},
        max_pool_connections=_RENEWALS_AT_ONCE,
    )
)

busy_services_are_transient = aws_trouble.busy_services_are_transient


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
                renew=_RenewalWhenNeeded(on_event_failure),
                clock=now,
            ),
            look_up=LookUp(
                client("dynamodb"),
                suppressions_table=settings.suppressions_table,
                ephemeral_table=settings.ephemeral_table,
                settings_table=settings.settings_table,
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
    from tocsin.actions.refresh_due import RefreshDue  # noqa: PLC0415  (deliver starts sooner without it)
    from tocsin.actions.warn_of_secret_end import WarnOfSecretEnd  # noqa: PLC0415  (as above)
    from tocsin.adapters.mail_account_items import DUE_SHARDS  # noqa: PLC0415  (as above)

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
    from tocsin.actions.renew_grant import RenewGrant  # noqa: PLC0415  (only OAuth2 needs it)
    from tocsin.adapters.leases import Leases  # noqa: PLC0415  (as above)

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


class _RenewalWhenNeeded:
    """The renewal, loaded and made when the first grant has to be renewed: most accounts log in by password."""

    def __init__(self, on_failure: Callable[[str, int], None]) -> None:
        self._on_failure = on_failure

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """Renew, as `RenewGrant` does."""
        renew = renew_grant(self._on_failure)
        return renew(project_id, account_id, refused_version=refused_version, deadline=deadline)

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """Park the account, as `RenewGrant` does."""
        renew_grant(self._on_failure).refused(account, reply, verdict)


@cache
def identity_providers() -> IdentityProviders:
    """The OAuth2 client side."""
    from tocsin.adapters.identity_providers import IdentityProviders  # noqa: PLC0415  (only OAuth2 needs it)

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
    from tocsin.adapters.admin_notices import AdminNotices  # noqa: PLC0415  (only OAuth2 needs it)

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
        SharedItems(client("dynamodb"), Transactions(client("dynamodb"), pause=time.sleep), config().ephemeral_table),
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


def client(service: str) -> Any:  # noqa: ANN401  (each service's client is a type of its own)
    """The function's client of an AWS service."""
    return _CLIENTS(service)
