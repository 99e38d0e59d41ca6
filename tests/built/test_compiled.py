"""Every artifact brings its sources compiled, in a form that loads without asking when the source was written."""

from __future__ import annotations

import importlib.util
import marshal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.built.build import BUILD, LAYERS
from tests.contract.template import functions

if TYPE_CHECKING:
    from types import CodeType

FUNCTIONS = functions()
PLACES = dict.fromkeys(LAYERS, Path("/opt")) | dict.fromkeys(FUNCTIONS, Path("/var/task"))
_UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552
_LARGEST_OCTETS = 250 * 2**20  # what a function and its layers may have, unpacked


@pytest.mark.parametrize("artifact", PLACES)
def test_every_source_is_compiled_for_the_runtime_and_is_what_it_was_compiled_of(artifact: str) -> None:
    sources = sorted((BUILD / artifact).rglob("*.py"))

    assert sources
    for source in sources:
        magic, flags, digest = _header(source)
        assert (magic, flags) == (importlib.util.MAGIC_NUMBER, _UNCHECKED_HASH), source
        assert digest == importlib.util.source_hash(source.read_bytes()), source


@pytest.mark.parametrize("artifact", PLACES)
def test_nothing_compiled_is_left_of_a_source_that_is_gone(artifact: str) -> None:
    expected = {_compiled(source) for source in (BUILD / artifact).rglob("*.py")}

    assert set((BUILD / artifact).rglob("*.pyc")) == expected


@pytest.mark.parametrize("artifact", PLACES)
def test_a_traceback_names_the_place_in_lambda_and_not_the_one_it_was_built_in(artifact: str) -> None:
    folder = BUILD / artifact
    wrong = [
        source
        for source in folder.rglob("*.py")
        if _code(source).co_filename != str(PLACES[artifact] / source.relative_to(folder))
    ]

    assert not wrong


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_function_and_its_layers_are_small_enough(function: str) -> None:
    parts = [path for artifact in (function, *LAYERS) for path in (BUILD / artifact).rglob("*")]

    assert sum(path.stat().st_size for path in parts if path.is_file()) < _LARGEST_OCTETS


def _compiled(source: Path) -> Path:
    """Where Lambda's Python looks for it: `FUNCTIONS` say which Python that is."""
    (runtime,) = {function["Runtime"] for function in FUNCTIONS.values()}
    tag = runtime.replace("python", "cpython-").replace(".", "")
    return source.parent / "__pycache__" / f"{source.stem}.{tag}.pyc"


def _header(source: Path) -> tuple[bytes, bytes, bytes]:
    octets = _compiled(source).read_bytes()
    return octets[:4], octets[4:8], octets[8:16]


def _code(source: Path) -> CodeType:
    code: CodeType = marshal.loads(_compiled(source).read_bytes()[16:])  # noqa: S302  (our own build)
    return code
