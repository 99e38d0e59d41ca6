"""Secrets are read once for each of their versions, and what goes wrong says whether waiting helps."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError, ReadTimeoutError
from tocsin.adapters.secret_errors import error_of
from tocsin.adapters.secret_store import SecretStore
from tocsin.errors import AccountChanged, SecretUnavailable, TransientError

from tests.unit.model.examples import account

if TYPE_CHECKING:
    from botocore.exceptions import BotoCoreError
    from mypy_boto3_secretsmanager import SecretsManagerClient

type Json = dict[str, Any]

SECRET = json.dumps(
    {"saved_for": {"host": "relay.example", "port": 587, "security": "starttls", "username": "ops"}, "password": "pass"}
)


class FakeSecretsManager:
    """Secrets Manager that gives every call this answer, or raises it."""

    def __init__(self, answer: Json | Exception) -> None:
        self.answer = answer
        self.asked: list[tuple[str, str]] = []

    def get_secret_value(self, *, SecretId: str, VersionId: str) -> Json:  # noqa: N803  (the service's names)
        """Give the answer."""
        self.asked.append((SecretId, VersionId))
        if isinstance(self.answer, Exception):
            raise self.answer
        return self.answer


def _store(client: FakeSecretsManager) -> SecretStore:
    return SecretStore(lambda: cast("SecretsManagerClient", client), "tocsin/test")


def _refusal(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": "said with pass"}}, "GetSecretValue")


def test_a_version_is_read_once_and_each_version_project_and_account_apart() -> None:
    client = FakeSecretsManager({"SecretString": SECRET})
    store = _store(client)
    accounts = [
        account(),
        account(version=2),  # a change of the settings that kept the secret
        account(credential_version="v2"),
        account("second"),
        account(project_id="other"),
    ]

    secrets = [store.secret(one) for one in accounts * 2]

    assert {secret.password.get_secret_value() for secret in secrets if secret.password is not None} == {"pass"}
    assert client.asked == [
        ("tocsin/test/acme/first", "v1"),
        ("tocsin/test/acme/first", "v2"),
        ("tocsin/test/acme/second", "v1"),
        ("tocsin/test/other/first", "v1"),
    ]


def test_an_account_that_names_no_version_has_no_secret() -> None:
    client = FakeSecretsManager({"SecretString": SECRET})

    with pytest.raises(SecretUnavailable):
        _store(client).secret(account(credential_version=None))

    assert client.asked == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        pytest.param(_refusal("ResourceNotFoundException"), SecretUnavailable, id="missing"),
        pytest.param(_refusal("InvalidRequestException"), SecretUnavailable, id="marked-for-deletion"),
        pytest.param(_refusal("DecryptionFailure"), SecretUnavailable, id="key-not-ours"),
        pytest.param(_refusal("AccessDeniedException"), TransientError, id="denied"),
        pytest.param(_refusal("ThrottlingException"), TransientError, id="throttled"),
        pytest.param(_refusal("InternalServiceError"), TransientError, id="their-trouble"),
        pytest.param(_refusal("SomethingNew"), TransientError, id="unheard-of"),
        pytest.param(EndpointConnectionError(endpoint_url="https://x"), TransientError, id="no-network"),
        pytest.param(ReadTimeoutError(endpoint_url="https://x"), TransientError, id="no-answer"),
        pytest.param({"SecretString": SECRET[:-1]}, SecretUnavailable, id="broken-json"),
        pytest.param({"SecretString": '"pass"'}, SecretUnavailable, id="no-object"),
        pytest.param({"SecretString": '{"password": "pass"}'}, SecretUnavailable, id="bound-to-nothing"),
        pytest.param({"SecretBinary": b"pass"}, SecretUnavailable, id="binary"),
    ],
)
def test_what_goes_wrong_says_whether_waiting_helps_and_nothing_of_the_secret(
    answer: Json | Exception, error: type[Exception]
) -> None:
    with pytest.raises(error) as raised:
        _store(FakeSecretsManager(answer)).secret(account())

    assert type(raised.value) is error
    assert "pass" not in repr(raised.value)
    assert raised.value.__suppress_context__


def test_what_failed_is_asked_for_again() -> None:
    client = FakeSecretsManager(_refusal("ThrottlingException"))
    store = _store(client)
    with pytest.raises(TransientError):
        store.secret(account())
    client.answer = {"SecretString": SECRET}

    assert store.secret(account()).password is not None


@pytest.mark.parametrize(
    ("theirs", "ours"),
    [
        (_refusal("ResourceExistsException"), AccountChanged),
        (_refusal("ResourceNotFoundException"), SecretUnavailable),
        (_refusal("LimitExceededException"), TransientError),
        (EndpointConnectionError(endpoint_url="https://x"), TransientError),
    ],
)
def test_every_error_of_theirs_has_one_of_ours(theirs: ClientError | BotoCoreError, ours: type[Exception]) -> None:
    assert type(error_of(theirs)) is ours
