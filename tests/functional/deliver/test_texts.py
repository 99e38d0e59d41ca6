"""Whatever text a publisher sends, it goes out as text: one line where a header is, and in the body as it is."""

from __future__ import annotations

import email.policy
from email import message_from_bytes
from typing import TYPE_CHECKING

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.relay import Relay

if TYPE_CHECKING:
    from email.message import EmailMessage

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme

_LONG = "long " * 20_000


@pytest.mark.parametrize(
    ("title", "in_subject", "in_body"),
    [
        pytest.param("a\r\nBcc: eve@example.org", "a Bcc: eve@example.org", "Bcc: eve@example.org", id="line-break"),
        pytest.param("a\r\n\r\nbody", "a body", "body", id="empty-line"),
        pytest.param("a\nBcc: eve@example.org", "a Bcc: eve@example.org", "Bcc: eve@example.org", id="bare-lf"),
        pytest.param("a\rBcc: eve@example.org", "a Bcc: eve@example.org", "Bcc: eve@example.org", id="bare-cr"),
        pytest.param("{{7*7}} {% raw %}", "{{7*7}} {% raw %}", "{{7*7}} {% raw %}", id="template"),
        pytest.param("<b>&amp;</b>", "<b>&amp;</b>", "<b>&amp;</b>", id="html"),
        pytest.param("a\0b", "b", "b", id="nul"),
        pytest.param("🔥", "🔥", "🔥", id="emoji-alone"),
        pytest.param("=?utf-8?b?aGFyZA==?=", "=?utf-8?b?aGFyZA==?=", "=?utf-8?b?aGFyZA==?=", id="encoded-word"),
        pytest.param(".", ".", ".", id="dot"),
        pytest.param(_LONG, "long long long", _LONG[:200], id="100-kB"),
    ],
)
def test_a_title_arrives_in_one_header_line_and_unharmed(
    acme: Acme, deliver: Invoke, title: str, in_subject: str, in_body: str
) -> None:
    event = acme.event("ana@example.org")
    event["data"]["incident"]["title"] = title
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(event) == []

    assert acme.states() == {"ana@example.org": "accepted"}
    [mail] = relay.mails
    message = message_from_bytes(mail.content, policy=email.policy.default)
    assert in_subject in message["Subject"]
    assert len(message.get_all("Subject", [])) == 1
    assert message["Bcc"] is None
    assert in_body in _text(message)
    assert b"\0" not in mail.content
    assert mail.rcpt_to == ("ana@example.org",)
    assert max(map(len, mail.content.split(b"\r\n"))) <= 998
    assert not message.defects


def test_html_of_a_title_is_text_in_the_html_part(acme: Acme, deliver: Invoke) -> None:
    event = acme.event("ana@example.org")
    event["data"]["incident"]["title"] = "<script>alert(1)</script>"
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(event)

    [mail] = relay.mails
    message = message_from_bytes(mail.content, policy=email.policy.default)
    html = message.get_body(("html",))
    assert html is not None
    assert "&lt;script&gt;alert(1)&lt;/script&gt;" in html.get_content()
    assert "<script" not in html.get_content()


def _text(message: EmailMessage) -> str:
    plain = message.get_body(("plain",))
    assert plain is not None
    return str(plain.get_content())


@pytest.mark.parametrize(
    ("style", "subject"),
    [
        pytest.param("stable", "[Incident #7] Checkout is down", id="stable"),
        pytest.param("descriptive", "[New Incident #7] - Checkout is down", id="descriptive"),
        pytest.param(None, "[Incident #7] Checkout is down", id="unsaid"),
    ],
)
def test_the_project_says_how_subjects_are_made(acme: Acme, deliver: Invoke, style: str | None, subject: str) -> None:
    acme.project["subject_style"] = style
    event = acme.event("ana@example.org")
    event["data"]["incident"]["number"] = 7
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        assert deliver(event) == []

    [mail] = relay.mails
    assert message_from_bytes(mail.content, policy=email.policy.default)["Subject"] == subject
