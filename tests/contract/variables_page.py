"""`docs/template_variables.md`: what custom templates of each type may show."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.compose.custom_filters import FILTERS, HTML_FILTERS
from tocsin.compose.custom_rules import TESTS
from tocsin.compose.custom_variables import IN_BODIES, variables_for, variables_of
from tocsin.model.custom_template import BUILT_IN_ONLY
from tocsin.model.notification import CATALOGUE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tocsin.compose.custom_variables import Variable

VARIABLES_PAGE = Path(__file__).parents[2] / "docs" / "template_variables.md"

_HEAD = """# What custom templates may show

Beside [templates.md](templates.md), which tells how to write one. `make publish` writes this page from the models. What
an event leaves out is absent: it writes nothing, and `{% if … %}` tells. A *moment* and a *day* are written as the
reader's language, region and time zone have it; a *link* is http or https, or absent; a *Markdown text* goes through
the filter `markdown`."""


_TYPES = [type_ for type_ in CATALOGUE if type_ not in BUILT_IN_ONLY]


def page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *_of_all(), *_language(), *(line for type_ in _TYPES for line in _of_type(type_))]) + "\n"


def _of_all() -> Iterator[str]:
    [first, *_] = _TYPES
    shared = {name: one for name, one in variables_for(first, "subject").items() if name not in variables_of(first)}
    yield "\n## In all templates\n"
    yield from _rows(shared)
    yield "\nIn bodies, and not in subjects:\n"
    yield from _rows(IN_BODIES)


def _language() -> Iterator[str]:
    yield "\n## Filters and tests\n"
    yield f"Filters: {_names(sorted({*FILTERS, *HTML_FILTERS}))}. Tests: {_names(TESTS)}."


def _of_type(type_: str) -> Iterator[str]:
    yield f"\n## {type_}\n"
    yield from _rows(variables_of(type_))


def _rows(variables: Mapping[str, Variable]) -> Iterator[str]:
    yield from ("| variable | what it is |", "|---|---|")
    for name, variable in variables.items():
        yield from _row(name, variable)


def _row(name: str, variable: Variable) -> Iterator[str]:
    if variable.fields is None:
        yield f"| `{name}` | {variable.kind} |"
    elif variable.is_list:
        yield f"| `{name}` | {variable.kind}, each with {_fields(variable.fields)} |"
    else:
        for field, part in variable.fields.items():
            yield from _row(f"{name}.{field}", part)


def _fields(fields: Mapping[str, Variable]) -> str:
    return ", ".join(f"`{name}` ({one.kind})" for name, one in fields.items())


def _names(names: tuple[str, ...] | list[str]) -> str:
    return ", ".join(f"`{name}`" for name in names)
