"""A maintenance for calendars: read by another program, replaced by later mails, whatever its texts hold."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from icalendar import Calendar
from tocsin.compose.calendar import calendar_file
from tocsin.compose.reader import LANGUAGES, Reader, reading
from tocsin.compose.values import one_line
from tocsin.compose.words import word
from tocsin.model.event import check_event
from tocsin.model.mail_account import Sender
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import sample

if TYPE_CHECKING:
    from tocsin.model.attachment import AttachedFile

AT = datetime(2026, 11, 21, 9, 30, 1, tzinfo=UTC)
SENDER = Sender(name='Acme "Ops"', email="ops+mail@acme.org")
ABOUT_MAINTENANCE = [type_ for type_, data in CATALOGUE.items() if data.about == "maintenance"]
WITHOUT_NOTE = [type_ for type_ in ABOUT_MAINTENANCE if "note" not in CATALOGUE[type_].model_fields]
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=300) | st.text(
    "a\\;,:\"'\r\n\tn\x00é漢😀\u2028", min_size=1, max_size=300
)


def _file(event: dict[str, Any], *, at: datetime = AT) -> AttachedFile | None:
    return calendar_file(check_event(event), sender=SENDER, at=at)


def _entry(event: dict[str, Any], *, at: datetime = AT) -> Any:  # noqa: ANN401  (icalendar's components are dictionaries)
    file = _file(event, at=at)
    assert file is not None
    calendar = Calendar.from_ical(file.content)
    assert calendar["VERSION"] == "2.0"
    assert file.content_type == f"text/calendar; charset=utf-8; method={calendar['METHOD']}"
    [entry] = calendar.walk("VEVENT")
    assert not entry.errors
    return entry


def _changed(type_: str = "maintenance.created", **changes: Any) -> dict[str, Any]:  # noqa: ANN401  (JSON)
    event = sample(type_)
    event["data"]["maintenance"] |= changes
    return event


def test_an_entry_says_what_when_and_by_whom() -> None:
    entry = _entry(sample("maintenance.created"))

    assert str(entry["SUMMARY"]) == "Acme: Database upgrade"
    assert entry.decoded("DTSTART") == datetime(2026, 11, 21, 21, tzinfo=UTC)
    assert entry.decoded("DTEND") == datetime(2026, 11, 21, 23, 30, tzinfo=UTC)
    assert "can be read but not changed meanwhile" in str(entry["DESCRIPTION"])
    assert "Orders, Invoices" in str(entry["DESCRIPTION"])
    assert str(entry["URL"]) == "https://app.example.org/acme/maintenance/311"
    assert str(entry["ORGANIZER"]) == "mailto:ops+mail@acme.org"
    assert entry["ORGANIZER"].params["CN"] == "Acme 'Ops'"
    assert (entry["STATUS"], entry["TRANSP"]) == ("CONFIRMED", "TRANSPARENT")


@pytest.mark.parametrize("type_", WITHOUT_NOTE)
def test_every_mail_about_a_maintenance_with_an_end_brings_it(type_: str) -> None:
    assert _entry(sample(type_))["DTEND"] is not None


@pytest.mark.parametrize("type_", sorted(set(CATALOGUE) - set(WITHOUT_NOTE)))
def test_no_other_mail_brings_one(type_: str) -> None:
    assert _file(sample(type_)) is None


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"ends_at": None}, id="no-end"),
        pytest.param({"starts_at": None}, id="no-start"),
        pytest.param({"ends_at": "2026-11-21T21:00:00Z"}, id="no-length"),
        pytest.param({"ends_at": "9999-12-31T23:30:00-12:00"}, id="beyond-the-last-hour-of-time"),
    ],
)
def test_there_is_none_without_times(changes: dict[str, Any]) -> None:
    assert _file(_changed(**changes)) is None


def test_all_mails_about_a_maintenance_are_about_one_entry_and_no_other() -> None:
    mails = ["maintenance.created", "maintenance.state_changed", "status_page.maintenance_created"]

    uids = {_entry(_changed(type_, id="311"))["UID"] for type_ in mails}

    assert len(uids) == 1
    assert _entry(_changed(id="312"))["UID"] not in uids


@pytest.mark.parametrize("state", ["cancelled", "Canceled", " CANCELLED "])
@pytest.mark.parametrize("type_", ["maintenance.created", "maintenance.state_changed"])
def test_a_maintenance_that_is_off_is_taken_out_of_calendars(type_: str, state: str) -> None:
    event = _changed(type_, state=state)
    if "change" in event["data"]:
        event["data"]["change"]["state"] = state

    entry = _entry(event)

    assert entry["STATUS"] == "CANCELLED"
    assert _file(event).content_type.endswith("method=CANCEL")  # type: ignore[union-attr]  # it was read above


@pytest.mark.parametrize(
    "state",
    [
        *("Abgesagt", "storniert", "Cancelado", "cancelada", "annulé", "ANNULÉE", "annule\u0301"),
        *("キャンセル", "中止", "已取消", "取消"),
    ],
)
def test_it_is_off_in_all_languages_that_mails_are_written_in(state: str) -> None:
    assert _entry(_changed(state=state))["STATUS"] == "CANCELLED"


@pytest.mark.parametrize("language", LANGUAGES)
def test_our_own_word_for_it_is_among_them(language: str) -> None:
    with reading(Reader(locale=language)):
        own = word("cancelled")

    assert _entry(_changed(state=own))["STATUS"] == "CANCELLED"


@pytest.mark.parametrize(
    ("changes", "times"),
    [
        pytest.param({"ends_at": None}, {"DTSTART"}, id="no-end"),
        pytest.param({"starts_at": None}, set(), id="no-start"),
        pytest.param({"ends_at": "2026-11-21T21:00:00Z"}, {"DTSTART"}, id="no-length"),
        pytest.param({"ends_at": "9999-12-31T23:30:00-12:00"}, {"DTSTART"}, id="beyond-the-last-hour-of-time"),
        pytest.param({"starts_at": None, "ends_at": None}, set(), id="neither"),
    ],
)
def test_what_is_off_goes_out_of_calendars_though_its_times_are_gone(changes: dict[str, Any], times: set[str]) -> None:
    known = _entry(_changed())

    entry = _entry(_changed(state="cancelled", **changes))

    assert entry["STATUS"] == "CANCELLED"
    assert entry["UID"] == known["UID"]
    assert {"DTSTART", "DTEND"} & set(entry) == times


@pytest.mark.parametrize(
    ("milliseconds", "state"), [(0, "cancelled"), (1, "cancelled"), (500, "scheduled"), (500, "cancelled")]
)
def test_what_follows_at_once_is_the_newer_entry(milliseconds: int, state: str) -> None:
    first, then = _changed(state="scheduled"), _changed(state=state)
    first["time"] = AT.isoformat()
    then["time"] = (AT + timedelta(milliseconds=milliseconds)).isoformat()

    assert int(_entry(first)["SEQUENCE"]) < int(_entry(then)["SEQUENCE"])


@pytest.mark.parametrize("year", [2027, 2050])
def test_the_number_that_tells_which_is_newer_is_one_that_calendars_read(year: int) -> None:
    event = _changed()
    event["time"] = datetime(year, 1, 1, tzinfo=UTC).isoformat()

    assert 218_000_000 < int(_entry(event)["SEQUENCE"]) < 2**31 - 1


def test_what_was_told_later_is_the_newer_entry_and_told_again_the_same() -> None:
    def sequence(seconds: int) -> int:
        event = sample("maintenance.created")
        event["time"] = (AT + timedelta(seconds=seconds)).isoformat()
        return int(_entry(event)["SEQUENCE"])

    assert sequence(0) < sequence(1) < sequence(86_400)
    assert sequence(1) == sequence(1)


def test_an_event_without_time_is_as_new_as_its_coming() -> None:
    event = sample("maintenance.created")
    del event["time"]

    assert _entry(event)["SEQUENCE"] < _entry(event, at=AT + timedelta(seconds=1))["SEQUENCE"]
    assert _entry(event, at=datetime(1, 1, 1, tzinfo=UTC))["SEQUENCE"] == 0


def test_an_event_of_the_last_hours_of_time_is_as_new_as_its_coming() -> None:
    event = sample("maintenance.created")
    event["time"] = "9999-12-31T23:30:00-12:00"
    without = sample("maintenance.created")
    del without["time"]

    assert _entry(event)["SEQUENCE"] == _entry(without)["SEQUENCE"]


def test_entities_in_a_description_begin_no_line_of_their_own() -> None:
    description = "a&#13;ATTACH:https://x.example/&#13;&#10;END:VEVENT&#x2028;b&#8238;c"

    entry = _entry(_changed(description=description, resources=None))

    assert str(entry["DESCRIPTION"]) == "a ATTACH:https://x.example/  END:VEVENT bc"
    assert "ATTACH" not in entry


@given(title=TEXTS, description=TEXTS, name=TEXTS)
def test_whatever_the_texts_are_another_program_reads_them_in_lines_of_75_octets(
    title: str, description: str, name: str
) -> None:
    event = _changed(title=title, description=description)
    event["data"]["project"]["name"] = name

    entry, file = _entry(event), _file(event)

    assert file is not None
    lines = file.content.split(b"\r\n")
    assert max(map(len, lines)) <= 75
    assert not [line for line in lines if b"\n" in line or b"\r" in line]
    said = [one_line(name), one_line(title) or "(no title)"]
    assert str(entry["SUMMARY"]) == ": ".join(part for part in said if part)
