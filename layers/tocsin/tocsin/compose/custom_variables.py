"""The variables that custom templates of a type may show: read from the type's model, so that none is forgotten."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from functools import cache
from types import UnionType
from typing import TYPE_CHECKING, Annotated, Any, Literal, TypeAliasType, Union, get_args, get_origin

from pydantic import AwareDatetime, BaseModel

from tocsin.compose.custom_values import BRAND, READER
from tocsin.model.notification import CATALOGUE, Recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.custom_template import Part

_NOT_SHOWN = frozenset({"recipients", "recipients_ref", "options"})
_MARKDOWN = frozenset({"description", "root_cause", "remediation", "body"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Variable:
    """What stands under a name. `fields` are an object's, or those of the objects in a list."""

    kind: str
    fields: Mapping[str, Variable] | None = None
    is_list: bool = False


@cache
def variables_of(type_: str) -> Mapping[str, Variable]:
    """The variables of a type's own, in subjects and bodies."""
    return _fields(CATALOGUE[type_], without=_NOT_SHOWN)


@cache
def variables_for(type_: str, part: Part) -> Mapping[str, Variable]:
    """All variables that a part of a type's templates may show."""
    known = {**variables_of(type_), **_SHARED}
    return known if part == "subject" else {**known, **IN_BODIES}


def _fields(model: type[BaseModel], *, without: frozenset[str] = frozenset()) -> Mapping[str, Variable]:
    return {
        name: _variable(name, field.annotation) for name, field in model.model_fields.items() if name not in without
    }


def _variable(name: str, annotation: Any) -> Variable:  # noqa: ANN401  (any annotation of a model)
    inner = _given(annotation)
    if get_origin(inner) in {tuple, list}:
        item = _variable(name, get_args(inner)[0])
        return Variable(kind=f"list of {item.kind}s", fields=item.fields, is_list=True)
    if isinstance(inner, type) and issubclass(inner, BaseModel):
        return Variable(kind="object", fields=_fields(inner))
    return Variable(kind=_kind(name, inner))


def _given(annotation: Any) -> Any:  # noqa: ANN401  (as above)
    """What the annotation says of a value that is there."""
    while True:
        if isinstance(annotation, TypeAliasType):
            annotation = annotation.__value__
        elif get_origin(annotation) is Annotated:
            annotation = get_args(annotation)[0]
        elif get_origin(annotation) in {Union, UnionType}:
            annotation = next(one for one in get_args(annotation) if one is not type(None))
        else:
            return annotation


def _kind(name: str, annotation: Any) -> str:  # noqa: ANN401  (as above)
    if get_origin(annotation) is Literal:
        annotation = type(get_args(annotation)[0])
    if annotation is AwareDatetime or annotation is datetime:
        return "moment"
    kinds = {bool: "yes or no", int: "number", float: "number", date: "day"}
    if annotation in kinds:
        return kinds[annotation]
    if name == "url" or name.endswith("_url"):
        return "link"
    return "Markdown text" if name in _MARKDOWN else "text"


def _texts(names: tuple[str, ...]) -> Mapping[str, Variable]:
    return {name: Variable(kind=_kind(name, str)) for name in names}


_SHARED: Mapping[str, Variable] = {
    "brand": Variable(kind="object", fields=_texts(BRAND)),
    "signature": Variable(kind="text"),
    "told_at": Variable(kind="moment"),
}
IN_BODIES: Mapping[str, Variable] = {
    "reader": Variable(kind="object", fields=_texts(READER)),
    "recipient": Variable(kind="object", fields=_texts(tuple(Recipient.model_fields))),
    "subject": Variable(kind="text"),
}
"""What bodies may show beside what subjects may."""
