"""What somebody writes as JSON: its own types and no others, and no field that is not known."""

from __future__ import annotations

import json
from functools import cache
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError
from pydantic_core import core_schema

from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from collections.abc import Mapping

    from pydantic import GetCoreSchemaHandler
    from pydantic_core import CoreSchema

STRICT = ConfigDict(frozen=True, extra="forbid", hide_input_in_errors=True)
"""Of every part of such a document."""


class Written(BaseModel):
    """A whole document."""

    model_config = STRICT

    @classmethod
    def of(cls, document: Mapping[str, object]) -> Self:
        """What `document` says.

        Raises:
            InvalidSettings: it says something else; every field that is wrong is named, no value is.
        """
        try:
            return cls.model_validate_json(json.dumps(document), strict=True)
        except ValidationError as error:
            problems = error.errors(include_url=False, include_context=False, include_input=False)
            raise InvalidSettings([_problem(one["loc"], one["msg"]) for one in problems]) from None


class AsJson:
    """Beside the model of a body: it is read as JSON, and strictly.

    The routes have it from Powertools as Python's own values, of which no list is a tuple and no text a date; reading
    them leniently would let `"587"` be a number.
    """

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:  # noqa: ANN401  (as pydantic has it)
        """The schema of the model, and for Python a function that makes JSON of what comes."""
        schema, adapter = handler(source), cache(lambda: TypeAdapter[object](source))

        def read(value: object) -> object:
            return value if isinstance(value, source) else adapter().validate_json(json.dumps(value), strict=True)

        return core_schema.json_or_python_schema(
            json_schema=schema, python_schema=core_schema.no_info_plain_validator_function(read)
        )


def _problem(location: tuple[int | str, ...], text: str) -> Problem:
    field = ".".join(str(part) for part in location)
    return Problem(field=field or "(body)", text=text.removeprefix("Value error, "))
