"""Lists of recipients in PayloadBucket, and what the journal says of everybody on them."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from tests.local.events import new_event

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.samples import Sample
    from tests.local.conftest import Local


def event_for(people: Sequence[str], project_id: str, local: Local) -> Sample:
    """An incident for all of them, whose list is uploaded."""
    sample = new_event()
    del sample.event["data"]["recipients"]
    sample.event["data"] |= {"project": {"id": project_id}, "recipients_ref": _upload(people, project_id, local)}
    return sample


def _upload(people: Sequence[str], project_id: str, local: Local) -> dict[str, str]:
    content = "".join(json.dumps({"email": person, "locale": "en"}) + "\n" for person in people).encode()
    bucket, key = local.stack.outputs["PayloadBucketName"], f"{project_id}/lists/{uuid4().hex}"
    stored = local.stack.client("s3").put_object(Bucket=bucket, Key=key, Body=content)
    return {"bucket": bucket, "key": key, "version_id": stored["VersionId"], "sha256": sha256(content).hexdigest()}


def states(sample: Sample, local: Local) -> dict[str, str]:
    """What the journal says of every delivery of every chunk."""
    table, found = local.stack.table("DeliveriesTable"), dict[str, str]()
    partition = sample.journal_key.removesuffix("0")
    request: dict[str, Any] = {
        "ProjectionExpression": "pk, sk, #state",
        "ExpressionAttributeNames": {"#state": "state"},
    }
    while request:
        answer = table.scan(**request)
        for item in answer["Items"]:
            if item["pk"].startswith(partition) and not item["sk"].startswith("#"):
                found[item["sk"]] = item["state"]
        last = answer.get("LastEvaluatedKey")
        request = request | {"ExclusiveStartKey": last} if last else {}
    return found
