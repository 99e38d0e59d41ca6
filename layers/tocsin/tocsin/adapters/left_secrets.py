"""Secrets that deleted mail accounts have left behind: the account goes first, and then nobody else would come back."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters import mail_account_items as items

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tocsin.adapters.account_secrets import AccountSecrets


class LeftSecrets:
    """Secrets whose accounts are looked up first, as they stand."""

    def __init__(self, dynamodb: DynamoDBClient, table: str, secrets: AccountSecrets) -> None:
        self._dynamodb = dynamodb
        self._table = table
        self._secrets = secrets

    def let_go(self, project_id: str, mail_account_id: str) -> None:
        """Let the account's secret go if the account is deleted. Doing so again is no error.

        Raises:
            TransientError: Secrets Manager cannot answer now.
        """
        answer = self._dynamodb.get_item(
            TableName=self._table,
            Key=items.key_of(project_id, mail_account_id),
            ProjectionExpression="sk",
            ConsistentRead=True,
        )
        if "Item" not in answer:
            self._secrets.let_go(project_id, mail_account_id)
