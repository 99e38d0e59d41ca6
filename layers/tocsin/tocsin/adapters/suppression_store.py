"""The addresses that projects will not mail, in SuppressionsTable."""

from __future__ import annotations

from itertools import batched
from typing import TYPE_CHECKING

from tocsin.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from collections.abc import Set as AbstractSet

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import BatchGetItemInputTypeDef

_KEYS_A_CALL = 100  # BatchGetItem's limit
_KEY_OCTETS = 1024  # a sort key's limit; a longer address can be neither suppressed nor mailed
_ROUNDS = 5


class SuppressionStore:
    """Looks up to 100 addresses up in one call."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def suppressed(self, project_id: str, recipients: Iterable[str]) -> AbstractSet[str]:
        """Those of the canonical recipients that are suppressed.

        Raises:
            TransientError: the table did not answer for all of them.
        """
        found: set[str] = set()
        for part in batched((r for r in recipients if 0 < len(r.encode()) <= _KEY_OCTETS), _KEYS_A_CALL, strict=False):
            found |= self._look_up(project_id, part)
        return found

    def _look_up(self, project_id: str, recipients: Iterable[str]) -> set[str]:
        keys = [{"project_id": {"S": project_id}, "address": {"S": recipient}} for recipient in recipients]
        request: BatchGetItemInputTypeDef = {
            "RequestItems": {self._table: {"Keys": keys, "ProjectionExpression": "address"}}
        }
        found: set[str] = set()
        for _ in range(_ROUNDS):
            answer = self._client.batch_get_item(**request)
            found |= {item["address"]["S"] for item in answer["Responses"].get(self._table, ())}
            if not answer["UnprocessedKeys"]:
                return found
            request = {"RequestItems": answer["UnprocessedKeys"]}
        raise TransientError("SuppressionsTable did not answer for all recipients")
