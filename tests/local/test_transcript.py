"""The commands of docs/transcript.md still do what the page shows, from a refused account to a mail in the inbox."""

from __future__ import annotations

import os
import shutil
import subprocess
from typing import TYPE_CHECKING

import pytest

from local.engine_process import ROOT
from local.oauth2_demo import write_requests
from local.outputs import write_outputs

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from tests.local.conftest import Local

pytestmark = pytest.mark.local

PAGE = ROOT / "docs" / "transcript.md"
PROMPT = "$ "
MARK = "--- next ---"
SECONDS = 90


def _commands() -> list[str]:
    """All that the page has somebody type, but for the line that says where the stack is."""
    lines = PAGE.read_text(encoding="utf-8").splitlines()
    return [line.removeprefix(PROMPT) for line in lines if line.startswith(PROMPT)][1:]


def _typed(commands: Sequence[str], environment: Mapping[str, str]) -> list[str]:
    """What a shell prints for each."""
    bash = shutil.which("bash")
    assert bash
    script = "\n".join(f"{command}\necho; echo '{MARK}'" for command in commands)
    done = subprocess.run(  # noqa: S603  (our own page)
        [bash, "-c", script], env=environment, cwd=ROOT, capture_output=True, text=True, timeout=SECONDS, check=False
    )
    assert done.stderr == ""
    return [printed.strip() for printed in done.stdout.split(MARK)[:-1]]


def test_an_account_is_refused_with_its_remedy_mended_saved_and_sends(local: Local, tmp_path: Path) -> None:
    write_outputs(tmp_path / "outputs.json", stack=local.stack, surroundings=local.surroundings)
    write_requests(tmp_path, local.surroundings)
    places = {"STATE": str(tmp_path), "API": local.surroundings.front.url, "INBOX": local.inbox.url}

    made, refused, steps, none, saved, tested, mail = filter(None, _typed(_commands(), {**os.environ, **places}))

    assert "project_id: transcript" in made
    assert "status: 422" in refused
    assert "remedy: The relay refused the login." in refused
    assert any(line.startswith("auth failed") for line in steps.splitlines())
    assert none == '{"items":[],"cursor":null}'
    assert "status: verified" in saved
    assert "passed: True" in tested
    assert "To: ana@transcript.example" in mail
