"""The inbox is a strict server, and its pages are harmless whatever a mail holds."""

from __future__ import annotations

import smtplib
import ssl
import time
from base64 import b64encode
from datetime import UTC, datetime
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from local.inbox.running import Inbox, running_inbox
from local.ports import HOST

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.local

MAIL = (
    b"From: Ops <ops@acme.example>\r\nTo: ana@example.org\r\nSubject: <script>alert(1)</script>\r\n"
    b"Message-ID: <1@acme.example>\r\nMIME-Version: 1.0\r\nContent-Type: text/html; charset=utf-8\r\n\r\n"
    b"<p>Hello</p><script>alert(2)</script>\r\n"
)
MAIL_WITH_FILES = (
    b"From: ops@acme.example\r\nSubject: Files\r\nMIME-Version: 1.0\r\n"
    b'Content-Type: multipart/related; boundary="x"\r\n\r\n'
    b'--x\r\nContent-Type: text/html\r\n\r\n<img src="cid:a"><img src="cid:b">\r\n'
    b'--x\r\nContent-Type: image/png\r\nContent-ID: <a>\r\nContent-Disposition: inline; filename="<a>.png"\r\n'
    b"Content-Transfer-Encoding: base64\r\n\r\nUE5H\r\n--x--\r\n"
)
TOKEN = "good-access-token" * 150  # as long as Microsoft's may be
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def inbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Inbox]:
    with running_inbox(tmp_path_factory.mktemp("inbox"), is_valid_token=TOKEN.__eq__) as inbox:
        yield inbox


def test_mail_is_kept_octet_for_octet(inbox: Inbox) -> None:
    with _secured(inbox) as client:
        client.login(inbox.username, inbox.password)
        client.sendmail("ops@acme.example", ["ana@example.org"], MAIL)

    (mail,) = inbox.mailbox.mails()

    assert mail.content == MAIL
    assert (mail.mail_from, mail.rcpt_to, mail.message_id) == (
        "ops@acme.example",
        "ana@example.org",
        "<1@acme.example>",
    )


def test_extensions_of_a_good_server_are_offered(inbox: Inbox) -> None:
    with _secured(inbox) as client:
        client.ehlo()

        assert {"pipelining", "8bitmime", "smtputf8", "size", "auth"} <= set(client.esmtp_features)
        assert set(client.esmtp_features["auth"].split()) == {"PLAIN", "LOGIN", "XOAUTH2"}


def test_nothing_is_taken_before_starttls(inbox: Inbox) -> None:
    with smtplib.SMTP(HOST, inbox.smtp_port, timeout=5) as client:
        client.ehlo("acme.example")

        assert "auth" not in client.esmtp_features
        assert client.docmd("AUTH PLAIN AAAA")[0] == 530
        assert client.docmd("MAIL FROM:<ops@acme.example>")[0] == 530


def test_nothing_is_taken_before_auth(inbox: Inbox) -> None:
    with _secured(inbox) as client:
        client.ehlo("acme.example")

        assert client.docmd("MAIL FROM:<ops@acme.example>")[0] == 530


@pytest.mark.parametrize("mechanism", ["auth_plain", "auth_login"])
@pytest.mark.parametrize(("suffix", "code"), [("", 235), ("x", 535)], ids=["right", "wrong"])
def test_a_password_is_checked(inbox: Inbox, mechanism: str, suffix: str, code: int) -> None:
    with _secured(inbox) as client:
        client.ehlo("acme.example")
        client.user, client.password = inbox.username, inbox.password + suffix

        try:
            answer = client.auth(mechanism.removeprefix("auth_").upper(), getattr(client, mechanism))[0]
        except smtplib.SMTPAuthenticationError as error:
            answer = error.smtp_code

        assert answer == code


