"""What a reader sees of each type of notification."""

from __future__ import annotations

import re
from html import unescape
from pathlib import Path
from typing import Any

import pytest
import tocsin.compose
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE, NotificationData
from tocsin.model.notifications.status_page import SubscriberData

from tests.unit.compose.generated import with_text
from tests.unit.compose.mails import DESCRIPTIVE, SAMPLES, mail_of, minimal_mail, sample, sample_mail

TEMPLATES = Path(tocsin.compose.__file__).parent / "templates"
FOLDERS = {folder.name for folder in TEMPLATES.iterdir() if not folder.name.startswith("_")}
OWNER_TYPES = [event_type for event_type in CATALOGUE if event_type.startswith(("incident", "alert"))]
ADMIN_TYPES = ["settings.reauthorization_required", "settings.secret_expiring"]
CHANGE_TYPES = [event_type for event_type in CATALOGUE if event_type.endswith("state_changed")]
SUBSCRIBER_TYPES = [
    event_type
    for event_type, data in CATALOGUE.items()
    if issubclass(data, SubscriberData) and event_type != "status_page.subscription_confirm"  # nobody subscribed yet
]


@pytest.mark.parametrize("event_type", sorted(FOLDERS | set(CATALOGUE)))
def test_every_type_has_three_templates_and_a_sample(event_type: str) -> None:
    assert event_type in CATALOGUE
    assert {file.name for file in (TEMPLATES / event_type).iterdir()} == {
        "subject.txt.j2",
        "body.txt.j2",
        "body.html.j2",
    }
    assert sample(event_type)["type"] == event_type


def test_every_sample_has_a_type_and_an_id_of_its_own() -> None:
    names = {file.stem for file in SAMPLES.glob("*.json")}

    assert names == set(CATALOGUE)
    assert len({sample(name)["id"] for name in names}) == len(names)


@pytest.mark.parametrize(
    ("event_type", "subject"),
    [
        ("incident.created", "[New Incident #1042] - Checkout is down"),
        ("incident.state_changed", "[Resolved Incident #1042] - Checkout is down"),
        ("incident.acknowledge_request", "ACTION REQUIRED: Incident #1042 created - Checkout is down"),
        ("incident.note_posted", "[Update Incident #1042] - Checkout is down"),
        ("incident.owner_added", "You have been added as the owner of Incident #1042 - Checkout is down"),
        (
            "incident.member_assigned",
            "You have been assigned as incident commander to Incident #1042 - Checkout is down",
        ),
        ("incident.reminder_unresolved", "[Reminder] Incident #1042 is still Acknowledged - Checkout is down"),
        ("incident.sla_breached", "[SLA Response Breached] Incident #1042 - Checkout is down"),
        ("incident.updated", "[Updated Incident #1042] - Checkout and invoices are down"),
        ("alert.created", "[New Alert #7781] - p99 latency of search over 2 s"),
        ("alert.state_changed", "[Acknowledged Alert #7781] - p99 latency of search over 2 s"),
        ("alert.acknowledge_request", "ACTION REQUIRED: Alert #7781 created - p99 latency of search over 2 s"),
        ("alert.note_posted", "[Update Alert #7781] - p99 latency of search over 2 s"),
        ("alert.owner_added", "You have been added as the owner of Alert #7781 - p99 latency of search over 2 s"),
        ("alert.reminder_unresolved", "[Reminder] Alert #7781 is still Firing - p99 latency of search over 2 s"),
        ("alert_episode.created", "[New Alert Episode #310] - Search is slow in eu-1a"),
        ("alert_episode.acknowledge_request", "ACTION REQUIRED: Alert Episode #310 created - Search is slow in eu-1a"),
        ("alert_episode.state_changed", "[Acknowledged Alert Episode #310] - Search is slow in eu-1a"),
        ("alert_episode.note_posted", "[Update Alert Episode #310] - Search is slow in eu-1a"),
        (
            "alert_episode.owner_added",
            "You have been added as the owner of Alert Episode #310 - Search is slow in eu-1a",
        ),
        ("alert_episode.item_added", "[Episode #310] 5 alerts added - Search is slow in eu-1a"),
        ("incident_episode.created", "[New Incident Episode #88] - Payments fail in Europe"),
        (
            "incident_episode.acknowledge_request",
            "ACTION REQUIRED: Incident Episode #88 created - Payments fail in Europe",
        ),
        ("incident_episode.state_changed", "[Resolved Incident Episode #88] - Payments fail in Europe"),
        ("incident_episode.note_posted", "[Update Incident Episode #88] - Payments fail in Europe"),
        (
            "incident_episode.owner_added",
            "You have been added as the owner of Incident Episode #88 - Payments fail in Europe",
        ),
        ("incident_episode.item_added", "[Episode #88] 4 incidents added - Payments fail in Europe"),
        ("status_page.incident_created", "[Incident] Problems with card payments"),
        ("status_page.incident_state_changed", "[Resolved Incident] Problems with card payments"),
        ("settings.reauthorization_required", "[Action required] Ops mailbox cannot send: authorize it again"),
        ("settings.secret_expiring", "[Reminder] The client secret of Ops mailbox expires in 7 days"),
        ("settings.breaker_opened", "[Action required] Ops mailbox is failing"),
        ("settings.test_message", "[Test] Ops mailbox can send"),
        ("account.verification_code", "Your verification code for Acme"),
        ("account.invited", "You have been invited to Acme"),
        ("account.email_verified", "Your e-mail address for Acme is verified"),
        ("account.forgot_password", "Reset your password for Acme"),
        ("account.password_changed", "Your password for Acme has been changed"),
        ("status_page.private_user_welcome", "Welcome to Acme Partner Status"),
        ("status_page.private_user_forgot_password", "Reset your password for Acme Partner Status"),
        ("status_page.private_user_password_changed", "Your password for Acme Partner Status has been changed"),
        ("generic.message", "Your on-call hours of November"),
        ("generic.html", "Winter freeze from 12 December"),
        ("delivery.failed_summary", "[Deliveries] 7 mails failed"),
    ],
)
def test_a_descriptive_subject_says_what_happened(event_type: str, subject: str) -> None:
    assert sample_mail(event_type, look=DESCRIPTIVE).message["Subject"] == subject


