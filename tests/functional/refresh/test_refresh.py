"""What the schedule does for accounts that are renewed, that cannot be renewed, and whose client secret ends."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from functions.refresh.app import lambda_handler
from tests.functional.conftest import Context
from tests.functional.deliver.stack import Acme, create_table
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, USER, IdentityProvider, Say

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Stack

_NOT_NOW = Say(503)
_NO = Say(400, {"error": "invalid_grant"})


@pytest.fixture
def stack(whole_stack: Stack) -> Stack:
    """The stack without what other tests left to be renewed."""
    for queue in whole_stack.queues:
        whole_stack.messages(queue)
    boto3.client("dynamodb").delete_table(TableName="SettingsTable")
    create_table("SettingsTable")
    return whole_stack


@dataclass
class Due:
    """An account that is due, at an identity provider; its access token ends so far from now."""

    provider: IdentityProvider
    ends_in: timedelta = timedelta(minutes=15)
    secret_ends_in_days: int | None = None
    status: str = "verified"

    def __post_init__(self) -> None:
        """Save it."""
        now, days = datetime.now(UTC), self.secret_ends_in_days
        self.secret_end = now.date() + timedelta(days=days) if days is not None else None
        self.acme = Acme(project={"admins": [{"email": "admin@acme.example"}]})
        oauth2 = {
            "grant": "refresh_token",
            "client_id": CLIENT_ID,
            "token_url": self.provider.token_url,
            "scopes": ["mail"],
            "client_secret_expires_on": self.secret_end.isoformat() if self.secret_end is not None else None,
        }
        self.acme.changes = {"auth": {"type": "oauth2", "username": USER, "oauth2": oauth2}}
        self.acme.secret = {
            "refresh_token": self.provider.refresh_token("mail"),
            "client_secret": CLIENT_SECRET,
            "grant_version": 1,
        }
        end = now + self.ends_in
        grant = {
            "version": 1,
            "renewed_at": (end - timedelta(hours=1)).isoformat(),
            "access_token_expires_at": end.isoformat(),
        }
        self.acme.found_out = {"status": self.status, "grant": grant}
        self.acme.save(None)


def _told(stack: Stack) -> set[str]:
    """What the project's admins were told, and the bus."""
    notices = {json.loads(message["body"])["type"] for message in stack.messages("NotificationQueue")}
    return notices | {event["detail-type"] for event in stack.events()}


_WARNED = {"settings.secret_expiring", "mail_account.secret_expiring"}
_LOST = {"settings.reauthorization_required", "mail_account.reauthorization_required"}


@pytest.mark.parametrize(
    ("answer", "status", "counted", "told"),
    [
        pytest.param(None, "verified", "renewed", _WARNED, id="renewed"),
        pytest.param(_NOT_NOW, "verified", "TokenEndpointFailed", _WARNED, id="provider-in-trouble"),
        pytest.param(_NO, "verified", "GrantRefused", _WARNED | _LOST, id="refused"),
        pytest.param(None, "reauthorization_required", "not_renewable", _WARNED, id="lost-before"),
    ],
)
def test_whatever_becomes_of_a_renewal_the_end_of_the_client_secret_is_told_once(
    stack: Stack, answer: Say | None, status: str, counted: str, told: set[str]
) -> None:
    with IdentityProvider(script={"token": answer} if answer is not None else None) as provider:
        due = Due(provider, secret_ends_in_days=7, status=status)

        counts = lambda_handler({}, Context(60))

        assert counts == {counted: 1}
        assert _told(stack) == told
        assert len(provider.requests()) == (0 if counted == "not_renewable" else 1)
        lambda_handler({}, Context(60))
        assert _told(stack) == set()
        assert due.acme.account()["state"]["grant"]["warned_days"] == 7


@pytest.mark.parametrize("status", ["verified", "reauthorization_required"])
def test_an_account_is_in_the_index_until_it_was_warned_of_everything(stack: Stack, status: str) -> None:
    del stack
    with IdentityProvider(script={"token": _NO}) as provider:
        due = Due(provider, secret_ends_in_days=20, status=status)

        lambda_handler({}, Context(60))

    assert due.secret_end is not None
    assert due.acme.account()["refresh_at"] == f"{due.secret_end - timedelta(days=7)}T00:00:00Z"


@pytest.mark.parametrize(
    ("ends_in", "lateness"),
    [
        (timedelta(minutes=15), {}),
        (timedelta(minutes=9), {"late": 1}),
        (timedelta(minutes=-1), {"late": 1, "lapsed": 1}),
    ],
    ids=["in-time", "within-its-margin", "lapsed"],
)
@pytest.mark.parametrize(("answer", "counted"), [(None, "renewed"), (_NOT_NOW, "TokenEndpointFailed")])
def test_a_grant_that_is_found_late_is_counted_and_measured(
    stack: Stack,
    capsys: pytest.CaptureFixture[str],
    ends_in: timedelta,
    lateness: dict[str, int],
    answer: Say | None,
    counted: str,
) -> None:
    del stack
    with IdentityProvider(script={"token": answer} if answer is not None else None) as provider:
        Due(provider, ends_in=ends_in)

        assert lambda_handler({}, Context(60)) == {counted: 1} | lateness

    measured = _metrics(capsys.readouterr().out)
    assert measured["GrantsRenewed"] == [1.0 if counted == "renewed" else 0.0]
    assert measured["GrantsLate"] == [float(lateness.get("late", 0))]
    assert measured["GrantsLapsed"] == [float(lateness.get("lapsed", 0))]


def test_a_grant_that_somebody_else_has_just_renewed_is_not_counted_as_renewed(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    del stack
    with IdentityProvider() as provider:
        Due(provider, ends_in=timedelta(minutes=55))

        assert lambda_handler({}, Context(60)) == {"not_due": 1}

        assert provider.requests() == []
    measured = _metrics(capsys.readouterr().out)
    assert (measured["GrantsRenewed"], measured["GrantsNotDue"]) == ([0.0], [1.0])


def _metrics(printed: str) -> dict[str, Any]:
    [metrics] = [line for line in printed.splitlines() if '"_aws"' in line]
    found: dict[str, Any] = json.loads(metrics)
    return found
