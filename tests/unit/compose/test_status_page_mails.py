"""What subscribers and owners of a status page see, type by type."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from tocsin.compose.reader import Reader, reading
from tocsin.compose.report import percent
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import DESCRIPTIVE, Mail, mail_of, minimal_mail, sample, sample_mail

NOTES = [each for each in CATALOGUE if each.startswith("status_page.") and each.endswith(("_note", "_postmortem"))]
MAINTENANCE = [each for each in CATALOGUE if each.startswith("status_page.maintenance_")]


@pytest.mark.parametrize(
    ("event_type", "subject", "least"),
    [
        ("subscription_confirm", "Confirm your subscription to Acme Status", "Confirm your subscription to Ops"),
        ("subscribed", "You have been subscribed to Acme Status", "You have been subscribed to Ops"),
        ("manage_subscription", "Manage your Subscription for Acme Status", "Manage your Subscription for Ops"),
        ("incident_note", "[Update Incident] Problems with card payments", "[Update Incident] Down"),
        ("incident_postmortem", "[Postmortem] Problems with card payments", "[Postmortem] Down"),
        ("episode_created", "[Incident] Slow pages in Europe", "[Incident] Down"),
        ("episode_state_changed", "[Resolved Incident] Slow pages in Europe", "[Resolved Incident] Down"),
        ("episode_note", "[Update Incident] Slow pages in Europe", "[Update Incident] Down"),
        ("announcement", "[Announcement] Our API gets a new address", "[Announcement] Down"),
        ("maintenance_created", "[Scheduled Maintenance] Database upgrade", "[Scheduled Maintenance] Down"),
        (
            "maintenance_state_changed",
            "[Ongoing Scheduled Maintenance] Database upgrade",
            "[Resolved Scheduled Maintenance] Down",
        ),
        ("maintenance_note", "[Update Scheduled Maintenance] Database upgrade", "[Update Scheduled Maintenance] Down"),
        ("report", "[Report] Acme Status", "[Report] Ops"),
    ],
)
def test_the_subject_says_what_happened_and_the_required_attributes_are_enough(
    event_type: str, subject: str, least: str
) -> None:
    mail = minimal_mail(f"status_page.{event_type}", look=DESCRIPTIVE)

    assert sample_mail(f"status_page.{event_type}", look=DESCRIPTIVE).message["Subject"] == subject
    assert mail.message["Subject"] == least
    for body in _bodies(mail):
        assert least.rpartition(" ")[2] in body
        assert not re.search(r"None|Undefined|: *$|\(\)", body, re.MULTILINE)


@pytest.mark.parametrize("event_type", [each for each in CATALOGUE if each.startswith("status_page.episode_")])
def test_to_subscribers_an_episode_is_an_incident(event_type: str) -> None:
    mail = sample_mail(event_type)

    assert mail.message["Thread-Topic"] == "[Incident] Slow pages in Europe"
    assert "pisode" not in "".join(_bodies(mail)).replace("/episodes/", "")


@pytest.mark.parametrize("event_type", NOTES)
def test_a_note_is_shown_with_its_time_and_a_private_one_is_refused(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["note"] |= {"body": "**Half** of it\n\nworks", "posted_at": "2026-11-21T10:15:00Z"}

    for body in _bodies(mail_of(event)):
        assert re.search(r"Half of it\s+works", body)
        assert re.search(r"Posted:?\s+Sat 21 Nov 2026, 11:15", body)
    event["data"]["note"]["private"] = True
    with pytest.raises(ValueError, match="private"):
        CATALOGUE[event_type].model_validate(event["data"])


@pytest.mark.parametrize("event_type", MAINTENANCE)
def test_a_maintenance_shows_start_and_end_in_each_zone_of_the_page(event_type: str) -> None:
    mail = sample_mail(event_type)

    for body in _bodies(mail):
        for label, berlin, new_york in (
            ("Starts", "21 Nov 2026, 22:00", "16:00"),
            ("Ends", "22 Nov 2026, 00:30", "18:"),
        ):
            assert re.search(rf"{label}:?\s+\w+ {berlin} \(Europe/Berlin, UTC\+1\)\s*Sat 21 Nov 2026, {new_york}", body)
        assert "Orders, Invoices" in body
        assert re.search(r"not\s+changed meanwhile", body)


@pytest.mark.parametrize("event_type", MAINTENANCE)
def test_an_end_that_is_not_known_is_left_out(event_type: str) -> None:
    mail = sample_mail(event_type, ends_at=None)

    assert all("Starts" in body and "Ends" not in body for body in _bodies(mail))


@pytest.mark.parametrize(("reminder", "heading"), [(True, "Reminder of a scheduled maintenance"), (None, "New sched")])
def test_a_reminder_of_a_maintenance_says_that_it_is_one(reminder: bool | None, heading: str) -> None:  # noqa: FBT001  (JSON)
    event = sample("status_page.maintenance_created")
    event["data"]["reminder"] = reminder

    assert mail_of(event).text.startswith(heading)


def test_who_has_not_confirmed_is_not_called_a_subscriber() -> None:
    mail = sample_mail("status_page.subscription_confirm")

    for body in _bodies(mail):
        assert "this address was entered on Acme Status" in body
        assert "subscribed to" not in body
    assert 'href="https://status.example.org/confirm/f3a9-71c0"' in mail.html
    assert "https://status.example.org/confirm/f3a9-71c0" in mail.text


def test_each_recipient_gets_the_link_to_the_own_subscription() -> None:
    event = sample("status_page.manage_subscription")
    event["data"]["recipients"].append({"email": "b@example.org", "manage_url": "https://status.example.org/s/b"})

    for number, url in enumerate(recipient["manage_url"] for recipient in event["data"]["recipients"]):
        assert f"Manage your subscription: {url}" in mail_of(event, recipient=number).text


def test_a_report_shows_totals_and_rows() -> None:
    mail = sample_mail("status_page.report")

    for body in _bodies(mail):
        for shown in (
            r"November 2026", r"From:?\s+Sun 1 Nov 2026, 00:00", r"Until:?\s+Tue 1 Dec 2026, 00:00",
            r"Average uptime:?\s+99\.951%", r"Downtime:?\s+4 h 13 min", r"Incidents:?\s+3", r"Resources:?\s+4",
            r"Shop \(2 resources\)\s+(Uptime: )?99\.908%\s+(Downtime: )?3 h 50 min\s+(Incidents: )?2",
            r"(\u2003|  - )Checkout", r"Invoices\s+(Uptime: )?100%\s+(Downtime: )?0\s+(Incidents: )?0",
        ):  # fmt: skip
            assert re.search(shown, body), shown


def test_a_report_of_very_many_resources_says_how_many_it_leaves_out() -> None:
    rows = [{"name": f"Resource {number}"} for number in range(500)]
    mail = _report(rows=rows)

    assert "Resource 39" in mail.text
    assert "Resource 40" not in mail.text
    assert all("460 more rows are on the status page" in body for body in _bodies(mail))
    assert "more row" not in _report(rows=rows[:40]).text


@pytest.mark.parametrize(
    ("value", "locale", "text"),
    [
        (100, "en", "100%"),
        (99.99999, "en", "99.999%"),
        (0, "en", "0%"),
        (99.5, "en", "99.5%"),
        (99.99999, "de", "99,999\xa0%"),
        (100, "ja", "100%"),
        (None, "de", None),
    ],
)
def test_a_percentage_is_never_rounded_up(value: float | None, locale: str, text: str | None) -> None:
    with reading(Reader(locale=locale)):
        assert percent(value) == text


def _report(**changes: Any) -> Mail:  # noqa: ANN401  (JSON)
    event = sample("status_page.report")
    event["data"]["report"] |= changes
    return mail_of(event)


def _bodies(mail: Mail) -> tuple[str, str]:
    """Give both bodies as they are seen."""
    body = re.sub(r"<br>|</td>|</p>|</div>", "\n", mail.html.partition("<body")[2].partition(">")[2])
    return mail.text, unescape(re.sub(r"<[^>]+>", "", body))
