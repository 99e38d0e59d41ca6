"""What the tests of the redirect share: a good provider, a relay that knows its token."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.authorize.redirect import TOKEN, Redirect
from tests.identity_provider import USER, IdentityProvider
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.functional.deliver.stack import Stack

type Begin = Callable[..., Redirect]

_NAMED = {"access_token": TOKEN}


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that lets the provider's token in."""
    with Relay(security="starttls", mechanisms=("XOAUTH2",), tokens={USER: TOKEN}) as relay:
        yield relay


@pytest.fixture
def begin(whole_stack: Stack, relay: Relay) -> Iterator[Begin]:
    """A mail account before its redirect, at a provider that is told this."""
    del whole_stack
    running: list[IdentityProvider] = []

    def begin(*, username: str = USER, names_users: bool = True, **told: Any) -> Redirect:  # noqa: ANN401  (as the provider takes it)
        provider = IdentityProvider(**{"extra": _NAMED, **told})
        running.append(provider.__enter__())
        return Redirect(provider=provider, relay=relay, username=username, names_users=names_users)

    yield begin
    for provider in running:
        provider.__exit__()
