"""Where the verification of mail accounts meets adapters; apart from `wiring_api`, which reads and writes them."""

from __future__ import annotations

import random
import secrets
import time
from functools import cache
from typing import TYPE_CHECKING

from tocsin.actions.log_in import LogIn
from tocsin.actions.test_message import ComposeTestMessage
from tocsin.actions.validate import Validate
from tocsin.actions.verify_saved import VerifySaved
from tocsin.actions.verify_steps import VerifySteps
from tocsin.adapters.account_secrets import AccountSecrets
from tocsin.adapters.breakers import Breakers
from tocsin.adapters.event_bus import EventBus
from tocsin.adapters.secret_store import SecretStore
from tocsin.adapters.verification import Trial
from tocsin.adapters.verification_turns import VerificationTurns
from tocsin.compose.composer import Composer
from tocsin.data.identity_providers import mailbox_may_see_token
from tocsin.data.remedies import Remedies
from tocsin.wiring import client, config, egress, grants, identity_providers, now, renew_grant

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.config import Config

_SECONDS = 20.0
"""For a whole request; API Gateway itself gives up after 30 (DESIGN 4.2)."""


def deadline() -> float:
    """When a request that begins now must be done with relays, in monotonic seconds."""
    return time.monotonic() + _SECONDS


@cache
def verify_saved(on_failure: Callable[[str, int], None]) -> VerifySaved:
    """The action on mail accounts that are saved. `on_failure` is told of events and notices that were not taken."""
    settings = config()
    return VerifySaved(
        steps=_verify_steps(),
        credentials=LogIn(
            secrets=SecretStore(lambda: client("secretsmanager"), settings.secret_prefix),
            renew=renew_grant(on_failure),
            clock=now,
        ),
        grants=grants(),
        breakers=Breakers(client("dynamodb"), settings.ephemeral_table),
        bus=EventBus(client("events"), settings.event_bus_name, on_failure=on_failure),
        clock=now,
        jitter=random.random,
    )


@cache
def validate() -> Validate:
    """The action on values that are not saved, or not yet."""
    return Validate(
        steps=_verify_steps(),
        tokens=identity_providers(),
        stored_secret=_account_secrets(config()).read,
        keep_tokens=grants().put_secret,
        compose=compose_test_message(),
        clock=now,
    )


@cache
def verification_turns() -> VerificationTurns:
    """How often each project may have relays asked."""
    return VerificationTurns(client("dynamodb"), config().ephemeral_table, clock=now)


@cache
def compose_test_message() -> ComposeTestMessage:
    """What makes test messages."""
    return ComposeTestMessage(composer=Composer(), clock=now, new_id=lambda: secrets.token_hex(16))


@cache
def _verify_steps() -> VerifySteps:
    return VerifySteps(
        trial=Trial(egress()), remedies=Remedies(), may_see_token=mailbox_may_see_token, monotonic=time.monotonic
    )


def _account_secrets(settings: Config) -> AccountSecrets:
    return AccountSecrets(lambda: client("secretsmanager"), prefix=settings.secret_prefix, key=settings.secret_key_arn)
