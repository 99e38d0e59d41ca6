"""Where counting opens and clicks meets adapters; apart from `wiring`, as `wiring_api`."""

from __future__ import annotations

import time
from datetime import timedelta
from functools import cache
from typing import Any

from botocore.config import Config as ClientConfig

from tocsin.actions.follow import Follow
from tocsin.adapters.aws_clients import AwsClients
from tocsin.adapters.reactions import ReactionsStore
from tocsin.adapters.tracking_settings import TrackingSettings
from tocsin.wiring import config, link_keys, now

_HURRIED = ClientConfig(connect_timeout=0.4, read_timeout=0.6, retries={"total_max_attempts": 1})
"""For what nobody waits for: where a table does not answer, a reader is led on after a second all the same."""


@cache
def follow() -> Follow:
    """The action behind the addresses of tracked mails."""
    return Follow(
        keys=link_keys(),
        tracking=TrackingSettings(dynamodb(), config().settings_table, monotonic=time.monotonic),
        counter=ReactionsStore(dynamodb(), config().deliveries_table),
        retention=timedelta(days=float(config().retention_days)),
        clock=now,
    )


@cache
def dynamodb() -> Any:  # noqa: ANN401  (each service's client is a type of its own)
    """The client that has no time."""
    return AwsClients(_HURRIED)("dynamodb")
