"""What is said of custom templates is as the models, the samples and the sandbox have it."""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from functools import cache
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.compose.composer import Composer
from tocsin.compose.custom_budget import MOST_CHARACTERS
from tocsin.compose.custom_filters import FILTERS, HTML_FILTERS, TEXT_FILTERS
from tocsin.compose.custom_rules import TESTS
from tocsin.compose.custom_variables import variables_of
from tocsin.compose.trial import Trial
from tocsin.data.samples import sample_of
from tocsin.model.custom_template import KEPT_VERSIONS, CustomTemplate, Scope
from tocsin.model.notification import CATALOGUE
from tocsin.model.project import Project

from tests.contract import variables_page
from tests.contract.template import ROOT
from tests.contract.template_samples import TEMPLATE_SAMPLES, template_samples
from tests.contract.variables_page import VARIABLES_PAGE

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tocsin.compose.custom_variables import Variable

_PAGE = (ROOT / "docs" / "templates.md").read_text(encoding="utf-8")


@cache
def _trial() -> Trial:
    return Trial(sample=sample_of, composer=Composer())


def _template(type_: str, **parts: Any) -> CustomTemplate:  # noqa: ANN401  (the parts)
    now = datetime(2026, 11, 21, tzinfo=UTC)
    return CustomTemplate(
        project_id="acme", scope=Scope(type=type_), version=1, updated_at=now, updated_by="admin", **parts
    )


def _problems(type_: str, **parts: Any) -> list[str]:  # noqa: ANN401  (the parts)
    project = Project(project_id="acme", version=1, name="Acme")
    return [one.text for one in _trial().problems(_template(type_, **parts), project)]


def _written(variables: Mapping[str, Variable], prefix: str = "") -> Iterator[str]:
    """An expression for every variable that can be written."""
    for name, variable in variables.items():
        if variable.is_list:
            yield f"{{% for one in {prefix}{name} %}}{{{{ loop.index }}}}{{% endfor %}}"
        elif variable.fields is not None:
            yield f"{{% if {prefix}{name} %}}"
            yield from _written(variable.fields, f"{prefix}{name}.")
            yield "{% endif %}"
        else:
            yield f"{{{{ {prefix}{name} }}}}"


def test_the_page_of_variables_is_as_the_models_say() -> None:
    assert VARIABLES_PAGE.read_text(encoding="utf-8") == variables_page.page(), "`make publish` writes it"


def test_the_samples_that_are_shipped_are_those_of_the_events() -> None:
    assert json.loads(TEMPLATE_SAMPLES.read_text(encoding="utf-8")) == template_samples(), "`make publish` writes them"


@pytest.mark.parametrize("type_", CATALOGUE)
def test_every_variable_that_is_documented_can_be_written(type_: str) -> None:
    source = "Subject" + "".join(_written(variables_of(type_)))

    assert _problems(type_, subject=source, text=source, html=source) == []


def test_the_documentation_names_every_filter_and_test() -> None:
    named = set(re.findall(r"`(\w+)(?:\([^)`]*\))?`", _PAGE))

    assert {*FILTERS, *HTML_FILTERS, *TEXT_FILTERS, *TESTS} <= named


def test_the_documentation_s_numbers_are_those_of_the_code() -> None:
    assert f"{MOST_CHARACTERS:,} characters" in _PAGE
    assert f"last {KEPT_VERSIONS} versions" in _PAGE


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_the_example_of_the_documentation_can_be_saved(part: str) -> None:
    [example] = re.findall(r"```json\n(\{.*?\})\n```", _PAGE, re.DOTALL)

    assert _problems("status_page.incident_created", **{part: json.loads(example)[part]}) == []
