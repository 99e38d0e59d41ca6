"""Who may hand over mail: AUTH PLAIN and LOGIN with a password, XOAUTH2 with a token."""

from __future__ import annotations

import binascii
import hmac
import re
from base64 import b64decode
from dataclasses import dataclass
from typing import TYPE_CHECKING

from aiosmtpd.smtp import MISSING, AuthResult, LoginPassword

if TYPE_CHECKING:
    from collections.abc import Callable

    from aiosmtpd.smtp import SMTP, Envelope, Session

XOAUTH2 = re.compile(rb"user=(?P<user>[^\x01]*)\x01auth=Bearer (?P<token>[^\x01]+)\x01\x01")
XOAUTH2_ERROR = '{"status":"400","schemes":"Bearer","scope":"https://mail.example/"}'
"""What Google's and Microsoft's servers answer to a bad token, as a challenge, before the final 535."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """The inbox's one user. `is_valid_token` decides about the access tokens of XOAUTH2."""

    username: str
    password: str
    is_valid_token: Callable[[str], bool]

    def has_password(self, username: bytes, password: bytes) -> bool:
        """Whether both are right, compared in constant time."""
        right = hmac.compare_digest(username, self.username.encode())
        return hmac.compare_digest(password, self.password.encode()) and right

    def has_token(self, username: bytes, token: bytes) -> bool:
        """Whether the token is good, and said for this user."""
        right = hmac.compare_digest(username, self.username.encode())
        return self.is_valid_token(token.decode("ascii", "replace")) and right


def check_password(account: Account) -> Callable[..., AuthResult]:
    """The authenticator that aiosmtpd's own PLAIN and LOGIN call."""

    def authenticate(
        _server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, login: LoginPassword
    ) -> AuthResult:
        return AuthResult(success=account.has_password(login.login, login.password), handled=False)

    return authenticate


async def authenticate_xoauth2(server: SMTP, arguments: list[str], account: Account) -> AuthResult:
    """AUTH XOAUTH2 in one or two steps. A bad token is explained in a challenge that the client answers emptily."""
    answer = await _initial_response(server, arguments)
    if answer is None:
        return AuthResult(success=False)
    match = XOAUTH2.fullmatch(answer)
    if match and account.has_token(match["user"], match["token"]):
        return AuthResult(success=True, auth_data=match["user"])
    await server.challenge_auth(XOAUTH2_ERROR)
    return AuthResult(success=False, handled=False)


async def _initial_response(server: SMTP, arguments: list[str]) -> bytes | None:
    """What the client said, decoded; None when it said nothing that can be, which is answered already."""
    if len(arguments) == 1:
        answer = await server.challenge_auth("")
        return None if answer is MISSING else bytes(answer)
    try:
        return b64decode(arguments[1], validate=True)
    except binascii.Error:
        await server.push("501 5.5.2 Can't decode base64")
        return None
