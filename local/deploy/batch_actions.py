"""Actions that the engine asks for and IAM does not have."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Iterator

    from local.deploy.transform import Template

_ALSO = {"sqs:SendMessage": "sqs:SendMessageBatch"}


def with_batch_actions(template: Template) -> Template:
    """`template` with every role that may send a message allowed to send ten at once.

    To IAM that is one action, and SendMessageBatch the name of none; the engine asks for it by that name.
    """
    allowed = copy.deepcopy(template)
    for statement in _statements(allowed):
        actions = statement["Action"] if isinstance(statement["Action"], list) else [statement["Action"]]
        more = [_ALSO[action] for action in actions if action in _ALSO]
        if more and statement["Effect"] == "Allow":
            statement["Action"] = [*actions, *more]
    return allowed


def _statements(template: Template) -> Iterator[dict[str, Any]]:
    for resource in template["Resources"].values():
        if resource["Type"] == "AWS::IAM::Role":
            for policy in resource["Properties"].get("Policies", []):
                yield from policy["PolicyDocument"]["Statement"]
