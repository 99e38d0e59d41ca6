"""What a relay's reply to EHLO offers."""

from __future__ import annotations

import pytest
from tocsin.adapters.smtp_extensions import Extensions


def test_keywords_are_known_in_any_case_and_the_greeting_is_none() -> None:
    extensions = Extensions.parse("STARTTLS.example.org\n8bitmime\nSmtpUtf8\n")

    assert "8BITMIME" in extensions
    assert "SMTPUTF8" in extensions
    assert "STARTTLS.EXAMPLE.ORG" not in extensions


@pytest.mark.parametrize(
    ("text", "mechanisms"),
    [
        ("x\nAUTH PLAIN login", {"PLAIN", "LOGIN"}),
        ("x\nAUTH=LOGIN", {"LOGIN"}),
        ("x\nAUTH PLAIN\nAUTH=LOGIN", {"PLAIN", "LOGIN"}),
        ("x\nAUTH", set()),
        ("x", set()),
    ],
)
def test_mechanisms_are_read_from_every_way_of_offering_them(text: str, mechanisms: set[str]) -> None:
    assert Extensions.parse(text).auth_mechanisms == mechanisms


@pytest.mark.parametrize(
    ("text", "limit"),
    [
        ("x\nSIZE 1000", 1000),
        ("x\nSIZE 0", None),
        ("x\nSIZE", None),
        ("x\nSIZE large", None),
        ("x\nSIZE " + "9" * 5000, None),
        ("x", None),
    ],
    ids=["number", "zero", "nothing", "word", "more-digits-than-python-reads", "not-offered"],
)
def test_a_size_limit_is_a_number_above_zero(text: str, limit: int | None) -> None:
    assert Extensions.parse(text).size_limit == limit
