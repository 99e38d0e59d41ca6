"""RefreshFunction: how many due grants one invocation renews in a minute, how late, and that 50 at once ask once."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field, fields
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from threading import Barrier
from typing import TYPE_CHECKING, Any
from urllib.request import urlopen

import boto3
from tocsin import wiring
from tocsin.adapters import mail_account_items as items
from tocsin.config import Config
from tocsin.errors import GrantBusy
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import MARGIN, SCHEDULED_EARLIER
from tocsin.model.mail_account import MailAccount

from local.engine_process import running_engine
from local.stack import ACCOUNT_ID, REGION, SECRET_ACCESS_KEY
from tests.benchmarks.figures import Figure
from tests.functional.deliver.stack import create_table

if TYPE_CHECKING:
    from collections.abc import Iterator
    from subprocess import Popen

GRANTS = 2_000
AT_ONCE = 50
_SINCE_LAST_RUN = timedelta(minutes=5)
_WHOLE_SECOND = timedelta(seconds=1)  # which the index rounds up to
INVOCATION_SECONDS = 240.0
_SEEDERS = 8


def measure() -> list[Figure]:
    """Run both measurements on an engine of their own."""
    with tempfile.TemporaryDirectory() as home, running_engine(Path(home)) as engine, _token_endpoint() as endpoint:
        os.environ |= _environment(engine.endpoint_url, endpoint.port)
        for table in ("SettingsTable", "EphemeralTable"):
            create_table(table)
        ends = _seed(GRANTS, endpoint.port)
        per_minute = _renew_all(endpoint)
        late = sum(_renewed_at(account_id) > end - MARGIN for account_id, end in ends.items())
        before = endpoint.answered()
        _seed(1, endpoint.port, prefix="one")
        _renew_at_once("one-0")
        requests = endpoint.answered() - before
    return [
        Figure(name="refresh.grants_per_minute", rounds=[per_minute], goal=2000, better="higher", unit="1/min"),
        Figure(name="refresh.later_than_margin", rounds=[late], goal=0, better="lower", unit="grants"),
        Figure(name="refresh.requests_for_50_at_once", rounds=[requests], goal=1, better="lower", unit="requests"),
    ]


@dataclass(frozen=True, slots=True)
class _Endpoint:
    """The token endpoint's program."""

    process: Popen[str]
    port: int

    def answered(self) -> int:
        """How many requests it has answered so far."""
        with urlopen(f"http://127.0.0.1:{self.port}/answered") as answer:
            return int(answer.read())


