"""Mail accounts as admins write them: an item in SettingsTable and, apart from it, a secret in Secrets Manager."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tocsin.adapters import mail_account_items as items
from tocsin.adapters.redrive_marks import marking
from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.errors import AccountChanged
from tocsin.model.settings_error import Outdated

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from tocsin.adapters.transactions import Transactions
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount

_RECOVERY_DAYS = 7  # the least that Secrets Manager takes, unless nothing is to be recoverable
_AFTER_ALL = "~"  # sorts behind every id


class SettingsWriter:
    """The mail accounts of SettingsTable, read fresh and written conditionally."""

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        secrets: Callable[[], SecretsManagerClient],
        *,
        table: str,
        secret_prefix: str,
        secret_key: str,
        transactions: Transactions,
        clock: Callable[[], datetime],
    ) -> None:
        self._dynamodb = dynamodb
        self._secrets = secrets
        self._table = table
        self._secret_prefix = secret_prefix
        self._secret_key = secret_key
        self._transactions = transactions
        self._clock = clock

    def has_project(self, project_id: str) -> bool:
        """Whether there is such a project."""
        key: dict[str, AttributeValueTypeDef] = {"project_id": {"S": project_id}, "sk": {"S": "project"}}
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=key, ConsistentRead=True, ProjectionExpression="project_id"
        )
        return "Item" in answer

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The mail account as it stands; None where there is none."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=items.key_of(project_id, account_id), ConsistentRead=True
        )
        return items.read_account(answer["Item"]) if "Item" in answer else None

    def page(self, project_id: str, *, after: str | None, size: int) -> list[MailAccount]:
        """At most `size` mail accounts, in the order they were made, behind the one with the id `after`."""
        values: dict[str, AttributeValueTypeDef] = {
            ":project": {"S": project_id},
            ":first": {"S": items.PREFIX},
            ":last": {"S": f"{items.PREFIX}{_AFTER_ALL}"},
        }
        start = {"ExclusiveStartKey": items.key_of(project_id, after)} if after is not None else {}
        answer = self._dynamodb.query(
            TableName=self._table,
            KeyConditionExpression="project_id = :project AND sk BETWEEN :first AND :last",
            ExpressionAttributeValues=values,
            ConsistentRead=True,
            Limit=size,
            **start,  # type: ignore[arg-type]  # one keyword, or none
        )
        return [items.read_account(item) for item in answer["Items"]]

    def create(self, account: MailAccount, secret: AccountSecret | None, *, refresh_at: datetime | None) -> MailAccount:
        """Write a new account, its secret first; the account with its credential version.

        Raises:
            AccountChanged: its id is taken.
            TransientError: Secrets Manager cannot answer now.
        """
        if secret is not None:
            account = account.model_copy(update={"credential_version": self._create_secret(account, secret)})
        try:
            self._dynamodb.put_item(
                TableName=self._table,
                Item=_item(account, refresh_at),
                ConditionExpression="attribute_not_exists(sk)",
            )
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            # The answer to our own write may have been lost, and the write repeated.
            if self.read(account.project_id, account.id) != account:
                raise AccountChanged("there is a mail account with this id") from None
        except ClientError:
            if secret is not None:
                self._delete_secret(account)
            raise
        return account

    def delete(self, account: MailAccount) -> None:
        """Delete the account as it was read, and let its secret go: it can be recovered for a week.

        What is parked for it is marked to go again, by the next account of its route if there is one.

        Raises:
            Outdated: it was changed or deleted since it was read.
            TransientError: the table is too busy; nothing was deleted.
        """
        failed = self._transactions.write(
            [
                {
                    "Delete": {
                        "TableName": self._table,
                        "Key": items.key_of(account.project_id, account.id),
                        "ConditionExpression": "version = :version",
                        "ExpressionAttributeValues": {":version": {"N": str(account.version)}},
                    }
                },
                marking(self._table, account.project_id, account.id, at=self._clock()),
            ]
        )
        # None: it is deleted, which is what was wanted.
        if failed and self.read(account.project_id, account.id) is not None:
            raise Outdated("the mail account was changed meanwhile")
        if account.credential_version is not None:
            self._delete_secret(account)

    def _create_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        try:
            answer = self._secrets().create_secret(
                Name=self._name(account),
                KmsKeyId=self._secret_key,
                SecretString=json.dumps(secret.reveal()),
                Tags=[{"Key": "tocsin:project", "Value": account.project_id}],
            )
        except SECRETS_MANAGER_ERRORS as error:
            raise error_of(error) from None
        return answer["VersionId"]

    def _delete_secret(self, account: MailAccount) -> None:
        client = self._secrets()
        try:
            client.delete_secret(SecretId=self._name(account), RecoveryWindowInDays=_RECOVERY_DAYS)
        except client.exceptions.ResourceNotFoundException:
            return

    def _name(self, account: MailAccount) -> str:
        return f"{self._secret_prefix}/{account.project_id}/{account.id}"


def _item(account: MailAccount, refresh_at: datetime | None) -> dict[str, AttributeValueTypeDef]:
    item = items.key_of(account.project_id, account.id) | {
        "version": {"N": str(account.version)},
        "document": items.write_document(account),
        "state": items.write_state(account),
    }
    if account.credential_version is not None:
        item["credential_version"] = {"S": account.credential_version}
    return item | (items.write_due(account, refresh_at) if refresh_at is not None else {})
