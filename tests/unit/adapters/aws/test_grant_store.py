"""Mail accounts and their secrets as renewals write them, where answers are lost, refused or not known."""

from __future__ import annotations

import json
from datetime import timedelta
from itertools import count
from typing import TYPE_CHECKING, Any, cast

import boto3
import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError, ReadTimeoutError
from moto import mock_aws
from pydantic import SecretStr
from tocsin.adapters import mail_account_items as items
from tocsin.adapters.grant_store import GrantStore
from tocsin.adapters.transactions import Transactions
from tocsin.errors import AccountChanged, SecretUnavailable, TransientError
from tocsin.model.credential import AccountSecret
from tocsin.model.grant import credential_version

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from botocore.exceptions import BotoCoreError
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_secretsmanager import SecretsManagerClient
    from tocsin.model.mail_account import MailAccount

TABLE = "UnitTestGrants"
PREFIX = "tocsin/unit"
LATER = NOW + timedelta(hours=1)
_NAMED = "version-that-the-account-names-0"
_numbers = count(1)


@pytest.fixture(scope="module")
def aws() -> Iterator[DynamoDBClient]:
    """A table for mail accounts, and Secrets Manager."""
    with mock_aws():
        client = boto3.client("dynamodb", region_name="us-east-1")
        client.create_table(
            TableName=TABLE,
            BillingMode="PAY_PER_REQUEST",
            AttributeDefinitions=[{"AttributeName": name, "AttributeType": "S"} for name in ("project_id", "sk")],
            KeySchema=[
                {"AttributeName": "project_id", "KeyType": "HASH"},
                {"AttributeName": "sk", "KeyType": "RANGE"},
            ],
        )
        yield client
        client.delete_table(TableName=TABLE)


def _secrets() -> SecretsManagerClient:
    return boto3.client("secretsmanager", region_name="us-east-1")


def _secret(token: str, *, version: int) -> AccountSecret:
    return AccountSecret(saved_for=_ACCOUNT.secret_binding, access_token=SecretStr(token), grant_version=version)


_ACCOUNT = account(
    auth={"type": "oauth2", "username": "ops", "oauth2": {"grant": "refresh_token", "client_id": "c"}},
    status="verified",
    grant={"version": 1},
    credential_version=_NAMED,
)


@pytest.fixture
def saved(aws: DynamoDBClient) -> MailAccount:
    """A stored account of this test's own, with its secret."""
    one = _ACCOUNT.model_copy(update={"id": f"account-{next(_numbers)}"})
    aws.put_item(
        TableName=TABLE,
        Item={
            **items.key_of(one.project_id, one.id),
            "version": {"N": "1"},
            "document": items.write_document(one),
            "state": items.write_state(one),
            "credential_version": {"S": _NAMED},
        },
    )
    _secrets().create_secret(
        Name=_name(one), SecretString=json.dumps(_secret("old", version=1).reveal()), ClientRequestToken=_NAMED
    )
    return one


@pytest.fixture
def store(aws: DynamoDBClient) -> GrantStore:
    """The store over both."""
    return _store(aws, _secrets())


def _store(dynamodb: object, secrets: object) -> GrantStore:
    client = cast("SecretsManagerClient", secrets)
    return GrantStore(
        cast("DynamoDBClient", dynamodb),
        lambda: client,
        table=TABLE,
        secret_prefix=PREFIX,
        transactions=Transactions(cast("DynamoDBClient", dynamodb), pause=lambda _: None),
        clock=lambda: NOW,
    )


def _name(one: MailAccount) -> str:
    return f"{PREFIX}/{one.project_id}/{one.id}"


def _versions(one: MailAccount) -> list[str]:
    return [version["VersionId"] for version in _secrets().list_secret_version_ids(SecretId=_name(one))["Versions"]]


class FailingSecretsManager:
    """Secrets Manager that raises this at every call."""

    def __init__(self, error: Exception) -> None:
        self._error = error

    def get_secret_value(self, **_: object) -> object:
        """Raise it."""
        raise self._error

    put_secret_value = get_secret_value


class LosingAnswers:
    """A client whose first answer to `lossy` is lost after the call was carried out, so that it is made again.

    With `raises` the caller is told; without, the SDK makes the call again on its own.
    """

    def __init__(self, client: object, lossy: str, raises: Exception | None = None) -> None:
        self._client = client
        self._lossy = lossy
        self._raises = raises

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401  (whatever the client has)
        """The client's own, but for the lossy one."""
        call = getattr(self._client, name)
        return self._twice(call) if name == self._lossy else call

    def _twice(self, call: Callable[..., object]) -> Callable[..., object]:
        def twice(**arguments: object) -> object:
            self._lossy = ""
            call(**arguments)
            if self._raises is not None:
                raise self._raises
            return call(**arguments)

        return twice


def _client_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "secret words"}}, "AnyOperation")


