"""Transactions: contention is waited out, conditions are reported by position."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import BotoCoreError, ClientError, EndpointConnectionError, ReadTimeoutError
from tocsin.adapters.transactions import Transactions
from tocsin.errors import ServiceBusy, TransientError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import TransactWriteItemTypeDef

type Json = dict[str, Any]

ITEMS: Sequence[TransactWriteItemTypeDef] = [
    {"Delete": {"TableName": "T", "Key": {"pk": {"S": str(n)}}}} for n in range(3)
]
NONE: Json = {"Code": "None"}
CONFLICT: Json = {"Code": "TransactionConflict"}
FAILED: Json = {"Code": "ConditionalCheckFailed", "Item": {"state": {"S": "accepted"}}}
FAILED_ON_NOTHING: Json = {"Code": "ConditionalCheckFailed"}


class _Canceled(ClientError):
    """As botocore makes it from the service's model."""


class _InProgress(ClientError):
    """As above."""


class _Exceptions:
    TransactionCanceledException = _Canceled
    TransactionInProgressException = _InProgress


class FakeClient:
    """A table that gives each call the next of these answers, and takes every further one."""

    exceptions = _Exceptions

    def __init__(self, *answers: Sequence[Json] | ClientError | BotoCoreError) -> None:
        self._answers = list(answers)
        self.calls: list[Sequence[Json]] = []
        self.tokens: list[str] = []

    def transact_write_items(
        self,
        *,
        TransactItems: Sequence[Json],  # noqa: N803  (the service's name)
        ClientRequestToken: str,  # noqa: N803  (as above)
    ) -> Json:
        """Give the next answer."""
        self.calls.append(TransactItems)
        self.tokens.append(ClientRequestToken)
        if not self._answers:
            return {}
        answer = self._answers.pop(0)
        if isinstance(answer, (ClientError, BotoCoreError)):
            raise answer
        response: Any = {"Error": {"Code": "TransactionCanceledException"}, "CancellationReasons": answer}
        raise _Canceled(response, "TransactWriteItems")


def _transactions(client: FakeClient) -> tuple[Transactions, list[float]]:
    pauses: list[float] = []
    return Transactions(cast("DynamoDBClient", client), pause=pauses.append), pauses


def _error(kind: type[ClientError], code: str, *, status: int = 400) -> ClientError:
    return kind({"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}, "TransactWriteItems")  # type: ignore[typeddict-item]  # the fields that matter


def test_an_empty_answer_means_that_all_are_written() -> None:
    client = FakeClient()
    transactions, pauses = _transactions(client)

    assert transactions.write(ITEMS) == {}
    assert (client.calls, pauses) == ([ITEMS], [])


@pytest.mark.parametrize(
    ("reasons", "failed"),
    [
        pytest.param([NONE, FAILED, NONE], {1: {"state": {"S": "accepted"}}}, id="one"),
        pytest.param([FAILED_ON_NOTHING, NONE, FAILED], {0: {}, 2: {"state": {"S": "accepted"}}}, id="two"),
        pytest.param([CONFLICT, NONE, FAILED], {2: {"state": {"S": "accepted"}}}, id="beside-contention"),
    ],
)
def test_conditions_that_do_not_hold_are_reported_by_position_at_once(
    reasons: Sequence[Json], failed: dict[int, Json]
) -> None:
    client = FakeClient(reasons)
    transactions, pauses = _transactions(client)

    assert transactions.write(ITEMS) == failed
    assert (len(client.calls), pauses) == (1, [])


@pytest.mark.parametrize(
    "contention",
    [
        pytest.param([NONE, CONFLICT, NONE], id="conflict"),
        pytest.param([{"Code": "ThrottlingError"}, NONE, NONE], id="throttled"),
        pytest.param([NONE, {"Code": "ProvisionedThroughputExceeded"}, CONFLICT], id="throughput"),
        pytest.param(_error(_InProgress, "TransactionInProgressException"), id="in-progress"),
    ],
)
def test_contention_is_tried_again_after_a_pause(contention: Any) -> None:  # noqa: ANN401  (an answer)
    client = FakeClient(contention, contention)
    transactions, pauses = _transactions(client)

    assert transactions.write(ITEMS) == {}
    assert client.calls == [ITEMS] * 3
    assert len(pauses) == 2


def test_a_transaction_on_its_way_is_asked_for_again_and_a_cancelled_one_is_another() -> None:
    client = FakeClient(_error(_InProgress, "TransactionInProgressException"), [CONFLICT])
    transactions, _ = _transactions(client)

    transactions.write(ITEMS)

    first, again, another = client.tokens
    assert first == again != another


def test_contention_that_outlasts_the_tries_is_transient_and_its_pauses_are_short_and_jittered() -> None:
    seen: set[float] = set()
    for _ in range(20):
        transactions, pauses = _transactions(FakeClient(*[[CONFLICT, NONE, NONE]] * 6))
        with pytest.raises(TransientError):
            transactions.write(ITEMS)
        assert len(pauses) == 6
        assert sum(pauses) < 2
        assert all(0 <= pause <= 0.02 * 2**attempt for attempt, pause in enumerate(pauses))
        seen.update(pauses)

    assert len(seen) > 100


BUSY = [
    pytest.param(_error(ClientError, "ThrottlingException"), id="throttled"),
    pytest.param(_error(ClientError, "ProvisionedThroughputExceededException"), id="throughput"),
    pytest.param(_error(ClientError, "RequestLimitExceeded"), id="too-many-requests"),
    pytest.param(_error(ClientError, "InternalServerError"), id="server-error"),
    pytest.param(_error(ClientError, "AnyError", status=503), id="any-5xx"),
    pytest.param(ReadTimeoutError(endpoint_url="https://aws.example"), id="lost-answer"),
    pytest.param(EndpointConnectionError(endpoint_url="https://aws.example"), id="out-of-reach"),
]


@pytest.mark.parametrize("trouble", BUSY)
def test_a_busy_service_is_asked_once_more_under_the_same_token_as_it_may_have_written(
    trouble: ClientError | BotoCoreError,
) -> None:
    client = FakeClient(trouble)
    transactions, pauses = _transactions(client)

    assert transactions.write(ITEMS) == {}
    assert client.tokens[0] == client.tokens[1]
    assert len(pauses) == 1


@pytest.mark.parametrize("trouble", BUSY)
def test_a_service_that_stays_busy_is_transient(trouble: ClientError | BotoCoreError) -> None:
    client = FakeClient(*[trouble] * 9)
    transactions, _ = _transactions(client)

    with pytest.raises(ServiceBusy):
        transactions.write(ITEMS)
    assert len(client.calls) == 2  # botocore has tried each three times


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([{"Code": "ValidationError"}, NONE, NONE], id="an-item-that-is-too-large"),
        pytest.param([{"Code": "ItemCollectionSizeLimitExceeded"}, NONE, NONE], id="a-collection-too-large"),
        pytest.param(_error(ClientError, "AccessDeniedException"), id="no-permission"),
    ],
)
def test_what_waiting_cannot_help_is_raised_at_once(answer: Any) -> None:  # noqa: ANN401  (an answer)
    client = FakeClient(answer)
    transactions, pauses = _transactions(client)

    with pytest.raises(ClientError):
        transactions.write(ITEMS)
    assert (len(client.calls), pauses) == (1, [])