@pytest.mark.parametrize(
    ("event_type", "subject", "name"),
    [
        ("incident.created", "[New Incident] - Down", "Down"),
        ("incident.state_changed", "[Resolved Incident] - Down", "Down"),
        ("incident.acknowledge_request", "ACTION REQUIRED: Incident created - Down", "Down"),
        ("incident.note_posted", "[Update Incident] - Down", "News"),
        ("incident.owner_added", "You have been added as the owner of Incident - Down", "Down"),
        ("incident.member_assigned", "You have been assigned to Incident - Down", "Down"),
        ("incident.reminder_unresolved", "[Reminder] Incident is still Open - Down", "Down"),
        ("incident.sla_breached", "[SLA Response Breached] Incident - Down", "Sat 21 Nov 2026, 09:00 UTC"),
        ("incident.updated", "[Updated Incident] - Down", "Title"),
        ("alert.created", "[New Alert] - Down", "Down"),
        ("alert.state_changed", "[Resolved Alert] - Down", "Down"),
        ("alert.acknowledge_request", "ACTION REQUIRED: Alert created - Down", "Down"),
        ("alert.note_posted", "[Update Alert] - Down", "News"),
        ("alert.owner_added", "You have been added as the owner of Alert - Down", "Down"),
        ("alert.reminder_unresolved", "[Reminder] Alert is still Open - Down", "Down"),
        ("alert_episode.created", "[New Alert Episode] - Down", "Down"),
        ("alert_episode.acknowledge_request", "ACTION REQUIRED: Alert Episode created - Down", "Down"),
        ("alert_episode.state_changed", "[Resolved Alert Episode] - Down", "Down"),
        ("alert_episode.note_posted", "[Update Alert Episode] - Down", "News"),
        ("alert_episode.owner_added", "You have been added as the owner of Alert Episode - Down", "Down"),
        ("alert_episode.item_added", "[Episode] 1 alert added - Down", "Slow"),
        ("incident_episode.created", "[New Incident Episode] - Down", "Down"),
        ("incident_episode.acknowledge_request", "ACTION REQUIRED: Incident Episode created - Down", "Down"),
        ("incident_episode.state_changed", "[Resolved Incident Episode] - Down", "Down"),
        ("incident_episode.note_posted", "[Update Incident Episode] - Down", "News"),
        ("incident_episode.owner_added", "You have been added as the owner of Incident Episode - Down", "Down"),
        ("incident_episode.item_added", "[Episode] 1 incident added - Down", "Slow"),
        ("status_page.incident_created", "[Incident] Down", "Down"),
        ("status_page.incident_state_changed", "[Resolved Incident] Down", "Down"),
        ("settings.reauthorization_required", "[Action required] Ops cannot send: authorize it again", "Ops"),
        ("settings.secret_expiring", "[Reminder] The client secret of Ops expires on Sat 28 Nov 2026", "Ops"),
        ("settings.test_message", "[Test] Ops can send", "Ops"),
    ],
)
def test_the_required_attributes_alone_make_a_whole_mail(event_type: str, subject: str, name: str) -> None:
    mail = minimal_mail(event_type, look=DESCRIPTIVE)

    assert mail.message["Subject"] == subject
    for body in (mail.text, _seen(mail.html)):
        assert name in body
        assert not re.search(r"None|Undefined|: *$|\(\)", body, re.MULTILINE)
    assert not re.search("href|<img", mail.html)
    assert mail.html.count("<h2") == ("\nNews\n" in mail.text)  # of all long texts, a note's alone is required


