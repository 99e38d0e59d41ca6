"""What stands in a secret of which more was written than its account names."""

from __future__ import annotations

import json
from itertools import count
from typing import TYPE_CHECKING

import boto3
import pytest
from moto import mock_aws
from tocsin.adapters.account_secrets import AccountSecrets
from tocsin.adapters.standing_secrets import standing_secret
from tocsin.errors import SecretUnavailable
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import credential_version

from tests.unit.model.examples import account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mypy_boto3_secretsmanager import SecretsManagerClient
    from tocsin.model.mail_account import MailAccount

PREFIX = "tocsin/unit-of-standing-secrets"
NAMED = "version-that-the-account-names-0"
ELSEWHERE = {"host": "other.example", "port": 587, "security": "starttls", "username": "ops"}
_numbers = count(1)


@pytest.fixture(scope="module")
def client() -> Iterator[SecretsManagerClient]:
    """Secrets Manager."""
    with mock_aws():
        yield boto3.client("secretsmanager", region_name="us-east-1")


@pytest.fixture
def saved(client: SecretsManagerClient) -> MailAccount:
    """An account of this test's own, whose secret is as it names it."""
    one = account(f"account-{next(_numbers)}", credential_version=NAMED)
    client.create_secret(Name=_name(one), SecretString=_text(one, "named", grant=3), ClientRequestToken=NAMED)
    return one


def _name(one: MailAccount) -> str:
    return f"{PREFIX}/{one.project_id}/{one.id}"


def _text(one: MailAccount, value: str, *, grant: int, **changes: object) -> str:
    """A secret all of whose parts have this value."""
    secret = AccountSecret.model_validate(
        {
            "saved_for": one.secret_binding,
            "password": value,
            "client_secret": value,
            "access_token": value,
            "refresh_token": value,
            "grant_version": grant,
            "account_version": 1,
            **changes,
        }
    )
    return json.dumps(secret.reveal())


def _renew(client: SecretsManagerClient, one: MailAccount, *, grant: int, **changes: object) -> None:
    """Store tokens, as a renewal does that dies before the account names them."""
    text = _text(one, f"renewed-{grant}", grant=grant, **changes)
    version = credential_version(one.project_id, one.id, grant)
    client.put_secret_value(SecretId=_name(one), SecretString=text, ClientRequestToken=version)


def _edit(client: SecretsManagerClient, one: MailAccount) -> None:
    """Store a secret, as an admin's change does whose settings are not written."""
    client.put_secret_value(SecretId=_name(one), SecretString=_text(one, "never-saved", grant=3))


def _parts(secret: AccountSecret) -> dict[str, object]:
    names = ("password", "client_secret", "access_token", "refresh_token", "grant_version")
    return {name: value for name, value in secret.reveal().items() if name in names}


def _of(value: str, *, tokens: str, grant: int) -> dict[str, object]:
    of_admin = dict.fromkeys(("password", "client_secret"), value)
    return of_admin | dict.fromkeys(("access_token", "refresh_token"), tokens) | {"grant_version": grant}


@pytest.mark.parametrize(
    ("written", "tokens", "grant"),
    [
        ((), "named", 3),
        (("edit",), "named", 3),
        (("edit", "edit"), "named", 3),
        ((4,), "renewed-4", 4),
        ((4, 5), "renewed-5", 5),
        ((4, "edit"), "renewed-4", 4),
        (("edit", 4), "renewed-4", 4),
    ],
)
def test_what_an_admin_wrote_counts_once_it_is_named_and_tokens_at_once(
    client: SecretsManagerClient, saved: MailAccount, written: tuple[int | str, ...], tokens: str, grant: int
) -> None:
    for one in written:
        _edit(client, saved) if isinstance(one, str) else _renew(client, saved, grant=one)

    secret = standing_secret(client, _name(saved), saved)

    assert _parts(secret) == _of("named", tokens=tokens, grant=grant)


def test_tokens_that_were_obtained_for_other_settings_are_left_where_they_are(
    client: SecretsManagerClient, saved: MailAccount
) -> None:
    _renew(client, saved, grant=4, saved_for=ELSEWHERE, account_version=2)

    secret = standing_secret(client, _name(saved), saved)

    assert _parts(secret) == _of("named", tokens="named", grant=4)
    assert (saved.may_use(secret), secret.account_version) == (True, 1)


@pytest.mark.parametrize("named", [None, "version-that-is-not-there-at-all-0"], ids=["none", "gone"])
def test_an_account_has_no_secret_but_the_one_that_it_names(
    client: SecretsManagerClient, saved: MailAccount, named: str | None
) -> None:
    other = saved.model_copy(update={"credential_version": named})

    with pytest.raises(SecretUnavailable):
        standing_secret(client, _name(saved), other)

    assert AccountSecrets(lambda: client, prefix=PREFIX, key="key").read(other) is None
