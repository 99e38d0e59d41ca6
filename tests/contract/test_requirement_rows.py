"""docs/requirements.md has a row for every requirement, and each names tests that exist or says what is to come."""

from __future__ import annotations

import ast
import re
from functools import cache

import pytest

from tests.contract.template import ROOT

_PAGE = (ROOT / "docs/requirements.md").read_text(encoding="utf-8")
_ROWS = dict(re.findall(r"^\| (R\d+) \|(.*)\|$", _PAGE, re.MULTILINE))
_TEST = re.compile(r"`(tests/[\w/]+\.py)::(\w+)`")


@cache
def _tests_of(path: str) -> frozenset[str]:
    tree = ast.parse((ROOT / path).read_text(encoding="utf-8"))
    return frozenset(node.name for node in tree.body if isinstance(node, ast.FunctionDef))


def test_every_requirement_has_a_row() -> None:
    assert list(_ROWS) == [f"R{number}" for number in range(1, 35)]


@pytest.mark.parametrize("row", _ROWS.values(), ids=_ROWS)
def test_a_row_names_a_test_or_says_what_is_to_come(row: str) -> None:
    assert _TEST.search(row) or "Yet to come" in row


@pytest.mark.parametrize(("path", "name"), sorted(set(_TEST.findall(_PAGE))))
def test_a_test_that_is_named_exists(path: str, name: str) -> None:
    assert name in _tests_of(path)