@pytest.mark.parametrize("steps", [1, 2])
@pytest.mark.parametrize(("token", "code"), [(TOKEN, 235), ("stale", 535)], ids=["good", "stale"])
def test_a_token_is_checked(inbox: Inbox, steps: int, token: str, code: int) -> None:
    said = b64encode(f"user={inbox.username}\x01auth=Bearer {token}\x01\x01".encode()).decode()
    with _secured(inbox) as client:
        client.ehlo("acme.example")

        answer = client.docmd("AUTH", f"XOAUTH2 {said}" if steps == 1 else "XOAUTH2")
        if steps == 2:
            assert answer[0] == 334
            answer = client.docmd(said)
        if answer[0] == 334:  # why the token is no good, said before the final answer
            answer = client.docmd("")

        assert answer[0] == code


def test_a_line_of_a_mail_is_no_longer_than_the_standard_allows(inbox: Inbox) -> None:
    with _secured(inbox) as client:
        client.login(inbox.username, inbox.password)

        with pytest.raises(smtplib.SMTPDataError, match="Line too long"):
            client.sendmail("ops@acme.example", ["ana@example.org"], MAIL + b"x" * 1200 + b"\r\n")


def test_pages_escape_what_a_mail_holds(inbox: Inbox) -> None:
    mail = _deliver(inbox)

    for path in ("/", f"/mails/{mail}"):
        status, headers, body = _get(inbox, path)
        assert status == 200
        assert "<script" not in body
        assert "&lt;script&gt;" in body
        assert headers["Content-Security-Policy"].startswith("default-src 'none'")


def test_html_of_a_mail_is_shown_where_it_can_do_nothing(inbox: Inbox) -> None:
    mail = _deliver(inbox)

    assert (
        f"<iframe sandbox title='HTML of the mail, without scripts' src='/mails/{mail}/html'>"
        in _get(inbox, f"/mails/{mail}")[2]
    )
    headers = _get(inbox, f"/mails/{mail}/html")[1]
    assert headers["Content-Security-Policy"].startswith("sandbox; default-src 'none'")
    assert "script-src" not in headers["Content-Security-Policy"]


def test_source_is_plain_text(inbox: Inbox) -> None:
    _, headers, body = _get(inbox, f"/mails/{_deliver(inbox)}/source")

    assert headers["Content-Type"] == "text/plain; charset=utf-8"
    assert body.endswith(MAIL.decode())


def test_the_files_of_a_mail_are_listed_and_its_pictures_shown(inbox: Inbox) -> None:
    number = _deliver(inbox, MAIL_WITH_FILES)

    page, html = (_get(inbox, f"/mails/{number}{view}")[2] for view in ("", "/html"))

    assert "<th scope='row'>&lt;a&gt;.png</th><td>image/png</td><td>3 bytes</td>" in page
    assert '<img src="data:image/png;base64,UE5H"><img src="cid:b">' in html


@pytest.mark.parametrize(
    ("path", "host", "status"),
    [("/mails/99999", HOST, 404), ("/mails/../tls/server.pem", HOST, 404), ("/", "rebound.example.org", 403)],
    ids=["no such mail", "no files", "a foreign name"],
)
def test_nothing_else_is_shown(inbox: Inbox, path: str, host: str, status: int) -> None:
    assert _get(inbox, path, host=host)[0] == status


def test_a_client_that_says_nothing_does_not_keep_it_from_ending(tmp_path: Path) -> None:
    with running_inbox(tmp_path) as inbox:
        client = _secured(inbox)
        begun = time.monotonic()

    assert time.monotonic() - begun < 10
    client.close()


def _secured(inbox: Inbox) -> smtplib.SMTP:
    client = smtplib.SMTP(HOST, inbox.smtp_port, local_hostname="acme.example", timeout=5)
    client.starttls(context=ssl.create_default_context(cadata=inbox.ca_certificate))
    return client


def _deliver(inbox: Inbox, content: bytes = MAIL) -> str:
    to = "ana@example.org"
    mail = inbox.mailbox.keep(mail_from="ops@acme.example", rcpt_to=to, received_at=NOON, content=content)
    return mail.id


def _get(inbox: Inbox, path: str, *, host: str = HOST) -> tuple[int, dict[str, str], str]:
    connection = HTTPConnection(HOST, inbox.web_port, timeout=5)
    try:
        connection.request("GET", path, headers={"Host": host})
        response = connection.getresponse()
        return response.status, dict(response.getheaders()), response.read().decode()
    finally:
        connection.close()
