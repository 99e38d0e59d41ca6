"""Answers in EphemeralTable by the keys of their requests, so that a request that is repeated is not done again."""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any, cast

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.model.settings_error import EndNotKnown, KeyInUse, KeyOfAnotherRequest

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_KEPT = timedelta(hours=24)
_CARRIED_OUT_WITHIN = timedelta(seconds=35)  # the function has 29
_SALT_OCTETS = 16


@dataclass(frozen=True, slots=True, kw_only=True)
class KeptAnswer:
    """What was answered."""

    status: int
    headers: Mapping[str, str]
    body: str = field(repr=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """A request that its caller now carries out, and then finishes or forgets."""

    key: dict[str, AttributeValueTypeDef]
    holder: str


class IdempotencyKeys:
    """The keys of the last 24 hours."""

    def __init__(self, client: DynamoDBClient, table: str, *, clock: Callable[[], datetime]) -> None:
        self._client = client
        self._table = table
        self._clock = clock

    def begin(self, name: str, request: str) -> Begun | KeptAnswer:
        """Take the key for `request`, or give what was answered to it.

        A body may hold passwords, so it is kept as a salted hash that is slow to guess from.

        Raises:
            KeyInUse: somebody is carrying it out.
            EndNotKnown: somebody began to, and died or could not keep the answer.
            KeyOfAnotherRequest: the key was used for another one.
        """
        begun = Begun(key=_key(name), holder=secrets.token_hex(16))
        found = self._put(begun, request)
        if found is None:
            return begun
        if not hmac.compare_digest(found["request"]["S"], _hash(request, found["salt"]["S"])):
            raise KeyOfAnotherRequest("the key was used for another request")
        if "answer" not in found and int(found["ends_at"]["N"]) > self._clock().timestamp():
            raise KeyInUse("the request is being carried out")
        if "answer" not in found:
            raise EndNotKnown("the request was begun")
        return KeptAnswer(**json.loads(found["answer"]["S"]))

    def finish(self, begun: Begun, answer: KeptAnswer) -> bool:
        """Keep the answer; whether it is kept. If not, the request can be repeated with another key only."""
        text = json.dumps({"status": answer.status, "headers": dict(answer.headers), "body": answer.body})
        try:
            self._client.update_item(
                TableName=self._table,
                Key=begun.key,
                UpdateExpression="SET answer = :answer",
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":answer": {"S": text}, ":holder": {"S": begun.holder}},
            )
        except (ClientError, BotoCoreError):
            return False
        return True

    def forget(self, begun: Begun) -> None:
        """Let the request be made again, if that can be written: nothing came of it."""
        try:
            self._client.delete_item(
                TableName=self._table,
                Key=begun.key,
                ConditionExpression="holder = :holder",
                ExpressionAttributeValues={":holder": {"S": begun.holder}},
            )
        except (ClientError, BotoCoreError):
            return

    def _put(self, begun: Begun, request: str) -> Mapping[str, Any] | None:
        """What stands there already; None: nothing, and the key is taken now."""
        now, salt = self._clock(), secrets.token_hex(_SALT_OCTETS)
        item: dict[str, AttributeValueTypeDef] = begun.key | {
            "holder": {"S": begun.holder},
            "salt": {"S": salt},
            "request": {"S": _hash(request, salt)},
            "ends_at": {"N": _seconds(now + _CARRIED_OUT_WITHIN)},
            "ttl": {"N": _seconds(now + _KEPT)},
        }
        try:
            self._client.put_item(
                TableName=self._table,
                Item=item,
                # The last part: the answer to our own write may have been lost, and the write repeated.
                ConditionExpression="attribute_not_exists(pk) OR #ttl <= :now OR holder = :holder",
                ExpressionAttributeNames={"#ttl": "ttl"},
                ExpressionAttributeValues={":now": {"N": _seconds(now)}, ":holder": {"S": begun.holder}},
                ReturnValuesOnConditionCheckFailure="ALL_OLD",
            )
        except self._client.exceptions.ConditionalCheckFailedException as error:
            return cast("Mapping[str, Any]", error.response["Item"])  # type: ignore[typeddict-item]  # of this error only
        return None


def _key(name: str) -> dict[str, AttributeValueTypeDef]:
    return {"pk": {"S": f"idempotency#{hashlib.sha256(name.encode()).hexdigest()}"}}


def _hash(request: str, salt: str) -> str:
    return hashlib.scrypt(request.encode(), salt=bytes.fromhex(salt), n=2**14, r=8, p=1).hex()


def _seconds(moment: datetime) -> str:
    return str(int(moment.timestamp()))
