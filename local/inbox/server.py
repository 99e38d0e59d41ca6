"""The SMTP server: STARTTLS before anything else, AUTH before mail, then every message is kept."""

from __future__ import annotations

import logging
from asyncio import WriteTransport
from collections import defaultdict
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any
from weakref import WeakSet

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP

from local.inbox.authentication import authenticate_xoauth2, check_password

if TYPE_CHECKING:
    import ssl
    from collections.abc import Awaitable, Callable

    from aiosmtpd.smtp import AuthResult, Envelope, Session

    from local.inbox.authentication import Account
    from local.inbox.mailbox import Mail, Mailbox

MAXIMUM_MESSAGE_OCTETS = 35_000_000
AUTH_LINE_OCTETS = 12_288  # RFC 4954 section 4: tokens are long
IDENTIFICATION = "ESMTP demo inbox"

logging.getLogger("mail.log").setLevel(logging.ERROR)  # aiosmtpd warns of its own old attribute at every login


async def answer_at_once(_mail: Mail) -> None:
    """The usual way: a mail that is kept is answered at once."""


def smtp_server(
    *,
    host: str,
    port: int,
    tls: ssl.SSLContext,
    account: Account,
    mailbox: Mailbox,
    before_answer: Callable[[Mail], Awaitable[None]] = answer_at_once,
) -> Controller:
    """A server that is not started yet. `before_answer` runs when a mail is kept and its sender not told so yet."""
    return _Controller(
        _Handler(account=account, mailbox=mailbox, before_answer=before_answer),
        hostname=host,
        port=port,
        server_hostname="inbox.localhost",
        ident=IDENTIFICATION,
        tls_context=tls,
        require_starttls=True,
        auth_required=True,
        authenticator=check_password(account),
        enable_SMTPUTF8=True,
        data_size_limit=MAXIMUM_MESSAGE_OCTETS,
    )


class _Controller(Controller):
    """aiosmtpd's controller, with our server."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  (as they are)
        super().__init__(*arguments, **options)
        self._connections: WeakSet[SMTP] = WeakSet()

    def factory(self) -> SMTP:
        """The server of one connection."""
        server = _Server(self.handler, **self.SMTP_kwargs)
        self._connections.add(server)
        return server

    def stop(self, no_assert: bool = False) -> None:  # noqa: FBT001, FBT002  (aiosmtpd's parameter)
        """Cut all connections first: TLS would wait 30 seconds for the farewell of clients that are frozen."""
        self.loop.call_soon_threadsafe(self._cut)
        super().stop(no_assert)

    def _cut(self) -> None:
        for server in tuple(self._connections):
            if isinstance(server.transport, WriteTransport):
                server.transport.abort()


class _Server(SMTP):
    """aiosmtpd's server with room for the tokens of AUTH; its other lines stay as short as they must be."""

    def __init__(self, *arguments: Any, **options: Any) -> None:  # noqa: ANN401  (as they are)
        lines_of_mails = self.line_length_limit
        self.line_length_limit = AUTH_LINE_OCTETS  # what the reader is made with
        super().__init__(*arguments, **options)
        self.line_length_limit = lines_of_mails
        # One of its own: aiosmtpd's is shared, and emptied by each new connection.
        self.command_size_limits = defaultdict(lambda: self.command_size_limit, AUTH=AUTH_LINE_OCTETS)


class _Handler:
    """What aiosmtpd calls; the names are its own."""

    def __init__(self, *, account: Account, mailbox: Mailbox, before_answer: Callable[[Mail], Awaitable[None]]) -> None:
        self._account = account
        self._mailbox = mailbox
        self._before_answer = before_answer

    async def handle_EHLO(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, session: Session, _envelope: Envelope, hostname: str, responses: list[str]
    ) -> list[str]:
        """Offer PIPELINING too: the server reads commands one by one from its buffer, so it holds."""
        session.host_name = hostname
        return [*responses[:-1], "250-PIPELINING", responses[-1]]

    async def handle_DATA(  # noqa: N802  (aiosmtpd's name)
        self, _server: SMTP, _session: Session, envelope: Envelope
    ) -> str:
        """Keep one mail per recipient, then answer."""
        received_at = datetime.now(UTC)
        mails = [
            self._mailbox.keep(
                mail_from=envelope.mail_from or "",
                rcpt_to=recipient,
                received_at=received_at,
                content=envelope.original_content or b"",
            )
            for recipient in envelope.rcpt_tos
        ]
        for mail in mails:
            await self._before_answer(mail)
        return f"250 2.0.0 kept as {mails[-1].id}"

    async def auth_XOAUTH2(self, server: SMTP, arguments: list[str]) -> AuthResult:  # noqa: N802  (aiosmtpd's name)
        """Google's and Microsoft's mechanism."""
        return await authenticate_xoauth2(server, arguments, self._account)
