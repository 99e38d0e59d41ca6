"""Cursors: where a list goes on, as text that means nothing to callers and is for one list with its filters only.

A cursor is checked and not secret: whoever made one up would see another page of what he may see anyway. So a list
never takes from it what decides about permission, such as a project.
"""

from __future__ import annotations

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from hashlib import sha256
from typing import TYPE_CHECKING

from pydantic import TypeAdapter
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

_BAD_CURSOR = Problem(field="cursor", text="It is not one that this list, with these filters, has given.")
_CHECK_CHARACTERS = 16

_POSITION = TypeAdapter(dict[str, str])

type Position = Mapping[str, str]


def cursor_for(position: Position, *, of: object) -> str:
    """The cursor of a position; `of` is the list: its path and all filters, as JSON takes them."""
    text = json.dumps(dict(position), sort_keys=True)
    return urlsafe_b64encode(f"{_check(text, of)}{text}".encode()).rstrip(b"=").decode()


def position_at(cursor: str | None, *, of: object, parts: Mapping[str, Callable[[str], bool]]) -> dict[str, str] | None:
    """The position that a cursor of the same list holds; None: the beginning.

    `parts` are what it is made of, and tell what each may be.

    Raises:
        InvalidSettings: it is no cursor, or that of another list.
    """
    if cursor is None:
        return None
    try:
        text = urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode()
        check, text = text[:_CHECK_CHARACTERS], text[_CHECK_CHARACTERS:]
        if check != _check(text, of):
            raise InvalidSettings([_BAD_CURSOR])
        position = _POSITION.validate_json(text)
    except ValueError:  # of base64, of UTF-8, of JSON, or of another form
        raise InvalidSettings([_BAD_CURSOR]) from None
    if position.keys() != parts.keys() or not all(may_be(position[name]) for name, may_be in parts.items()):
        raise InvalidSettings([_BAD_CURSOR])
    return position


def _check(text: str, of: object) -> str:
    return sha256(json.dumps([of, text], sort_keys=True).encode()).hexdigest()[:_CHECK_CHARACTERS]
