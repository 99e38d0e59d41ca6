"""What is installed is what was locked: the layer's requirements, and those of the tools."""

from __future__ import annotations

import re
import tomllib
from typing import Any

import pytest

from tests.contract.template import ROOT

LOCKED: dict[str, dict[str, Any]] = {
    package["name"]: package for package in tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))["package"]
}
LAYER = "layers/dependencies/requirements.txt"
TOOLS = sorted(path.stem for path in (ROOT / "local/requirements").glob("*.in"))


def _pins(path: str) -> dict[str, tuple[str, set[str]]]:
    """The version and the hashes of each package that a requirements file names."""
    text = (ROOT / path).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line.partition("# ")[0] for line in text.splitlines() if line and not line.startswith("#")]
    names = [re.match(r"([a-z0-9._-]+)==([^\s;]+)", line) for line in lines]
    return {
        name[1]: (name[2], set(re.findall(r"--hash=(\S+)", line)))
        for name, line in zip(names, lines, strict=True)
        if name
    }


def _needed(name: str) -> set[str]:
    """`name` and all that it needs, by the lock."""
    needs = [dependency["name"] for dependency in LOCKED[name].get("dependencies", [])]
    return {name}.union(*(_needed(need) for need in needs))


def test_the_layer_holds_what_the_package_needs_but_what_the_runtime_brings() -> None:
    direct = {dependency["name"] for dependency in LOCKED["tocsin"]["dependencies"]}

    assert set(_pins(LAYER)) == set[str]().union(*(_needed(name) for name in direct - {"boto3"}))


@pytest.mark.parametrize("name", _pins(LAYER))
def test_the_layer_is_pinned_as_locked(name: str) -> None:
    locked = LOCKED[name]

    assert _pins(LAYER)[name] == (
        locked["version"],
        {file["hash"] for file in [*locked.get("wheels", []), *([locked["sdist"]] if "sdist" in locked else [])]},
    )


@pytest.mark.parametrize("tool", TOOLS)
def test_the_tools_are_pinned_by_hash_and_name_no_index(tool: str) -> None:
    path = f"local/requirements/{tool}.txt"
    pins, asked = _pins(path), _pins(f"local/requirements/{tool}.in")

    assert all(hashes for _, hashes in pins.values())
    assert {name: pins[name][0] for name in asked} == {name: version for name, (version, _) in asked.items()}
    assert not re.search(r"^-|://", (ROOT / path).read_text(encoding="utf-8"), re.MULTILINE)


def test_the_local_runtime_brings_the_boto3_that_the_tests_use() -> None:
    assert _pins("local/requirements/function.txt")["boto3"][0] == LOCKED["boto3"]["version"]


def test_deploying_asks_for_no_account_and_no_secret_in_the_settings_file() -> None:
    text = (ROOT / "samconfig.toml").read_text(encoding="utf-8")

    assert tomllib.loads(text)["default"]["deploy"]["parameters"]["region"]
    assert not re.search(r"\d{12}|secret|password|token", text, re.IGNORECASE)
