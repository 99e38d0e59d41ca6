"""The circuit breakers in EphemeralTable, for those who know that an account works."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.adapters.shared_items import key_of
from tocsin.model.breaker import breaker_key

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

    from tocsin.model.mail_account import MailAccount


class Breakers:
    """The breakers of all accounts; deliver writes them beside its journal."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    @busy_services_are_transient()
    def reset(self, account: MailAccount) -> None:
        """Forget what the account failed with: it may log in, and send, at once.

        Raises:
            TransientError: the table cannot answer now.
        """
        self._client.delete_item(TableName=self._table, Key=key_of(breaker_key(account)))
