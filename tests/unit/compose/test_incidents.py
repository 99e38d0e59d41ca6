"""What mails of incidents, alerts and episodes say beside what all of them say."""

from __future__ import annotations

import re
from html import unescape
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import DESCRIPTIVE, mail_of, minimal_mail, sample

if TYPE_CHECKING:
    from tests.unit.compose.mails import Mail

NOTES = ["incident.note_posted", "alert.note_posted", "alert_episode.note_posted", "incident_episode.note_posted"]
REMINDERS = ["incident.reminder_unresolved", "alert.reminder_unresolved"]
ACKNOWLEDGE_REQUESTS = [event_type for event_type in CATALOGUE if event_type.endswith("acknowledge_request")]
ITEM_LISTS = [
    (f"{of}_episode.{what}", f"{of}s") for of in ("alert", "incident") for what in ("item_added", "acknowledge_request")
]


@pytest.mark.parametrize("of", ["alert", "incident"])
@pytest.mark.parametrize(("items", "how_many"), [(1, "1 {}"), (2, "2 {}s")])
@pytest.mark.parametrize(("number", "episode"), [(None, "an episode"), (310, "episode #310")])
def test_an_episode_that_grows_is_spoken_of_as_people_do(
    of: str, items: int, how_many: str, number: int | None, episode: str
) -> None:
    event = sample(f"{of}_episode.item_added")
    event["data"] |= {"items": [{"title": "Slow"}] * items, "count": None}
    event["data"]["episode"]["number"] = number

    mail = mail_of(event)

    assert mail.text.startswith(f"{how_many.format(of)} added to {episode}\n=")
    assert f">{how_many.format(of)} added to {episode}</h1>" in mail.html


@pytest.mark.parametrize(("breach", "tag"), [("response", "Response"), ("resolution", "Resolution")])
def test_an_sla_breach_says_which_deadline_was_missed_when_by_how_long_and_by_which_rule(breach: str, tag: str) -> None:
    sla = {"breach": breach, "deadline": "2026-11-21T09:44:40Z", "rule": "Rule R"}

    mail = _mail("incident.sla_breached", sla=sla, time="2026-11-21T10:00:00Z")

    assert mail.message["Subject"].startswith(f"[SLA {tag} Breached] ")
    for body in _bodies(mail):
        assert f"missed its deadline for a {breach}" in body
        for value in ("Sat 21 Nov 2026, 10:44 (Europe/Madrid", "15 min 20 s", "Rule R"):
            assert value in body


@pytest.mark.parametrize("event_type", REMINDERS)
@pytest.mark.parametrize(
    ("seconds", "declared_at", "time", "shown"),
    [
        (7505, "2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", "2 h 5 min"),
        (None, "2026-11-21T09:00:00Z", "2026-11-21T10:00:00Z", "1 h"),
        (None, None, "2026-11-21T10:00:00Z", None),
        (None, "2026-11-21T11:00:00Z", "2026-11-21T10:00:00Z", None),
    ],
)
def test_a_reminder_says_for_how_long_if_that_is_known(
    event_type: str, seconds: float | None, declared_at: str | None, time: str, shown: str | None
) -> None:
    family = event_type.partition(".")[0]
    event = sample(event_type) | {"time": time}
    event["data"]["open_seconds"] = seconds
    event["data"][family]["declared_at"] = declared_at

    text = mail_of(event).text

    found = re.search(r"Open for: +(.*)", text)
    assert (found and found[1]) == shown


@pytest.mark.parametrize("event_type", NOTES)
@pytest.mark.parametrize(
    ("visibility", "shown"),
    [({"private": True}, ["Private note"]), ({"private": False}, ["Public note"]), ({"private": None}, [])],
)
def test_a_note_says_whether_it_is_private_who_wrote_it_and_when(
    event_type: str, visibility: dict[str, bool | None], shown: list[str]
) -> None:
    note = {"body": "**Body** B", "posted_at": "2026-11-21T12:00:00Z", "posted_by": "Eva"} | visibility

    mail = _mail(event_type, note=note)

    for body in _bodies(mail):
        assert re.findall("Private note|Public note", body) == shown
        assert re.search(r"Posted:?\s+Sat 21 Nov 2026, 13:00 \(.*\) · by Eva", body)
    assert "<strong>Body</strong> B" in re.sub(r"<strong[^>]*>", "<strong>", mail.html)


def test_an_update_shows_each_field_as_it_was_and_as_it_is() -> None:
    edits = [
        {"field": "title", "old": "Slow", "new": "Down"},
        {"field": "severity", "old": "minor", "new": "critical"},
        {"field": "customer_impact", "old": None, "new": "All\nof them"},
        {"field": "remediation", "old": "Wait.", "new": None},
        {"field": "root_cause", "old": "Unknown.", "new": "A *full* disk."},
    ]

    mail = _mail("incident.updated", update={"edits": edits}, incident={"root_cause": None, "remediation": None})

    assert "- Title\n  Before: Slow\n  Now: Down\n- Severity\n  Before: Minor\n  Now: Critical\n" in mail.text
    assert "- Customer impact\n  Now: All of them\n" in mail.text
    assert re.findall(r"^(R.*)\n-+\n(.*)\n", mail.text, re.MULTILINE) == [
        ("Root cause now", "A full disk."),
        ("Root cause before", "Unknown."),
        ("Remediation before", "Wait."),
    ]
    assert re.search(r"Severity</td>\s*<td[^>]*>Minor</td>\s*<td[^>]*>Critical</td>", mail.html)


