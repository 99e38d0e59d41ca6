"""What stands in the answer of a token endpoint, however oddly it is written."""

from __future__ import annotations

import json
import math
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from http import HTTPStatus
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.masking import masked
from tocsin.model.grant import Tokens
from tocsin.model.identity_provider import Dialect
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tocsin.adapters.https import Answer
    from tocsin.model.identity_provider import IdentityProvider

_ASSUMED_LIFE = timedelta(hours=1)
"""Where the answer names no life that can be: what most providers give. If it is shorter, a relay refuses the token,
and a refused token is renewed once at once."""
_LONGEST_LIFE = timedelta(days=1)
"""Longer lives are not used up, so that a grant that was revoked is noticed within a day."""
_LONGEST_REFRESH_LIFE = timedelta(days=3650)
_TOKEN = re.compile(r"[\x21-\x7e]{1,100000}")
_ERROR_CHARACTERS = 80
_DESCRIPTION_CHARACTERS = 500
_LOOKS_SECRET = re.compile(r"[\w.~+=-]{40,}", re.ASCII)
_RETRY_AFTER_LIMIT = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class OAuthError:
    """An error answer (RFC 6749 section 5.2): its `error`, and that with its description, free of secrets."""

    code: str
    text: str


def json_object(body: bytes) -> dict[str, Any]:
    """The JSON object in `body`; empty where there is none."""
    try:
        fields = json.loads(body)
    except (ValueError, RecursionError):
        return {}
    return fields if isinstance(fields, dict) else {}


def oauth_error(fields: Mapping[str, Any], secrets: Iterable[str]) -> OAuthError | None:
    """The error that the answer names, if it does; never with what we sent, nor with what looks like a token."""
    error, description = fields.get("error"), fields.get("error_description")
    if isinstance(error, Mapping):  # the form of Google's other APIs
        return oauth_error({"error": error.get("status"), "error_description": error.get("message")}, secrets)
    if not isinstance(error, str) or not error.strip():
        return None
    code = _discreet(error, secrets)[:_ERROR_CHARACTERS]
    details = [description, fields.get("suberror"), fields.get("error_subtype")]
    words = " ".join(detail for detail in details if isinstance(detail, str))
    described = _discreet(words, secrets)[:_DESCRIPTION_CHARACTERS]
    return OAuthError(code=code, text=f"{code}: {described}" if described else code)


def reason(answer: Answer) -> str:
    """The status in words."""
    try:
        return HTTPStatus(answer.status).phrase
    except ValueError:
        return "no reason"


def wait_asked(answer: Answer) -> str:
    """What the answer asks to wait, in words that end a reply's text and that the remedies read; mostly empty."""
    seconds = _retry_after(answer.headers)
    return "" if seconds is None else f"; Retry-After: {seconds} s"


def tokens_from(fields: Mapping[str, Any], provider: IdentityProvider, *, client_id: str, now: datetime) -> Tokens:
    """Read the tokens.

    Raises:
        PhaseFailed: there is none that could be used; in phase auth.
    """
    refresh_token = _token(fields.get("refresh_token"))
    refresh_token_end = _refresh_token_end(fields.get("refresh_token_expires_in"), now)
    return Tokens(
        access_token=_access_token(fields),
        expires_at=now + _life(fields.get("expires_in")),
        refresh_token=refresh_token,
        refresh_token_expires_at=refresh_token_end,
        lapses_at=_lapse(provider, refresh_token_end if refresh_token is not None else None, now),
        scopes=_scopes(fields.get("scope"), provider),
        identity=identity_in(id_token_claims(fields.get("id_token"), client_id=client_id), provider),
    )


def identity_in(claims: Mapping[str, Any], provider: IdentityProvider) -> str | None:
    """The signed-in user as the claims name it; an address that the provider did not verify names nobody."""
    for name in provider.identity_claims:
        value = claims.get(name)
        is_unverified = name == "email" and claims.get("email_verified") in (False, "false")
        if isinstance(value, str) and value and not is_unverified:
            return value
    return None


