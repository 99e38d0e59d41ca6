"""Header fields, as they stand and as readers decode them."""

from __future__ import annotations

from email.header import decode_header, make_header

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.headers import address_header, text_header
from tocsin.model.address import parse_address

ANA = parse_address("ana@example.org")
LINES_OF_TEXT = st.lists(
    st.text(st.characters(exclude_categories=["C", "Z"]), min_size=1, max_size=40), min_size=1, max_size=8
).map(" ".join)


@pytest.mark.parametrize(
    ("name", "field"),
    [
        (None, "ana@example.org"),
        ("", "ana@example.org"),
        (" \r\n ", "ana@example.org"),
        ("Ana", "Ana <ana@example.org>"),
        ("Ana B.", '"Ana B." <ana@example.org>'),
        ('Ana "the\\bell"', '"Ana \\"the\\\\bell\\"" <ana@example.org>'),
        ("Pérez, Ana", "=?utf-8?b?UMOpcmV6LCBBbmE=?= <ana@example.org>"),
    ],
)
def test_a_name_is_written_as_plainly_as_it_can_be(name: str | None, field: str) -> None:
    assert address_header("To", name, ANA, utf8=False) == f"To: {field}"


@pytest.mark.parametrize("utf8", [False, True])
@given(text=LINES_OF_TEXT)
def test_any_text_comes_back_from_a_header(text: str, *, utf8: bool) -> None:
    field = text_header("Subject", text, utf8=utf8)

    assert _decoded(field) == text
    assert "=?" not in field or all(len(line) <= 76 for line in field.split("\r\n"))
    assert all(len(line.encode()) <= 998 for line in field.split("\r\n"))


@given(name=LINES_OF_TEXT.map(lambda text: text[:100].strip()))
def test_any_name_in_encoded_words_comes_back(name: str) -> None:
    field = address_header("From", f"é{name}", ANA, utf8=False)

    assert field.isascii()
    assert _decoded(field) == f"é{name} <ana@example.org>"
    assert all(len(line) <= 76 for line in field.split("\r\n"))


def _decoded(field: str) -> str:
    unfolded = field.partition(": ")[2].replace("\r\n ", " ")
    return str(make_header(decode_header(unfolded))) if "=?utf-8?b?" in unfolded else unfolded
