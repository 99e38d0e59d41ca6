"""The inbox's web server, on loopback: pages that run no script, whatever a mail holds."""

from __future__ import annotations

import re
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from local.guard import is_local_host
from local.inbox.pages import STYLE, html_part, list_page, mail_page, not_found_page

if TYPE_CHECKING:
    from local.inbox.mailbox import Mail, Mailbox

PAGE_POLICY = (
    "default-src 'none'; style-src 'self'; frame-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'"
)
MAIL_POLICY = "sandbox; default-src 'none'; style-src 'unsafe-inline'; img-src data:; frame-ancestors 'self'"
"""A mail's own HTML: no scripts, no forms, an origin of its own, and nothing fetched (no tracking pixels)."""

MAIL_PATH = re.compile(r"/mails/(?P<id>\d+)(?P<view>/html|/source)?")


def web_server(mailbox: Mailbox, *, host: str, port: int) -> ThreadingHTTPServer:
    """A server that listens, and serves once `serve_forever` runs."""

    class Pages(_Pages):
        """The pages of this mailbox: the standard library makes a handler for each request by its class alone."""

    Pages.mailbox = mailbox
    return ThreadingHTTPServer((host, port), Pages)


class _Pages(BaseHTTPRequestHandler):
    mailbox: Mailbox
    server_version = "DemoInbox"
    sys_version = ""

    def do_GET(self) -> None:
        path = self.path.partition("?")[0]
        if not is_local_host(self.headers.get("Host", "")):
            self._answer("Only names of this machine.", status=HTTPStatus.FORBIDDEN, kind="text/plain")
        elif path == "/":
            self._answer(list_page(self.mailbox.mails()))
        elif path == "/style.css":
            self._answer(STYLE, kind="text/css")
        elif (match := MAIL_PATH.fullmatch(path)) and (mail := self.mailbox.mail(match["id"])):
            self._answer_mail(mail, match["view"])
        else:
            self._answer(not_found_page(), status=HTTPStatus.NOT_FOUND)

    def log_message(self, *_arguments: object) -> None:
        """Say nothing: the terminal belongs to the command that started us."""

    def _answer_mail(self, mail: Mail, view: str | None) -> None:
        match view:
            case "/html":
                self._answer(html_part(mail) or "", policy=MAIL_POLICY)
            case "/source":
                self._answer(mail.file.decode("utf-8", "replace"), kind="text/plain")
            case _:
                self._answer(mail_page(mail))

    def _answer(
        self,
        text: str,
        *,
        status: HTTPStatus = HTTPStatus.OK,
        kind: str = "text/html",
        policy: str = PAGE_POLICY,
    ) -> None:
        content = text.encode("utf-8", "replace")
        self.send_response(status)
        self.send_header("Content-Type", f"{kind}; charset=utf-8")
        self.send_header("Content-Length", str(len(content)))
        self.send_header("Content-Security-Policy", policy)
        self.send_header("X-Content-Type-Options", "nosniff")
        self.send_header("Referrer-Policy", "no-referrer")
        self.send_header("Cross-Origin-Resource-Policy", "same-origin")
        self.send_header("Cache-Control", "no-store")
        self.end_headers()
        self.wfile.write(content)
