"""Creating or updating the stack on the engine, and what CloudFormation says about it."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from botocore.exceptions import ClientError

if TYPE_CHECKING:
    from local.deploy.transform import Template

CAPABILITIES = ["CAPABILITY_IAM", "CAPABILITY_NAMED_IAM", "CAPABILITY_AUTO_EXPAND"]
DEADLINE_SECONDS = 60
POLL_SECONDS = 0.05
DONE = frozenset({"CREATE_COMPLETE", "UPDATE_COMPLETE"})


class StackFailed(Exception):
    """The engine refused the stack; the message holds CloudFormation's events."""


def put_stack(name: str, template_url: str, parameters: dict[str, str], *, cloudformation: Any) -> None:  # noqa: ANN401
    """Create the stack, or update it if it is there already, and wait until it stands.

    Raises:
        StackFailed: it ended in another state than complete.
    """
    request = {
        "StackName": name,
        "TemplateURL": template_url,
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
        "Capabilities": CAPABILITIES,
    }
    if _status(name, cloudformation) is None:
        cloudformation.create_stack(**request)
    else:
        _update(request, cloudformation)
    _wait(name, cloudformation)


def enable_time_to_live(name: str, template: Template, *, cloudformation: Any, dynamodb: Any) -> None:  # noqa: ANN401
    """Do what the engine's CloudFormation leaves out: switch on each table's time to live."""
    for logical_id, resource in template["Resources"].items():
        specification = resource.get("Properties", {}).get("TimeToLiveSpecification")
        if resource["Type"] == "AWS::DynamoDB::Table" and specification:
            table = _physical_id(name, logical_id, cloudformation)
            if not _has_time_to_live(table, dynamodb):
                dynamodb.update_time_to_live(TableName=table, TimeToLiveSpecification=specification)


def _status(name: str, cloudformation: Any) -> str | None:  # noqa: ANN401
    try:
        stacks = cloudformation.describe_stacks(StackName=name)["Stacks"]
    except ClientError:  # ValidationError: there is no such stack
        return None
    status: str = stacks[0]["StackStatus"]
    return None if status == "DELETE_COMPLETE" else status


def _update(request: dict[str, Any], cloudformation: Any) -> None:  # noqa: ANN401
    try:
        cloudformation.update_stack(**request)
    except ClientError as error:
        if "No updates are to be performed" not in str(error):
            raise


def _wait(name: str, cloudformation: Any) -> None:  # noqa: ANN401
    give_up_at = time.monotonic() + DEADLINE_SECONDS
    while (status := _status(name, cloudformation) or "").endswith("_IN_PROGRESS"):
        if time.monotonic() > give_up_at:
            break
        time.sleep(POLL_SECONDS)
    if status not in DONE:
        raise StackFailed(f"the stack is {status}\n{_events(name, cloudformation)}")


def _events(name: str, cloudformation: Any) -> str:  # noqa: ANN401
    events = cloudformation.describe_stack_events(StackName=name)["StackEvents"]
    lines = [
        f"  {event['LogicalResourceId']} {event['ResourceStatus']} {event.get('ResourceStatusReason', '')}".rstrip()
        for event in reversed(events)
        if event["ResourceStatus"].endswith("_FAILED") or event.get("ResourceStatusReason")
    ]
    return "\n".join(lines)


def _physical_id(name: str, logical_id: str, cloudformation: Any) -> str:  # noqa: ANN401
    answer = cloudformation.describe_stack_resource(StackName=name, LogicalResourceId=logical_id)
    physical_id: str = answer["StackResourceDetail"]["PhysicalResourceId"]
    return physical_id


def _has_time_to_live(table: str, dynamodb: Any) -> bool:  # noqa: ANN401
    answer = dynamodb.describe_time_to_live(TableName=table)
    status: str = answer["TimeToLiveDescription"]["TimeToLiveStatus"]
    return status == "ENABLED"