@pytest.mark.parametrize("event_type", OWNER_TYPES)
def test_owners_see_every_field_in_both_parts(event_type: str) -> None:
    event = sample(event_type)
    occurrence = event["data"][CATALOGUE[event_type].about or ""]
    occurrence |= {"acknowledge_url": "https://x.example/ack", "root_cause": "Cause C", "remediation": "Remedy R"}
    occurrence |= {"description": "Description D", "severity": "Severity S"}

    mail = mail_of(event, sender=Sender(email="ops@acme.org", signature="Signed\nOps"))

    for body in (mail.text, _seen(mail.html)):
        for value in (
            f"#{occurrence['number']}", occurrence["title"], "Severity S", *occurrence["resources"], "Description D",
            "Cause C", "Remedy R", "Sat 21 Nov 2026", f"by {occurrence['declared_by']}", "Acme", "Signed",
        ):  # fmt: skip
            assert value in body
    for url in (occurrence["url"], "https://x.example/ack"):
        assert url in mail.text
        assert f'href="{url}"' in mail.html


@pytest.mark.parametrize("event_type", ADMIN_TYPES)
def test_admins_see_what_it_means_what_to_do_and_where(event_type: str) -> None:
    event = sample(event_type)
    event["data"] |= {"remedy": "Remedy R", "url": "https://x.example/account"}

    mail = mail_of(event)

    for body in (mail.text, _seen(mail.html)):
        for value in (
            "Ops mailbox", "microsoft365", event["data"]["mail_account"]["id"], "cannot send", "parked",
            "nothing is lost", "What to do: Remedy R", event["data"].get("error", "Sat 28 Nov"), "as admin of Acme",
        ):  # fmt: skip
            assert value in body
    assert "https://x.example/account" in mail.text
    assert 'href="https://x.example/account"' in mail.html


@pytest.mark.parametrize("event_type", ADMIN_TYPES)
def test_admins_are_always_told_what_to_do_and_get_no_unsafe_link(event_type: str) -> None:
    event = sample(event_type)
    event["data"] |= {"remedy": None, "url": "javascript:alert(1)"}

    mail = mail_of(event)

    assert re.search(r"What to do: \w.*\.$", mail.text, re.MULTILINE)
    assert "alert(1)" not in mail.text + mail.html
    assert "href" not in mail.html


@pytest.mark.parametrize("event_type", ADMIN_TYPES)
@pytest.mark.parametrize(("name", "shown"), [("\x00", "7"), ("x" * 5000, "xxx...")])
def test_an_account_is_named_whatever_its_name(event_type: str, name: str, shown: str) -> None:
    subject = minimal_mail(event_type, name=name).message["Subject"]

    assert shown in subject
    assert subject.endswith(("cannot send: authorize it again", "expires on Sat 28 Nov 2026"))


@pytest.mark.parametrize(
    ("event_type", "state"),
    [("incident.created", "Created"), ("alert.created", "Firing"), ("status_page.incident_created", "Identified")],
)
def test_a_new_one_shows_its_state(event_type: str, state: str) -> None:
    mail = sample_mail(event_type)

    assert f" · {state}\n" in mail.text
    assert f">{state}<" in mail.html


