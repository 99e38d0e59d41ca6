"""GET /openapi.json: the interface as its routes say it, with what holds for all of them said once."""

from __future__ import annotations

import json
from functools import cache
from http import HTTPStatus
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler.openapi.models import HTTPBearer, Server

from functions.settings.idempotency import LONGEST_KEY, once
from functions.settings.problems import CONTENT_TYPE, FieldProblem, Problem
from functions.settings.routing import routes_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

type Json = dict[str, Any]

PUBLIC = frozenset({"/openapi.json"})
"""Paths that need no token."""

_VERSION = "1.0.0"
_DESCRIPTION = (
    "Everything an admin does with mail accounts and projects. Errors are problems (RFC 9457). Secrets are write-only:"
    " reading shows whether one is set, and since when. A missing and a foreign project are answered alike."
    ' API Gateway itself answers 401 and 429, with {"message": …}.'
)
_UNUSED = ("HTTPValidationError", "ResponseValidationError", "ValidationError")
_REF = "#/components/schemas"
_WHY = {
    400: "The body is not JSON.",
    403: "The caller may read, and not change.",
    404: "There is no such thing, or it is not the caller's to see.",
    409: "Something that is there, or going on, stands against it.",
    412: "It was changed since it was read.",
    413: "The body is too long.",
    415: "The body is of another kind.",
    422: "Fields cannot be taken as they are; each is named.",
    428: "If-Match is missing.",
    429: "The project has relays asked more often than 30 times a minute.",
    503: "A store is busy; the detail says whether it is known that nothing was saved.",
}


@cache
def openapi(app: APIGatewayHttpResolver, base_url: str) -> Json:
    """The document; `base_url` is where the interface is."""
    document: Json = json.loads(
        app.get_openapi_json_schema(
            title="Tocsin",
            version=_VERSION,
            description=_DESCRIPTION,
            servers=[Server(url=base_url)],
            security_schemes={"token": HTTPBearer(bearerFormat="JWT")},
            security=[{"token": []}],
        )
    )
    schemas = {name: one for name, one in document["components"]["schemas"].items() if name not in _UNUSED}
    document["components"]["schemas"] = dict(sorted((schemas | _problem_schemas()).items()))
    for route in routes_of(app):
        method, operation = route.method.lower(), document["paths"][route.openapi_path][route.method.lower()]
        operation["operationId"] = route.func.__name__
        _complete(operation, method, is_public=route.openapi_path in PUBLIC)
        if once in route.middlewares:
            _add_key(operation)
    return document


def _complete(operation: Json, method: str, *, is_public: bool) -> None:
    """Add what every operation of its kind answers, and take away what Powertools says of 422 and 500."""
    responses = operation["responses"]
    for parameter in operation.get("parameters", []):
        _tidy(parameter)
    for said in ("422", "500"):
        responses.pop(said, None)
    responses.get("204", {}).pop("content", None)
    if method == "get":
        _add_tag(operation)
    if method == "put" and "If-None-Match" in _names(operation):  # it makes what is not there
        responses["201"] = responses["200"]
    if is_public:
        operation["security"] = []
    for status in _statuses(operation, method, is_public=is_public):
        responses[str(status)] = {
            "description": _WHY[status],
            "content": {CONTENT_TYPE: {"schema": {"$ref": f"{_REF}/Problem"}}},
        }
    operation["responses"] = dict(sorted(responses.items()))


def _statuses(operation: Json, method: str, *, is_public: bool) -> Iterable[int]:
    yield 422
    if is_public:
        return
    yield from (403, 404, 503)
    if method != "get":
        yield 409
    if "requestBody" in operation:
        yield from (400, 413, 415)
    if _may_ask_a_relay(operation):
        yield 429
    if "If-Match" in _names(operation):
        yield 412
        if method == "put":
            yield 428


def _may_ask_a_relay(operation: Json) -> bool:
    return operation["tags"] == ["verification"] or "validate" in _names(operation)


def _names(operation: Json) -> set[str]:
    return {parameter["name"] for parameter in operation.get("parameters", [])}


def _tidy(parameter: Json) -> None:
    """Write a header as it is usually written; and nobody sends null where a parameter is left out."""
    if parameter["in"] == "header":
        parameter["name"] = "-".join(word.capitalize() for word in parameter["name"].split("-"))
    schema = parameter["schema"]
    if "anyOf" in schema:
        [given] = [one for one in schema.pop("anyOf") if one != {"type": "null"}]
        schema |= given
    schema.pop("title", None)
    schema.pop("description", None)


def _add_tag(operation: Json) -> None:
    """Every GET is answered with a tag, and takes it back."""
    text: Json = {"schema": {"type": "string"}}
    tag: Json = {"description": "Names what was read, for If-Match and If-None-Match."}
    operation["responses"]["200"]["headers"] = {"ETag": tag | text}
    operation.setdefault("parameters", []).append(
        {"name": "If-None-Match", "in": "header", "required": False, "description": "ETags that are known."} | text
    )
    operation["responses"]["304"] = {"description": HTTPStatus.NOT_MODIFIED.phrase}


def _add_key(operation: Json) -> None:
    operation.setdefault("parameters", []).append(
        {
            "name": "Idempotency-Key",
            "in": "header",
            "required": False,
            "description": (
                "For 24 hours, the same key with the same request gives the same answer again. Where it is not known"
                " how a request ended, its key is answered with 409."
            ),
            "schema": {"type": "string", "minLength": 1, "maxLength": LONGEST_KEY, "pattern": "^[ -~]+$"},
        }
    )


def _problem_schemas() -> Json:
    """The schemas of a problem, as other schemas are: referenced by name."""
    schemas: Json = {}
    for model in (FieldProblem, Problem):
        schema = model.model_json_schema(ref_template=f"{_REF}/{{model}}")
        schema.pop("$defs", None)
        schemas[model.__name__] = schema
    return schemas
