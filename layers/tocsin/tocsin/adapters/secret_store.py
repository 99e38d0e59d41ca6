"""The secrets of mail accounts in Secrets Manager, read once per credential version."""

from __future__ import annotations

from threading import Lock
from typing import TYPE_CHECKING

from pydantic import ValidationError

from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.errors import SecretUnavailable
from tocsin.model.credential import AccountSecret

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

    from tocsin.model.mail_account import MailAccount

_KEPT = 1000


class SecretStore:
    """Secrets named `<prefix>/<project>/<mail account>`, kept in memory under project + account + version."""

    def __init__(self, client: Callable[[], SecretsManagerClient], prefix: str) -> None:
        self._client = client
        self._prefix = prefix
        self._read: dict[tuple[str, str, str], AccountSecret] = {}
        self._lock = Lock()

    def secret(self, account: MailAccount) -> AccountSecret:
        """The account's secret at its credential version.

        Raises:
            SecretUnavailable: it is missing, not ours to read, or no secret of a mail account.
            TransientError: Secrets Manager cannot answer now.
        """
        version = account.credential_version
        if version is None:
            raise SecretUnavailable("the mail account names no version of its secret")
        key = (account.project_id, account.id, version)
        with self._lock:
            kept = self._read.get(key)
        if kept is not None:
            return kept
        secret = self._get(f"{self._prefix}/{account.project_id}/{account.id}", version)
        with self._lock:
            if len(self._read) >= _KEPT:
                self._read.clear()
            self._read[key] = secret
        return secret

    def _get(self, name: str, version: str) -> AccountSecret:
        try:
            text = self._client().get_secret_value(SecretId=name, VersionId=version)["SecretString"]
            return AccountSecret.model_validate_json(text)
        except SECRETS_MANAGER_ERRORS as error:
            raise error_of(error) from None
        except (ValidationError, KeyError):
            raise SecretUnavailable("the secret is not a mail account's JSON") from None
