"""PayloadBucket: what is too large for a queue or an item, under each project's own prefix."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from botocore.exceptions import ClientError
from pydantic import ValidationError

from tocsin.errors import InvalidNotification
from tocsin.model.notification import PayloadReference, Recipient

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from mypy_boto3_s3 import S3Client

_RECIPIENT_LIST_BYTES = 24 * 1024 * 1024  # some 120,000 recipients; more would not fit into the function's memory
_NOT_THERE = frozenset({"NoSuchKey", "NoSuchVersion", "404", "InvalidArgument", "MethodNotAllowed"})


class PayloadStore:
    """Reads and writes objects of the stack's own bucket, and of no other."""

    def __init__(self, client: Callable[[], S3Client], bucket: str) -> None:
        self._client = client
        self._bucket = bucket

    def put(self, project_id: str, name: str, content: bytes) -> PayloadReference:
        """Store `content` under `<project_id>/<name>`."""
        key = f"{project_id}/{name}"
        stored = self._client().put_object(Bucket=self._bucket, Key=key, Body=content)
        digest = hashlib.sha256(content).hexdigest()
        return PayloadReference(bucket=self._bucket, key=key, version_id=stored.get("VersionId", "null"), sha256=digest)

    def get(self, reference: PayloadReference, project_id: str, *, at_most: int = _RECIPIENT_LIST_BYTES) -> bytes:
        """The octets that `reference` names; what is longer than `at_most` is not read to its end.

        Raises:
            InvalidNotification: another bucket or prefix, nothing there, too large, or another digest.
        """
        if reference.bucket != self._bucket or not reference.key.startswith(f"{project_id}/"):
            raise InvalidNotification("foreign_reference", "the reference is not under the project's own prefix")
        try:
            answer = self._client().get_object(Bucket=self._bucket, Key=reference.key, VersionId=reference.version_id)
        except ClientError as error:
            if error.response["Error"]["Code"] in _NOT_THERE:
                raise InvalidNotification("reference_not_found", "there is no such object version") from None
            raise
        content = answer["Body"].read(at_most + 1)
        if len(content) > at_most:
            raise InvalidNotification("reference_too_large", f"the object is larger than {at_most} bytes")
        if hashlib.sha256(content).hexdigest() != reference.sha256:
            raise InvalidNotification("reference_digest", "the object is not what its sha256 says")
        return content

    def recipients(self, reference: PayloadReference, project_id: str) -> Sequence[Recipient]:
        """The recipients in a JSON Lines object.

        Raises:
            InvalidNotification: as `get`; or a line is no recipient; or there is none.
        """
        recipients = tuple(_recipients(self.get(reference, project_id)))
        if not recipients:
            raise InvalidNotification("no_recipients", "the recipient list is empty")
        return recipients


def _recipients(content: bytes) -> Iterator[Recipient]:
    for number, line in enumerate(content.splitlines(), start=1):
        if not line.strip():
            continue
        try:
            yield Recipient.model_validate_json(line)
        except ValidationError:
            raise InvalidNotification("invalid_recipients", f"line {number} of the list is no recipient") from None
