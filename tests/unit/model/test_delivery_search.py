"""Places in lists of deliveries, and what a search may look through."""

from __future__ import annotations

from base64 import urlsafe_b64encode
from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import State
from tocsin.model.delivery_search import Position, Search, is_place
from tocsin.model.redrive import DeliveryKey

from tests.unit.model.examples import NOW

RETENTION = timedelta(days=30)
AT = "2026-11-21T09:30:00.000000Z"
CHUNK = f"{'a' * 64}#7"


@given(recipient=st.text(min_size=1, max_size=300).filter(lambda text: text.isprintable()))
def test_a_place_is_read_as_it_was_written_and_shows_no_address(recipient: str) -> None:
    key = DeliveryKey(chunk=Chunk(project_id="acme", notification_key="a" * 64, number=7), recipient=recipient)
    place = Position(at=AT, key=key)

    assert Position.of("acme", place.text) == place
    assert is_place(place.text)
    assert "@" not in place.text


def test_a_place_is_in_the_project_that_is_asked_for() -> None:
    text = f"{AT}/{CHUNK}/{urlsafe_b64encode(b'ana@example.org').decode()}"

    key = Position.of("other", text).key

    assert key is not None
    assert key.chunk.project_id == "other"


@pytest.mark.parametrize(
    "text",
    [
        "",
        "x",
        "2026-13-21T09:30:00.000000Z",
        "2026-11-21T09:30:00Z",
        f"{AT}/",
        f"{AT}/{CHUNK}",
        f"{AT}/{CHUNK}/",
        f"{AT}/{CHUNK}/gA",  # no UTF-8
        f"{AT}/{CHUNK}/A",  # no base64
        f"{AT}/other#{CHUNK}/YQ",
        f"{AT}/{'a' * 64}#1234567/YQ",
        f"{AT}/{CHUNK}/{urlsafe_b64encode(b'a' * 1002).decode()}",  # longer than a key may be
    ],
)
def test_what_is_no_place_is_not_taken_for_one(text: str) -> None:
    assert not is_place(text)


def test_the_hour_before_ends_where_the_hour_begins() -> None:
    assert Position(at=AT).hour_before.at == "2026-11-21T08:59:59.999999Z"
    assert Position(at="2026-01-01T00:00:00.000000Z").hour_before.at == "2025-12-31T23:59:59.999999Z"


@pytest.mark.parametrize(
    ("since", "until", "looked_through"),
    [
        pytest.param(None, None, (NOW - timedelta(days=32), NOW), id="all-that-is-kept"),
        pytest.param(NOW - timedelta(hours=2), NOW - timedelta(hours=1), None, id="as-it-says"),
        pytest.param(
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            datetime.max.replace(tzinfo=timezone(timedelta(hours=-12))),
            (NOW - timedelta(days=32), NOW),
            id="all-of-the-calendar",
        ),
        pytest.param(
            None,
            datetime.min.replace(tzinfo=timezone(timedelta(hours=14))),
            (NOW - timedelta(days=32), NOW - timedelta(days=32)),
            id="before-anything-is-kept",
        ),
    ],
)
def test_a_search_looks_no_further_than_there_is_anything(
    since: datetime | None, until: datetime | None, looked_through: tuple[datetime, datetime] | None
) -> None:
    search = Search.within(RETENTION, NOW, since=since, until=until)

    assert (search.since, search.until) == (looked_through or (since, until))
    assert Position.before(search.until).at < search.until.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def test_a_recipient_is_looked_for_as_the_journal_knows_it() -> None:
    search = Search.within(RETENTION, NOW, since=None, until=None, recipient=" Ana@EXAMPLE.org")

    assert search.recipient == "ana@example.org"


@pytest.mark.parametrize(
    ("wanted", "finds"),
    [
        ({}, True),
        ({"states": frozenset({State.PARKED, State.REFUSED})}, True),
        ({"states": frozenset({State.REFUSED})}, False),
        ({"type": "incident"}, True),
        ({"type": "incident.created"}, True),
        ({"type": "incident.cre"}, False),
        ({"mail_account_id": "first"}, True),
        ({"mail_account_id": "none"}, False),
    ],
)
def test_a_search_finds_what_is_as_it_says(wanted: dict[str, frozenset[State] | str], *, finds: bool) -> None:
    search = Search(since=NOW, until=NOW, **wanted)  # type: ignore[arg-type]  # a table of different fields

    assert search.finds(state=State.PARKED, mail_account_id="first", type="incident.created") is finds
