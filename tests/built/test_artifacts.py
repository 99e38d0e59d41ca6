"""The artifacts hold what they must and nothing else: sources, mail templates, data, third-party packages."""

from __future__ import annotations

from email.parser import HeaderParser
from typing import TYPE_CHECKING

import pytest

from tests.built.build import BUILD, ROOT, built_template, files
from tests.contract.template import functions

if TYPE_CHECKING:
    from pathlib import Path

PACKAGE = BUILD / "TocsinLayer/python"
DEPENDENCIES = BUILD / "DependenciesLayer/python"


def test_our_layer_is_our_package_file_for_file() -> None:
    assert files(PACKAGE) == files(ROOT / "layers/tocsin")


@pytest.mark.parametrize("kind", ["compose/templates/**/*.j2", "data/**/*.toml", "py.typed"])
def test_our_layer_holds_more_than_code(kind: str) -> None:
    assert list((PACKAGE / "tocsin").glob(kind))


@pytest.mark.parametrize("name", functions())
def test_a_function_is_its_own_folder_and_no_other(name: str) -> None:
    folder = functions()[name]["CodeUri"].rstrip("/")

    assert files(BUILD / name) == {f"{folder}/{file}" for file in files(ROOT / folder)}


def test_the_dependencies_are_those_required_and_no_others() -> None:
    required = {
        line.partition(" ")[0]
        for line in (ROOT / "layers/dependencies/requirements.txt").read_text(encoding="utf-8").splitlines()
        if line[0].isalnum()
    }

    assert {_distribution(path.read_text(encoding="utf-8")) for path in _metadata()} == required


def _metadata() -> list[Path]:
    return list(DEPENDENCIES.glob("*.dist-info/METADATA"))


def _distribution(metadata: str) -> str:
    headers = HeaderParser().parsestr(metadata)
    return f"{headers['Name'].lower().replace('_', '-')}=={headers['Version']}"


def test_no_dependency_hides_our_folders() -> None:
    assert not {"tests", "functions", "local", "tocsin"} & {path.name for path in DEPENDENCIES.iterdir()}


def test_the_built_template_names_the_artifacts() -> None:
    resources = built_template()["Resources"]

    assert resources["TocsinLayer"]["Properties"]["ContentUri"] == "TocsinLayer"
    assert resources["DependenciesLayer"]["Properties"]["ContentUri"] == "DependenciesLayer"
    assert {name: resources[name]["Properties"]["CodeUri"] for name in functions()} == {
        name: name for name in functions()
    }
