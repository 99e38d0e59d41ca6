"""`local/.state/outputs.json`: how a script reaches what runs here (DESIGN 4.5)."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from local.ports import HOST
from local.stack import ACCOUNT_ID, REGION

if TYPE_CHECKING:
    from pathlib import Path

    from local.inbox.running import Inbox
    from local.stack import Stack


def write_outputs(path: Path, *, stack: Stack, inbox: Inbox) -> None:
    """Write the file anew. It holds a password: readable by the user alone."""
    path.unlink(missing_ok=True)
    path.touch(mode=0o600)
    path.write_text(json.dumps(_outputs(stack, inbox), indent=2) + "\n", encoding="utf-8")


def _outputs(stack: Stack, inbox: Inbox) -> dict[str, Any]:
    return {
        "endpoint_url": stack.endpoint_url,
        "region": REGION,
        "account_id": ACCOUNT_ID,
        "stack": stack.outputs,
        "inbox": {
            "smtp_host": HOST,
            "smtp_port": inbox.smtp_port,
            "username": inbox.username,
            "password": inbox.password,
            "url": inbox.url,
        },
    }
