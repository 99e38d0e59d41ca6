"""`python -m tests.contract.transformed`: print `template.yaml` as CloudFormation sees it, for cfn-lint to check.

Cycles of dependencies, for one, show only there. Runs where samtranslator is: under the engine's interpreter.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from local.deploy.transform import Template, parse, without_sam

TEMPLATE = Path(__file__).parents[2] / "template.yaml"


def main() -> None:
    """Print the transformed template as JSON."""
    os.environ.setdefault("AWS_DEFAULT_REGION", "eu-west-1")  # the transform asks for it, to know the partition
    template = parse(TEMPLATE.read_text(encoding="utf-8"))
    _pretend_to_be_uploaded(template)
    print(json.dumps(without_sam(template, {}), indent=1))  # noqa: T201  (a command that prints)


def _pretend_to_be_uploaded(template: Template) -> None:
    """Put an object in S3 in the place of each folder: the transform takes no folders."""
    for resource in template["Resources"].values():
        for location in {"CodeUri", "ContentUri"} & resource.get("Properties", {}).keys():
            resource["Properties"][location] = {"Bucket": "artifacts", "Key": "artifact.zip"}


if __name__ == "__main__":
    main()
