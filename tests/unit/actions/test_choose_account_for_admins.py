"""A word to the admins finds whichever mail account still can send."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tocsin.actions.choose_account import Unusable, Usable
from tocsin.actions.log_in import LogIn

from tests.unit.actions.fakes import choose
from tests.unit.model.examples import NOW, account, notification, settings

if TYPE_CHECKING:
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply

type Json = dict[str, Any]

OPEN: Json = {"auth": {"type": "none"}}
LOST: Json = OPEN | {"status": "reauthorization_required"}
NO_SECRET: Json = {"credential_version": None}


class NothingToAsk:
    """Secrets and grants of accounts that have none."""

    def secret(self, account: MailAccount) -> AccountSecret:
        """Never asked."""
        raise NotImplementedError

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """Never asked."""
        raise NotImplementedError

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """Never asked."""
        raise NotImplementedError


def chosen(type_: str, accounts: Json, *, options: Json | None = None, **project: object) -> str:
    """The id of the account that was chosen, else the obstacle as `account: reply`."""
    found = choose(
        notification(type_, options=options),
        settings(*(account(id_, **changes) for id_, changes in accounts.items()), **project),
        LogIn(secrets=NothingToAsk(), renew=NothingToAsk(), clock=lambda: NOW),
    )
    match found:
        case Usable():
            return found.account.id
        case Unusable():
            return f"{found.account.id if found.account else None}: {found.reply.text}"
        case _:
            raise AssertionError(found)


@pytest.mark.parametrize("type_", ["settings.reauthorization_required", "settings.secret_expiring"])
@pytest.mark.parametrize("policy", ["none", "project", "system"])
@pytest.mark.parametrize(
    ("accounts", "routes", "expected"),
    [
        pytest.param({"a": OPEN, "b": OPEN}, {"system": ["b"]}, "b", id="its-route-goes-first"),
        pytest.param({"a": LOST, "b": OPEN}, {"system": ["a"]}, "b", id="then-any-other"),
        pytest.param({"a": NO_SECRET, "b": OPEN}, {"system": ["a"]}, "b", id="other-than-one-without-a-secret"),
        pytest.param({"a": LOST, "b": OPEN | {"use_for": ["alert"]}}, {"system": ["a"]}, "b", id="of-another-route"),
        pytest.param({"a": LOST, "b": OPEN}, {}, "b", id="without-a-route"),
        pytest.param({"a": LOST, "b": OPEN | {"paused": True}}, {"system": ["b"]}, "b: account_paused", id="none-can"),
        pytest.param({}, {}, "None: no_route", id="no-account-at-all"),
    ],
)
def test_a_word_to_the_admins_goes_by_the_account_that_still_can(
    type_: str, policy: str, accounts: Json, routes: Json, expected: str
) -> None:
    assert chosen(type_, accounts, routes=routes, fallback_policy=policy) == expected


def test_where_fall_back_is_allowed_the_rest_of_the_route_goes_before_other_accounts() -> None:
    accounts = {"a": OPEN, "b": LOST, "c": OPEN}

    assert chosen("settings.secret_expiring", accounts, routes={"system": ["b", "c"]}, fallback_policy="project") == "c"


def test_other_notifications_stay_on_their_route() -> None:
    accounts = {"a": LOST, "b": OPEN}

    assert chosen("incident.created", accounts, routes={"incident": ["a"]}, fallback_policy="project") == (
        "a: reauthorization_required"
    )


def test_an_account_that_was_named_is_the_only_one() -> None:
    assert chosen("settings.secret_expiring", {"a": OPEN, "b": LOST}, options={"mail_account_id": "b"}) == (
        "b: reauthorization_required"
    )
