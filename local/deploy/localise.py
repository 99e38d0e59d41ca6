"""What the engine cannot take is taken out by name; what nobody has decided about yet stops the deployment."""

from __future__ import annotations

import copy
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.deploy.known import HONOURED, NOT_EMULATED, NOT_EMULATED_RESOURCES

if TYPE_CHECKING:
    from local.deploy.transform import Template

ATTRIBUTES = frozenset({"Type", "Properties", "DependsOn", "Condition", "DeletionPolicy", "UpdateReplacePolicy"})
"""The attributes of a resource that the engine knows, `Metadata` aside, which concerns tools only."""


class UnknownToEngine(Exception):
    """The template uses something that is neither known to work locally nor listed as not emulated."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Drop:
    """One thing taken out: `what` is `LogicalId` or `LogicalId.Property`."""

    what: str
    reason: str


def localised(template: Template) -> tuple[Template, tuple[Drop, ...]]:
    """`template` (plain CloudFormation) as the engine takes it, and what was taken out.

    Raises:
        UnknownToEngine: a resource type or property is in neither list of `local/deploy/known.py`.
    """
    local = copy.deepcopy(template)
    drops: list[Drop] = []
    unknown: list[str] = []
    for logical_id, resource in template["Resources"].items():
        if reason := NOT_EMULATED_RESOURCES.get(resource["Type"]):
            del local["Resources"][logical_id]
            drops.append(Drop(what=logical_id, reason=reason))
        else:
            drops += _drop_properties(logical_id, local)
            unknown += _unknown(logical_id, local["Resources"][logical_id])
    if unknown:
        raise UnknownToEngine("add to local/deploy/known.py what the engine does with: " + ", ".join(unknown))
    return local, tuple(drops)


def _drop_properties(logical_id: str, template: Template) -> list[Drop]:
    resource = template["Resources"][logical_id]
    properties = resource.get("Properties", {})
    reasons = {name: NOT_EMULATED.get(f"{resource['Type']}.{name}") for name in list(properties)}
    drops = [Drop(what=f"{logical_id}.{name}", reason=reason) for name, reason in reasons.items() if reason]
    for drop in drops:
        del properties[drop.what.partition(".")[2]]
    return drops


def _unknown(logical_id: str, resource: dict[str, object]) -> list[str]:
    honoured = HONOURED.get(str(resource["Type"]))
    if honoured is None:
        return [f"{logical_id} ({resource['Type']})"]
    properties = resource.get("Properties") or {}
    names = [name for name in properties if name not in honoured] if isinstance(properties, dict) else []
    names += [name for name in resource if name not in ATTRIBUTES and name != "Metadata"]
    return [f"{logical_id}.{name} ({resource['Type']})" for name in names]
