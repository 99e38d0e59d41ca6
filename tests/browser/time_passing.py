"""Time that passes for tickets, authorizations and tokens."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from local.demo import PROJECT_ID

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


def let_token_lapse(stack: Stack, mail_account_id: str) -> None:
    """Let the mail account's access token be over, so that its grant is due."""
    table = stack.table("SettingsTable")
    key = {"project_id": PROJECT_ID, "sk": f"mail-account#{mail_account_id}"}
    state = json.loads(str(table.get_item(Key=key, ConsistentRead=True)["Item"]["state"]))
    state["grant"] |= {"access_token_expires_at": LONG_AGO, "renewed_at": LONG_AGO}
    table.update_item(
        Key=key,
        UpdateExpression="SET #state = :state, refresh_at = :long_ago",
        ExpressionAttributeNames={"#state": "state"},
        ExpressionAttributeValues={":state": json.dumps(state), ":long_ago": LONG_AGO},
    )
