"""What a delivery by password never pays for."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_WATCHED = ("msal", "google.auth", "requests")


def test_a_delivery_by_password_in_a_fresh_process_loads_nothing_that_only_oauth2_needs() -> None:
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "tests.functional.password_delivery", *_WATCHED],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout.splitlines()[-1]) == {"mails": 1, "loaded": []}
