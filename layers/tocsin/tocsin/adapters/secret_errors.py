"""What Secrets Manager's refusals mean: for an admin, for another worker, or for later."""

from __future__ import annotations

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.errors import AccountChanged, SecretUnavailable, TransientError

SECRETS_MANAGER_ERRORS = (ClientError, BotoCoreError)
"""Everything that a call of Secrets Manager raises."""

_FOR_AN_ADMIN = frozenset({"ResourceNotFoundException", "InvalidRequestException", "DecryptionFailure"})


def error_of(error: ClientError | BotoCoreError) -> SecretUnavailable | TransientError:
    """Our error for theirs. What nobody knows, a missing permission and a lost connection are worth another try."""
    if isinstance(error, BotoCoreError):
        return TransientError(f"Secrets Manager is out of reach: {type(error).__name__}")
    code = error.response["Error"]["Code"]
    text = f"Secrets Manager says {code}"
    if code == "ResourceExistsException":
        return AccountChanged(text)
    return SecretUnavailable(text) if code in _FOR_AN_ADMIN else TransientError(text)