def test_whoever_is_assigned_reads_as_what() -> None:
    mail = _mail("incident.member_assigned", role="scribe")

    assert mail.message["Subject"] == "You have been assigned as scribe to Incident #1042 - Checkout is down"
    for body in _bodies(mail):
        assert "You have been assigned as scribe to incident #1042" in body


@pytest.mark.parametrize("event_type", ACKNOWLEDGE_REQUESTS)
def test_who_is_to_acknowledge_finds_that_first_among_the_links(event_type: str) -> None:
    mail = _mail(event_type)

    assert "Please acknowledge that you do." in mail.text
    assert re.findall(r"^(\w+)[^:\n]*: https://console", mail.text, re.MULTILINE) == ["Acknowledge", "View"]


@pytest.mark.parametrize(("event_type", "things"), ITEM_LISTS)
def test_the_alerts_or_incidents_of_an_episode_are_listed_with_their_links(event_type: str, things: str) -> None:
    item = {"number": 9, "title": "Slow <b>", "severity": "high", "added_at": "2026-11-21T12:00:00Z"}

    mail = _mail(event_type, items=[item | {"url": "https://x.example/9"}, {"title": "Odd"}], count=7)

    for body in _bodies(mail):
        for value in ("#9 Slow <b>", "High", "Sat 21 Nov 2026, 13:00", "Odd", f"and 5 more {things}"):
            assert value in body
    assert 'href="https://x.example/9">#9 Slow &lt;b&gt;</a>' in mail.html
    assert "  https://x.example/9\n" in mail.text


@pytest.mark.parametrize(("event_type", "things"), ITEM_LISTS)
@pytest.mark.parametrize(
    ("given", "count", "rows", "more"), [(2, None, 2, None), (2, 1, 2, None), (300, 5000, 10, 4990)]
)
def test_a_long_list_is_cut_and_says_how_much_is_left(
    event_type: str, things: str, given: int, count: int | None, rows: int, more: int | None
) -> None:
    mail = _mail(event_type, items=[{"title": f"Item {number}"} for number in range(given)], count=count)

    assert mail.text.count("- Item ") == rows
    assert re.findall(r"and (\d+) more", mail.text) == ([str(more)] if more else [])
    assert (f"more {things}" in mail.text) is (more is not None)


@pytest.mark.parametrize("items", [None, []])
def test_without_a_list_there_is_the_count_alone(items: list[Any] | None) -> None:
    text = _mail("alert_episode.acknowledge_request", items=items, count=3).text

    assert re.search(r"^Alerts: +3$", text, re.MULTILINE)
    assert " more " not in text


@pytest.mark.parametrize(("count", "news"), [(1, "1 alert added"), (2, "2 alerts added")])
def test_the_subject_counts_what_was_added(count: int, news: str) -> None:
    mail = _mail("alert_episode.item_added", items=[{"title": "Slow"}], count=count)

    assert mail.message["Subject"] == f"[Episode #310] {news} - Search is slow in eu-1a"
    assert f"{news} to episode #310" in mail.text


def test_an_alert_episode_and_an_incident_episode_of_one_id_are_two_threads() -> None:
    data = [CATALOGUE[event_type].model_validate(_with_id(event_type)) for event_type in NOTES[2:]]

    assert [each.correlation for each in data] == ["alert_episode/7", "incident_episode/7"]


@pytest.mark.parametrize("family", ["alert_episode", "incident_episode"])
def test_all_mails_of_an_episode_share_their_subject(family: str) -> None:
    subjects = {
        minimal_mail(event_type, number=7).message["Subject"]
        for event_type in CATALOGUE
        if event_type.startswith(f"{family}.")
    }

    assert subjects == {f"[{family.replace('_', ' ').title()} #7] Down"}


def _mail(event_type: str, *, time: str | None = None, **changes: Any) -> Mail:  # noqa: ANN401  (JSON)
    """Compose a sample for somebody in Madrid; `changes` go into its data, into the objects that are there."""
    event = sample(event_type)
    event["time"] = time or event["time"]
    event["data"]["recipients"][0]["time_zone"] = "Europe/Madrid"
    for name, value in changes.items():
        old = event["data"].get(name)
        event["data"][name] = old | value if isinstance(old, dict) else value
    return mail_of(event, look=DESCRIPTIVE)


def _with_id(event_type: str) -> dict[str, Any]:
    data: dict[str, Any] = sample(event_type)["data"]
    data["episode"]["id"] = "7"
    return data


def _bodies(mail: Mail) -> tuple[str, str]:
    return mail.text, unescape(re.sub(r"<[^>]+>", "", mail.html.partition("<body")[2]))
