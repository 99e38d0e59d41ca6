"""Pages of lists, which are cut where an answer would be longer than it may be."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import BaseModel

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

_LONGEST_CHARACTERS = 3_000_000
"""Half of what Lambda takes: there the body is text in JSON again, and each quotation mark two characters."""


def page_of[Item, View: BaseModel](
    items: Sequence[Item], last: str | None, *, show: Callable[[Item], View], place: Callable[[Item], str]
) -> tuple[tuple[View, ...], str | None]:
    """As many of the items as fit, one at least, and the place behind which there may be more: `last`, if all do."""
    views: list[View] = []
    characters = 0
    for item in items:
        view = show(item)
        characters += len(json.dumps(view.model_dump(mode="json")))
        if views and characters > _LONGEST_CHARACTERS:
            return tuple(views), place(items[len(views) - 1])
        views.append(view)
    return tuple(views), last
