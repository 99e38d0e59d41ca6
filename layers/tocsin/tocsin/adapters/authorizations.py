"""Tickets and authorizations in EphemeralTable, by the fingerprints of their values."""

from __future__ import annotations

from contextlib import suppress
from datetime import timedelta
from typing import TYPE_CHECKING

from tocsin.adapters.aws_trouble import busy_services_are_transient
from tocsin.model.authorization import Authorization, Ticket

if TYPE_CHECKING:
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    from tocsin.model.authorization import Result

_KEPT_BEYOND_END = timedelta(minutes=30)  # a finished callback that is repeated gets its page again


class Authorizations:
    """What is between the making of a ticket and the last page of the redirect.

    Every call raises `TransientError` where the table cannot answer now. The answer to a write may be lost, and the
    write repeated: what stands there then is our own.
    """

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def add_ticket(self, fingerprint: str, ticket: Ticket) -> None:
        """Keep a new ticket."""
        self._put(_ticket_key(fingerprint), ticket)

    def ticket(self, fingerprint: str) -> Ticket | None:
        """The ticket; None where there is none, or none any more."""
        item = self._get(_ticket_key(fingerprint))
        if item is None:
            return None
        ticket = Ticket.model_validate_json(item["document"]["S"])
        return ticket.model_copy(update={"is_used": "used" in item})

    @busy_services_are_transient()
    def use_ticket(self, fingerprint: str) -> None:
        """Let the ticket open nothing more: a callback has succeeded. One that is gone opens nothing anyway."""
        with suppress(self._client.exceptions.ConditionalCheckFailedException):
            self._client.update_item(
                TableName=self._table,
                Key=_ticket_key(fingerprint),
                UpdateExpression="SET used = :yes",
                ConditionExpression="attribute_exists(pk)",
                ExpressionAttributeValues={":yes": {"BOOL": True}},
            )

    def add(self, fingerprint: str, authorization: Authorization) -> None:
        """Keep a new authorization."""
        self._put(_key(fingerprint), authorization)

    def read(self, fingerprint: str) -> Authorization | None:
        """The authorization as it stands; None where there is none, or none any more."""
        item = self._get(_key(fingerprint))
        return Authorization.model_validate_json(item["document"]["S"]) if item is not None else None

    def begin(
        self, fingerprint: str, authorization: Authorization, *, now: datetime, holder: str
    ) -> Authorization | None:
        """Take an open authorization for one callback, `holder`; None where another callback was faster."""
        after = authorization.model_copy(update={"step": "begun", "begun_at": now, "begun_by": holder})
        return self._move(fingerprint, authorization, after)

    def finish(self, fingerprint: str, authorization: Authorization, result: Result) -> None:
        """Keep the result, and forget the verifier."""
        after = authorization.model_copy(update={"step": "finished", "result": result, "code_verifier": ""})
        self._move(fingerprint, authorization, after)

    @busy_services_are_transient()
    def _move(self, fingerprint: str, before: Authorization, after: Authorization) -> Authorization | None:
        try:
            self._client.update_item(
                TableName=self._table,
                Key=_key(fingerprint),
                UpdateExpression="SET document = :after, step = :step",
                ConditionExpression="step = :before OR document = :after",
                ExpressionAttributeValues={
                    ":after": {"S": after.model_dump_json()},
                    ":step": {"S": after.step},
                    ":before": {"S": before.step},
                },
            )
        except self._client.exceptions.ConditionalCheckFailedException:
            return None
        return after

    @busy_services_are_transient()
    def _put(self, key: dict[str, AttributeValueTypeDef], kept: Ticket | Authorization) -> None:
        ends = kept.expires_at + _KEPT_BEYOND_END
        item = key | {"document": {"S": kept.model_dump_json()}, "ttl": {"N": str(int(ends.timestamp()))}}
        if isinstance(kept, Authorization):
            item["step"] = {"S": kept.step}
        self._client.put_item(
            TableName=self._table,
            Item=item,
            ConditionExpression="attribute_not_exists(pk) OR document = :document",
            ExpressionAttributeValues={":document": item["document"]},
        )

    @busy_services_are_transient()
    def _get(self, key: dict[str, AttributeValueTypeDef]) -> dict[str, AttributeValueTypeDef] | None:
        return self._client.get_item(TableName=self._table, Key=key, ConsistentRead=True).get("Item")


def _ticket_key(fingerprint: str) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"ticket#{fingerprint}"}}


def _key(fingerprint: str) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"authorization#{fingerprint}"}}
