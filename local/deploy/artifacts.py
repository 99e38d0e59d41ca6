"""What `sam build` made, put where the engine's Lambda and CloudFormation can read it."""

from __future__ import annotations

import contextlib
import hashlib
import io
import json
import zipfile
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from pathlib import Path

    from local.deploy.transform import Template

LOCATIONS = {"AWS::Serverless::Function": "CodeUri", "AWS::Serverless::LayerVersion": "ContentUri"}
"""The property of each kind of resource that names a folder."""


def upload_artifacts(template: Template, *, folder: Path, bucket: str, s3: Any) -> None:  # noqa: ANN401  (boto3 client)
    """Zip every artifact of `template` (relative to `folder`) into `bucket`, and let the template name the object."""
    with contextlib.suppress(s3.exceptions.BucketAlreadyOwnedByYou):  # an engine that kept its state
        s3.create_bucket(Bucket=bucket, CreateBucketConfiguration={"LocationConstraint": s3.meta.region_name})
    for resource in template["Resources"].values():
        if location := LOCATIONS.get(resource["Type"]):
            properties = resource["Properties"]
            content = _zipped(folder / properties[location])
            key = f"{hashlib.sha256(content).hexdigest()}.zip"
            s3.put_object(Bucket=bucket, Key=key, Body=content)
            properties[location] = {"Bucket": bucket, "Key": key}


def upload_template(template: Template, *, bucket: str, s3: Any) -> str:  # noqa: ANN401  (boto3 client)
    """Put `template` into `bucket`, and give its URL: a request itself holds 51,200 octets at most."""
    content = json.dumps(template).encode()
    key = f"{hashlib.sha256(content).hexdigest()}.json"
    s3.put_object(Bucket=bucket, Key=key, Body=content)
    return f"{s3.meta.endpoint_url}/{bucket}/{key}"


def _zipped(folder: Path) -> bytes:
    """The folder as a zip file that is the same, octet for octet, as long as its files are."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:  # stored, not deflated: the engine unpacks it at each cold start
        for path in sorted(folder.rglob("*")):
            if path.is_file():
                archive.writestr(zipfile.ZipInfo(path.relative_to(folder).as_posix()), path.read_bytes())
    return buffer.getvalue()
