"""What a digest says of the mails that it stands for, and by what it is known."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.chunk import chunk_of
from tocsin.model.delivery import Entry, State
from tocsin.model.digest import MOST_THREADS, HeldMail, digest_event, line_of
from tocsin.model.event import check_event
from tocsin.model.notification import Recipient
from tocsin.model.redrive import DeliveryKey
from tocsin.model.retry import route_of
from tocsin.model.route import Route
from tocsin.model.storm import StormGroup

from tests.unit.compose.mails import sample
from tests.unit.model.examples import NOW, event

if TYPE_CHECKING:
    from collections.abc import Sequence

ANA = Recipient(email="Ana@example.org", name="Ana", locale="de", time_zone="Europe/Berlin")
SECOND = timedelta(seconds=1)


def held(second: int, thread: str = "1", type_: str = "alert.state_changed", **alert: Any) -> HeldMail:  # noqa: ANN401  (JSON)
    """The mail of what happened in that second; it was held a minute later."""
    at = NOW + second * SECOND
    whole = event(type_, id=f"event-{second}", time=at.isoformat(), subject=f"alert/{thread}")
    change = {"state": alert.pop("state", "firing")}
    whole["data"] |= {"change": change, "alert": {"id": thread, "title": f"Title {second}"} | alert}
    notification = check_event(whole)
    entry = Entry(recipient="ana@example.org", state=State.DEFERRED, attempt=0, message_id="<1@acme>", is_held=True)
    key = DeliveryKey(chunk=chunk_of(notification), recipient=entry.recipient)
    return HeldMail(key=key, entry=entry, held_at=at + 60 * SECOND, line=line_of(notification))


def digest(mails: Sequence[HeldMail], *, account: str | None = None) -> dict[str, Any]:
    group = StormGroup(project_id="acme", route=Route.ALERT, mail_account_id=account, recipient="ana@example.org")
    return digest_event(group, ANA, mails)


def said(mails: Sequence[HeldMail]) -> dict[str, Any]:
    told: dict[str, Any] = digest(mails)["data"]["digest"]
    return told


def test_a_digest_is_an_event_like_any_other_to_the_same_person_by_the_same_route() -> None:
    notification = check_event(digest([held(1)], account="first"))

    assert notification.type == "delivery.digest"
    assert notification.data.recipients == (ANA,)
    assert route_of(notification) is Route.ALERT
    assert notification.data.options.mail_account_id == "first"


def test_it_counts_the_mails_of_each_thread_and_says_how_the_thread_stands_now() -> None:
    mails = [
        held(3, "1", state="resolved", number=7, kind="major", url="https://example.org/1"),
        held(1, "1"),
        held(2, "2"),
        held(4, "1", "alert.created"),
    ]

    told = said(mails)

    assert (told["count"], told["thread_count"], told["family"]) == (4, 2, "alert")
    first, second = told["threads"]
    assert (first["count"], first["state"], first["title"], first["number"]) == (3, "resolved", "Title 4", 7)
    assert (first["first_at"], first["last_at"]) == ("2026-11-21T09:30:01+00:00", "2026-11-21T09:30:04+00:00")
    assert second["count"] == 1
    assert (told["began_at"], told["ended_at"]) == ("2026-11-21T09:31:01+00:00", "2026-11-21T09:31:04+00:00")


def test_the_threads_with_the_most_mails_come_first_and_of_these_the_newest() -> None:
    mails = [held(number, str(number)) for number in range(MOST_THREADS + 10)] + [held(100, "0")]

    told = said(mails)

    assert told["thread_count"] == MOST_THREADS + 10
    assert [thread["title"] for thread in told["threads"][:3]] == ["Title 100", "Title 59", "Title 58"]
    assert len(told["threads"]) == MOST_THREADS


@pytest.mark.parametrize(
    ("mails", "subject", "family"),
    [
        pytest.param([held(1), held(2)], "alert/1", "alert", id="one-thread"),
        pytest.param([held(1), held(2, "2")], None, "alert", id="two-threads"),
        pytest.param([held(1), held(2, "2", "incident.created")], None, None, id="two-families"),
    ],
)
def test_it_is_found_by_its_thread_if_that_is_one(
    mails: list[HeldMail], subject: str | None, family: str | None
) -> None:
    whole = digest(mails)

    assert (whole["subject"], whole["data"]["digest"]["family"]) == (subject, family)


def test_the_same_mails_make_the_same_digest_and_others_another_one() -> None:
    mails = [held(number) for number in range(3)]

    assert digest(mails) == digest(mails[::-1])
    assert digest(mails)["id"] != digest(mails[:2])["id"]


def test_a_held_mail_ends_with_the_name_of_its_digest() -> None:
    change = held(1).digested("abc-0-def")

    assert (change.state, change.attempt) == (State.SUPPRESSED, 0)
    assert change.reply is not None
    assert change.reply.text == "in_digest abc-0-def"
    assert not change.after.is_held


@pytest.mark.parametrize(
    "type_",
    [
        "incident.created",
        "incident_episode.state_changed",
        "monitor.status_changed",
        "probe.offline",
        "slo.status_changed",
    ],
)
def test_what_is_kept_of_a_mail_is_what_its_row_shows(type_: str) -> None:
    whole = sample(type_)
    notification = check_event(whole)
    part: Any = getattr(notification.data, str(notification.data.about))
    change = getattr(notification.data, "change", None)

    line = line_of(notification)

    assert line["title"] == getattr(part, "title", None) or part.name
    assert line["state"] == (change or part).state
    assert line["url"] == part.url
    assert line["thread"] == notification.correlation


@pytest.mark.parametrize(
    ("alert", "kept"),
    [
        pytest.param({"title": "x" * 5000}, {"title": "x" * 200}, id="long-title"),
        pytest.param({"url": "https://e.org/" + "x" * 5000}, {"url": None}, id="long-link"),
    ],
)
def test_what_is_kept_of_a_mail_is_small(alert: dict[str, Any], kept: dict[str, Any]) -> None:
    line = held(1, **alert).line

    assert {name: line.get(name) for name in kept} == kept
