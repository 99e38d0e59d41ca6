"""Identity providers: where a person is sent to consent, and how tokens are obtained and renewed."""

from __future__ import annotations

import math
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING, Protocol, cast
from urllib.parse import urlencode

from tocsin.adapters import google, microsoft, oauth2
from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.https import Https
from tocsin.adapters.token_answer import identity_in, json_object
from tocsin.adapters.token_endpoint import Question, TokenEndpoint
from tocsin.data.identity_providers import identity_provider_for
from tocsin.model.grant import GrantType
from tocsin.model.identity_provider import Dialect, UnusableOAuth2
from tocsin.model.key_files import UnreadableKey
from tocsin.model.reply import Phase, Reply
from tocsin.model.token_error import GrantRefused

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from tocsin.adapters.egress import Egress
    from tocsin.data.remedies import Remedies
    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import OAuth2, Tokens
    from tocsin.model.identity_provider import IdentityProvider
    from tocsin.model.mail_account import MailAccount

_CALL_SECONDS = 15.0


class _Way(Protocol):
    """What the modules `oauth2` and `microsoft` have in common."""

    def redeem(
        self, endpoint: TokenEndpoint, question: Question, *, code: str, code_verifier: str, redirect_uri: str
    ) -> Tokens: ...

    def refresh(self, endpoint: TokenEndpoint, question: Question, *, refresh_token: str) -> Tokens: ...

    def client_credentials(self, endpoint: TokenEndpoint, question: Question) -> Tokens: ...


class IdentityProviders:
    """All of them, each in its own way, through one guarded HTTP client. Safe to use from many threads.

    A call takes 15 seconds at most, less where `deadline` (monotonic seconds) is nearer. `ca_certificate` is a PEM
    bundle that replaces the public roots.
    """

    def __init__(self, egress: Egress, remedies: Remedies, *, ca_certificate: str | None = None) -> None:
        self._http = Https(egress, ca_certificate=ca_certificate)
        self._remedies = remedies
        self._endpoint = TokenEndpoint(self._http, remedies)

    def authorization_url(
        self,
        account: MailAccount,
        *,
        redirect_uri: str,
        state: str,
        code_challenge: str,
        login_hint: str | None = None,
    ) -> str:
        """Where the person is sent; `code_challenge` is the S256 of the verifier (RFC 7636 section 4.2).

        Raises:
            GrantRefused: the account's settings do not allow it.
        """
        provider, settings = self._provider(account)
        if provider.authorization_url is None:
            raise self._refusal("the account has no authorization URL")
        query = {
            **provider.authorization_parameters,
            "client_id": settings.client_id,
            "response_type": "code",
            "redirect_uri": redirect_uri,
            "scope": " ".join(dict.fromkeys((*provider.sign_in_scopes, *provider.scopes))),
            "state": state,
            "code_challenge": code_challenge,
            "code_challenge_method": "S256",
            **({"login_hint": login_hint} if login_hint else {}),
        }
        separator = "&" if "?" in provider.authorization_url else "?"
        return f"{provider.authorization_url}{separator}{urlencode(query)}"

    def redeem(
        self,
        account: MailAccount,
        secret: AccountSecret,
        *,
        code: str,
        code_verifier: str,
        redirect_uri: str,
        now: datetime,
        deadline: float | None = None,
    ) -> Tokens:
        """Exchange the code that a person's consent gave.

        Raises:
            TokenEndpointFailed: no tokens now; the code may be used up.
            GrantRefused: only an admin can help.
        """
        question = self._question(account, secret, GrantType.AUTHORIZATION_CODE, now=now, deadline=deadline)
        with self._refusing_unreadable_keys():
            return self._way(question).redeem(
                self._endpoint, question, code=code, code_verifier=code_verifier, redirect_uri=redirect_uri
            )

    def renew(
        self, account: MailAccount, secret: AccountSecret, *, now: datetime, deadline: float | None = None
    ) -> Tokens:
        """New tokens by the account's grant.

        Raises:
            TokenEndpointFailed: ask again later; the grant is as good as before.
            GrantRefused: only an admin can help.
        """
        _, settings = self._provider(account)
        grant = GrantType.REFRESH_TOKEN if settings.grant.has_refresh_token else settings.grant
        question = self._question(account, secret, grant, now=now, deadline=deadline)
        with self._refusing_unreadable_keys():
            return self._renewed(question)

    def identity(self, account: MailAccount, tokens: Tokens, *, deadline: float) -> str | None:
        """Who signed in, by the id_token or else by the userinfo endpoint; None: the provider does not say.

        Raises:
            TokenEndpointFailed: it cannot say so now.
            GrantRefused: the account's settings cannot be used.
        """
        provider, settings = self._provider(account)
        if tokens.identity is not None or provider.userinfo_url is None:
            return tokens.identity
        headers = {"Authorization": f"{provider.userinfo_scheme} {tokens.access_token}", "Accept": "application/json"}
        try:
            answer = self._http.call("GET", provider.userinfo_url, headers=headers, until=_until(deadline))
            if answer.status == 429 or answer.status >= 500:  # noqa: PLR2004  it cannot say now
                raise PhaseFailed.by(Phase.AUTH, Mishap.UNEXPECTED_REPLY, f"HTTP status {answer.status}")
        except PhaseFailed as failure:
            raise self._endpoint.failed(provider, settings.grant, failure) from failure
        return identity_in(json_object(answer.body), provider) if answer.status == 200 else None  # noqa: PLR2004  OK

    def _renewed(self, question: Question) -> Tokens:
        match question.grant:
            case GrantType.CLIENT_CREDENTIALS:
                return self._way(question).client_credentials(self._endpoint, question)
            case GrantType.JWT_BEARER:
                key = question.secret.service_account_key
                if key is None:
                    raise self._refusal("secret_missing: the key of the service account")
                assertion = google.assertion(question, key.get_secret_value())
                return oauth2.jwt_bearer(self._endpoint, question, assertion=assertion)
            case _:
                if question.secret.refresh_token is None:
                    raise self._refusal("not_connected: there is no refresh token")
                token = question.secret.refresh_token.get_secret_value()
                return self._way(question).refresh(self._endpoint, question, refresh_token=token)

    def _way(self, question: Question) -> _Way:
        return microsoft if question.provider.dialect is Dialect.MICROSOFT else oauth2

    def _question(
        self, account: MailAccount, secret: AccountSecret, grant: GrantType, *, now: datetime, deadline: float | None
    ) -> Question:
        provider, settings = self._provider(account)
        return Question(
            provider=provider,
            oauth2=settings,
            username=account.auth.username or "",
            secret=secret,
            grant=grant,
            known=account.grant,
            now=now,
            until=_until(deadline),
        )

    def _provider(self, account: MailAccount) -> tuple[IdentityProvider, OAuth2]:
        try:
            provider = identity_provider_for(account)
        except UnusableOAuth2 as error:
            raise self._refusal(str(error)) from error
        return provider, cast("OAuth2", account.auth.oauth2)  # the provider would not be there without

    @contextmanager
    def _refusing_unreadable_keys(self) -> Iterator[None]:
        try:
            yield
        except UnreadableKey as error:
            raise self._refusal(str(error)) from None

    def _refusal(self, text: str) -> GrantRefused:
        """Nothing is asked: what the grant needs is not there, as `text` says."""
        reply = Reply(phase=Phase.SETTINGS, code=None, text=text)
        return GrantRefused(reply, self._remedies.verdict(reply, auth_type="oauth2"))


def _until(deadline: float | None) -> float:
    return min(time.monotonic() + _CALL_SECONDS, math.inf if deadline is None else deadline)
