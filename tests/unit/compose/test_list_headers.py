"""What a list's mails say of the list: the same for all recipients, and nothing of any of them."""

from __future__ import annotations

from email import message_from_string
from email.policy import SMTPUTF8

import pytest
from tocsin.compose.composer import Composer
from tocsin.compose.list_headers import list_headers
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import AT, MESSAGE_ID, SENDER, THREAD_ROOT, sample


def _headers(*, utf8: bool = False, type_: str = "status_page.incident_created", **page: str | None) -> dict[str, str]:
    event = sample(type_)
    if page:
        event["data"]["status_page"] |= page
    made = list_headers(check_event(event), host="tocsin.example", utf8=utf8)
    return dict(header.split(": ", 1) for header in made)


def test_a_list_has_a_name_an_id_and_a_stream() -> None:
    assert _headers(id="public", name="Acme Status") == {
        "List-Id": "Acme Status <public.acme.tocsin.example>",
        "Precedence": "bulk",
        "Feedback-ID": "public:acme:status_page.incident_created:tocsin",
    }


@pytest.mark.parametrize("type_", [name for name in CATALOGUE if not name.startswith("status_page.")])
def test_what_goes_to_owners_is_no_list(type_: str) -> None:
    assert _headers(type_=type_) == {}


@pytest.mark.parametrize("page_id", ["Public", "a b", "ü", "a.b", "-", "x" * 64, "a:b", "a>\r\nBcc: eve@example.org"])
def test_an_id_that_cannot_stand_in_a_name_is_stood_in_for(page_id: str) -> None:
    headers = _headers(id=page_id)
    label = headers["Feedback-ID"].partition(":")[0]

    assert (len(label), label.isalnum(), label.islower()) == (32, True, True)
    assert f"<{label}.acme.tocsin.example>" in headers["List-Id"]
    assert len(headers["Feedback-ID"].split(":")) == 4
    assert label != _headers(id=f"{page_id}2")["Feedback-ID"].partition(":")[0]


@pytest.mark.parametrize(
    ("name", "written"),
    [
        (None, "<public.acme.tocsin.example>"),
        ("Acme, Inc. <Status>", '"Acme, Inc. <Status>" <public.acme.tocsin.example>'),
        ("a\r\nBcc: eve@example.org", '"a Bcc: eve@example.org" <public.acme.tocsin.example>'),
        ("Störungen", "=?utf-8?b?U3TDtnJ1bmdlbg==?= <public.acme.tocsin.example>"),
        ("x" * 80, f'"{"x" * 80}"\r\n <public.acme.tocsin.example>'),
    ],
)
def test_a_page_s_name_stands_before_it_as_a_phrase(name: str | None, written: str) -> None:
    assert _headers(id="public", name=name)["List-Id"] == written


def test_an_international_mail_writes_the_name_as_it_is() -> None:
    assert _headers(utf8=True, id="public", name="Störungen")["List-Id"].startswith('"Störungen" <')


def test_a_mail_has_them_whole_with_our_host() -> None:
    notification = check_event(sample("status_page.incident_created"))
    assert notification.data.recipients
    content = (
        Composer(list_host="mail.tocsin.example")
        .compose(
            notification,
            notification.data.recipients[0],
            sender=SENDER,
            message_id=MESSAGE_ID,
            thread_root=THREAD_ROOT,
            at=AT,
        )
        .content
    )

    message = message_from_string(content.decode(), policy=SMTPUTF8)

    assert str(message["List-Id"]).endswith(".acme.mail.tocsin.example>")
    assert not message.defects