@pytest.mark.parametrize("event_type", CHANGE_TYPES)
def test_a_change_shows_from_what_to_what_and_after_how_long(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["change"] |= {"previous_state": "acknowledged", "state": "closed", "previous_state_seconds": 7505}

    mail = mail_of(event)

    for body in (mail.text, _seen(mail.html)):
        assert "is now Closed" in body
        assert "Acknowledged for 2 h 5 min" in body
        assert re.search(r"Changed:?\s+Sat 21 Nov 2026", body)


@pytest.mark.parametrize(
    ("change", "shown"),
    [
        ({"previous_state": "open"}, "Before:  Open\n"),
        ({"previous_state_seconds": 60}, "Before:  1 min in the previous state\n"),
        ({"changed_by": "Ana"}, "Changed:  by Ana\n"),
        ({"changed_at": "2026-11-21T09:30:00Z"}, "Changed:  Sat 21 Nov 2026, 09:30 UTC\n"),
    ],
)
def test_a_change_shows_what_is_known_of_it(change: dict[str, Any], shown: str) -> None:
    event = {
        "type": "incident.state_changed",
        "data": {
            "project": {"id": "acme"},
            "recipients": [{"email": "ana@example.org"}],
            "incident": {"id": "7", "title": "Down"},
            "change": {"state": "resolved"} | change,
        },
    }

    assert shown in mail_of(event).text


@pytest.mark.parametrize("event_type", SUBSCRIBER_TYPES)
def test_subscribers_see_the_page_and_the_way_out(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["status_page"]["public"] = False
    recipient = event["data"]["recipients"][0]

    mail = mail_of(event)

    for body in (mail.text, _seen(mail.html)):
        assert "subscribed to Acme Status" in body
        assert "Marktplatz 1" in body
        assert "is private" in body
    for url in (recipient["unsubscribe_url"], recipient["manage_url"], event["data"]["status_page"]["url"]):
        assert url in mail.text
        assert f'href="{url}"' in mail.html
    assert 'src="https://status.example.org/logo.png"' in mail.html


@pytest.mark.parametrize("event_type", SUBSCRIBER_TYPES)
def test_subscribers_see_no_names_of_staff_and_cannot_acknowledge(event_type: str) -> None:
    event = sample(event_type)
    staff = {"declared_by": "Ben Inside", "acknowledge_url": "https://x.example/ack"}
    event["data"].get(CATALOGUE[event_type].about or "", {}).update(staff)
    event["data"].get("change", {})["changed_by"] = "Ana Inside"
    event["data"].get("note", {})["posted_by"] = "Eva Inside"

    mail = mail_of(event)

    assert "Inside" not in mail.text + mail.html
    assert "https://x.example/ack" not in mail.text + mail.html


def test_times_follow_the_reader_else_the_page() -> None:
    event = sample("status_page.incident_created")
    del event["data"]["recipients"][1]["time_zone"]

    own, page = mail_of(event, recipient=0).text, mail_of(event, recipient=1).text

    assert re.findall(r"\(\S+, UTC", own) == ["(Europe/Paris, UTC"]
    assert re.findall(r"\(\S+, UTC", page) == ["(Europe/Berlin, UTC", "(America/New_York, UTC"]


@pytest.mark.parametrize("event_type", CATALOGUE)
@pytest.mark.parametrize(
    "value", ["<b onmouseover=alert(1)>", "{{7*7}}", "{% raise %}", '"><script>alert(1)</script>', "a & b"]
)
def test_no_value_is_markup_or_template(event_type: str, value: str) -> None:
    mail = mail_of(with_text(event_type, value), sender=Sender(name=value, email="ops@acme.org", signature=value))

    assert not re.search("<b |<script", mail.html)
    assert "49" not in re.sub(r"&#\d+;|#[0-9a-f]{6}", "", mail.text)
    assert value in _seen(mail.html, strip=False)


@pytest.mark.parametrize("kind", ["critical", "major", "minor", "info", None])
def test_the_badge_says_in_words_what_its_colour_says(kind: str | None) -> None:
    html = minimal_mail(kind=kind, severity="SEV 1").html

    assert ">SEV 1</td>" in html
    assert kind is None or f">{kind.capitalize()}</td>" in minimal_mail(kind=kind).html


@pytest.mark.parametrize("url", ["javascript:alert(1)", "data:text/html,x", "ftp://x.org", "https://a b"])
def test_unsafe_links_are_left_out(url: str) -> None:
    mail = minimal_mail(url=url, acknowledge_url=url, description=f"[x]({url})")

    assert "href" not in mail.html
    assert "View the incident" not in mail.text


def test_the_models_have_no_field_that_no_template_knows() -> None:
    files = [*TEMPLATES.rglob("*.j2"), *TEMPLATES.parent.glob("*.py")]
    sources = "".join(file.read_text(encoding="utf-8") for file in files)
    silent = {"id", "time_zone", "time_zones", "locale", "email", "options", "recipients_ref", "recipients"}

    fields = {field for data in CATALOGUE.values() for field in _fields(data)}

    assert not {field for field in fields - silent if field not in sources}


def _fields(model: type[NotificationData]) -> set[str]:
    names = set(model.model_fields)
    for field in model.model_fields.values():
        for part in (field.annotation, *getattr(field.annotation, "__args__", ())):
            if hasattr(part, "model_fields") and part.__name__ not in {"Options", "PayloadReference"}:
                names |= set(part.model_fields)
    return names


def _seen(html: str, *, strip: bool = True) -> str:
    body = html.partition("<body")[2]
    return unescape(re.sub(r"<[^>]+>", "", body) if strip else body)
