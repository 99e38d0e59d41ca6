"""Which mail account carries a notification, with which credential, and why none can."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.choose_account import Unusable, Usable
from tocsin.actions.log_in import LogIn
from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.credential import AccountSecret, Credential

from tests.unit.actions.fakes import choose
from tests.unit.model.examples import NOW, account, notification, settings

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

type Json = dict[str, Any]

SAVED_FOR: Json = {"host": "relay.example", "port": 587, "security": "starttls", "username": "ops"}
PAUSED: Json = {"paused": True}
RELAY: Json = {"host": "relay.example", "port": 587, "security": "starttls"}


@dataclass(slots=True, kw_only=True)
class FakeSecrets:
    """The same secret for every account, or this failure."""

    values: Json = field(default_factory=lambda: {"password": "s3cret", "access_token": "t0ken"})
    saved_for: Json = field(default_factory=lambda: dict(SAVED_FOR))
    failure: Exception | None = None
    asked: list[str] = field(default_factory=list)

    def secret(self, account: MailAccount) -> AccountSecret:
        """The secret, or the failure."""
        self.asked.append(account.id)
        if self.failure is not None:
            raise self.failure
        return AccountSecret.model_validate(self.values | {"saved_for": self.saved_for})


class NoRenewal:
    """None of these accounts has a grant to renew."""

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """Never asked."""
        raise NotImplementedError

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """Never asked."""
        raise NotImplementedError


def log_in(secrets: FakeSecrets) -> LogIn:
    return LogIn(secrets=secrets, renew=NoRenewal(), clock=lambda: NOW)


def chosen(
    *accounts: MailAccount, secrets: FakeSecrets | None = None, options: Json | None = None, **project: object
) -> str:
    """The id of the account that was chosen, else the obstacle as `account: reply`."""
    found = choose(
        notification(options=options),
        settings(*accounts, **project),
        log_in(secrets or FakeSecrets()),
    )
    match found:
        case Usable():
            return found.account.id
        case Unusable():
            return f"{found.account.id if found.account else None}: {found.reply.text}"
        case _:
            raise AssertionError(found)


@pytest.mark.parametrize(
    ("first", "second", "policy", "expected"),
    [
        pytest.param({}, {}, "none", "first", id="first-choice"),
        pytest.param({}, {}, "project", "first", id="first-choice-though-another-may"),
        pytest.param(PAUSED, {}, "none", "first: account_paused", id="no-fall-back-allowed"),
        pytest.param(PAUSED, {}, "project", "second", id="fall-back"),
        pytest.param(PAUSED, {}, "system", "second", id="fall-back-within-the-project-first"),
        pytest.param(PAUSED, {"enabled": False}, "project", "first: account_paused", id="the-first-obstacle-is-told"),
    ],
)
def test_the_second_account_is_used_only_where_the_first_cannot_and_the_project_allows_it(
    first: Json, second: Json, policy: str, expected: str
) -> None:
    assert chosen(account("first", **first), account("second", **second), fallback_policy=policy) == expected


@pytest.mark.parametrize(
    ("project", "options", "expected"),
    [
        pytest.param({"routes": {}, "default_mail_account_id": "second"}, None, "second", id="default-account"),
        pytest.param({"default_mail_account_id": "second"}, None, "first", id="the-route-goes-before-the-default"),
        pytest.param({"routes": {}}, None, "None: no_route", id="no-route"),
        pytest.param({"routes": {"incident": ["gone"]}}, None, "None: no_route", id="the-routes-account-is-gone"),
        pytest.param({"routes": {"incident": ["gone", "second"]}}, None, "second", id="the-first-is-gone"),
        pytest.param({}, {"mail_account_id": "second"}, "second", id="the-publisher-names-one"),
        pytest.param({}, {"mail_account_id": "gone"}, "None: mail_account_not_found", id="the-publisher-names-none"),
    ],
)
def test_an_account_is_found_by_the_publisher_the_route_or_the_default(
    project: Json, options: Json | None, expected: str
) -> None:
    assert chosen(account("first"), account("second"), options=options, **project) == expected


def test_an_account_that_the_publisher_named_has_no_fall_back() -> None:
    accounts = account("first"), account("second", **PAUSED)

    assert (
        chosen(*accounts, options={"mail_account_id": "second"}, fallback_policy="project") == "second: account_paused"
    )


@pytest.mark.parametrize(
    ("changes", "secrets", "obstacle"),
    [
        pytest.param({"enabled": False}, FakeSecrets(), "account_disabled", id="disabled"),
        pytest.param({"status": "disabled"}, FakeSecrets(), "account_disabled", id="status-disabled"),
        pytest.param({"status": "reauthorization_required"}, FakeSecrets(), "reauthorization_required", id="no-grant"),
        pytest.param({"transport": "ses"}, FakeSecrets(), "transport_not_available", id="transport"),
        pytest.param({"use_for": ["alert"]}, FakeSecrets(), "account_not_for_route", id="other-route"),
        pytest.param({"senders": [{"email": "nobody"}]}, FakeSecrets(), "sender_invalid", id="sender"),
        pytest.param({"credential_version": None}, FakeSecrets(), "secret_missing", id="never-saved"),
        pytest.param({}, FakeSecrets(failure=SecretUnavailable("gone")), "secret_missing", id="gone"),
        pytest.param({}, FakeSecrets(values={"access_token": "t"}), "secret_missing", id="no-password"),
        pytest.param(
            {"auth": {"type": "oauth2", "username": "ops"}},
            FakeSecrets(values={"password": "p"}),
            "token_missing",
            id="no-token",
        ),
    ],
)
def test_an_obstacle_is_told_by_its_code(changes: Json, secrets: FakeSecrets, obstacle: str) -> None:
    assert chosen(account(**changes), secrets=secrets) == f"first: {obstacle}"


@pytest.mark.parametrize("status", ["not_verified", "verified", "failing"])
def test_an_account_need_not_be_verified(status: str) -> None:
    assert chosen(account(status=status)) == "first"


@pytest.mark.parametrize(
    "other",
    [
        {"host": "evil.example"},
        {"host": "relay.example.evil.example"},
        {"port": 25},
        {"security": "none"},
        {"security": "tls"},
        {"username": "root"},
        {"username": None},
        {"proxy": "proxy.example:3128"},
    ],
    ids=str,
)
def test_a_secret_is_used_only_with_what_it_was_saved_for(other: Json) -> None:
    assert chosen(account(), secrets=FakeSecrets(saved_for=SAVED_FOR | other)) == "first: secret_not_for_this_relay"


def test_a_host_is_the_same_in_capitals() -> None:
    assert chosen(account(), secrets=FakeSecrets(saved_for=SAVED_FOR | {"host": "Relay.EXAMPLE"})) == "first"


def test_a_secret_that_may_be_read_later_is_waited_for_and_no_other_account_is_used() -> None:
    secrets = FakeSecrets(failure=TransientError("throttled"))

    with pytest.raises(TransientError):
        chosen(account("first"), account("second"), secrets=secrets, fallback_policy="project")
    assert secrets.asked == ["first"]


@pytest.mark.parametrize(
    ("changes", "username", "credential"),
    [
        pytest.param({}, "ops", {"password": "s3cret"}, id="password"),
        pytest.param({"auth": {"type": "oauth2", "username": "ops"}}, "ops", {"token": "t0ken"}, id="token"),
        pytest.param(
            {"auth": {"type": "password"}}, "ops@acme.example", {"password": "s3cret"}, id="the-sender-logs-in"
        ),
        pytest.param(
            {
                "auth": {"type": "none"},
                "relay": RELAY | {"proxy": {"host": "p.example", "port": 3128, "username": "u"}},
            },
            "ops@acme.example",
            {"proxy_password": "pr0xy"},
            id="only-the-proxy-asks",
        ),
    ],
)
def test_a_credential_holds_what_the_account_logs_in_with_and_nothing_else(
    changes: Json, username: str, credential: Json
) -> None:
    one = account(**changes)
    secrets = FakeSecrets(saved_for=one.secret_binding.model_dump())
    if "proxy_password" in credential:
        secrets.values["proxy_password"] = "pr0xy"

    found = choose(notification(), settings(one), log_in(secrets))

    assert isinstance(found, Usable)
    assert found.credential == Credential(version="v1", username=username, **credential)


@pytest.mark.parametrize("proxy", [None, {"host": "p.example", "port": 3128}])
def test_an_account_that_logs_in_as_nobody_asks_for_no_secret(proxy: Json | None) -> None:
    secrets = FakeSecrets()
    one = account(auth={"type": "none"}, relay=RELAY | {"proxy": proxy}, credential_version=None)

    assert choose(notification(), settings(one), log_in(secrets)) == Usable(account=one, credential=None)
    assert secrets.asked == []


def test_no_secret_shows_in_what_was_chosen() -> None:
    shown = repr(choose(notification(), settings(account()), log_in(FakeSecrets())))

    assert "s3cret" not in shown
    assert "t0ken" not in shown
