"""The deployed stack: where it is, its outputs, and clients to use it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import boto3
from botocore.config import Config

REGION = "eu-west-1"
ACCOUNT_ID = "000000000000"
SECRET_ACCESS_KEY = "local"  # the engine takes any for its root user
STACK_NAME = "tocsin"
STAGE = "local"


@dataclass(frozen=True, slots=True, kw_only=True)
class Stack:
    """A stack on the engine at `endpoint_url`. `resources` are physical ids by logical id."""

    endpoint_url: str
    outputs: dict[str, str]
    resources: dict[str, str]

    def client(self, service: str) -> Any:  # noqa: ANN401  (boto3 makes its clients at run time)
        """A boto3 client of the engine."""
        return engine_client(service, self.endpoint_url)

    def table(self, logical_id: str) -> Any:  # noqa: ANN401  (as above)
        """A boto3 table, by its name in the template."""
        resource = boto3.resource("dynamodb", **_arguments(self.endpoint_url))
        return resource.Table(self.resources[logical_id])


def describe_stack(endpoint_url: str, name: str = STACK_NAME) -> Stack:
    """The stack as CloudFormation knows it."""
    cloudformation = engine_client("cloudformation", endpoint_url)
    description = cloudformation.describe_stacks(StackName=name)["Stacks"][0]
    resources = cloudformation.describe_stack_resources(StackName=name)["StackResources"]
    return Stack(
        endpoint_url=endpoint_url,
        outputs={output["OutputKey"]: output["OutputValue"] for output in description.get("Outputs", [])},
        resources={resource["LogicalResourceId"]: resource["PhysicalResourceId"] for resource in resources},
    )


def engine_client(service: str, endpoint_url: str) -> Any:  # noqa: ANN401  (as above)
    """A boto3 client of the engine, as its root user."""
    return boto3.client(service, **_arguments(endpoint_url))  # type: ignore[call-overload]  # the name is a variable


def _arguments(endpoint_url: str) -> dict[str, Any]:
    return {
        "endpoint_url": endpoint_url,
        "region_name": REGION,
        "aws_access_key_id": ACCOUNT_ID,
        "aws_secret_access_key": SECRET_ACCESS_KEY,
        "config": Config(s3={"addressing_style": "path"}, retries={"total_max_attempts": 3}),
    }
