"""Places in the audit, from which a list goes on."""

from __future__ import annotations

import pytest
from tocsin.model.audit_view import is_place

AT = "2026-11-21T09:30:00.000000Z"
MARK = "0123456789abcdef" * 2


def test_a_place_is_a_time_and_what_tells_entries_of_one_time_apart() -> None:
    assert is_place(f"{AT}#{MARK}")


@pytest.mark.parametrize(
    "text",
    [
        "",
        AT,
        f"{AT}#",
        f"{AT}#{MARK[1:]}",
        f"{AT}#{MARK.upper()}",
        f"{AT[:-1]}#{MARK}",
        f"{'-' * len(AT)}#{MARK}",  # before all that a list may begin behind
        f"{'Z' * len(AT)}#{MARK}",
        f"{AT}#{MARK}\n",
    ],
)
def test_what_is_no_place_is_not_taken_for_one(text: str) -> None:
    assert not is_place(text)
