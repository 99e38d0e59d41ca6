"""`python -m tests.contract.publish`: write the files that are derived from the models and the samples."""

from __future__ import annotations

import json
from hashlib import md5
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import NAMESPACE_URL, uuid5

from pydantic.json_schema import models_json_schema
from tocsin.compose.styles import STYLES
from tocsin.model.notification import CATALOGUE, Envelope

from functions.settings.app import app
from functions.settings.openapi import openapi
from tests.contract import asyncapi, catalogue_page, sizes_page, translations, variables_page
from tests.contract.catalogue_page import CATALOGUE_PAGE
from tests.contract.sizes_page import SIZES_PAGE
from tests.contract.styles import inline_styles
from tests.contract.template_samples import TEMPLATE_SAMPLES, template_samples
from tests.contract.variables_page import VARIABLES_PAGE

if TYPE_CHECKING:
    from pydantic import BaseModel

type Json = dict[str, Any]

EVENTS = Path(__file__).parents[2] / "events"
SAMPLES = EVENTS / "notifications"
SCHEMA = EVENTS / "schemas" / "notification.schema.json"
ASYNCAPI = EVENTS / "api" / "asyncapi.json"
OPENAPI = EVENTS / "api" / "openapi.json"

_SENT_AT = "1795253400000"  # 2026-11-21T09:30:00Z in milliseconds
_ONE_SOURCE_OF_RECIPIENTS: Json = {
    "description": "Exactly one of `recipients` and `recipients_ref` is there and not null.",
    "oneOf": [
        {"required": ["recipients"], "properties": {"recipients": {"type": "array"}}},
        {"required": ["recipients_ref"], "properties": {"recipients_ref": {"type": "object"}}},
    ],
}


def derived() -> dict[Path, str]:
    """The text of every derived file, by its path."""
    calls = {EVENTS / "invoke" / f"deliver-{type_}.json": _sqs_event(type_) for type_ in CATALOGUE}
    documents = {SCHEMA: _schema(), ASYNCAPI: asyncapi.document(), OPENAPI: openapi(app, "https://tocsin.example")}
    return {path: _text(content) for path, content in (documents | calls).items()}


def main() -> None:
    """Write them all."""
    STYLES.write_text(_text(inline_styles()), encoding="utf-8")
    translations.write({})
    pages = {
        CATALOGUE_PAGE: catalogue_page.page(),
        SIZES_PAGE: sizes_page.page(),
        VARIABLES_PAGE: variables_page.page(),
        TEMPLATE_SAMPLES: _text(template_samples()),
    }
    for path, text in (derived() | pages).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")


def _schema() -> Json:
    """JSON Schema of the whole event: the envelope, and by its type the data."""
    models: list[type[BaseModel]] = [Envelope, *CATALOGUE.values()]
    _, definitions = models_json_schema([(model, "validation") for model in models], ref_template="#/$defs/{model}")
    parts = {name: _as_read(part) for name, part in definitions["$defs"].items()}
    envelope = parts.pop("Envelope")
    envelope["properties"] |= {
        "type": {"enum": list(CATALOGUE)},
        "data": {"type": "object", **_ONE_SOURCE_OF_RECIPIENTS},
    }
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Notification event",
        **envelope,
        "required": [*envelope["required"], "data"],
        "allOf": [_data_of(type_, model.__name__) for type_, model in CATALOGUE.items()],
        "$defs": parts,
    }


def _data_of(type_: str, model: str) -> Json:
    return {
        "if": {"properties": {"type": {"const": type_}}, "required": ["type"]},
        "then": {"properties": {"data": {"$ref": f"#/$defs/{model}"}}},
    }


def _as_read(part: Json) -> Json:
    """The schema of one part as the model reads it: null means absent, so null is valid where absence is."""
    required = part.get("required", [])
    properties = {
        name: _without_noise(schema) if name in required else _or_null(_without_noise(schema))
        for name, schema in part["properties"].items()
    }
    return {name: value for name, value in part.items() if name != "title"} | {"properties": properties}


def _without_noise(schema: Json) -> Json:
    return {name: value for name, value in schema.items() if name not in {"title", "default"}}


def _or_null(schema: Json) -> Json:
    null = {"type": "null"}
    return schema if null in schema.get("anyOf", ()) else {"anyOf": [schema, null]}


def _sqs_event(type_: str) -> Json:
    """The sample of a type as Lambda hands it over."""
    sample = json.loads((SAMPLES / f"{type_}.json").read_text(encoding="utf-8"))
    body = json.dumps(sample, ensure_ascii=False)
    record = {
        "messageId": str(uuid5(NAMESPACE_URL, type_)),
        "receiptHandle": f"sample-{type_}",
        "body": body,
        "attributes": {
            "ApproximateReceiveCount": "1",
            "SentTimestamp": _SENT_AT,
            "SenderId": "AIDAEXAMPLE",
            "ApproximateFirstReceiveTimestamp": _SENT_AT,
        },
        "messageAttributes": {},
        "md5OfBody": md5(body.encode(), usedforsecurity=False).hexdigest(),
        "eventSource": "aws:sqs",
        "eventSourceARN": "arn:aws:sqs:eu-west-1:123456789012:NotificationQueue",
        "awsRegion": "eu-west-1",
    }
    return {"Records": [record]}


def _text(content: Json) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    main()
