"""Clients of the AWS services that we use, made so that a function starts soon.

They are boto3's clients, which botocore makes. boto3 itself is not loaded: it would load S3's transfer manager and its
resources first, which nobody uses and which take a tenth of a cold start.
"""

from __future__ import annotations

import gc
from contextlib import contextmanager
from threading import Lock
from typing import TYPE_CHECKING, Any

import botocore.session
from botocore.loaders import Loader

if TYPE_CHECKING:
    from collections.abc import Iterator

    from botocore.config import Config
    from botocore.session import Session

SERVICES = ("dynamodb", "events", "s3", "secretsmanager", "sqs")


class AwsClients:
    """Makes each service's client once, from one session."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._session: Session | None = None
        self._made: dict[str, Any] = {}
        self._lock = Lock()  # a session is not thread-safe

    def __call__(self, service: str) -> Any:  # noqa: ANN401  (each service's client is a type of its own)
        """The client of one of `SERVICES`."""
        with self._lock:
            if service not in self._made:
                with _nothing_to_collect():
                    self._made[service] = self._make(service)
            return self._made[service]

    def _make(self, service: str) -> object:
        if self._session is None:
            self._session = botocore.session.get_session()
            self._session.register_component("data_loader", _OurServices())
        made: object = self._session.create_client(service, config=self._config)
        return made


class _OurServices(Loader):
    """Knows our services by name. To learn which there are, botocore looks through four hundred folders, twice."""

    def list_available_services(self, type_name: str) -> list[str]:
        del type_name
        return list(SERVICES)


@contextmanager
def _nothing_to_collect() -> Iterator[None]:
    """Search for no garbage meanwhile: a client's model is a great many objects, and all of them are kept."""
    is_on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if is_on:
            gc.enable()
