"""What stands in the secret of a mail account: what its settings name, and the tokens that were stored since."""

from __future__ import annotations

from itertools import count
from typing import TYPE_CHECKING, Unpack

from pydantic import ValidationError

from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.errors import SecretUnavailable
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import credential_version

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from mypy_boto3_secretsmanager.type_defs import GetSecretValueRequestTypeDef

    from tocsin.model.mail_account import MailAccount


def standing_secret(client: SecretsManagerClient, name: str, account: MailAccount) -> AccountSecret:
    """The version that the account names, with newer tokens where a renewal stored them and could not say so.

    Who writes a secret may die, or fail, before the settings name it. What an admin wrote then takes no effect, now or
    later; tokens do, since the refresh token before them may be dead.

    Raises:
        SecretUnavailable: there is none, it is not ours to read, or no mail account's.
        TransientError: Secrets Manager cannot answer now.
    """
    named = account.credential_version
    if named is None:
        raise SecretUnavailable("the mail account names no version of its secret")
    version, secret = _read(client, SecretId=name)
    if version == named:
        return secret
    _, secret = _read(client, SecretId=name, VersionId=named)
    for newer in _renewals(client, name, account, since=secret.grant_version):
        secret = secret.with_tokens_of(newer)
    return secret


def _renewals(client: SecretsManagerClient, name: str, account: MailAccount, *, since: int) -> Iterator[AccountSecret]:
    """What was stored for each later version of the grant, in order: each has an id that can be told."""
    for number in count(since + 1):
        version = credential_version(account.project_id, account.id, number)
        try:
            yield _read(client, SecretId=name, VersionId=version)[1]
        except SecretUnavailable:
            return


def _read(client: SecretsManagerClient, **which: Unpack[GetSecretValueRequestTypeDef]) -> tuple[str, AccountSecret]:
    try:
        answer = client.get_secret_value(**which)
        return answer["VersionId"], AccountSecret.model_validate_json(answer["SecretString"])
    except SECRETS_MANAGER_ERRORS as error:
        raise error_of(error) from None
    except (ValidationError, KeyError):
        raise SecretUnavailable("the secret is not a mail account's JSON") from None
