"""BatchGetItem, asked again for what it left undone."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, BatchGetItemInputTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

_ROUNDS = 5


def read_items(
    client: DynamoDBClient, table: str, keys: Sequence[Item], *, attributes: Sequence[str]
) -> Iterator[Item]:
    """These attributes of the items with these keys, of 100 at most, as the last write left them; in no order.

    Raises:
        TransientError: the table did not answer for all of them.
    """
    names = {f"#{name}": name for name in attributes}
    request: BatchGetItemInputTypeDef = {
        "RequestItems": {
            table: {
                "Keys": keys,
                "ProjectionExpression": ", ".join(names),
                "ExpressionAttributeNames": names,
                "ConsistentRead": True,
            }
        }
    }
    for _ in range(_ROUNDS):
        answer = client.batch_get_item(**request)
        yield from answer["Responses"].get(table, ())
        if not answer["UnprocessedKeys"]:
            return
        request = {"RequestItems": answer["UnprocessedKeys"]}
    raise TransientError("the table did not answer for all items")
