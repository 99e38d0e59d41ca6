"""The limits that the HTTP API's document names, and values that stand exactly at one, or one beyond it."""

from __future__ import annotations

from copy import deepcopy
from dataclasses import dataclass
from itertools import takewhile
from typing import TYPE_CHECKING, Any

from functions.settings.app import app
from functions.settings.openapi import openapi

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

type Json = dict[str, Any]
type Path = tuple[str, ...]
type Made = Callable[[int], Any]

EACH, VALUE, NAME = "[]", "{}", "{name}"
"""Steps of a path: each item of a list, each value of an object whose names are free, and each such name."""

_LOWEST = ("minLength", "minItems", "minProperties", "minimum")
_HIGHEST = ("maxLength", "maxItems", "maxProperties", "maximum")
_PATTERN = "pattern"
_VALUES: Json = {"status_pages": {}}
"""What stands under the names of an object, where it is no text."""

_DOCUMENT = openapi(app, "https://tocsin.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class Limit:
    """One limit of one field of a body. `word` is JSON Schema's for it; `value` a number, or a pattern."""

    path: Path
    word: str
    value: int | str

    @property
    def field(self) -> str:
        """The path in one word."""
        return ".".join(self.path)

    @property
    def stem(self) -> str:
        """The field as an error names it, as far as no number or name of the sender's own is in it."""
        named = takewhile(lambda step: step not in {EACH, VALUE, NAME}, self.path)
        return ".".join(named)

    @property
    def is_pattern(self) -> bool:
        """Whether it is a pattern, which no number tells the end of."""
        return self.word == _PATTERN

    @property
    def at(self) -> int:
        """The last number that it allows."""
        return int(self.value)

    @property
    def beyond(self) -> int:
        """The first that it does not."""
        return self.at + (1 if self.word in _HIGHEST else -1)


def limits_of(body: str) -> list[Limit]:
    """All limits within a schema of the document, by the schema's name."""
    found = {(path, word, value) for path, word, value in _within(_schema(body), (), frozenset({body}))}
    return [Limit(path=path, word=word, value=value) for path, word, value in sorted(found)]


def bodies() -> dict[str, set[str]]:
    """The schemas that requests have as their bodies, by name, and the operations that do."""
    found: dict[str, set[str]] = {}
    for item in _DOCUMENT["paths"].values():
        for operation in item.values():
            for content in operation.get("requestBody", {}).get("content", {}).values():
                for name in _names(content["schema"]):
                    found.setdefault(name, set()).add(operation["operationId"])
    return found


def written(document: Json, limit: Limit, number: int, *, texts: Mapping[str, Made], items: Mapping[str, Made]) -> Json:
    """The document, with something of that size where the limit is.

    `texts` has what a field's text of some length is, `items` what a list's item of some number is; else a text is of
    that many letters, and an item the first one again.
    """
    changed = deepcopy(document)
    part, step = _place(changed, limit.path)
    match limit.word:
        case "minimum" | "maximum":
            part[step] = number
        case "minItems" | "maxItems":
            item = items.get(limit.field)
            part[step] = [item(one) if item is not None else part[step][0] for one in range(number)]
        case "minProperties" | "maxProperties":
            part[step] = {f"name-{one}": _VALUES.get(limit.field, "value") for one in range(number)}
        case _ if limit.path[-1] == NAME:
            part["a" * number] = "value"
        case _:
            part[step] = texts[limit.field](number) if limit.field in texts else "a" * number
    return changed


def with_text(document: Json, limit: Limit, text: str) -> Json:
    """The document with this text where the limit is; as a name, of an object with nothing in it."""
    changed = deepcopy(document)
    part, step = _place(changed, limit.path)
    if limit.path[-1] == NAME:
        part[text] = {}
    else:
        part[step] = text
    return changed


def _place(document: Any, path: Path) -> tuple[Any, Any]:  # noqa: ANN401  (JSON)
    """The part that holds the last step of the path, and that step in it; what is missing on the way is made.

    A name that is free is `incident`, which is one of the few where only some are.
    """
    part, steps = document, [{EACH: 0, VALUE: "incident", NAME: "incident"}.get(step, step) for step in path]
    for number, step in enumerate(steps[:-1]):
        if not _has(part, step):
            part[step] = [None] if path[number + 1] == EACH else {}
        part = part[step]
    return part, steps[-1]


def _has(part: Any, step: Any) -> bool:  # noqa: ANN401  (JSON)
    return step < len(part) if isinstance(part, list) else step in part


def _within(schema: Json, path: Path, seen: frozenset[str]) -> Iterator[tuple[Path, str, Any]]:
    for name in _names(schema) - seen:
        yield from _within(_schema(name), path, seen | {name})
    for word in (*_LOWEST, *_HIGHEST, _PATTERN):
        if word in schema:
            yield path, word, schema[word]
    for one in (one for word in ("anyOf", "allOf", "oneOf") for one in schema.get(word, []) if "$ref" not in one):
        yield from _within(one, path, seen)
    for name, one in schema.get("properties", {}).items():
        yield from _within(one, (*path, name), seen)
    for word, step in (("items", EACH), ("additionalProperties", VALUE), ("propertyNames", NAME)):
        if isinstance(schema.get(word), dict):
            yield from _within(schema[word], (*path, step), seen)
    for pattern, one in schema.get("patternProperties", {}).items():
        yield (*path, NAME), _PATTERN, pattern
        yield from _within(one, (*path, VALUE), seen)


def _names(schema: Json) -> set[str]:
    """The schemas that this one is, or may be."""
    parts = [schema, *(one for word in ("anyOf", "allOf", "oneOf") for one in schema.get(word, []))]
    return {part["$ref"].rpartition("/")[2] for part in parts if "$ref" in part}


def _schema(name: str) -> Json:
    schema: Json = _DOCUMENT["components"]["schemas"][name]
    return schema
