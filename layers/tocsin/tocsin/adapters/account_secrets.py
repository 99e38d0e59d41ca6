"""The secrets of mail accounts as those write them who change accounts: made, read whole, replaced, let go."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.adapters.standing_secrets import standing_secret
from tocsin.errors import SecretUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from tocsin.model.credential import AccountSecret
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
        """What stands in it; None: there is none that can be read.

        Raises:
            TransientError: Secrets Manager cannot answer now.
        """
        try:
            return standing_secret(self._client(), self._name(account), account)
        except SecretUnavailable:
            return None

    def put(self, account: MailAccount, secret: AccountSecret) -> str:
        """Write a version, of a secret that is made where there is none; its id, by which the account is to name it.

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

    def let_go(self, project_id: str, account_id: str) -> None:
        """Let an account's secret go, if it has one: it can be recovered for a week.

        Raises:
            TransientError: Secrets Manager cannot answer now.
        """
        name = f"{self._prefix}/{project_id}/{account_id}"
        try:
            self._client().delete_secret(SecretId=name, RecoveryWindowInDays=_RECOVERY_DAYS)
        except SECRETS_MANAGER_ERRORS as error:
            if not isinstance(found := error_of(error), SecretUnavailable):  # which it is once it is let go
                raise found from None

    def _name(self, account: MailAccount) -> str:
        return f"{self._prefix}/{account.project_id}/{account.id}"
