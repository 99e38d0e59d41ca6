"""What owners of maintenance, monitors, objectives, probes and pages see, and people on call, type by type."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import DESCRIPTIVE, PLAIN, Mail, mail_of, minimal_mail, sample, sample_mail

FAMILIES = ("maintenance.", "monitor.", "slo.", "probe.", "on_call.")
TYPES = [
    *(event_type for event_type in CATALOGUE if event_type.startswith(FAMILIES)),
    *("status_page.created", "status_page.owner_added", "status_page.announcement_posted"),
]
NAMED = [event_type for event_type in TYPES if event_type.startswith(FAMILIES[1:])]
ON_CALL = [event_type for event_type in TYPES if event_type.startswith("on_call.")]
OWN_WORDS = {"id", "number", "name", "title", "first_title", "kind"}


@pytest.mark.parametrize(
    ("event_type", "subject"),
    [
        ("status_page.created", "[Created Status Page] Acme Status"),
        ("status_page.owner_added", "You have been added as the owner of Status Page - Acme Status"),
        ("status_page.announcement_posted", "[Announcement] Our API gets a new address"),
        ("maintenance.created", "[Created Scheduled Maintenance #311] - Database upgrade"),
        ("maintenance.state_changed", "[Ongoing Scheduled Maintenance #311] - Database upgrade"),
        ("maintenance.note_posted", "[Update Scheduled Maintenance #311] - Database upgrade"),
        (
            "maintenance.owner_added",
            "You have been added as the owner of Scheduled Maintenance #311 - Database upgrade",
        ),
        (
            "maintenance.reminder_unresolved",
            "[Reminder] Scheduled Maintenance #311 is still Ongoing - Database upgrade",
        ),
        ("monitor.created", "[Created Monitor] Shop front page"),
        ("monitor.owner_added", "You have been added as the owner of Monitor - Shop front page"),
        ("monitor.status_changed", "[Offline Monitor] Shop front page"),
        ("monitor.probe_status", "[Probes of Monitor] Shop front page"),
        ("slo.status_changed", "[At risk SLO] Checkout availability"),
        ("probe.offline", "[Probe Offline] Frankfurt"),
        ("probe.connection_changed", "[Connected Probe] Frankfurt"),
        ("probe.owner_added", "You have been added as the owner of Probe - Frankfurt"),
        ("on_call.on_call_now", "You are now on call for Shop, nights and weekends"),
        ("on_call.on_call_next", "You are next on call for Shop, nights and weekends"),
        ("on_call.no_longer_on_call", "You are no longer on call for Shop, nights and weekends"),
        ("on_call.added_to_policy", "You have been added to the on-call policy Shop, nights and weekends"),
        ("on_call.removed_from_policy", "You have been removed from the on-call policy Shop, nights and weekends"),
    ],
)
def test_the_descriptive_subject_says_what_happened(event_type: str, subject: str) -> None:
    assert sample_mail(event_type, look=DESCRIPTIVE).message["Subject"] == subject


@pytest.mark.parametrize("event_type", TYPES)
def test_the_required_attributes_alone_make_a_whole_mail(event_type: str) -> None:
    mail = minimal_mail(event_type, look=DESCRIPTIVE)
    name = "Down" if CATALOGUE[event_type].about in {"maintenance", "announcement"} else "Ops"

    for text in (mail.message["Subject"], *_bodies(mail)):
        assert name in text
        assert not re.search(r"None|Undefined|: *$|\(\)|#", text, re.MULTILINE)
    assert not re.search("href|<img", mail.html)


@pytest.mark.parametrize("event_type", NAMED)
def test_what_has_a_name_that_cannot_be_shown_is_called_by_its_id(event_type: str) -> None:
    for look in (PLAIN, DESCRIPTIVE):
        mail = minimal_mail(event_type, look=look, name="\x00")

        assert mail.message["Subject"].endswith("7")
        assert re.search(r"^7$", mail.text, re.MULTILINE)


@pytest.mark.parametrize("event_type", TYPES)
def test_owners_see_every_text_and_every_link_in_both_parts(event_type: str) -> None:
    event = sample(event_type)
    about = event["data"][CATALOGUE[event_type].about or ""]
    event["data"].setdefault("roster", {})["reason"] = "Reason R"
    texts = {name: f"{name} X" for name in about if isinstance(about[name], str) and name not in OWN_WORDS}
    links = {name: f"https://x.example/{name}" for name in texts if name.endswith("url")}
    texts = {name: text for name, text in texts.items() if name not in links and not name.endswith("_at")}
    about |= texts | links

    mail = mail_of(event)

    for name, text in texts.items():
        if not (name == "state" and "change" in event["data"]):
            assert all(text.casefold() in body.casefold() for body in _bodies(mail)), name
    for name, url in links.items():
        assert url in mail.text or name == "logo_url"
        assert f'"{url}"' in mail.html


@pytest.mark.parametrize("event_type", [each for each in TYPES if each.startswith("maintenance.")])
def test_a_maintenance_shows_its_times_and_leaves_an_unknown_end_out(event_type: str) -> None:
    for body in _bodies(sample_mail(event_type)):
        assert re.search(r"Starts:?\s+Sat 21 Nov 2026, 22:00 \(Europe/Madrid", body)
        assert re.search(r"Ends:?\s+Sun 22 Nov 2026, 00:30 \(Europe/Madrid", body)
        assert "Orders, Invoices" in body
    assert all("Ends" not in body for body in _bodies(sample_mail(event_type, ends_at=None)))


@pytest.mark.parametrize(("private", "badge"), [(True, "Private note"), (False, "Public note")])
def test_a_note_says_whether_it_is_private(private: bool, badge: str) -> None:  # noqa: FBT001  (JSON)
    event = sample("maintenance.note_posted")
    event["data"]["note"]["private"] = private

    for body in _bodies(mail_of(event)):
        assert badge in body
        assert "Replication lag is at 3 s" in body
        assert "by Kenji Yamada" in body


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({"open_seconds": 7505}, "2 h 5 min"),
        ({"open_seconds": None}, "3 h 30 min"),
        ({"open_seconds": None, "maintenance": {"id": "1", "title": "Down"}}, None),
    ],
)
def test_a_reminder_says_how_long_it_is_open(changes: dict[str, Any], shown: str | None) -> None:
    event = sample("maintenance.reminder_unresolved")
    event["data"] |= changes

    for body in _bodies(mail_of(event)):
        found = re.search(r"Open for:?\s+(.+ min)", body)
        assert (found and found[1].strip()) == shown


@pytest.mark.parametrize("event_type", ["monitor.status_changed", "slo.status_changed", "probe.connection_changed"])
def test_a_change_shows_from_what_to_what_and_after_how_long(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["change"] |= {"previous_state": "degraded", "state": "online", "previous_state_seconds": 7505}

    for body in _bodies(mail_of(event)):
        assert "is now Online" in body
        assert "Degraded for 2 h 5 min" in body
        assert re.search(r"Changed:?\s+Sat 21 Nov 2026", body)


def test_a_monitor_s_change_says_why() -> None:
    assert all("The answer was 503 instead of 200" in body for body in _bodies(sample_mail("monitor.status_changed")))


def test_each_probe_of_a_monitor_is_shown_with_its_link_its_state_and_when_it_was_heard_of() -> None:
    mail = sample_mail("monitor.probe_status")

    for body in _bodies(mail):
        for name, state, time in (("Frankfurt", "Disconnected", "11:52"), ("Tokyo", "Connected", "11:59")):
            assert re.search(rf"{name}\s[^,]*{state}\s[^,]*Sat 21 Nov 2026, {time}", body)
    assert 'href="https://app.example.org/acme/probes/prb-2"' in mail.html


@pytest.mark.parametrize(
    ("changes", "shown"),
    [
        ({}, r"Error budget left:?\s+14% · 6 min 2 s"),
        ({"error_budget_seconds": None}, r"Error budget left:?\s+14%\n"),
        ({"error_budget_percent": 0, "error_budget_seconds": None}, r"Error budget left:?\s+0%\n"),
        ({"error_budget_percent": -8.5, "error_budget_seconds": -3660}, r"overspent by:?\s+8\.5% · 1 h 1 min"),
        ({}, r"Target:?\s+99\.9%\s+Current value:?\s+99\.914%"),
    ],
)
def test_an_objective_shows_target_value_and_budget(changes: dict[str, Any], shown: str) -> None:
    for body in _bodies(sample_mail("slo.status_changed", **changes)):
        assert re.search(shown, body)


def test_a_probe_that_is_offline_shows_when_it_was_heard_of_and_what_is_wrong() -> None:
    for body in _bodies(sample_mail("probe.offline")):
        assert re.search(r"Last alive:?\s+Sat 21 Nov 2026, 11:52 \(Europe/Madrid", body)
        assert "No heartbeat for 3 minutes" in body


@pytest.mark.parametrize("event_type", ON_CALL)
def test_people_on_call_see_rule_times_and_reason(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["roster"]["rule_order"] = 0

    for body in _bodies(mail_of(event)):
        for shown in (
            r"Escalation rule:?\s+First responder", r"Order:?\s+0\n", r"Starts:?\s+Sun 22 Nov 2026, 02:00 \(Asia/Tokyo",
            r"Ends:?\s+Mon 23 Nov 2026, 16:00", r"Reason:?\s+\w", r"10 minutes to acknowledge",
        ):  # fmt: skip
            assert re.search(shown, body), shown
    event["data"]["roster"]["ends_at"] = None
    assert all("Ends" not in body for body in _bodies(mail_of(event)))


def _bodies(mail: Mail) -> tuple[str, str]:
    """Give both bodies as they are seen."""
    body = re.sub(r"<br>|</td>|</p>|</div>", "\n", mail.html.partition("<body")[2].partition(">")[2])
    return mail.text, unescape(re.sub(r"<[^>]+>", "", body))
