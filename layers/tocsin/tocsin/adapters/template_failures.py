"""What becomes of a custom template that could not be used, where its admins can see it."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters import template_items as items
from tocsin.model.custom_template import Failure

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from mypy_boto3_dynamodb import DynamoDBClient

    from tocsin.model.custom_template import BrokenTemplate, CustomTemplate

_AT_MOST_EVERY = timedelta(minutes=10)
_STANDING = "version = :version AND (attribute_not_exists(failed_at) OR failed_at < :before)"


class TemplateFailures:
    """Writes `last_error` beside a template, once in ten minutes, however many workers fail by it."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        clock: Callable[[], datetime],
        on_failure: Callable[[str, int], None],
    ) -> None:
        self._client = client
        self._table = table
        self._clock = clock
        self._on_failure = on_failure

    def __call__(self, template: CustomTemplate, broken: BrokenTemplate) -> None:
        """Remember it. Never raises: the mail goes out in any case."""
        now = self._clock()
        if template.last_error is not None and now - template.last_error.at < _AT_MOST_EVERY:
            return
        failure = Failure(at=now, part=broken.part, line=broken.line, reason=broken.reason)
        try:
            self._write(template, failure)
        except self._client.exceptions.ConditionalCheckFailedException:
            pass  # another worker wrote it, or there is a new version
        except (BotoCoreError, ClientError) as error:
            self._on_failure(type(error).__name__, 1)

    def _write(self, template: CustomTemplate, failure: Failure) -> None:
        self._client.update_item(
            TableName=self._table,
            Key=items.key_of(template.project_id, template.name),
            UpdateExpression="SET last_error = :failure, failed_at = :now",
            ConditionExpression=_STANDING,
            ExpressionAttributeValues={
                ":failure": items.write_failure(failure),
                ":now": {"N": str(int(failure.at.timestamp()))},
                ":before": {"N": str(int((failure.at - _AT_MOST_EVERY).timestamp()) + 1)},
                ":version": {"N": str(template.version)},
            },
        )
