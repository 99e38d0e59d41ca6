"""Whether a project counts opens and clicks just now, for those who answer strangers' requests."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.project_writer import key_of
from tocsin.errors import TransientError
from tocsin.model.tracking import Tracking

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_dynamodb import DynamoDBClient

_MAX_AGE_SECONDS = 10.0
_KEPT = 1_000
_OFF = Tracking()


class TrackingSettings:
    """Reads one project's setting, and keeps it for at most 10 s."""

    def __init__(self, client: DynamoDBClient, table: str, *, monotonic: Callable[[], float]) -> None:
        self._client = client
        self._table = table
        self._monotonic = monotonic
        self._read: dict[str, tuple[float, Tracking]] = {}

    def __call__(self, project_id: str) -> Tracking:
        """What the project counts: nothing, where there is no such project, or none that can be read.

        Raises:
            TransientError: the table did not answer.
        """
        now = self._monotonic()
        read_at, tracking = self._read.get(project_id, (now - _MAX_AGE_SECONDS, _OFF))
        if now - read_at < _MAX_AGE_SECONDS:
            return tracking
        tracking = self._tracking(project_id)
        if len(self._read) >= _KEPT:
            self._read.clear()
        self._read[project_id] = (now, tracking)
        return tracking

    def _tracking(self, project_id: str) -> Tracking:
        try:
            answer = self._client.get_item(
                TableName=self._table,
                Key=key_of(project_id),
                ProjectionExpression="#document",
                ExpressionAttributeNames={"#document": "document"},
            )
        except (ClientError, BotoCoreError) as error:
            raise TransientError(f"not read: {type(error).__name__}") from error
        if "Item" not in answer:
            return _OFF
        try:
            return Tracking.model_validate(json.loads(answer["Item"]["document"]["S"]).get("tracking", {}))
        except (ValueError, LookupError, AttributeError):  # no JSON, no object, or none with this setting
            return _OFF
