"""Events made from the models' own schemas: with one text in every field that takes it, or any at all."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from functools import cache
from typing import TYPE_CHECKING, Any

from hypothesis import strategies as st
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import sample
from tests.unit.compose.naughty import NAUGHTY

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

type Json = dict[str, Any]

_NO_TEXT = frozenset({"options", "recipients_ref"})
"""What the mail shows nothing of: attachments and the like have tests of their own."""
_TEXTS = (
    st.text(max_size=80)
    | st.sampled_from(sorted(NAUGHTY.values()))
    | st.text("a .\r\n\x00\u2028é漢😀<&\"'={}%", max_size=80)
)
_URLS = st.builds("https://example.org/{}".format, _TEXTS) | _TEXTS
_TEXTS_BY_NAME = {
    "email": st.sampled_from(["ana@example.org", "añá@example.org", '"a=b"@bücher.example', "用户@例え.jp"]),
    "locale": st.sampled_from(["en", "en-GB", "de", "es", "fr", "ja", "pt-BR", "zh", "ar"]) | _TEXTS,
    "time_zone": st.sampled_from(["Europe/Madrid", "Asia/Kathmandu", "UTC"]) | _TEXTS,
}
_OFFSETS = st.integers(-14 * 60, 14 * 60).map(lambda minutes: timezone(timedelta(minutes=minutes)))
_MOST_ITEMS = 3


def with_text(event_type: str, text: str) -> Json:
    """Give the sample of a type with `text` in every field that takes any text."""
    event, schema = sample(event_type), _schema(event_type)
    return event | {"data": _with_text(event["data"], schema, text, schema.get("$defs", {}))}


def events() -> st.SearchStrategy[Json]:
    """Give any event of any type that the models accept, with one to three recipients."""
    return st.sampled_from(list(CATALOGUE)).flatmap(_events_of)


def _events_of(event_type: str) -> st.SearchStrategy[Json]:
    envelope = {name: value for name, value in sample(event_type).items() if name not in {"data", "time"}}
    times = st.none() | st.just("2026-11-21T09:30:00Z")
    return st.builds(lambda data, time: envelope | {"data": data, "time": time}, _data(event_type), times)


@cache
def _data(event_type: str) -> st.SearchStrategy[Json]:
    schema = _schema(event_type)
    named = {"required": [*schema["required"], "recipients"]}
    return _any_of(schema | named, schema.get("$defs", {}))


@cache
def _schema(event_type: str) -> Json:
    return CATALOGUE[event_type].model_json_schema()


def _with_text(value: Any, schema: Json, text: str, parts: Mapping[str, Json]) -> Any:  # noqa: ANN401  (JSON)
    """Give `value`, or `text` where that is as good; what the sample has no object for stays absent."""
    schema = _main(schema, parts)
    match schema:
        case {"properties": properties} if isinstance(value, dict):
            own = {name: _with_text(value.get(name), part, text, parts) for name, part in _shown(properties)}
            return value | own
        case {"items": items} if value:
            return [_with_text(each, items, text, parts) for each in value]
        case {"type": "string"} if _takes(schema, text) and "@" not in str(value):
            return text
        case _:
            return value


def _main(schema: Json, parts: Mapping[str, Json]) -> Json:
    """Look behind a reference, and at what is not null."""
    if "$ref" in schema:
        return parts[schema["$ref"].rpartition("/")[2]]
    options = [option for option in schema.get("anyOf", ()) if option != {"type": "null"}]
    return _main(options[0], parts) if options else schema


def _shown(properties: Mapping[str, Json]) -> Iterator[tuple[str, Json]]:
    return ((name, part) for name, part in properties.items() if name not in _NO_TEXT)


def _takes(schema: Json, text: str) -> bool:
    return not {"pattern", "format", "enum", "const"} & set(schema) and len(text) <= schema.get("maxLength", len(text))


def _any_of(schema: Json, parts: Mapping[str, Json], name: str = "") -> st.SearchStrategy[Any]:
    """Give the strategy for a schema; `name` is that of the field."""
    match schema:
        case {"$ref": reference}:
            strategy = _any_of(parts[reference.rpartition("/")[2]], parts)
        case {"anyOf": options}:
            strategy = st.one_of([_any_of(option, parts, name) for option in options])
        case {"type": "object", "properties": properties}:
            strategy = _objects(properties, frozenset(schema.get("required", ())), parts)
        case {"type": "array", "items": items}:
            fewest, most = schema.get("minItems", 0), schema.get("maxItems", _MOST_ITEMS)
            strategy = st.lists(_any_of(items, parts), min_size=fewest, max_size=min(max(fewest, _MOST_ITEMS), most))
        case _:
            strategy = _scalars(schema, name)
    return strategy


def _objects(properties: Json, required: frozenset[str], parts: Mapping[str, Json]) -> st.SearchStrategy[Json]:
    fields = {
        name: _any_of(_main(part, parts) if name in required else part, parts, name)
        for name, part in _shown(properties)
    }
    return st.fixed_dictionaries(
        {name: values for name, values in fields.items() if name in required},
        optional={name: values for name, values in fields.items() if name not in required},
    )


def _scalars(schema: Json, name: str) -> st.SearchStrategy[Any]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if choices := schema.get("enum") or [schema[word] for word in ("const",) if word in schema]:
        return st.sampled_from(choices)
    if schema["type"] == "string":
        return _strings(schema, name)
    others = {
        "null": st.none(),
        "boolean": st.booleans(),
        "integer": st.integers(least, most),
        "number": st.floats(least, most, allow_nan=False, allow_infinity=False),
    }
    return others[schema["type"]]


def _strings(schema: Json, name: str) -> st.SearchStrategy[str]:
    formats = {
        "date-time": st.datetimes(timezones=_OFFSETS).map(datetime.isoformat),
        "date": st.dates().map(date.isoformat),
    }
    if "format" in schema:
        return formats[schema["format"]]
    pattern: str | None = schema.get("pattern")
    return _texts(schema, name) if pattern is None else st.from_regex(pattern, fullmatch=True)


def _texts(schema: Json, name: str) -> st.SearchStrategy[str]:
    shortest, longest = schema.get("minLength", 0), schema.get("maxLength")
    texts = _TEXTS_BY_NAME.get(name, _URLS if name == "url" or name.endswith("_url") else _TEXTS)
    return texts.map(lambda text: text[:longest]).map(lambda text: text if len(text) >= shortest else "x" * shortest)
