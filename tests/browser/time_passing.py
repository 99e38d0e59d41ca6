"""Time that passes for tickets and authorizations."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from local.stack import Stack

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC).isoformat()


def let_time_pass(stack: Stack, mail_account_id: str) -> None:
    """Let the ten minutes be over for whatever was begun to authorize this mail account."""
    table = stack.table("EphemeralTable")
    for item in table.scan(ConsistentRead=True)["Items"]:  # a test's table is small
        kept = json.loads(item.get("document", "{}"))
        if kept.get("mail_account_id") == mail_account_id:
            table.update_item(
                Key={"pk": item["pk"]},
                UpdateExpression="SET document = :document",
                ExpressionAttributeValues={":document": json.dumps(kept | {"expires_at": LONG_AGO})},
            )
