"""A session with a relay: connection, TLS, EHLO and AUTH, up to where mail can be handed over."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tocsin.adapters.egress import a_label
from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.sasl import log_in, mechanism_for
from tocsin.adapters.smtp_channel import SmtpChannel
from tocsin.adapters.smtp_extensions import Extensions
from tocsin.adapters.tls import context_for
from tocsin.adapters.watch import UNWATCHED
from tocsin.errors import PermanentError
from tocsin.model.mail_account import Security
from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from tocsin.adapters.egress import Egress
    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.adapters.watch import Watch
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.reply import Reply

_EHLO_NAME = re.compile(r"[A-Za-z0-9._:\[\]-]{1,255}", re.ASCII)
_ACCEPTED = 2
_PERMANENT = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Session:
    """An open session: where commands go, what the relay offers, and the reply that opened it (to AUTH, or to EHLO)."""

    channel: SmtpChannel
    extensions: Extensions
    reply: Reply


def open_session(
    account: MailAccount,
    credential: Credential | None,
    *,
    egress: Egress,
    limits: TimeLimits,
    watch: Watch = UNWATCHED,
) -> Session:
    """Connect, protect, greet and log in as the account says; `watch` is told how that goes on.

    Raises:
        PhaseFailed: one of these failed; nothing stays open.
    """
    opening = _Opening(account=account, credential=credential, egress=egress, limits=limits, watch=watch)
    opening.check_settings()
    channel = opening.connect()
    try:
        extensions, reply = opening.negotiate(channel)
        return Session(channel=channel, extensions=extensions, reply=reply)
    except PhaseFailed:
        channel.quit()
        raise


@dataclass(frozen=True, slots=True, kw_only=True)
class _Opening:
    account: MailAccount
    credential: Credential | None = field(repr=False)
    egress: Egress
    limits: TimeLimits
    watch: Watch

    def check_settings(self) -> None:
        """Refuse what needs no connection to be refused."""
        self._ehlo_name()
        if not self._authenticates:
            return
        if self.credential is None:
            raise PhaseFailed.by(Phase.AUTH, Mishap.NO_CREDENTIAL)
        relay = self.account.relay
        if relay.security is Security.NONE and not self.egress.allows_private(relay.host, relay.port):
            raise PhaseFailed.by(Phase.AUTH, Mishap.CLEAR_AUTH_REFUSED, "host and port are not in AllowedPrivateHosts")

    def connect(self) -> SmtpChannel:
        relay = self.account.relay
        proxy_password = self.credential.proxy_password if self.credential else None
        connection = self.egress.connect(
            relay.host,
            relay.port,
            limits=self.limits,
            proxy=relay.proxy,
            proxy_password=proxy_password,
            watch=self.watch,
        )
        return SmtpChannel(connection)

    def negotiate(self, channel: SmtpChannel) -> tuple[Extensions, Reply]:
        """Everything from the greeting to AUTH; what was offered before TLS is forgotten."""
        if self.account.relay.security is Security.TLS:
            self._start_tls(channel, self.limits.begin_phase())
        self._read_greeting(channel)
        extensions, reply = self._ehlo(channel)
        if self.account.relay.security is Security.STARTTLS:
            self._upgrade(channel, extensions)
            extensions, reply = self._ehlo(channel)
        if self._authenticates:
            reply = self._log_in(channel, extensions)
        return extensions, reply

    def _read_greeting(self, channel: SmtpChannel) -> None:
        self.watch.reached(Phase.CONNECT)
        greeting = channel.read_reply(phase=Phase.CONNECT, until=self.limits.begin_phase())
        self.watch.learnt(Phase.CONNECT, greeting)
        _require(greeting)

    @property
    def _authenticates(self) -> bool:
        return self.account.auth.type != "none"

    def _ehlo(self, channel: SmtpChannel) -> tuple[Extensions, Reply]:
        name = self._ehlo_name()
        self.watch.reached(Phase.EHLO)
        until = self.limits.begin_phase()
        reply = channel.command(f"EHLO {name}", phase=Phase.EHLO, until=until)
        if _is_refused_for_good(reply) and self._may_do_without_extensions:
            return Extensions({}), _required(channel.command(f"HELO {name}", phase=Phase.EHLO, until=until))
        _require(reply)
        self.watch.learnt(Phase.EHLO, reply, capabilities=reply.text.split("\n")[1:])
        return Extensions.parse(reply.text), reply

    @property
    def _may_do_without_extensions(self) -> bool:
        return self.account.relay.security is Security.NONE and not self._authenticates

    def _upgrade(self, channel: SmtpChannel, extensions: Extensions) -> None:
        if "STARTTLS" not in extensions:
            raise PhaseFailed.by(Phase.TLS, Mishap.STARTTLS_NOT_ADVERTISED)
        self.watch.reached(Phase.TLS)
        until = self.limits.begin_phase()
        _require(channel.command("STARTTLS", phase=Phase.TLS, until=until))
        channel.is_silent()  # takes in what has come already behind the reply, so that it is told from a bad handshake
        self._start_tls(channel, until)

    def _start_tls(self, channel: SmtpChannel, until: float) -> None:
        relay = self.account.relay
        self.watch.reached(Phase.TLS)
        context = context_for(relay.min_tls_version, relay.ca_certificate)
        channel.start_tls(context, a_label(relay.host), until=until)
        if self.watch is not UNWATCHED:
            self.watch.learnt(Phase.TLS, **channel.protection())

    def _log_in(self, channel: SmtpChannel, extensions: Extensions) -> Reply:
        if self.credential is None:
            raise PhaseFailed.by(Phase.AUTH, Mishap.NO_CREDENTIAL)
        relay = self.account.relay
        self.watch.reached(Phase.AUTH)
        mechanism = mechanism_for(self.credential, extensions.auth_mechanisms, host=relay.host, port=relay.port)
        reply = log_in(channel, mechanism, until=self.limits.begin_phase())
        self.watch.learnt(Phase.AUTH, reply, mechanism=mechanism.name)
        return _required(reply)

    def _ehlo_name(self) -> str:
        try:
            name = self.account.ehlo_hostname
        except PermanentError as error:  # the sender's address, whose domain it is by default, is none
            raise PhaseFailed.by(Phase.EHLO, Mishap.BAD_EHLO_NAME) from error
        if not _EHLO_NAME.fullmatch(name):
            raise PhaseFailed.by(Phase.EHLO, Mishap.BAD_EHLO_NAME)
        return name


def _required(reply: Reply) -> Reply:
    _require(reply)
    return reply


def _require(reply: Reply) -> None:
    if reply.code is None or reply.code // 100 != _ACCEPTED:
        raise PhaseFailed(reply)


def _is_refused_for_good(reply: Reply) -> bool:
    return reply.code is not None and reply.code // 100 == _PERMANENT
