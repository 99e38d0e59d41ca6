"""Mails about a person's own account: what they say, for how long it is good, and what they keep to themselves."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from html import unescape
from typing import Any

import pytest
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE
from tocsin.model.retry import expires_at

from tests.unit.compose.mails import Mail, mail_of, minimal_mail, sample

TYPES = [event_type for event_type, data in CATALOGUE.items() if data.is_personal]
PERISHABLE = [event_type for event_type in TYPES if "expires_minutes" in CATALOGUE[event_type].model_fields]
SECRETS = ("code", "accept_url", "reset_url", "set_password_url")


def test_they_are_those_of_accounts_and_of_private_users() -> None:
    found = {event_type for event_type in CATALOGUE if event_type.startswith(("account.", "status_page.private_user_"))}

    assert set(TYPES) == found


@pytest.mark.parametrize("event_type", TYPES)
def test_every_field_is_shown_in_both_parts(event_type: str) -> None:
    event = sample(event_type)
    fields = {name for name, value in event["data"].items() if isinstance(value, str) and not name.endswith("_at")}

    mail = mail_of(event)

    for name in fields:
        assert event["data"][name] in mail.text
        assert event["data"][name] in unescape(mail.html)


@pytest.mark.parametrize("event_type", TYPES)
def test_the_required_attributes_alone_make_a_whole_mail(event_type: str) -> None:
    mail = minimal_mail(event_type)

    for body in _bodies(mail):
        assert not re.search(r"None|Undefined|: *$|\(\)", body, re.MULTILINE)
        assert "Valid" not in body


@pytest.mark.parametrize("event_type", TYPES)
def test_nobody_is_offered_to_leave_and_no_thread_is_made(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["recipients"][0] |= {
        "unsubscribe_url": "https://status.example.org/u/1",
        "manage_url": "https://status.example.org/m/1",
    }

    mail = mail_of(event)

    assert "nsubscribe" not in mail.mail_object.content.decode()
    assert "/m/1" not in mail.text + mail.html
    assert {"List-Unsubscribe", "References", "Thread-Topic"}.isdisjoint(mail.message.keys())


@pytest.mark.parametrize("event_type", TYPES)
def test_what_is_for_one_person_is_told_to_nobody_else(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["recipients"].append({"email": "b@example.org"})

    with pytest.raises(ValueError, match="at most 1 item"):
        CATALOGUE[event_type].model_validate(event["data"])
    event["data"] |= {"recipients": None, "recipients_ref": {"bucket": "b", "key": "k", "version_id": "v"}}
    with pytest.raises(ValueError, match="recipients"):
        CATALOGUE[event_type].model_validate(event["data"])


@pytest.mark.parametrize("event_type", TYPES)
def test_codes_and_links_stand_neither_in_headers_nor_in_what_a_log_may_show(event_type: str) -> None:
    event = sample(event_type)
    secrets = [event["data"][name] for name in SECRETS if name in event["data"]]

    headers, shown = mail_of(event).header_octets.decode(), repr(check_event(event))

    assert not [secret for secret in secrets if secret in headers or secret in shown]


@pytest.mark.parametrize("event_type", PERISHABLE)
@pytest.mark.parametrize(
    ("ends", "shown", "hidden"),
    [
        ({"expires_minutes": 90}, ["Valid for: 1 h 30 min", "Valid until: Sat 21 Nov 2026, 12:00"], ""),
        ({"expires_at": "2026-11-21T10:00:00Z"}, ["Valid until: Sat 21 Nov 2026, 11:00"], "Valid for"),
        (
            {"expires_at": "2026-11-21T10:00:00Z", "expires_minutes": 5},
            ["Valid for: 5 min", "Valid until: Sat 21 Nov 2026, 10:35"],
            "11:00",
        ),
    ],
)
def test_it_says_for_how_long_it_is_good(event_type: str, ends: dict[str, Any], shown: list[str], hidden: str) -> None:
    event = sample(event_type)
    event["time"] = "2026-11-21T09:30:00Z"
    event["data"] |= {"expires_at": None, "expires_minutes": None} | ends

    for body in _bodies(mail_of(event)):
        words = re.sub(r"(Valid (?:for|until)):?\s+", r"\1: ", body)
        assert all(each in words for each in shown)
        assert not hidden or hidden not in words


@pytest.mark.parametrize("event_type", PERISHABLE)
@pytest.mark.parametrize("time", [None, "9999-12-31T23:59:59Z"])
def test_an_end_that_cannot_be_reckoned_is_left_out(event_type: str, time: str | None) -> None:
    event = sample(event_type) | ({"time": time} if time is not None else {})
    event["data"] |= {"expires_at": None, "expires_minutes": 5}

    for body in _bodies(mail_of(event)):
        assert "Valid for" in body
        assert "Valid until" not in body


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_a_sample_is_good_whenever_it_is_published(event_type: str) -> None:
    received_at = datetime(2040, 1, 1, tzinfo=UTC)

    assert expires_at(check_event(sample(event_type)), received_at=received_at) > received_at


def test_a_link_that_is_none_makes_no_button() -> None:
    event = sample("account.forgot_password")
    event["data"]["reset_url"] = "javascript:alert(1)"

    mail = mail_of(event)

    assert "href" not in mail.html
    assert "alert(1)" not in mail.text + mail.html


def _bodies(mail: Mail) -> tuple[str, str]:
    """Give both bodies as they are seen."""
    body = re.sub(r"<br>|</td>|</p>|</div>", "\n", mail.html.partition("<body")[2].partition(">")[2])
    return mail.text, unescape(re.sub(r"<[^>]+>", "", body))
