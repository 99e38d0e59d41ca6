"""Mail accounts as admins write them: an item in SettingsTable and, apart from it, a secret in Secrets Manager."""

from __future__ import annotations

from contextlib import suppress
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError

from tocsin.adapters import mail_account_items as items
from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.adapters.project_writer import counting_account, keeping_project, saving_project
from tocsin.adapters.redrive_marks import marking
from tocsin.adapters.slugs import is_of_another, moving_slug
from tocsin.errors import AccountChanged, ServiceBusy, TransientError
from tocsin.model.redrive import mends
from tocsin.model.settings_error import NotThere, Outdated, SlugTaken

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.adapters.account_secrets import AccountSecrets
    from tocsin.adapters.audit_items import Audit
    from tocsin.adapters.transactions import Transactions
    from tocsin.model.audit import AuditEntry
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.project import Project

_AFTER_ALL = "~"  # sorts behind every id


class SettingsWriter:
    """The mail accounts of SettingsTable, read fresh and written conditionally."""

    def __init__(
        self,
        dynamodb: DynamoDBClient,
        secrets: AccountSecrets,
        *,
        table: str,
        transactions: Transactions,
        audit: Audit,
        clock: Callable[[], datetime],
    ) -> None:
        self._dynamodb = dynamodb
        self._secrets = secrets
        self._table = table
        self._transactions = transactions
        self._audit = audit
        self._clock = clock

    @busy_services_are_transient()
    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        """The mail account as it stands; None where there is none.

        Raises:
            TransientError: the table cannot answer now.
        """
        answer = self._dynamodb.get_item(
            TableName=self._table, Key=items.key_of(project_id, account_id), ConsistentRead=True
        )
        return items.read_account(answer["Item"]) if "Item" in answer else None

    def page(self, project_id: str, *, after: str | None, size: int) -> tuple[list[MailAccount], str | None]:
        """At most `size` mail accounts, in the order they were made, behind the id `after`.

        And the id behind which the list goes on, if it does: the table gives a megabyte at a time.
        """
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
        last = answer.get("LastEvaluatedKey")
        accounts = [items.read_account(item) for item in answer["Items"]]
        return accounts, last["sk"]["S"].removeprefix(items.PREFIX) if last else None

    def is_free(self, account: MailAccount) -> bool:
        """Whether no other account of the project has this one's slug."""
        return account.slug is None or not is_of_another(self._dynamodb, self._table, account)

    def create(
        self, account: MailAccount, secret: AccountSecret | None, entry: AuditEntry, *, refresh_at: datetime | None
    ) -> MailAccount:
        """Write a new account, its secret first; the account with its credential version.

        Raises:
            AccountChanged: its id is taken.
            NotThere: its project was deleted meanwhile.
            SlugTaken: another account has its slug.
            TransientError: a store cannot answer now; nothing was written (`ServiceBusy`: it may be).
        """
        if secret is not None:
            account = account.model_copy(update={"credential_version": self._make_secret(account, secret)})
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Put": {
                    "TableName": self._table,
                    "Item": _item(account, refresh_at),
                    "ConditionExpression": "attribute_not_exists(sk)",
                }
            },
            counting_account(self._table, account.project_id),
            self._audit.recording(entry),
            *moving_slug(self._table, None, account),
        ]
        try:
            failed = self._transactions.write(writes)
        except (ClientError, TransientError):
            if self.read(account.project_id, account.id) is not None:  # only the answer was lost
                return account
            self._let_secret_go(account)
            raise
        if failed:
            self._let_secret_go(account)
            raise NotThere("the project was deleted") if 1 in failed else SlugTaken
        return account

    def update(
        self, before: MailAccount, after: MailAccount, entry: AuditEntry, *, refresh_at: datetime | None
    ) -> None:
        """Write the next version of the account, if it is as it was in `before`.

        Where the account is mended by this, what is parked for it is marked to go again, in the same transaction.

        Raises:
            Outdated: it was edited, renewed or deleted meanwhile; nothing was written.
            SlugTaken: another account has its slug.
            TransientError: the table is too busy; nothing was written.
        """
        writes = [self._replacing(before, after, refresh_at), self._audit.recording(entry)]
        if mends(before, after):
            writes.append(marking(self._table, after.project_id, after.id, at=self._clock()))
        writes += moving_slug(self._table, before, after)
        failed = self._transactions.write(writes)
        if failed:
            raise Outdated("the mail account was changed meanwhile") if 0 in failed else SlugTaken

    def delete(
        self, account: MailAccount, entries: Sequence[AuditEntry], *, project: tuple[Project, Project] | None
    ) -> None:
        """Delete the account as it was read, and let its secret go: it can be recovered for a week.

        `project` is its project as it was read, and as it is to be: another one if it names the account, else the same,
        which then must not come to name it. What is parked for the account is marked to go again, by the next one of
        its route if there is one. The sweep, which follows the mark, also lets the secret go if that fails here.

        Raises:
            Outdated: the account or the project was changed since it was read.
            TransientError: the table is too busy; nothing was deleted (`ServiceBusy`: it may be).
        """
        writes: list[TransactWriteItemTypeDef] = [
            {
                "Delete": {
                    "TableName": self._table,
                    "Key": items.key_of(account.project_id, account.id),
                    "ConditionExpression": "version = :version",
                    "ExpressionAttributeValues": {":version": {"N": str(account.version)}},
                }
            },
            marking(self._table, account.project_id, account.id, at=self._clock()),
            *map(self._audit.recording, entries),
            *moving_slug(self._table, account, None),
        ]
        if project is not None:
            before, after = project
            is_named = after != before
            writes.append(
                saving_project(self._table, after, before) if is_named else keeping_project(self._table, before)
            )
        if not self._is_gone(account, writes):
            raise Outdated("the mail account, or the project, was changed meanwhile")
        self._let_secret_go(account)

    def _is_gone(self, account: MailAccount, writes: Sequence[TransactWriteItemTypeDef]) -> bool:
        """Delete it; true also if somebody else did, or if only the answer was lost."""
        try:
            if not self._transactions.write(writes):
                return True
        except ServiceBusy:
            if self.read(account.project_id, account.id) is not None:
                raise
        return self.read(account.project_id, account.id) is None

    def _make_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        try:
            return self._secrets.create(account, secret)
        except AccountChanged:  # it is another's
            raise
        except TransientError:  # it may be made, and nobody would come back to it
            self._let_secret_go(account)
            raise

    def _let_secret_go(self, account: MailAccount) -> None:
        with suppress(TransientError):
            self._secrets.let_go(account.project_id, account.id)

    def stored_secret(self, account: MailAccount) -> AccountSecret | None:
        """What stands in the account's secret; None: there is none that can be read.

        Raises:
            TransientError: Secrets Manager cannot answer now.
        """
        return self._secrets.read(account)

    def store_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write a version of the account's secret, which takes effect once the account names it; the version's id.

        Raises:
            SecretUnavailable: it cannot be written with our rights, or is being deleted.
            TransientError: Secrets Manager cannot answer now.
        """
        return self._secrets.put(account, secret)

    def _replacing(
        self, before: MailAccount, after: MailAccount, refresh_at: datetime | None
    ) -> TransactWriteItemTypeDef:
        values: dict[str, AttributeValueTypeDef] = {":version": {"N": str(before.version)}}
        condition = "version = :version AND attribute_not_exists(credential_version)"
        if before.credential_version is not None:
            condition = "version = :version AND credential_version = :credential_version"
            values[":credential_version"] = {"S": before.credential_version}
        return {
            "Put": {
                "TableName": self._table,
                "Item": _item(after, refresh_at),
                "ConditionExpression": condition,
                "ExpressionAttributeValues": values,
            }
        }


def _item(account: MailAccount, refresh_at: datetime | None) -> dict[str, AttributeValueTypeDef]:
    item = items.key_of(account.project_id, account.id) | {
        "version": {"N": str(account.version)},
        "document": items.write_document(account),
        "state": items.write_state(account),
    }
    if account.credential_version is not None:
        item["credential_version"] = {"S": account.credential_version}
    return item | (items.write_due(account, refresh_at) if refresh_at is not None else {})
