"""TransactWriteItems, with its cancellation reasons read and its contention waited out."""

from __future__ import annotations

import random
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.errors import ServiceBusy, TransientError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

_CONTENTION = frozenset({"TransactionConflict", "ThrottlingError", "ProvisionedThroughputExceeded"})
_TRIES = 6
_TRIES_OF_A_BUSY_SERVICE = 2  # behind each stand botocore's own, with pauses of seconds
_FIRST_PAUSE_SECONDS = 0.02


class Transactions:
    """Writes up to 100 items, all or none. Pauses between tries are jittered and under two seconds in all."""

    def __init__(self, client: DynamoDBClient, *, pause: Callable[[float], None]) -> None:
        self._client = client
        self._pause = pause

    def write(self, items: Sequence[TransactWriteItemTypeDef]) -> dict[int, Item]:
        """Write the items; an empty answer means that all are written, else none is.

        Returns, by position, what stands where a condition did not hold (empty where nothing stands there).

        Raises:
            TransientError: contention or throttling outlasted the tries (`ServiceBusy`: it may be written).
        """
        token = uuid4().hex
        troubles = 0
        for attempt in range(_TRIES):
            try:
                with busy_services_are_transient():
                    self._client.transact_write_items(TransactItems=items, ClientRequestToken=token)
            except self._client.exceptions.TransactionCanceledException as error:
                reasons: Sequence[Any] = error.response.get("CancellationReasons", ())
                codes = {reason.get("Code") for reason in reasons}
                if "ConditionalCheckFailed" in codes:
                    return _failed(reasons)
                if not codes & _CONTENTION:
                    raise
                token = uuid4().hex  # a cancelled transaction is over; the next is another one
            except self._client.exceptions.TransactionInProgressException:
                pass  # ours, still on its way: asking again with the same token tells how it ended
            except ServiceBusy:  # as above, or it never came there
                troubles += 1
                if troubles == _TRIES_OF_A_BUSY_SERVICE:
                    raise
            else:
                return {}
            self.pause_before_try(attempt + 1)
        raise TransientError("the table is busy: contention outlasted the tries")

    def pause_before_try(self, attempt: int) -> None:
        """Wait a moment, longer before each further try (1 is the first that repeats)."""
        self._pause(random.uniform(0, _FIRST_PAUSE_SECONDS * 2 ** (attempt - 1)))  # noqa: S311  (jitter, no secret)


def _failed(reasons: Sequence[Mapping[str, Any]]) -> dict[int, Item]:
    return {
        position: reason.get("Item", {})
        for position, reason in enumerate(reasons)
        if reason.get("Code") == "ConditionalCheckFailed"
    }
