"""The commands that the user is told to type do what is said of them."""

from __future__ import annotations

import json
import shutil
import stat
import subprocess
from typing import TYPE_CHECKING

import pytest

from local.oauth2_demo import commands, write_requests

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import Local

pytestmark = pytest.mark.local


@pytest.mark.skipif(shutil.which("curl") is None, reason="there is no curl on this machine")
def test_commands_lead_to_an_authorize_url(local: Local, tmp_path: Path) -> None:
    write_requests(tmp_path, local.surroundings)

    lines = "\n".join(commands(tmp_path, local.surroundings))
    done = subprocess.run(["/bin/sh", "-c", lines], capture_output=True, text=True, check=True)  # noqa: S603  (ours)

    assert json.loads(done.stdout)["authorize_url"].startswith(f"{local.surroundings.front.url}/authorize/")


def test_what_curl_sends_is_for_the_user_alone(local: Local, tmp_path: Path) -> None:
    write_requests(tmp_path, local.surroundings)

    assert {stat.S_IMODE(path.stat().st_mode) for path in tmp_path.iterdir()} == {0o600}
