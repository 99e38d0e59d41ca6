"""What admins are shown of deliveries: as they stand now, and with a remedy for whatever went wrong."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.access import Access
from tocsin.actions.read_deliveries import ReadDeliveries
from tocsin.data.remedies import Remedies
from tocsin.model.chunk import Chunk
from tocsin.model.delivery import State
from tocsin.model.delivery_record import DeliveryRecord, LogLine
from tocsin.model.delivery_search import Found, Position, Search
from tocsin.model.permissions import Caller, Permissions
from tocsin.model.redrive import DeliveryKey
from tocsin.model.reply import Phase, Reply

from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from tocsin.model.delivery_record import Story

KEY = DeliveryKey(chunk=Chunk(project_id="acme", notification_key="a" * 64), recipient="ana@example.org")
SEARCH = Search(since=NOW, until=NOW, states=frozenset({State.PARKED}))
VIEWER = Caller(id="viewer-1", permissions=Permissions(viewer_of=frozenset({"acme"})))
LINE = LogLine(
    at=NOW,
    state=State.PARKED,
    attempt=1,
    mail_account_id="first",
    reply=Reply(phase=Phase.SETTINGS, code=None, text="no_route"),
    remedy_id="no-route",
    instead_of=None,
    redriven_by=None,
)
RECORD = DeliveryRecord(
    key=KEY,
    state=State.PARKED,
    attempt=1,
    message_id="<1@acme.example>",
    type="incident.created",
    created_at=NOW,
    updated_at=NOW,
    retry_at=None,
    revived_at=None,
    mail_account_id="first",
    log=(LINE,),
)


@dataclass
class FakeDeliveries:
    """One delivery that the index knows as it was; it stands as `record` now, or is gone."""

    record: DeliveryRecord | None = RECORD

    def has_project(self, project_id: str) -> bool:
        return project_id == "acme"

    def find(self, project_id: str, search: Search, *, behind: Position | None, size: int) -> Found:
        assert (project_id, search, behind, size) == ("acme", SEARCH, None, 10)
        return Found(keys=[KEY], behind=Position.before(NOW))

    def records(self, keys: list[DeliveryKey]) -> list[DeliveryRecord]:
        assert keys == [KEY]
        return [self.record] if self.record is not None else []

    def story(self, project_id: str, delivery_id: str) -> Story | None:
        raise NotImplementedError


def _shown(record: DeliveryRecord | None) -> list[tuple[State, str | None]]:
    deliveries = FakeDeliveries(record)
    read = ReadDeliveries(access=Access(projects=deliveries), deliveries=deliveries, remedies=Remedies())
    items, behind = read.page(VIEWER, "acme", SEARCH, behind=None, size=10)
    assert behind == Position.before(NOW)
    return [(item.state, item.remedy) for item in items]


@pytest.mark.parametrize("now", [replace(RECORD, state=State.QUEUED), None], ids=["moved", "gone"])
def test_what_moved_since_the_index_knew_of_it_is_not_shown_as_it_was(now: DeliveryRecord | None) -> None:
    assert len(_shown(RECORD)) == 1
    assert _shown(now) == []


@pytest.mark.parametrize(
    ("text", "remedy_id", "words"),
    [
        pytest.param("no_route", "no-route", "route", id="of-the-table"),
        pytest.param("no_route", "a-row-of-long-ago", "route", id="of-the-table-as-it-is-today"),
        pytest.param("grant_busy", "grant_busy", "Nothing needs to be done", id="of-our-own"),
        pytest.param("suppressed", None, "suppressions", id="of-an-address"),
        pytest.param("expired", None, "re-drive", id="of-what-came-too-late"),
    ],
)
def test_whatever_went_wrong_has_a_remedy(text: str, remedy_id: str | None, words: str) -> None:
    reply = Reply(phase=Phase.SETTINGS, code=None, text=text)
    [(_, remedy)] = _shown(replace(RECORD, log=(replace(LINE, reply=reply, remedy_id=remedy_id),)))

    assert remedy is not None
    assert words in remedy


def test_what_went_well_needs_none() -> None:
    accepted = replace(LINE, state=State.ACCEPTED, remedy_id=None, reply=Reply(phase=Phase.DATA, code=250, text="ok"))

    assert _shown(replace(RECORD, log=(LINE, accepted))) == [(State.PARKED, None)]


def test_the_last_reply_is_shown_where_somebody_let_it_go_since() -> None:
    let_go = replace(LINE, reply=None, remedy_id=None, redriven_by="admin-1")

    [(_, remedy)] = _shown(replace(RECORD, log=(LINE, let_go)))

    assert remedy is not None