@pytest.mark.parametrize("call", ["read", "write"])
@pytest.mark.parametrize(
    ("error", "kind"),
    [
        pytest.param(_client_error("SomethingNew"), TransientError, id="unknown"),
        pytest.param(_client_error("AccessDeniedException"), TransientError, id="no-permission"),
        pytest.param(_client_error("ThrottlingException"), TransientError, id="throttled"),
        pytest.param(_client_error("InternalServiceError"), TransientError, id="their-trouble"),
        pytest.param(EndpointConnectionError(endpoint_url="https://x.test"), TransientError, id="no-connection"),
        pytest.param(ReadTimeoutError(endpoint_url="https://x.test"), TransientError, id="no-answer"),
        pytest.param(NoCredentialsError(), TransientError, id="no-credentials-yet"),
        pytest.param(_client_error("ResourceNotFoundException"), SecretUnavailable, id="gone"),
        pytest.param(_client_error("ResourceExistsException"), AccountChanged, id="other-tokens"),
    ],
)
def test_what_goes_wrong_at_secrets_manager_says_whether_waiting_helps(
    error: ClientError | BotoCoreError, kind: type[Exception], call: str
) -> None:
    store = _store(None, FailingSecretsManager(error))

    with pytest.raises(kind) as raised:
        _ = store.current_secret(_ACCOUNT) if call == "read" else store.put_secret(_ACCOUNT, _secret("old", version=1))

    assert raised.type is kind
    assert "secret words" not in str(raised.value)


def test_a_put_whose_answer_was_lost_is_repeated_without_a_second_version(
    aws: DynamoDBClient, saved: MailAccount
) -> None:
    new = _secret("new", version=2)
    lossy = LosingAnswers(_secrets(), "put_secret_value", ReadTimeoutError(endpoint_url="https://x.test"))
    store = _store(aws, lossy)
    before = _versions(saved)

    with pytest.raises(TransientError):
        store.put_secret(saved, new)
    version = store.put_secret(saved, new)

    assert version == credential_version(saved.project_id, saved.id, 2)
    assert sorted(_versions(saved)) == sorted([*before, version])
    assert store.current_secret(saved) == new


def test_other_tokens_under_the_same_version_of_the_grant_are_another_worker_s(
    store: GrantStore, saved: MailAccount
) -> None:
    store.put_secret(saved, _secret("new", version=2))

    with pytest.raises(AccountChanged):
        store.put_secret(saved, _secret("others", version=2))

    assert store.current_secret(saved) == _secret("new", version=2)


@pytest.mark.parametrize("credential", ["v2", _NAMED], ids=["renewed", "only-its-state"])
def test_an_update_whose_answer_was_lost_changed_the_account_all_the_same(
    aws: DynamoDBClient, saved: MailAccount, credential: str
) -> None:
    after = saved.model_copy(update={"credential_version": credential, "status": "failing"})
    store = _store(LosingAnswers(aws, "update_item"), _secrets())

    store.update(saved, after, refresh_at=LATER)

    assert store.read(saved.project_id, saved.id) == after


@pytest.mark.parametrize(
    ("change", "values"),
    [
        pytest.param("SET version = :v", {":v": {"N": "2"}}, id="edited"),
        pytest.param("SET credential_version = :v", {":v": {"S": "v2"}}, id="renewed"),
        pytest.param(None, {}, id="deleted"),
    ],
)
def test_an_account_that_another_changed_is_not_written(
    aws: DynamoDBClient, store: GrantStore, saved: MailAccount, change: str | None, values: dict[str, Any]
) -> None:
    key = items.key_of(saved.project_id, saved.id)
    if change is None:
        aws.delete_item(TableName=TABLE, Key=key)
    else:
        aws.update_item(TableName=TABLE, Key=key, UpdateExpression=change, ExpressionAttributeValues=values)
    stands = store.read(saved.project_id, saved.id)

    with pytest.raises(AccountChanged):
        store.update(saved, saved.model_copy(update={"credential_version": "v9"}), refresh_at=LATER)

    assert store.read(saved.project_id, saved.id) == stands


# --- What others found out meanwhile ---


def _found(one: MailAccount, **finding: Any) -> MailAccount:  # noqa: ANN401  (fields of any kind)
    return one.model_copy(update=finding)


def test_a_loss_is_not_overwritten_by_what_an_older_visit_found_out(store: GrantStore, saved: MailAccount) -> None:
    lost = _found(saved, status="reauthorization_required")
    store.update(saved, lost, refresh_at=None)

    with pytest.raises(AccountChanged):
        store.update(saved, _found(saved, status="verified", verified_at=NOW), refresh_at=LATER)

    assert store.read(saved.project_id, saved.id) == lost


def test_what_two_find_out_about_different_things_is_all_kept(store: GrantStore, saved: MailAccount) -> None:
    assert saved.grant is not None
    renewed = saved.grant.model_copy(update={"version": 2})
    store.update(saved, _found(saved, status="failing"), refresh_at=None)

    store.update(saved, _found(saved, grant=renewed, credential_version="v2"), refresh_at=LATER)

    now = store.read(saved.project_id, saved.id)
    assert now == _found(saved, status="failing", grant=renewed, credential_version="v2")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param('{"grant": {"version": 1},  "status": "verified"}', id="in-another-form"),
        pytest.param(None, id="nothing"),
    ],
)
def test_how_a_state_is_written_does_not_matter(
    aws: DynamoDBClient, store: GrantStore, saved: MailAccount, written: str | None
) -> None:
    item = aws.get_item(TableName=TABLE, Key=items.key_of(saved.project_id, saved.id))["Item"]
    item |= {"state": {"S": written}} if written is not None else {}
    kept = {name: value for name, value in item.items() if written is not None or name != "state"}
    aws.put_item(TableName=TABLE, Item=kept)
    read = store.read(saved.project_id, saved.id)
    assert read is not None

    store.update(read, _found(read, status="failing"), refresh_at=LATER)

    assert store.read(saved.project_id, saved.id) == _found(read, status="failing")
