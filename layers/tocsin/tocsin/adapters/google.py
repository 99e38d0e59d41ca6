"""Google's service accounts: an assertion that acts for a user of the Workspace, signed by google-auth."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.model.key_files import service_account_key

if TYPE_CHECKING:
    from tocsin.adapters.token_endpoint import Question

_ASSERTION_SECONDS = 3600  # as long as it may last


def assertion(question: Question, key_file: str) -> str:
    """The signed assertion (RFC 7523 section 3); its subject is the mailbox to send as.

    google-auth signs it, and we send it: its own way to the token endpoint sleeps between tries, and writes Google's
    audience into assertions for anybody, who could then use them at Google.

    Raises:
        UnreadableKey: the key file is none.
    """
    from google.auth import crypt, jwt  # noqa: PLC0415  a password account never loads it

    key = service_account_key(key_file, email=question.oauth2.client_id)
    issued_at = int(question.now.timestamp())
    claims = {
        "iss": key.email,
        "sub": question.username,
        "scope": " ".join(question.provider.mail_scopes),
        "aud": question.provider.token_url,
        "iat": issued_at,
        "exp": issued_at + _ASSERTION_SECONDS,
    }
    signer = crypt.RSASigner.from_string(key.private_key, key.key_id)
    signed: bytes = jwt.encode(signer, claims)
    return signed.decode("ascii")
