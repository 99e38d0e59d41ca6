"""The list of all projects: a partition of SettingsTable of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

_ALL = "_projects"  # no project may have this id


class ProjectIds:
    """Reads the list."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._client = client
        self._table = table

    def ids(self, *, after: str | None, size: int) -> list[str]:
        """At most `size` ids of all projects, in order, behind the id `after`."""
        answer = self._client.query(
            TableName=self._table,
            KeyConditionExpression="project_id = :all",
            ExpressionAttributeValues={":all": {"S": _ALL}},
            ConsistentRead=True,
            Limit=size,
            **({"ExclusiveStartKey": listed(after)} if after is not None else {}),  # type: ignore[arg-type]  # one keyword, or none
        )
        return [item["sk"]["S"] for item in answer["Items"]]


def listed(project_id: str) -> dict[str, AttributeValueTypeDef]:
    """The item that lists a project; it is all key."""
    return {"project_id": {"S": _ALL}, "sk": {"S": project_id}}
