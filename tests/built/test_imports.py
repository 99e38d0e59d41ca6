"""Each handler imports from `.aws-sam/build` alone, with nothing beside it but what the Lambda runtime brings."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.built.build import BUILD, LAYERS, ROOT
from tests.contract.template import Json, environment, functions

RUNTIME = ROOT / ".tools/function/lib/python3.13/site-packages"
FUNCTIONS = functions()
_PYTHON = (sys.executable, "-I", "-S", "-B")  # nobody's path, nobody's packages, and nothing compiled into the build


@pytest.fixture(scope="module", params=FUNCTIONS)
def loaded(request: pytest.FixtureRequest) -> Json:
    """What `load.py` told of one function."""
    function = FUNCTIONS[request.param]
    done = subprocess.run(  # noqa: S603  (our own interpreter and our own template)
        [*_PYTHON, str(ROOT / "tests/built/load.py"), function["Handler"], *_folders(request.param)],
        check=True,
        cwd=BUILD,
        env=dict.fromkeys(environment(function), "1") | {"AWS_DEFAULT_REGION": "eu-west-1"},
        stdout=subprocess.PIPE,
    )
    answer: Json = json.loads(done.stdout)
    return answer


def _folders(function: str) -> list[str]:
    """/var/task, /opt/python and /var/runtime."""
    return [str(BUILD / function), *(str(BUILD / layer / "python") for layer in LAYERS), str(RUNTIME)]


def test_a_handler_loads_from_the_build_alone(loaded: Json) -> None:
    allowed = [BUILD.resolve(), RUNTIME.resolve(), Path(sys.base_prefix).resolve(), ROOT / "tests/built/load.py"]
    strange = [
        file
        for file in loaded["files"].values()
        if not any(Path(file).resolve().is_relative_to(place) for place in allowed)
    ]

    assert loaded["callable"]
    assert not strange


def test_only_the_runtimes_own_packages_come_from_the_runtime(loaded: Json) -> None:
    ours_to_bring = {
        name.partition(".")[0] for name, file in loaded["files"].items() if Path(file).is_relative_to(RUNTIME)
    }

    assert ours_to_bring <= {"boto3", "botocore", "dateutil", "s3transfer", "six", "urllib3"}


def test_our_package_and_what_it_needs_come_from_the_layers(loaded: Json) -> None:
    layers = [BUILD / layer / "python" for layer in LAYERS]

    assert Path(loaded["files"]["pydantic"]).is_relative_to(layers[0])
    assert Path(loaded["files"]["tocsin"]).is_relative_to(layers[1])


def test_nothing_that_is_shipped_has_to_be_compiled_to_be_loaded(loaded: Json) -> None:
    assert [file for file in loaded["compiled"] if Path(file).is_relative_to(BUILD)] == []
