"""What is missing or wrong in settings, as their admin is told."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, kw_only=True)
class Problem:
    """`field` is its path as written, `line` stands within a text of many."""

    field: str
    text: str
    line: int | None = None
    remedy: str | None = None
