"""Nothing secret is said, whatever a provider repeats."""

from __future__ import annotations

import logging
import re

import pytest
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

from tests.functional.oauth2.line import line_to
from tests.identity_provider import CLIENT_SECRET, Say
from tests.identity_provider.accounts import NOW, REDIRECT_URI, VERIFIER, secret_of


@pytest.mark.parametrize("name", ["microsoft365", "google", "generic"])
def test_nothing_secret_is_said_whatever_the_provider_repeats(name: str, caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    with line_to(name) as line:
        secret = secret_of(refresh_token=line.provider.refresh_token())
        assert secret.refresh_token is not None
        refresh_token = secret.refresh_token.get_secret_value()
        echoes = f"you sent {refresh_token} and {CLIENT_SECRET}, {VERIFIER} for code-7; eyJ{'x' * 60} was given"
    said = []
    for error in ("invalid_grant", f"invalid_grant {refresh_token}", "server_error"):
        action = Say(400, {"error": error, "error_description": echoes, "access_token": "leaked-token"})
        with line_to(name, action, action) as line:
            with pytest.raises((GrantRefused, TokenEndpointFailed)) as renewed:
                line.providers.renew(line.account, secret, now=NOW)
            with pytest.raises((GrantRefused, TokenEndpointFailed)) as redeemed:
                line.providers.redeem(
                    line.account, secret, code="code-7", code_verifier=VERIFIER, redirect_uri=REDIRECT_URI, now=NOW
                )
        said += [f"{raised.value!r} {raised.value} {vars(raised.value)}" for raised in (renewed, redeemed)]

    # The refresh token is no part of the exchange of a code, so only its look gives it away there.
    spoken = " ".join([*said, *(record.getMessage() for record in caplog.records)])
    for word in (CLIENT_SECRET, VERIFIER, "eyJ", "leaked-token"):
        assert word not in spoken
    assert refresh_token not in " ".join(said[::2])
    assert not re.search(r"\bcode-7\b", " ".join(said[1::2]))


def test_tokens_show_nothing_in_their_repr() -> None:
    with line_to("generic") as line:
        tokens = line.renew()

    assert tokens.access_token not in repr(tokens)
    assert (tokens.refresh_token or "?") not in repr(tokens)
