"""Where the actions of the HTTP API meet adapters; apart from `wiring`, so that `deliver` starts without them."""

from __future__ import annotations

import random
import secrets
import time
from datetime import timedelta
from functools import cache
from typing import TYPE_CHECKING

from tocsin.actions.access import Access
from tocsin.actions.authorize_callback import CompleteAuthorization
from tocsin.actions.authorize_ticket import IssueTicket, OpenTicket
from tocsin.actions.change_account import ChangeAccount
from tocsin.actions.configure import Configure
from tocsin.actions.configure_projects import ConfigureProjects
from tocsin.actions.confirm_account import ConfirmAccount, LeftToSchedule
from tocsin.actions.connect_account import ConnectAccount
from tocsin.actions.log_in import LogIn
from tocsin.actions.verify import Verify
from tocsin.adapters.account_secrets import AccountSecrets
from tocsin.adapters.audit_items import Audit
from tocsin.adapters.authorizations import Authorizations
from tocsin.adapters.breakers import Breakers
from tocsin.adapters.consents import Consents
from tocsin.adapters.event_bus import EventBus
from tocsin.adapters.idempotency_keys import IdempotencyKeys, KeptAnswer
from tocsin.adapters.leases import Leases
from tocsin.adapters.project_writer import ProjectWriter
from tocsin.adapters.secret_store import SecretStore
from tocsin.adapters.settings_writer import SettingsWriter
from tocsin.adapters.submission import Submission
from tocsin.adapters.tls import is_bundle
from tocsin.adapters.transactions import Transactions
from tocsin.data import preset_checks
from tocsin.data.identity_providers import identity_provider_for, problems
from tocsin.data.remedies import Remedies
from tocsin.model.problem import Problem
from tocsin.wiring import client, config, egress, grants, identity_providers, now

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount

__all__ = ["KeptAnswer"]

_VALUE_OCTETS = 48  # 384 random bits, and 64 characters: enough for a code verifier (RFC 7636 section 4.1)


@cache
def configure() -> Configure:
    """The action behind the routes of mail accounts that are made, found, read and deleted."""
    return Configure(
        accounts=_mail_accounts(),
        projects=_projects(),
        access=access(),
        problems=_problems,
        clock=now,
        random_octets=secrets.token_bytes,
    )


@cache
def change_account() -> ChangeAccount:
    """The action behind the routes that change a mail account."""
    return ChangeAccount(
        accounts=_mail_accounts(),
        access=access(),
        leases=Leases(client("dynamodb"), config().ephemeral_table, clock=now),
        problems=_problems,
        clock=now,
        jitter=random.random,
        pause=time.sleep,
        new_holder=lambda: secrets.token_hex(16),
    )


@cache
def configure_projects() -> ConfigureProjects:
    """The action behind the routes of projects."""
    return ConfigureProjects(projects=_projects(), access=access(), clock=now)


@cache
def access() -> Access:
    """Who may see and change what: asked first by all that is done for a caller."""
    return Access(projects=_projects())


@cache
def audit() -> Audit:
    """Where changes and consents are remembered."""
    return Audit(table=config().settings_table, retention=timedelta(days=int(config().retention_days)))


@cache
def idempotency_keys() -> IdempotencyKeys:
    """The answers to requests that may be repeated."""
    return IdempotencyKeys(client("dynamodb"), config().ephemeral_table, clock=now)


@cache
def issue_ticket() -> IssueTicket:
    """The action that begins an authorization."""
    return IssueTicket(
        authorizations=_authorizations(), base_url=config().public_base_url, new_value=_new_value, clock=now
    )


@cache
def open_ticket() -> OpenTicket:
    """The action behind an address that an admin opens."""
    return OpenTicket(
        authorizations=_authorizations(),
        accounts=grants(),
        providers=identity_providers(),
        redirect_uri=redirect_uri(),
        new_value=_new_value,
        clock=now,
    )


@cache
def complete_authorization(on_failure: Callable[[str, int], None]) -> CompleteAuthorization:
    """The action behind the redirect URI. `on_failure` is told of events that were not taken."""
    return CompleteAuthorization(
        authorizations=_authorizations(),
        accounts=grants(),
        connect=_connect_account(),
        confirm=_confirm_account(on_failure),
        provider_of=identity_provider_for,
        remedies=Remedies(),
        redirect_uri=redirect_uri(),
        clock=now,
        new_holder=lambda: secrets.token_hex(16),
    )


def public_base_url() -> str:
    """Where our own addresses begin."""
    return config().public_base_url


def redirect_uri() -> str:
    """Where identity providers send browsers back to."""
    return f"{config().public_base_url}/oauth/callback"


def _connect_account() -> ConnectAccount:
    return ConnectAccount(
        grants=grants(),
        consents=Consents(grants(), audit()),
        leases=Leases(client("dynamodb"), config().ephemeral_table, clock=now),
        providers=identity_providers(),
        provider_of=identity_provider_for,
        clock=now,
        jitter=random.random,
        pause=time.sleep,
        new_holder=lambda: secrets.token_hex(16),
    )


def _confirm_account(on_failure: Callable[[str, int], None]) -> ConfirmAccount:
    log_in = LogIn(
        secrets=SecretStore(lambda: client("secretsmanager"), config().secret_prefix),
        renew=LeftToSchedule(),
        clock=now,
    )
    return ConfirmAccount(
        grants=grants(),
        verify=Verify(
            credentials=log_in,
            open_session=lambda account, credential: Submission(account, credential, egress=egress()),
            remedies=Remedies(),
        ),
        bus=EventBus(client("events"), config().event_bus_name, on_failure=on_failure),
        breakers=Breakers(client("dynamodb"), config().ephemeral_table),
        clock=now,
        jitter=random.random,
    )


@cache
def _projects() -> ProjectWriter:
    return ProjectWriter(client("dynamodb"), config().settings_table, transactions=_transactions(), audit=audit())


@cache
def _mail_accounts() -> SettingsWriter:
    account_secrets = AccountSecrets(
        lambda: client("secretsmanager"), prefix=config().secret_prefix, key=config().secret_key_arn
    )
    return SettingsWriter(
        client("dynamodb"),
        account_secrets,
        table=config().settings_table,
        transactions=_transactions(),
        audit=audit(),
        clock=now,
    )


@cache
def _transactions() -> Transactions:
    return Transactions(client("dynamodb"), pause=time.sleep)


@cache
def _authorizations() -> Authorizations:
    return Authorizations(client("dynamodb"), config().ephemeral_table)


def _problems(account: MailAccount, secret: AccountSecret | None) -> Sequence[Problem]:
    found = preset_checks.problems(account)
    if account.relay.ca_certificate is not None and not is_bundle(account.relay.ca_certificate):
        found.append(Problem(field="relay.ca_certificate", text="It holds no certificates in PEM, or a broken one."))
    if account.auth.oauth2 is not None:
        found += problems(account, secret.reveal() if secret is not None else {})
    return found


def _new_value() -> str:
    return secrets.token_urlsafe(_VALUE_OCTETS)
