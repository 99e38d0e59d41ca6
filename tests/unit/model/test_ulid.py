"""ULIDs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from tocsin.model.ulid import is_ulid, ulid

AT = datetime(2016, 7, 30, 23, 54, 10, 259000, tzinfo=UTC)


def test_the_time_comes_first_and_then_the_randomness() -> None:
    assert ulid(AT, bytes(10)) == "01ARZ3NDEK".ljust(26, "0")
    assert ulid(AT, b"\xff" * 10).endswith("Z" * 16)


def test_ids_sort_by_the_time_they_were_made() -> None:
    ids = [ulid(AT + timedelta(milliseconds=step), b"\xff" * 10) for step in range(5)]

    assert ids == sorted(ids)
    assert len(set(ids)) == 5


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV", True),
        ("01arz3ndektsv4rrffq69g5fav", False),
        ("81ARZ3NDEKTSV4RRFFQ69G5FAV", False),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAI", False),
        ("01ARZ3NDEKTSV4RRFFQ69G5FAV0", False),
        ("", False),
    ],
)
def test_an_id_is_told_from_other_text(text: str, is_one: bool) -> None:  # noqa: FBT001  (the expectation)
    assert is_ulid(text) is is_one
