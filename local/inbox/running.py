"""The inbox, running: SMTP server, web pages, and how to reach both."""

from __future__ import annotations

import secrets
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.inbox.authentication import Account
from local.inbox.certificate import make_identity
from local.inbox.mailbox import Mailbox
from local.inbox.server import answer_at_once, smtp_server
from local.inbox.web import web_server
from local.ports import HOST, usable_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator
    from pathlib import Path

    from local.inbox.mailbox import Mail

USERNAME = "acme@inbox.example"
PREFERRED_SMTP_PORT = 2525
PREFERRED_WEB_PORT = 8025


def refuse_tokens(_token: str) -> bool:
    """The way of an inbox without an identity provider."""
    return False


@dataclass(frozen=True, slots=True, kw_only=True)
class Inbox:
    """Where the inbox is, how to log in, which authority to trust (PEM), and what arrived."""

    smtp_port: int
    web_port: int
    username: str
    password: str
    ca_certificate: str
    mailbox: Mailbox

    @property
    def url(self) -> str:
        """The web page."""
        return f"http://localhost:{self.web_port}/"

    @property
    def address(self) -> str:
        """`host:port` of the SMTP server, as `AllowedPrivateHosts` wants it."""
        return f"{HOST}:{self.smtp_port}"


@contextmanager
def running_inbox(
    folder: Path,
    *,
    smtp_port: int | None = None,
    web_port: int | None = None,
    is_valid_token: Callable[[str], bool] = refuse_tokens,
    before_answer: Callable[[Mail], Awaitable[None]] = answer_at_once,
) -> Iterator[Inbox]:
    """Serve until the block ends. Mails are kept under `folder`; ports are free ones unless given.

    `is_valid_token` decides about the access tokens of XOAUTH2.
    """
    identity = make_identity(folder / "tls", host=HOST)
    inbox = Inbox(
        smtp_port=smtp_port or usable_port(),
        web_port=web_port or usable_port(),
        username=USERNAME,
        password=secrets.token_urlsafe(16),
        ca_certificate=identity.ca_certificate,
        mailbox=Mailbox(folder / "mails"),
    )
    account = Account(username=inbox.username, password=inbox.password, is_valid_token=is_valid_token)
    smtp = smtp_server(
        host=HOST,
        port=inbox.smtp_port,
        tls=identity.context,
        account=account,
        mailbox=inbox.mailbox,
        before_answer=before_answer,
    )
    smtp.start()
    try:
        with _serving_web(inbox):
            yield inbox
    finally:
        smtp.stop()


@contextmanager
def _serving_web(inbox: Inbox) -> Iterator[None]:
    with web_server(inbox.mailbox, host=HOST, port=inbox.web_port) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.05}, name="inbox-web")
        thread.start()
        try:
            yield
        finally:
            server.shutdown()
            thread.join()