def id_token_claims(id_token: object, *, client_id: str) -> dict[str, Any]:
    """The claims of an id_token from the token endpoint; none where it cannot be read or is for another client.

    It came over TLS from the provider itself, so its signature need not be checked (OpenID Connect Core 3.1.3.7), and
    its times are not: they would only tell the clocks apart.
    """
    parts = id_token.split(".") if isinstance(id_token, str) else []
    if len(parts) != 3:  # noqa: PLR2004  header, payload, signature
        return {}
    try:
        claims = json_object(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except ValueError:
        return {}
    audience = claims.get("aud")
    return claims if client_id in (audience if isinstance(audience, list) else [audience]) else {}


def _access_token(fields: Mapping[str, Any]) -> str:
    token = _token(fields.get("access_token"))
    kind = fields.get("token_type", "Bearer")
    if token is None:
        raise PhaseFailed.by(Phase.AUTH, Mishap.UNEXPECTED_REPLY, "no access token that could be used")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        raise PhaseFailed.by(Phase.AUTH, Mishap.UNEXPECTED_REPLY, "the access token is not of type Bearer")
    return token


def _token(value: object) -> str | None:
    return value if isinstance(value, str) and _TOKEN.fullmatch(value) else None


def _life(expires_in: object) -> timedelta:
    seconds = _seconds(expires_in)
    return _ASSUMED_LIFE if seconds is None else min(seconds, _LONGEST_LIFE)


def _refresh_token_end(expires_in: object, now: datetime) -> datetime | None:
    seconds = _seconds(expires_in)
    return None if seconds is None or seconds > _LONGEST_REFRESH_LIFE else now + seconds


def _lapse(provider: IdentityProvider, new_refresh_token_end: datetime | None, now: datetime) -> datetime | None:
    """When disuse ends the grant: the end of a refresh token counts where renewals replace it, as here they did."""
    by_disuse = now + provider.lapses_after if provider.lapses_after is not None else None
    return min((end for end in (by_disuse, new_refresh_token_end) if end is not None), default=None)


def _seconds(value: object) -> timedelta | None:
    """A positive length of time, which some write as text; None for anything else. At most a hundred years."""
    if isinstance(value, str) and re.fullmatch(r"\s*\d{1,12}(\.\d{1,9})?\s*", value, re.ASCII):
        value = float(value)
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return timedelta(seconds=min(value, 3_153_600_000)) if value > 0 else None


def _scopes(value: object, provider: IdentityProvider) -> tuple[str, ...] | None:
    if isinstance(value, str):
        granted = value.split()
    elif isinstance(value, list):
        granted = [scope for scope in value if isinstance(scope, str)]
    else:
        return None
    if provider.dialect is Dialect.MICROSOFT:
        granted += [scope for scope in provider.scopes if scope not in granted and _stands_for(scope, granted)]
    return tuple(granted)


def _stands_for(asked: str, granted: Iterable[str]) -> bool:
    """Whether Entra means `asked`: it may leave the resource out of a scope, and names what `.default` came to."""
    resource, _, permission = asked.rpartition("/")
    if permission == ".default":
        return any(scope.startswith(f"{resource}/") for scope in granted)
    return any(scope.casefold() == permission.casefold() for scope in granted)


def _retry_after(headers: Mapping[str, str]) -> int | None:
    """Seconds, from a number or from a date; the latter by the provider's own clock (RFC 9110 section 10.2.3)."""
    value = headers.get("retry-after", "").strip()
    if re.fullmatch(r"\d{1,9}", value, re.ASCII):
        return min(int(value), _RETRY_AFTER_LIMIT) or None
    try:
        wait = parsedate_to_datetime(value) - parsedate_to_datetime(headers.get("date", ""))
    except (ValueError, TypeError):  # no date, or one with and one without a zone
        return None
    seconds = int(wait.total_seconds())
    return min(seconds, _RETRY_AFTER_LIMIT) if seconds > 0 else None


def _discreet(text: str, secrets: Iterable[str]) -> str:
    """`text` as one printable line, without what we sent in whatever form, and without what looks like a token."""
    text = masked(text, [form for one in secrets for form in (one, quote(one, safe=""), quote_plus(one))])
    line = " ".join("".join(letter if letter.isprintable() else " " for letter in text).split())
    return _LOOKS_SECRET.sub("***", line)
