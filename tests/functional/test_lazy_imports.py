"""What a delivery by password never pays for."""

from __future__ import annotations

import json
import subprocess
import sys
from importlib.resources import files
from pathlib import Path

_ROOT = Path(__file__).parents[2]
_WATCHED = (
    *("msal", "google.auth", "requests", "tocsin.compose.tracking", "tocsin.model.tracked_links"),
    *("jinja2.sandbox", "nh3", "tocsin.compose.custom_texts", "tocsin.adapters.template_failures"),
    *("tocsin.actions.read_attachments", "tocsin.actions.supplement_mail", "tocsin.data.refused_files"),
    *("tocsin.adapters.link_keys", "tocsin.model.signed_token", "tocsin.model.subscription"),
    *("tocsin.compose.enclosures", "tocsin.compose.calendar", "tocsin.compose.copies", "tocsin.model.copies"),
)
_FAMILIES = Path(str(files("tocsin.model.notifications")))
_OWN_FAMILY = {"incident", "parts", "catalogue", "__init__"}
_OTHER_FAMILIES = tuple(
    f"tocsin.model.notifications.{path.stem}" for path in _FAMILIES.glob("*.py") if path.stem not in _OWN_FAMILY
)


def test_a_delivery_by_password_in_a_fresh_process_loads_nothing_that_only_oauth2_or_other_families_need() -> None:
    done = subprocess.run(  # noqa: S603  our own interpreter
        [sys.executable, "-m", "tests.functional.password_delivery", *_WATCHED, *_OTHER_FAMILIES],
        cwd=_ROOT,
        capture_output=True,
        text=True,
        check=True,
    )

    assert json.loads(done.stdout.splitlines()[-1]) == {"mails": 1, "loaded": []}
