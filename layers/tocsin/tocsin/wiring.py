"""The one place where actions meet adapters; every client is made once, when it is first needed."""

from __future__ import annotations

import random
import secrets
import time
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from botocore.config import Config as ClientConfig

from tocsin.actions.deliver import Deliver
from tocsin.actions.log_in import LogIn
from tocsin.actions.offer_way_out import OfferWayOut
from tocsin.actions.receive import Receive
from tocsin.actions.tell_of_accounts import TellOfAccounts
from tocsin.actions.track_links import TrackLinks
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
from tocsin.compose.supplements import Supplements
from tocsin.config import Config
from tocsin.data.presets import limits_of
from tocsin.data.remedies import Remedies

if TYPE_CHECKING:
    from collections.abc import Callable
    from collections.abc import Set as AbstractSet

    from tocsin.actions.delivery_run import TimeLeft
    from tocsin.actions.refresh_due import RefreshDue
    from tocsin.actions.renew_grant import RenewGrant
    from tocsin.actions.send_digest import SendDigest
    from tocsin.adapters.admin_notices import AdminNotices
    from tocsin.adapters.failure_marks import FailureMarks
    from tocsin.adapters.identity_providers import IdentityProviders
    from tocsin.adapters.link_keys import LinkKeys
    from tocsin.model.custom_template import BrokenTemplate, CustomTemplate
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Recipient
    from tocsin.model.redrive import DeliveryKey
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply
    from tocsin.model.storm import StormGroup


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
def receive(on_event_failure: Callable[[str, int], None], on_no_way_out: Callable[[str], None]) -> Receive:
    """The action behind both queues.

    `on_event_failure` is told of events that the bus did not take, `on_no_way_out` of the project whose mails get no
    links of ours, to unsubscribe or to count.
    """
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
                admins=lambda: admin_notices(on_event_failure),
                failures=failure_marks,
                marks=redrive_marks(),
                clock=now,
                jitter=random.random,
                on_failure=on_event_failure,
            ),
            composer=Composer(list_host=urlsplit(settings.public_base_url).hostname or "localhost"),
            sessions=sessions(),
            remedies=Remedies(),
            supplements=Supplements(),
            bus=bus,
            send_digest=_DigestWhenNeeded(on_event_failure),
            write_counts=_shared_items().put,
            track=TrackLinks(keys=link_keys, base_url=settings.public_base_url, on_failure=on_no_way_out),
            offer_way_out=OfferWayOut(keys=link_keys, base_url=settings.public_base_url, on_failure=on_no_way_out),
            tell_of_template=_TemplateFailuresWhenNeeded(on_event_failure),
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
            grants=grants(), bus=bus, admins=admin_notices(on_failure), clock=now, jitter=random.random
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
        admins=admin_notices(on_failure),
        clock=now,
        monotonic=time.monotonic,
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
def link_keys() -> LinkKeys:
    """The keys that our own links are signed with."""
    from tocsin.adapters.link_keys import LinkKeys  # noqa: PLC0415  (most mails have no link of ours)

    return LinkKeys(lambda: client("secretsmanager"), config().link_keys_secret, monotonic=time.monotonic)


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
def failure_marks() -> FailureMarks:
    """Which projects had failed deliveries."""
    from tocsin.adapters.failure_marks import FailureMarks  # noqa: PLC0415  (most functions see none)

    return FailureMarks(client("dynamodb"), config().settings_table)


@cache
def redrive_marks() -> RedriveMarks:
    """What is to go again."""
    return RedriveMarks(client("dynamodb"), config().settings_table)


def admin_notices(on_failure: Callable[[str, int], None]) -> AdminNotices:
    """What admins are told by mail. `on_failure` is told of what is not."""
    from tocsin.adapters.admin_notices import AdminNotices  # noqa: PLC0415  (most functions have nothing to tell)

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
        _shared_items(),
        holder=secrets.token_hex(8),
        connections=lambda account: limits_of(account).connections,
        clock=now,
        monotonic=time.monotonic,
    )


def _shared_items() -> SharedItems:
    return SharedItems(client("dynamodb"), Transactions(client("dynamodb"), pause=time.sleep), config().ephemeral_table)


@cache
def send_digest(on_event_failure: Callable[[str, int], None]) -> SendDigest:
    """The digests of what storms held back. `on_event_failure` is told of events that the bus did not take."""
    from tocsin.actions.send_digest import SendDigest  # noqa: PLC0415  (most mails meet no storm)
    from tocsin.adapters.held_mails import HeldMails  # noqa: PLC0415  (as above)

    settings = config()
    return SendDigest(
        mails=HeldMails(
            client("dynamodb"),
            Tables(deliveries=settings.deliveries_table, ephemeral=settings.ephemeral_table),
            transactions=Transactions(client("dynamodb"), pause=time.sleep),
            shared=_shared_items(),
            clock=now,
        ),
        publish=queues.NotificationQueue(lambda: client("sqs"), settings.notification_queue_url).publish,
        bus=EventBus(client("events"), settings.event_bus_name, on_failure=on_event_failure),
        clock=now,
    )


class _TemplateFailuresWhenNeeded:
    """What is said of custom templates that fail, loaded when one does."""

    def __init__(self, on_failure: Callable[[str, int], None]) -> None:
        self._on_failure = on_failure

    def __call__(self, template: CustomTemplate, broken: BrokenTemplate) -> None:
        """Say it, as `TemplateFailures` does."""
        from tocsin.adapters.template_failures import TemplateFailures  # noqa: PLC0415  (few templates fail)

        tell = TemplateFailures(client("dynamodb"), config().settings_table, clock=now, on_failure=self._on_failure)
        tell(template, broken)


class _DigestWhenNeeded:
    """The digests, loaded when the first window of a storm is over."""

    def __init__(self, on_event_failure: Callable[[str, int], None]) -> None:
        self._on_event_failure = on_event_failure

    def __call__(self, group: StormGroup, recipient: Recipient, *, time_left: TimeLeft) -> AbstractSet[DeliveryKey]:
        """Send one, as `SendDigest` does."""
        return send_digest(self._on_event_failure)(group, recipient, time_left=time_left)


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
