"""AUTH: which mechanism proves a credential, and how it goes over the wire (RFC 4954, 4616, 7628; XOAUTH2)."""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.masking import masked
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tocsin.adapters.smtp_channel import SmtpChannel
    from tocsin.model.credential import Credential
    from tocsin.model.reply import Reply

_LINE_OCTETS = 500  # the whole AUTH line, CRLF included, that is sure to fit (RFC 5321 section 4.5.3.1.4 says 512)
_CHALLENGE = 334
_CANCEL = "*"
_PASSWORD_FORBIDS = re.compile(r"[\x00\ud800-\udfff]")
_TOKEN_FORBIDS = re.compile(r"[\x00\x01\ud800-\udfff]")
_CHALLENGE_FIELDS = ("status", "schemes", "scope", "openid-configuration")


@dataclass(frozen=True, slots=True, kw_only=True)
class Mechanism:
    """One way to prove a credential.

    `responses` answer the challenges in order. `takes_initial` says whether the first may stand on the AUTH line.
    `error_answer` is what an error challenge after the last response is answered by.
    """

    name: str
    secret: str = field(repr=False)
    responses: tuple[bytes, ...] = field(repr=False)
    takes_initial: bool
    error_answer: str


def mechanism_for(credential: Credential, offered: Collection[str], *, host: str, port: int) -> Mechanism:
    """Choose one: the credential's own; else for a password PLAIN or LOGIN, for a token XOAUTH2 or OAUTHBEARER.

    Raises:
        PhaseFailed: the credential cannot be sent, or the relay offers none of the two; in phase auth.
    """
    _check(credential)
    usable = _mechanisms(credential, host, port)
    for mechanism in usable:
        if mechanism.name in offered and credential.mechanism in {None, mechanism.name}:
            return mechanism
    names = " ".join(sorted(offered)) or "none"
    raise PhaseFailed.by(Phase.AUTH, Mishap.NO_COMMON_MECHANISM, f"the relay offers {names}")


def log_in(channel: SmtpChannel, mechanism: Mechanism, *, until: float) -> Reply:
    """Prove the credential, once; the reply is the final one, with the error challenge that led to it, if any.

    Raises:
        PhaseFailed: no final reply came.
    """
    line, responses = _opening(mechanism)
    reply = _ask(channel, line, until)
    for response in responses:
        if reply.code != _CHALLENGE:
            break
        reply = _ask(channel, _base64(response), until)
    else:
        if reply.code == _CHALLENGE:
            reply = _after_error_challenge(channel, mechanism, reply.text, until)
    return discreet(reply, mechanism)


def _after_error_challenge(channel: SmtpChannel, mechanism: Mechanism, challenge: str, until: float) -> Reply:
    reply = _ask(channel, mechanism.error_answer, until)
    if reply.code == _CHALLENGE:
        raise PhaseFailed.by(Phase.AUTH, Mishap.UNEXPECTED_REPLY, "one more challenge")
    return replace(reply, challenge=_decoded(challenge))


def _check(credential: Credential) -> None:
    secret = credential.password if credential.token is None else credential.token
    if secret is None:
        raise PhaseFailed.by(Phase.AUTH, Mishap.NO_CREDENTIAL)
    forbidden = _PASSWORD_FORBIDS if credential.token is None else _TOKEN_FORBIDS
    if forbidden.search(credential.username + secret):
        raise PhaseFailed.by(Phase.AUTH, Mishap.BAD_CREDENTIAL, "it holds a character that AUTH cannot carry")


def _mechanisms(credential: Credential, host: str, port: int) -> tuple[Mechanism, Mechanism]:
    if credential.token is None:
        return _plain(credential.username, credential.password or ""), _login(
            credential.username, credential.password or ""
        )
    return _xoauth2(credential.username, credential.token), _oauthbearer(
        credential.username, credential.token, f"host={host}\x01port={port}\x01"
    )


def _plain(username: str, password: str) -> Mechanism:
    response = f"\0{username}\0{password}".encode()
    return Mechanism(name="PLAIN", secret=password, responses=(response,), takes_initial=True, error_answer=_CANCEL)


def _login(username: str, password: str) -> Mechanism:
    responses = (username.encode(), password.encode())
    return Mechanism(name="LOGIN", secret=password, responses=responses, takes_initial=False, error_answer=_CANCEL)


def _xoauth2(username: str, token: str) -> Mechanism:
    response = f"user={username}\x01auth=Bearer {token}\x01\x01".encode()
    return Mechanism(name="XOAUTH2", secret=token, responses=(response,), takes_initial=True, error_answer="")


def _oauthbearer(username: str, token: str, endpoint: str) -> Mechanism:
    name = username.replace("=", "=3D").replace(",", "=2C")  # RFC 5801 section 4
    response = f"n,a={name},\x01{endpoint}auth=Bearer {token}\x01\x01".encode()
    return Mechanism(
        name="OAUTHBEARER", secret=token, responses=(response,), takes_initial=True, error_answer=_base64(b"\x01")
    )


def _opening(mechanism: Mechanism) -> tuple[str, tuple[bytes, ...]]:
    """The AUTH line, and the responses that are still to be given."""
    line = f"AUTH {mechanism.name}"
    initial = f"{line} {_base64(mechanism.responses[0])}"
    if mechanism.takes_initial and len(initial) + len("\r\n") < _LINE_OCTETS:
        return initial, mechanism.responses[1:]
    return line, mechanism.responses


def _ask(channel: SmtpChannel, line: str, until: float) -> Reply:
    return channel.command(line, phase=Phase.AUTH, until=until, wanted=(2, 3))


def _decoded(text: str) -> Mapping[str, str] | None:
    """The error challenge's known fields."""
    try:
        fields = json.loads(b64decode(text))
    except (ValueError, RecursionError):
        return None
    if not isinstance(fields, dict):
        return None
    return {name: str(fields[name]) for name in _CHALLENGE_FIELDS if name in fields}


def discreet(reply: Reply, mechanism: Mechanism) -> Reply:
    """The reply without what we sent, should the relay repeat it."""
    sent = [mechanism.secret, *(_base64(response) for response in mechanism.responses)]
    challenge = reply.challenge and {name: masked(value, sent) for name, value in reply.challenge.items()}
    return replace(reply, text=masked(reply.text, sent), challenge=challenge)


def _base64(octets: bytes) -> str:
    return b64encode(octets).decode("ascii")
