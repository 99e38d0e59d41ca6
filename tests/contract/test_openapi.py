"""The HTTP API's document is sound, and its routes keep to the house's rules."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from tocsin.model.written import AsJson

from functions.settings.app import app
from functions.settings.openapi import PUBLIC
from functions.settings.problems import CONTENT_TYPE
from functions.settings.routing import routes_of
from tests.contract.publish import OPENAPI, derived

type Json = dict[str, Any]

DOCUMENT: Json = json.loads(derived()[OPENAPI])
OPERATIONS = [
    (path, method, operation) for path, item in DOCUMENT["paths"].items() for method, operation in item.items()
]
BODIES = [
    pytest.param(route.dependant.body_params[0], id=route.func.__name__)
    for route in routes_of(app)
    if route.dependant.body_params and route.method != "PATCH"
]


def _references(part: object) -> set[str]:
    match part:
        case dict():
            own = {part["$ref"]} if isinstance(part.get("$ref"), str) else set()
            return own.union(*(_references(inner) for inner in part.values()))
        case list():
            return set().union(*(_references(inner) for inner in part))
        case _:
            return set()


def test_every_reference_leads_somewhere() -> None:
    assert _references(DOCUMENT) <= {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]}


@pytest.mark.parametrize("name", DOCUMENT["components"]["schemas"])
def test_a_schema_is_a_schema(name: str) -> None:
    Draft202012Validator.check_schema(DOCUMENT["components"]["schemas"][name])


@pytest.mark.parametrize(
    ("path", "method", "operation"), OPERATIONS, ids=[operation["operationId"] for _, _, operation in OPERATIONS]
)
def test_an_operation_has_a_name_all_of_its_path_s_parameters_and_problems(
    path: str, method: str, operation: Json
) -> None:
    in_path = {one["name"] for one in operation.get("parameters", []) if one["in"] == "path"}
    problems = {status: answer for status, answer in operation["responses"].items() if status >= "400"}

    assert method in {"get", "put", "post", "patch", "delete"}
    assert in_path == set(re.findall(r"{(\w+)}", path))
    assert all(list(answer["content"]) == [CONTENT_TYPE] for answer in problems.values())
    assert ("security" in operation) is (path in PUBLIC)


def test_no_two_operations_share_a_name() -> None:
    names = [operation["operationId"] for _, _, operation in OPERATIONS]

    assert len(set(names)) == len(names)


@pytest.mark.parametrize("field", BODIES)
def test_a_body_is_read_strictly_and_refuses_what_it_does_not_know(field: Any) -> None:  # noqa: ANN401  (Powertools' own)
    _, problems = field.validate({"nobody knows this": 1})

    assert "extra_forbidden" in {problem["type"] for problem in problems}
    assert _is_strict(field)


def _is_strict(field: Any) -> bool:  # noqa: ANN401  (as above)
    """Whether a list is taken for a tuple, which only reading as JSON does in strict mode."""
    return any(isinstance(one, AsJson) for one in getattr(field.type_, "__metadata__", ()))
