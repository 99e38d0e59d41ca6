"""Mail accounts and their secrets as those need them who change them: fresh, whole, and written conditionally."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tocsin.adapters import mail_account_items as items
from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.adapters.redrive_marks import marking
from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.adapters.standing_secrets import standing_secret
from tocsin.errors import AccountChanged, SecretUnavailable
from tocsin.model.finding import rebased
from tocsin.model.grant import credential_version
from tocsin.model.redrive import mends

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef, UpdateTypeDef
    from mypy_boto3_secretsmanager import SecretsManagerClient

    from tocsin.adapters.transactions import Transactions
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount

_ROUNDS = 3


class GrantStore:
    """The mail accounts of SettingsTable with their secrets. Nothing here is cached."""

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        secrets: Callable[[], SecretsManagerClient],
        *,
        table: str,
        secret_prefix: str,
        transactions: Transactions,
        clock: Callable[[], datetime],
    ) -> None:
        self._dynamodb = dynamodb
        self._secrets = secrets
        self._table = table
        self._secret_prefix = secret_prefix
        self._transactions = transactions
        self._clock = clock

    @busy_services_are_transient()
    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The mail account as it stands now; None where there is none.

        Raises:
            TransientError: the table cannot answer now.
        """
        item = self._item(project_id, account_id)
        return items.read_account(item) if item else None

    def current_secret(self, account: MailAccount) -> AccountSecret:
        """The account's secret, whose tokens may be ahead of the version that the account names.

        Raises:
            SecretUnavailable: it is missing, not ours to read, no mail account's, or saved for other settings.
            TransientError: Secrets Manager cannot answer now.
        """
        secret = standing_secret(self._secrets(), self._name(account), account)
        if not account.may_use(secret):
            raise SecretUnavailable("the secret was saved for other settings")
        return secret

    def put_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write refresh and access token in one version of the secret; the version's id.

        The id follows from the grant's version, so that repeating the call after a lost answer writes nothing twice.

        Raises:
            AccountChanged: another worker wrote other tokens under this version of the grant.
            SecretUnavailable: it is missing or not ours to write.
            TransientError: Secrets Manager cannot answer now; nothing may be used yet.
        """
        version = credential_version(account.project_id, account.id, secret.grant_version)
        try:
            self._secrets().put_secret_value(
                SecretId=self._name(account), ClientRequestToken=version, SecretString=json.dumps(secret.reveal())
            )
        except SECRETS_MANAGER_ERRORS as error:
            raise error_of(error) from None
        return version

    @busy_services_are_transient()
    def update(
        self,
        before: MailAccount,
        after: MailAccount,
        *,
        refresh_at: datetime | None,
        beside: Sequence[TransactWriteItemTypeDef] = (),
    ) -> None:
        """Write what we found out about the account, if neither its settings nor its credential changed since.

        What others found out since `before` stays, as `rebased` says. `refresh_at` None: it is not due on its own.
        Where the account is mended by this, what is parked for it is marked to go again, in the same transaction;
        `beside` is written in it too.

        Raises:
            AccountChanged: it was edited, renewed, deleted or lost meanwhile; nothing was written.
            TransientError: the table is too busy (`ServiceBusy`: it may be written).
        """
        seen, wanted, stood = before, after, items.write_state(before)
        for _ in range(_ROUNDS):
            update = self._update(seen, wanted, stood, refresh_at)
            if self._is_written(update, [*self._marks(seen, wanted), *beside]):
                return
            item = self._item(before.project_id, before.id)
            current = items.read_account(item) if item else None
            if current == wanted:  # the answer to our own write was lost, and the write repeated
                return
            rebase = rebased(before, after, current) if current is not None else None
            if current is None or rebase is None:
                break
            seen, wanted, stood = current, rebase, item.get("state", stood)
        raise AccountChanged("the mail account was changed meanwhile")

    def _item(self, project_id: str, account_id: str) -> items.Item:
        """The account's item as it stands; empty where there is none."""
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=items.key_of(project_id, account_id), ConsistentRead=True
        )
        return answer.get("Item", {})

    def _is_written(self, update: UpdateTypeDef, further: Sequence[TransactWriteItemTypeDef]) -> bool:
        if further:
            return not self._transactions.write([{"Update": update}, *further])
        try:
            self._dynamodb.update_item(**update)
        except self._dynamodb.exceptions.ConditionalCheckFailedException:
            return False
        return True

    def _marks(self, before: MailAccount, after: MailAccount) -> Sequence[TransactWriteItemTypeDef]:
        if not mends(before, after):
            return []
        return [marking(self._table, after.project_id, after.id, at=self._clock())]

    def _update(
        self, before: MailAccount, after: MailAccount, stood: AttributeValueTypeDef, refresh_at: datetime | None
    ) -> UpdateTypeDef:
        """The write of `after` over `before`, whose state is kept as `stood`."""
        values: dict[str, AttributeValueTypeDef] = {
            ":version": {"N": str(before.version)},
            ":state": items.write_state(after),
            ":stood": stood,
        }
        sets, removes = ["#state = :state"], []
        if after.credential_version is not None:
            sets.append("credential_version = :credential_version")
            values[":credential_version"] = {"S": after.credential_version}
        if refresh_at is None:
            removes = ["due_shard", "refresh_at"]
        else:
            for name, value in items.write_due(after, refresh_at).items():
                sets.append(f"{name} = :{name}")
                values[f":{name}"] = value
        credential = "attribute_not_exists(credential_version)"
        if before.credential_version is not None:
            credential = "credential_version = :before"
            values[":before"] = {"S": before.credential_version}
        state = "(#state = :stood OR attribute_not_exists(#state))"
        return {
            "TableName": self._table,
            "Key": items.key_of(before.project_id, before.id),
            "UpdateExpression": f"SET {', '.join(sets)}" + (f" REMOVE {', '.join(removes)}" if removes else ""),
            "ConditionExpression": f"version = :version AND {credential} AND {state}",
            "ExpressionAttributeNames": {"#state": "state"},
            "ExpressionAttributeValues": values,
        }

    def due(self, shard: int, now: datetime) -> Iterator[tuple[str, str]]:
        """Project and account ids of one shard whose time has come, the longest due first."""
        pages = self._dynamodb.get_paginator("query").paginate(
            TableName=self._table,
            IndexName="due",
            KeyConditionExpression="due_shard = :shard AND refresh_at <= :now",
            ExpressionAttributeValues={
                ":shard": {"N": str(shard)},
                ":now": {"S": now.strftime("%Y-%m-%dT%H:%M:%SZ")},
            },
        )
        for page in pages:
            for item in page["Items"]:
                yield item["project_id"]["S"], item["sk"]["S"].removeprefix(items.PREFIX)

    def _name(self, account: MailAccount) -> str:
        return f"{self._secret_prefix}/{account.project_id}/{account.id}"
