"""Clients are made once each, for the services that we use and no others."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from botocore.config import Config
from botocore.exceptions import UnknownServiceError
from tocsin.adapters.aws_clients import SERVICES, AwsClients


@pytest.fixture
def clients(monkeypatch: pytest.MonkeyPatch) -> AwsClients:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    return AwsClients(Config(read_timeout=7))


@pytest.mark.parametrize("service", SERVICES)
def test_the_client_of_a_service_is_that_services_and_configured(clients: AwsClients, service: str) -> None:
    client = clients(service)

    assert client.meta.service_model.service_name == service
    assert client.meta.config.read_timeout == 7


def test_threads_that_ask_at_once_get_one_client(clients: AwsClients) -> None:
    with ThreadPoolExecutor(4) as pool:
        made = list(pool.map(clients, ["events"] * 4))

    assert len(set(map(id, made))) == 1


def test_another_service_is_not_looked_for(clients: AwsClients) -> None:
    with pytest.raises(UnknownServiceError):
        clients("ec2")
