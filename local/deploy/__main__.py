"""`python -m local.deploy`: an order on standard input, what was left out of the template on standard output."""

from __future__ import annotations

import json
import os
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

from local.deploy.artifacts import upload_artifacts, upload_template
from local.deploy.batch_actions import with_batch_actions
from local.deploy.localise import Drop, UnknownToEngine, localised
from local.deploy.numbers import with_numbers
from local.deploy.stack import StackFailed, enable_time_to_live, put_stack
from local.deploy.transform import parse, without_sam
from local.stack import REGION, engine_client

ARTIFACTS_BUCKET = "local-artifacts"


def main() -> None:
    """Deploy what the order says: `{"template", "stack_name", "parameters", "endpoint_url"}`."""
    order = json.load(sys.stdin)
    os.environ["AWS_DEFAULT_REGION"] = REGION  # the transform asks for it, to know the partition
    try:
        drops = _deploy(order)
    except (StackFailed, UnknownToEngine) as error:
        sys.exit(str(error))
    json.dump({"drops": [asdict(drop) for drop in drops]}, sys.stdout)


def _deploy(order: dict[str, Any]) -> tuple[Drop, ...]:
    path, endpoint_url = Path(order["template"]), order["endpoint_url"]
    name, parameters = order["stack_name"], order["parameters"]
    template = parse(path.read_text(encoding="utf-8"))
    s3 = engine_client("s3", endpoint_url)
    upload_artifacts(template, folder=path.parent, bucket=ARTIFACTS_BUCKET, s3=s3)
    plain, drops = localised(with_batch_actions(with_numbers(without_sam(template, parameters), parameters)))
    cloudformation = engine_client("cloudformation", endpoint_url)
    url = upload_template(plain, bucket=ARTIFACTS_BUCKET, s3=s3)
    put_stack(name, url, parameters, cloudformation=cloudformation)
    dynamodb = engine_client("dynamodb", endpoint_url)
    enable_time_to_live(name, plain, cloudformation=cloudformation, dynamodb=dynamodb)
    return drops


if __name__ == "__main__":
    main()
