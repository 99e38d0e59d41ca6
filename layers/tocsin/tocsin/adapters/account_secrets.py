"""The secrets of mail accounts as those write them who change accounts: made, read whole, replaced, let go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.errors import SecretUnavailable
from tocsin.model.credential import AccountSecret

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from tocsin.model.mail_account import MailAccount

_RECOVERY_DAYS = 7  # the least that Secrets Manager takes, unless nothing is to be recoverable


class AccountSecrets:
    """Secrets named `<prefix>/<project>/<mail account>`, encrypted with `key`."""

    def __init__(self, client: Callable[[], SecretsManagerClient], *, prefix: str, key: str) -> None:
        self._client = client
        self._prefix = prefix
        self._key = key

    def create(self, account: MailAccount, secret: AccountSecret) -> str:
        """Make the secret of a new account; the version's id.

        Raises:
            AccountChanged: there is a secret of this name.
            TransientError: Secrets Manager cannot answer now.
        """
        try:
            answer = self._client().create_secret(
                Name=self._name(account),
                KmsKeyId=self._key,
                SecretString=json.dumps(secret.reveal()),
                Tags=[{"Key": "tocsin:project", "Value": account.project_id}],
            )
        except SECRETS_MANAGER_ERRORS as error:
            raise error_of(error) from None
        return answer["VersionId"]

    def read(self, account: MailAccount) -> AccountSecret | None:
        """The newest version; None: there is none that can be read.

        Raises:
            TransientError: Secrets Manager cannot answer now.
        """
        try:
            answer = self._client().get_secret_value(SecretId=self._name(account))
            return AccountSecret.model_validate_json(answer["SecretString"])
        except SECRETS_MANAGER_ERRORS as error:
            if isinstance(found := error_of(error), SecretUnavailable):
                return None
            raise found from None
        except (ValidationError, KeyError):
            return None

    def put(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write a version, of a secret that is made where there is none; the version's id.

        Raises:
            SecretUnavailable: it is being deleted.
            TransientError: Secrets Manager cannot answer now.
        """
        client = self._client()
        try:
            answer = client.put_secret_value(SecretId=self._name(account), SecretString=json.dumps(secret.reveal()))
        except client.exceptions.ResourceNotFoundException:
            return self.create(account, secret)
        except SECRETS_MANAGER_ERRORS as error:
            raise error_of(error) from None
        return answer["VersionId"]

    def withdraw(self, account: MailAccount, version: str) -> None:
        """Let the version that the account names be the current one again, instead of `version`."""
        if account.credential_version is None:
            return
        try:
            self._client().update_secret_version_stage(
                SecretId=self._name(account),
                VersionStage="AWSCURRENT",
                MoveToVersionId=account.credential_version,
                RemoveFromVersionId=version,
            )
        except SECRETS_MANAGER_ERRORS as error:
            # What is wrong with the change is told; that the secret of another stands there, its next saving mends.
            if isinstance(error_of(error), SecretUnavailable):
                return
            raise error_of(error) from None

    def delete(self, account: MailAccount) -> None:
        """Let the account's secret go, if it has one: it can be recovered for a week."""
        if account.credential_version is None:
            return
        client = self._client()
        try:
            client.delete_secret(SecretId=self._name(account), RecoveryWindowInDays=_RECOVERY_DAYS)
        except client.exceptions.ResourceNotFoundException:
            return

    def _name(self, account: MailAccount) -> str:
        return f"{self._prefix}/{account.project_id}/{account.id}"
