"""The pages themselves: each way to end has one, complete and without anything active."""

from __future__ import annotations

import pytest
from tocsin.model.authorization import Outcome, Result

from functions.authorize.answers import page
from tests.functional.page_reader import PageReader

_HOSTILE = "<script>alert(1)</script>\"'&"


def _read(result: Result, *, ticket: str | None = None) -> PageReader:
    text = page(result, base_url="https://tocsin.example", ticket=ticket).body
    assert text is not None
    return PageReader(text)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_way_to_end_has_a_page_with_one_heading_a_language_and_a_title(outcome: Outcome) -> None:
    read = _read(Result(outcome=outcome))

    assert [read.tags.count(tag) for tag in ("h1", "title", "main")] == [1, 1, 1]
    assert ("lang", "en") in read.attributes


_NEEDS_NONE = {
    Outcome.VERIFIED,
    Outcome.DENIED,  # it depends on the provider's error, as does the next
    Outcome.PROVIDER_REFUSED,
}


@pytest.mark.parametrize("outcome", [one for one in Outcome if one not in _NEEDS_NONE])
def test_every_failure_has_a_remedy(outcome: Outcome) -> None:
    assert ("id", "remedy") in _read(Result(outcome=outcome)).attributes


@pytest.mark.parametrize("outcome", Outcome)
def test_what_others_say_is_text_wherever_it_stands(outcome: Outcome) -> None:
    read = _read(
        Result(
            outcome=outcome,
            account_name=_HOSTILE,
            expected=_HOSTILE,
            found=_HOSTILE,
            said=_HOSTILE,
            remedy=_HOSTILE,
            return_path="/projects/acme",
        ),
        ticket="ticket",
    )

    assert "script" not in read.tags
    assert not [name for name, _ in read.attributes if name.startswith("on") or name == "style"]
    assert {value for name, value in read.attributes if name == "href"} == {
        "https://tocsin.example/authorize/ticket",
        "https://tocsin.example/projects/acme",
    }
