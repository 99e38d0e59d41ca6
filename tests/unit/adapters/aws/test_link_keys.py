"""Link keys are read once in ten minutes; the key before the newest still opens links, and a new one does at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError
from tocsin.adapters.link_keys import LinkKeys
from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.signed_token import BadToken, LinkKey, sign

if TYPE_CHECKING:
    from mypy_boto3_secretsmanager import SecretsManagerClient

NAME = "tocsin/test/link-keys"
CURRENT, PREVIOUS, NEXT = (f"{letter * 40}" for letter in "cpn")


class FakeSecretsManager:
    """The versions of one secret by their stages, or what Secrets Manager says instead."""

    def __init__(self, **versions: str) -> None:
        self.versions = versions
        self.refusal: str | None = None
        self.asked: list[str] = []

    def get_secret_value(self, *, SecretId: str, VersionStage: str) -> dict[str, Any]:  # noqa: N803  (the service's)
        """Give the version."""
        assert SecretId == NAME
        self.asked.append(VersionStage)
        if self.refusal or VersionStage not in self.versions:
            code = self.refusal or "ResourceNotFoundException"
            raise ClientError({"Error": {"Code": code, "Message": "said"}}, "GetSecretValue")
        return {"SecretString": self.versions[VersionStage]}


class Clock:
    """Seconds that pass when they are told to."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        """Give the time."""
        return self.seconds


def _keys(client: FakeSecretsManager, clock: Clock | None = None) -> LinkKeys:
    return LinkKeys(lambda: cast("SecretsManagerClient", client), NAME, monotonic=clock or Clock())


def _token(key: str) -> str:
    return sign({"exp": 1}, purpose="test", key=LinkKey(key.encode()))


def test_the_current_key_is_read_once_in_ten_minutes() -> None:
    client, clock = FakeSecretsManager(AWSCURRENT=CURRENT), Clock()
    keys = _keys(client, clock)

    for seconds in (0, 599, 1, 599):
        clock.seconds += seconds
        assert keys.current().octets == CURRENT.encode()

    assert client.asked == ["AWSCURRENT"] * 2


@pytest.mark.parametrize(("key", "calls"), [(CURRENT, 1), (PREVIOUS, 2)])
def test_both_keys_open_links_and_each_is_read_once(key: str, calls: int) -> None:
    client = FakeSecretsManager(AWSCURRENT=CURRENT, AWSPREVIOUS=PREVIOUS)
    keys = _keys(client)

    for _ in range(3):
        assert [found.octets for found in keys.for_token(_token(key))] == [key.encode()]

    assert len(client.asked) == calls


def test_a_link_of_a_key_that_came_meanwhile_opens_within_half_a_minute() -> None:
    client, clock = FakeSecretsManager(AWSCURRENT=CURRENT), Clock()
    keys = _keys(client, clock)
    keys.current()
    client.versions = {"AWSCURRENT": NEXT, "AWSPREVIOUS": CURRENT}
    clock.seconds += 30

    assert [found.octets for found in keys.for_token(_token(NEXT))] == [NEXT.encode()]
    assert [found.octets for found in keys.for_token(_token(CURRENT))] == [CURRENT.encode()]


def test_links_that_somebody_makes_up_cost_two_calls_in_half_a_minute() -> None:
    client, clock = FakeSecretsManager(AWSCURRENT=CURRENT), Clock()
    keys = _keys(client, clock)

    for _ in range(5):
        assert keys.for_token(_token(NEXT)) == ()
        clock.seconds += 5

    assert client.asked == ["AWSCURRENT", "AWSPREVIOUS"]


def test_what_is_no_token_costs_no_call() -> None:
    client = FakeSecretsManager(AWSCURRENT=CURRENT)

    with pytest.raises(BadToken):
        _keys(client).for_token("no token")

    assert client.asked == []


@pytest.mark.parametrize("versions", [{}, {"AWSCURRENT": "short"}], ids=["missing", "no-key"])
def test_without_a_key_nothing_is_signed_or_opened(versions: dict[str, str]) -> None:
    keys = _keys(FakeSecretsManager(**versions))

    with pytest.raises(SecretUnavailable):
        keys.current()
    with pytest.raises(SecretUnavailable):
        keys.for_token(_token(CURRENT))


def test_trouble_of_the_service_is_not_remembered() -> None:
    client = FakeSecretsManager(AWSCURRENT=CURRENT)
    keys = _keys(client)
    client.refusal = "ThrottlingException"
    with pytest.raises(TransientError):
        keys.current()
    client.refusal = None

    assert keys.current().octets == CURRENT.encode()
