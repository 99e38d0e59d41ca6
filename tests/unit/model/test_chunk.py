"""The identifiers that follow from a notification's key never change: stored deliveries and sent mails hold them."""

from __future__ import annotations

import json

import pytest
from tocsin.errors import InvalidNotification
from tocsin.model.chunk import SPLIT_AT, Chunk, chunk_of, cut, message_id, pointer, read_pointer, thread_root
from tocsin.model.notification import Recipient

from tests.unit.model.examples import event, notification

KEY = "42f2e4b95069e8cd4241de5b4904c88dc406e08722ee506240af5f93f2a4ee67"


def test_the_identifiers_are_what_they_have_always_been() -> None:
    incident = notification(subject="incident/1042")
    chunk = chunk_of(incident, 7)

    assert chunk == Chunk(project_id="acme", notification_key=KEY, number=7)
    assert chunk.partition == f"acme#{KEY}#7"
    assert chunk.delivery_id("ana@example.org") == f"{KEY}-7-86b9260a115ceac8"
    assert (
        message_id(incident, "ana@example.org", "acme.example")
        == "<f702e1b1a6c68624a2dd12ee85f85518d7d915f5@acme.example>"
    )
    assert thread_root(incident, "acme.example") == "<thread.2ebca2fc31fb204d99801ab3807ca80ad6cbc3d5@acme.example>"


@pytest.mark.parametrize(
    ("changes", "chunk_stays", "message_stays", "thread_stays"),
    [
        pytest.param({"time": "2026-11-21T09:30:00Z"}, True, True, True, id="time"),
        pytest.param({"type": "incident.state_changed"}, True, True, True, id="type"),
        pytest.param({"id": "01JD80"}, False, False, True, id="id"),
        pytest.param({"source": "/monitoring/eu-2"}, False, False, True, id="source"),
        pytest.param({"subject": "incident/1043"}, True, True, False, id="subject"),
        pytest.param({"subject": "incident/1042"}, True, True, True, id="the-subject-it-has-without-one"),
    ],
)
def test_what_an_identifier_depends_on(
    changes: dict[str, str], *, chunk_stays: bool, message_stays: bool, thread_stays: bool
) -> None:
    before, after = notification(), notification(**event() | changes)

    assert (chunk_of(before) == chunk_of(after)) is chunk_stays
    assert (message_id(before, "a@b.example", "d") == message_id(after, "a@b.example", "d")) is message_stays
    assert (thread_root(before, "d") == thread_root(after, "d")) is thread_stays


def test_two_projects_share_nothing() -> None:
    ours, theirs = event(), event()
    theirs["data"]["project"] = {"id": "other"}
    one, other = notification(**ours), notification(**theirs)

    assert chunk_of(one).partition != chunk_of(other).partition
    assert message_id(one, "a@b.example", "d") != message_id(other, "a@b.example", "d")
    assert thread_root(one, "d") != thread_root(other, "d")


def test_source_and_id_are_not_run_together() -> None:
    assert chunk_of(notification(source="/a", id="b/c")) != chunk_of(notification(source="/a/b", id="c"))


def test_a_pointer_leads_back_to_its_chunk() -> None:
    chunk = chunk_of(notification(), 12)

    assert read_pointer(pointer(chunk)) == chunk
    assert json.loads(pointer(chunk)) == {"project_id": "acme", "notification_key": KEY, "number": 12}


@pytest.mark.parametrize(
    "body",
    [
        "",
        "null",
        "[" * 100_000,
        '"text"',
        "{}",
        '{"project_id": "acme", "notification_key": "k", "number": "0"}',
        '{"project_id": "acme", "notification_key": null, "number": 0}',
    ],
)
def test_a_body_that_names_no_chunk_is_rejected(body: str) -> None:
    with pytest.raises(InvalidNotification) as caught:
        read_pointer(body)

    assert caught.value.reason == "not_a_chunk"


@pytest.mark.parametrize(
    ("number", "sizes"), [(0, []), (1, [1]), (SPLIT_AT, [100]), (101, [100, 1]), (250, [100, 100, 50])]
)
def test_recipients_are_cut_in_order(number: int, sizes: list[int]) -> None:
    recipients = [Recipient(email=f"p{index}@example.org") for index in range(number)]

    chunks = list(cut(recipients))

    assert [len(chunk) for chunk in chunks] == sizes
    assert [recipient for chunk in chunks for recipient in chunk] == recipients
