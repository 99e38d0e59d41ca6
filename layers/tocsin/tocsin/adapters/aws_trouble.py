"""Which errors of AWS pass on their own, whatever service they come from."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004  (botocore's)

from tocsin.errors import ServiceBusy

if TYPE_CHECKING:
    from collections.abc import Iterator

_SERVERS_FAULT = 500
_PASSING = frozenset(
    {
        "InternalServerError",
        "KMSThrottlingException",
        "LimitExceededException",
        "PriorRequestNotComplete",
        "ProvisionedThroughputExceededException",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestTimeout",
        "SlowDown",
        "Throttling",
        "ThrottlingException",
        "TooManyRequestsException",
        "TransactionConflictException",
    }
)


def passes(error: ClientError | BotoCoreError) -> bool:
    """Whether the same call may succeed later: the service is busy, failing or out of reach."""
    if not isinstance(error, ClientError):
        return isinstance(error, (ConnectionError, HTTPClientError))
    status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
    return error.response["Error"]["Code"] in _PASSING or status >= _SERVERS_FAULT


@contextmanager
def busy_services_are_transient() -> Iterator[None]:
    """Make what passes on its own one of our own errors; a missing permission, say, stays what it is.

    Raises:
        ServiceBusy: an AWS service is busy, failing or out of reach; botocore's own tries are over.
    """
    try:
        yield
    except (ClientError, BotoCoreError) as error:
        if not passes(error):
            raise
        code = error.response["Error"]["Code"] if isinstance(error, ClientError) else type(error).__name__
        raise ServiceBusy(f"AWS says {code}") from error