@contextmanager
def _token_endpoint() -> Iterator[_Endpoint]:
    command = [sys.executable, "-m", "tests.benchmarks.token_endpoint"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (our own program)
        assert process.stdout is not None
        yield _Endpoint(process, int(process.stdout.readline()))
        process.terminate()


def _environment(endpoint_url: str, port: int) -> dict[str, str]:
    unused = {field.name.upper(): "unused" for field in fields(Config)}
    return unused | {
        "SETTINGS_TABLE": "SettingsTable",
        "EPHEMERAL_TABLE": "EphemeralTable",
        "SECRET_PREFIX": "tocsin/test",
        "SECRET_WRITES_PER_SECOND": "40",
        "EVENT_BUS_NAME": "default",
        "AWS_ENDPOINT_URL": endpoint_url,
        "AWS_ACCESS_KEY_ID": ACCOUNT_ID,
        "AWS_SECRET_ACCESS_KEY": SECRET_ACCESS_KEY,
        "AWS_DEFAULT_REGION": REGION,
        "ALLOWED_PRIVATE_HOSTS": f"127.0.0.1:{port}",
        "POWERTOOLS_METRICS_NAMESPACE": "Tocsin",
    }


def _seed(number: int, port: int, *, prefix: str = "many") -> dict[str, datetime]:
    """Write so many mail accounts with their secrets; the ends of their access tokens.

    They fell due one after the other since the last run, the first of them as late as a grant may be by then.
    """
    with ThreadPoolExecutor(_SEEDERS) as pool:
        return dict(
            pool.map(
                lambda index: _seed_one(f"{prefix}-{index}", port, _SINCE_LAST_RUN * (index / number)), range(number)
            )
        )


def _seed_one(account_id: str, port: int, later: timedelta) -> tuple[str, datetime]:
    """Write an account that fell due `later` than the last run."""
    now = datetime.now(UTC)
    due_at = now - _SINCE_LAST_RUN - _WHOLE_SECOND + later
    end = due_at + SCHEDULED_EARLIER + MARGIN
    account = MailAccount.model_validate(
        {
            "project_id": "bench",
            "id": account_id,
            "version": 1,
            "name": "Ops",
            "relay": {"host": "smtp.example.org", "port": 587, "security": "starttls"},
            "auth": {
                "type": "oauth2",
                "username": "ops",
                "oauth2": {
                    "grant": "refresh_token",
                    "client_id": "client",
                    "token_url": f"http://127.0.0.1:{port}/token",
                    "scopes": ["mail"],
                },
            },
            "senders": [{"email": "ops@acme.example"}],
            "grant": {"version": 1, "renewed_at": end - timedelta(hours=1), "access_token_expires_at": end},
        }
    )
    secret = AccountSecret.model_validate(
        {"saved_for": account.secret_binding, "client_secret": "s", "refresh_token": "r", "grant_version": 1}
    )
    created = _client("secretsmanager").create_secret(
        Name=f"tocsin/test/bench/{account_id}", SecretString=json.dumps(secret.reveal())
    )
    _client("dynamodb").put_item(
        TableName="SettingsTable",
        Item={
            **items.key_of("bench", account_id),
            "version": {"N": "1"},
            "document": items.write_document(account),
            "state": items.write_state(account),
            "credential_version": {"S": created["VersionId"]},
            **items.write_due(account, due_at),
        },
    )
    return account_id, end


def _renewed_at(account_id: str) -> datetime:
    """When the account's new token was asked for."""
    item = _client("dynamodb").get_item(TableName="SettingsTable", Key=items.key_of("bench", account_id))["Item"]
    grant = items.read_account(item).grant
    assert grant is not None
    assert grant.version == 2
    assert grant.renewed_at is not None
    return grant.renewed_at


@cache
def _client(service: str) -> Any:  # noqa: ANN401  (boto3 makes its clients at run time)
    return boto3.client(service)  # type: ignore[call-overload]  # the name is a variable


@dataclass
class _Context:
    """What Lambda tells a function about its invocation."""

    ends_at: float = field(default_factory=lambda: time.monotonic() + INVOCATION_SECONDS)
    function_name: str = "refresh"
    memory_limit_in_mb: int = 512
    invoked_function_arn: str = "arn:aws:lambda:eu-west-1:000000000000:function:refresh"
    aws_request_id: str = "00000000-0000-4000-8000-000000000000"

    def get_remaining_time_in_millis(self) -> int:
        return int((self.ends_at - time.monotonic()) * 1000)


def _renew_all(endpoint: _Endpoint) -> float:
    """Invoke the function once for all that is due; how many it renewed in a minute."""
    from functions.refresh.app import lambda_handler  # noqa: PLC0415  (it reads the environment)

    begun = time.monotonic()
    counts = lambda_handler({}, _Context())
    seconds = time.monotonic() - begun
    assert counts == {"renewed": GRANTS}, counts
    assert endpoint.answered() == GRANTS
    return GRANTS / seconds * 60


def _renew_at_once(account_id: str) -> None:
    """Renew one grant from many threads at once, as many functions would."""
    renew, start = wiring.renew_grant(lambda _error, _count: None), Barrier(AT_ONCE)

    def attempt(_: int) -> None:
        start.wait()
        with suppress(GrantBusy):
            renew("bench", account_id)

    with ThreadPoolExecutor(AT_ONCE) as pool:
        list(pool.map(attempt, range(AT_ONCE)))
