"""What an access token says of itself, where it is a JWT (RFC 7519): for whom it is, what for, and for how long."""

from __future__ import annotations

import binascii
import json
from base64 import urlsafe_b64decode
from datetime import UTC, datetime
from typing import Any

_PARTS = 3
_MOST = 50
_CHARACTERS = 500
_SHOWN = {"aud": "audience", "scp": "scope", "scope": "scope", "roles": "roles"}


def token_claims(token: str) -> dict[str, Any]:
    """Audience, scope, roles and expiry, as far as they can be read; nothing is checked, and nothing else is shown."""
    claims = _payload(token)
    shown = {name: text for claim, name in _SHOWN.items() if (text := _shown(claims.get(claim))) is not None}
    expires_at = _time(claims.get("exp"))
    return shown | ({"expires_at": expires_at.isoformat()} if expires_at is not None else {})


def _payload(token: str) -> dict[str, Any]:
    parts = token.split(".")
    if len(parts) != _PARTS:
        return {}
    try:
        claims = json.loads(urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError, RecursionError):
        return {}
    return claims if isinstance(claims, dict) else {}


def _shown(value: object) -> str | list[str] | None:
    """A text, or the texts of a list, none too long."""
    if isinstance(value, str):
        return value[:_CHARACTERS]
    if isinstance(value, list):
        return [text[:_CHARACTERS] for text in value[:_MOST] if isinstance(text, str)]
    return None


def _time(value: object) -> datetime | None:
    if not isinstance(value, int | float) or isinstance(value, bool):
        return None
    try:
        return datetime.fromtimestamp(value, UTC)
    except (ValueError, OverflowError, OSError):
        return None
