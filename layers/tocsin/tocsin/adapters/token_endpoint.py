"""Token endpoints: one request for tokens, and what its answer means (RFC 6749 section 5)."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING
from urllib.parse import quote_plus, urlsplit

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.token_answer import OAuthError, json_object, oauth_error, reason, tokens_from, wait_asked
from tocsin.model.delivery import State
from tocsin.model.grant import GrantType, missing_scopes
from tocsin.model.remedy import state_for
from tocsin.model.reply import Phase, Reply
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from typing import Any, NoReturn

    from tocsin.adapters.https import Answer, Https
    from tocsin.data.remedies import Remedies
    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import GrantState, OAuth2, Tokens
    from tocsin.model.identity_provider import IdentityProvider
    from tocsin.model.remedy import Verdict

_SECRET_FIELDS = ("code", "code_verifier", "refresh_token", "client_secret", "client_assertion", "assertion")
_TRANSIENT_ERRORS = frozenset(
    {
        "temporarily_unavailable",
        "server_error",
        "internal_failure",
        "rate_limit_exceeded",
        "too_many_requests",
        "slow_down",
    }
)
_TOO_MANY_REQUESTS = 429
_BEFORE_TESTING_ENDS = timedelta(hours=6)
_AFTER_TESTING_ENDED = timedelta(days=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Who asks whom for tokens, by which grant, when, and by when it must be answered (monotonic seconds)."""

    provider: IdentityProvider
    oauth2: OAuth2
    username: str = field(repr=False)
    secret: AccountSecret = field(repr=False)
    grant: GrantType
    known: GrantState | None
    now: datetime
    until: float


class TokenEndpoint:
    """Asks for tokens over HTTP. Safe to use from many threads."""

    def __init__(self, http: Https, remedies: Remedies) -> None:
        self._http = http
        self._remedies = remedies

    def ask(
        self,
        question: Question,
        form: Mapping[str, str],
        *,
        basic: tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Tokens:
        """Send `form`, with client id and secret as HTTP Basic where given, and read the tokens.

        Only an OAuth2 error is a refusal. Whatever else comes or does not come (a web page, a redirect, an empty
        answer) says nothing of the grant.

        Raises:
            TokenEndpointFailed: ask again later; `verdict.wait_seconds` is what the provider asks for.
            GrantRefused: only an admin can help.
        """
        sent = {"Accept": "application/json", **(headers or {}), **_basic(basic)}
        try:
            answer = self._http.call("POST", question.provider.token_url, headers=sent, form=form, until=question.until)
            fields = self._granted(question, answer, _secrets(form, basic))
            tokens = tokens_from(fields, question.provider, client_id=question.oauth2.client_id, now=question.now)
            self._require_scopes(question, tokens)
        except PhaseFailed as failure:
            raise self.failed(question.provider, question.grant, failure) from failure
        return tokens

    def failed(self, provider: IdentityProvider, grant: GrantType, failure: PhaseFailed) -> TokenEndpointFailed:
        """The error where no answer came, or none of an identity provider."""
        host = urlsplit(provider.token_url).hostname
        reply = replace(failure.reply, text=f"{failure.reply.text} (token endpoint {host})")
        return TokenEndpointFailed(reply, self._verdict(provider, grant, reply))

    def _granted(self, question: Question, answer: Answer, secrets: tuple[str, ...]) -> Mapping[str, Any]:
        """The fields of an answer that grants tokens."""
        if answer.status == _TOO_MANY_REQUESTS or answer.status >= 500:  # noqa: PLR2004  5xx, whatever the body says
            reply = Reply(phase=Phase.AUTH, code=answer.status, text=reason(answer) + wait_asked(answer))
            raise TokenEndpointFailed(reply, self._verdict(question.provider, question.grant, reply))
        fields = json_object(answer.body)
        error = oauth_error(fields, secrets)
        if error is not None:
            self._raise(question, answer, error)
        if answer.status // 100 != 2 or not fields:  # noqa: PLR2004  2xx
            raise PhaseFailed.by(
                Phase.AUTH, Mishap.UNEXPECTED_REPLY, f"HTTP status {answer.status}, no answer in the sense of OAuth2"
            )
        return fields

    def _raise(self, question: Question, answer: Answer, error: OAuthError) -> NoReturn:
        """Judge by the error; its description only chooses the help, and the classes that the remedies know."""
        is_transient = error.code in _TRANSIENT_ERRORS
        text = error.code if is_transient else _annotated(question, error)
        reply = Reply(phase=Phase.AUTH, code=answer.status, text=text + wait_asked(answer))
        verdict = self._verdict(question.provider, question.grant, reply)
        if is_transient or state_for(verdict.failure_class) is State.DEFERRED:
            raise TokenEndpointFailed(reply, verdict)
        raise GrantRefused(reply, verdict)

    def _require_scopes(self, question: Question, tokens: Tokens) -> None:
        """A token with none of the scopes asked for opens nothing, now and later; a consent is compared when given."""
        asked = question.provider.mail_scopes
        is_compared = question.oauth2.grant is GrantType.AUTHORIZATION_CODE
        if is_compared or not asked or missing_scopes(asked, tokens.scopes) != asked:
            return
        reply = Reply(phase=Phase.AUTH, code=200, text="a token came, but the scope was not granted")
        raise GrantRefused(reply, self._verdict(question.provider, question.grant, reply))

    def _verdict(self, provider: IdentityProvider, grant: GrantType, reply: Reply) -> Verdict:
        return self._remedies.verdict(reply, auth_type="oauth2", grant=grant.value, service=provider.dialect.service)


def _annotated(question: Question, error: OAuthError) -> str:
    """What the provider said, and what only we know: that the grant is as old as one of a test lives."""
    life = question.provider.testing_life
    if error.code != "invalid_grant" or not question.grant.has_refresh_token or not _ended_by_test(question, life):
        return error.text
    return f"{error.text} [{life.days if life else 0} days after the consent]"


def _ended_by_test(question: Question, life: timedelta | None) -> bool:
    if life is None or question.known is None or question.known.consented_at is None:
        return False
    end = question.known.consented_at + life
    return end - _BEFORE_TESTING_ENDS <= question.now <= end + _AFTER_TESTING_ENDED


def _basic(basic: tuple[str, str] | None) -> dict[str, str]:
    """Id and secret are form-encoded first (RFC 6749 section 2.3.1)."""
    if basic is None:
        return {}
    plain = ":".join(quote_plus(part) for part in basic)
    return {"Authorization": f"Basic {b64encode(plain.encode()).decode('ascii')}"}


def _secrets(form: Mapping[str, str], basic: tuple[str, str] | None) -> tuple[str, ...]:
    return (*(form[name] for name in _SECRET_FIELDS if name in form), *([basic[1]] if basic else []))
