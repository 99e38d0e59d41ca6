"""Which mails share a subject, and which say in it what happened."""

from __future__ import annotations

import pytest
from tocsin.model.branding import Look, SubjectStyle, ThreadTitle

from tests.unit.compose.mails import minimal_mail, sample_mail

STABLE = Look(subject_style=SubjectStyle.STABLE)
DESCRIPTIVE = Look(subject_style=SubjectStyle.DESCRIPTIVE)


@pytest.mark.parametrize("family", ["incident", "alert"])
def test_owners_get_one_subject_for_all_mails_of_a_thread(family: str) -> None:
    first, second = (
        minimal_mail(f"{family}.{what}", number=7).message["Subject"] for what in ("created", "state_changed")
    )

    assert first == second == f"[{family.capitalize()} #7] Down"


def test_what_happened_then_stands_in_preheader_and_heading() -> None:
    mail = sample_mail("incident.state_changed", look=STABLE)

    assert '<h1 class="happened"' in mail.html
    assert mail.html.count("Incident #1042 is now Resolved") == len({"preheader", "heading"})
    assert mail.text.startswith("Incident #1042 is now Resolved\n")


def test_subscribers_read_in_the_subject_what_happened() -> None:
    assert sample_mail("status_page.incident_state_changed").message["Subject"].startswith("[Resolved Incident]")


@pytest.mark.parametrize(
    ("event_type", "look", "subject"),
    [
        ("incident.state_changed", DESCRIPTIVE, "[Resolved Incident #1042] - Checkout is down"),
        ("status_page.incident_state_changed", STABLE, "[Incident] Problems with card payments"),
        ("settings.test_message", STABLE, "[Test] Ops mailbox can send"),
    ],
)
def test_a_project_may_choose_where_there_is_a_thread(event_type: str, look: Look, subject: str) -> None:
    assert sample_mail(event_type, look=look).message["Subject"] == subject


@pytest.mark.parametrize(
    ("first_title", "thread_title", "subject"),
    [
        (None, None, "[Incident] Down"),
        ("Slow", None, "[Incident] Slow"),
        ("Slow", ThreadTitle(title="Sluggish\r\nBcc: eve@example.org"), "[Incident] Sluggish Bcc: eve@example.org"),
    ],
)
def test_the_stable_subject_has_the_title_that_was_sent_first(
    first_title: str | None, thread_title: ThreadTitle | None, subject: str
) -> None:
    mail = minimal_mail(first_title=first_title, look=Look(thread_title=thread_title))

    assert mail.message["Subject"] == subject
    assert "Bcc" not in mail.message
    assert "Down" in mail.text


@pytest.mark.parametrize(
    ("number", "first", "subject"),
    [
        (None, 7, "[Incident #7] Slow"),
        (8, 7, "[Incident #7] Slow"),
        (7, None, "[Incident] Slow"),
    ],
)
def test_it_has_the_number_that_was_sent_first_too(number: int | None, first: int | None, subject: str) -> None:
    look = Look(thread_title=ThreadTitle(title="Slow", number=first))

    assert minimal_mail(number=number, look=look).message["Subject"] == subject


@pytest.mark.parametrize("kept", [None, ThreadTitle(title="\u200b")])
def test_a_title_that_cannot_be_seen_is_none(kept: ThreadTitle | None) -> None:
    mail = minimal_mail(title="\u200b\u00a0\u2060", look=Look(thread_title=kept))

    assert mail.message["Subject"] == "[Incident] (no title)"
    assert "(no title)" in mail.text


def test_outlook_knows_the_thread_whatever_the_subject() -> None:
    first, second = (sample_mail(f"incident.{what}", look=DESCRIPTIVE).message for what in ("created", "state_changed"))

    assert first["Subject"] != second["Subject"]
    for name in ("Thread-Topic", "Thread-Index"):
        assert first[name] == second[name]
    assert first["Thread-Topic"] == "[Incident #1042] Checkout is down"
