"""What an admin may do, as a claim of the access token says it (DESIGN 4.2)."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Self

from tocsin.model.project import PROJECT_ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterable

_ANY_PROJECT = "*"
_ENTRY = re.compile(rf"(?:(?P<project>{PROJECT_ID_PATTERN}|_system):(?P<role>admin|viewer)|\*:admin)", re.ASCII)


@dataclass(frozen=True, slots=True, kw_only=True)
class Permissions:
    """Projects that may be changed, and those that may only be read; `*` stands for all."""

    admin_of: frozenset[str] = frozenset()
    viewer_of: frozenset[str] = frozenset()

    @classmethod
    def of(cls, claim: object) -> Self:
        """Read a claim: list, API Gateway's flattened `[a b]`, text with spaces, or JSON; all else permits nothing."""
        entries = [match for entry in _entries(claim) if (match := _ENTRY.fullmatch(entry))]
        return cls(
            admin_of=frozenset(entry["project"] or _ANY_PROJECT for entry in entries if entry["role"] != "viewer"),
            viewer_of=frozenset(entry["project"] for entry in entries if entry["role"] == "viewer"),
        )

    def may_change(self, project_id: str) -> bool:
        """Whether the project's settings may be written."""
        return not self.admin_of.isdisjoint({project_id, _ANY_PROJECT})

    def may_read(self, project_id: str) -> bool:
        """Whether the project's settings may be seen."""
        return self.may_change(project_id) or project_id in self.viewer_of

    @property
    def projects(self) -> frozenset[str] | None:
        """The projects that may be seen; None: all."""
        return None if _ANY_PROJECT in self.admin_of else self.admin_of | self.viewer_of


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who asks: the bearer's id at the issuer, which the audit remembers, and what the token permits."""

    id: str
    permissions: Permissions

    def may_change(self, project_id: str) -> bool:
        """As `Permissions`."""
        return self.permissions.may_change(project_id)

    def may_read(self, project_id: str) -> bool:
        """As `Permissions`."""
        return self.permissions.may_read(project_id)

    @property
    def may_create(self) -> bool:
        """Whether new projects may be made."""
        return _ANY_PROJECT in self.permissions.admin_of


def _entries(claim: object) -> Iterable[str]:
    match claim:
        case str():
            return _entries_of_text(claim.strip())
        case list() | tuple():
            return [entry for entry in claim if isinstance(entry, str)]
        case _:
            return ()


def _entries_of_text(text: str) -> Iterable[str]:
    try:
        value = json.loads(text)
    except ValueError:
        flattened = text[1:-1] if text.startswith("[") and text.endswith("]") else text
        return flattened.split()
    return _entries(value) if isinstance(value, list) else ()
