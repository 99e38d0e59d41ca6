"""An account that is edited after its tokens were stored, and before it names them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tocsin import wiring
from tocsin.errors import SecretUnavailable
from tocsin.model.token_error import GrantRefused

from tests.functional.authorize.redirect import TOKEN
from tests.identity_provider import USER
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.functional.authorize.conftest import Begin
    from tests.functional.authorize.redirect import Redirect

type AfterThePut = Callable[[Callable[[], None]], None]

_PUT = "after-call.secrets-manager.PutSecretValue"


@pytest.fixture
def after_the_put() -> Iterator[AfterThePut]:
    """Has something happen when tokens have just been stored, once."""
    events: Any = None
    waiting: list[Callable[[], None]] = []

    def run(**_: object) -> None:
        while waiting:
            waiting.pop()()

    def register(happens: Callable[[], None]) -> None:
        nonlocal events
        events = wiring.client("secretsmanager").meta.events
        waiting.append(happens)
        events.register(_PUT, run)

    yield register
    events.unregister(_PUT, run)


def _renew(redirect: Redirect) -> None:
    wiring.renew_grant(lambda _error, _count: None)(redirect.project_id, redirect.account_id)


def test_an_edit_after_the_tokens_were_stored_is_said_and_stands(begin: Begin, after_the_put: AfterThePut) -> None:
    redirect = begin()
    after_the_put(lambda: redirect.edit(name="Renamed"))

    page = redirect.complete()

    account = redirect.account()
    assert page.status == 409
    assert "The mail account was changed meanwhile" in page.body
    assert "What to do" in page.body
    assert (account["name"], account["status"], account["grant"]) == ("Renamed", "not_verified", None)


def test_a_consent_to_the_old_settings_is_none_to_the_new(begin: Begin, after_the_put: AfterThePut) -> None:
    redirect = begin()
    after_the_put(lambda: redirect.edit(name="Renamed"))
    redirect.complete()
    asked = len(redirect.provider.requests("token"))

    with pytest.raises(GrantRefused, match="not-connected"):
        _renew(redirect)

    assert len(redirect.provider.requests("token")) == asked
    assert "access_token" not in str(redirect.item())


def test_tokens_for_the_old_relay_never_go_to_the_new_one(begin: Begin, after_the_put: AfterThePut) -> None:
    with Relay(security="starttls", mechanisms=("XOAUTH2",), tokens={USER: TOKEN}) as other:
        redirect = begin()
        relay = redirect._document()["relay"] | {"port": other.port}  # noqa: SLF001  (as the admin wrote it)
        after_the_put(lambda: redirect.edit(relay=relay))

        page = redirect.complete()
        with pytest.raises(SecretUnavailable):
            _renew(redirect)

        assert page.status == 409
        assert other.commands == []


def test_the_admin_may_start_again_and_connects_the_account_as_it_is_now(
    begin: Begin, after_the_put: AfterThePut
) -> None:
    redirect = begin()
    after_the_put(lambda: redirect.edit(name="Renamed"))
    redirect.complete()

    page = redirect.complete()

    assert "Connected and verified" in page.body
    assert redirect.secret()["account_version"] == redirect.account()["version"] == 2
    assert redirect.secret()["grant_version"] == 2
