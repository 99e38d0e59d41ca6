"""Numbers that the engine would hand over as text."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from local.deploy.transform import Template


def with_numbers(template: Template, parameters: dict[str, str]) -> Template:
    """`template` with each mapping's `MaximumConcurrency` written out.

    CloudFormation gives a `!Ref` of a Number parameter as a number; the engine as text, which its poller cannot
    compare.
    """
    numbered = copy.deepcopy(template)
    values = _values(template, parameters)
    for resource in numbered["Resources"].values():
        scaling = resource.get("Properties", {}).get("ScalingConfig", {})
        match scaling.get("MaximumConcurrency"):
            case {"Ref": str(parameter)}:
                scaling["MaximumConcurrency"] = int(values[parameter])
    return numbered


def _values(template: Template, parameters: dict[str, str]) -> dict[str, Any]:
    defaults = {name: parameter.get("Default") for name, parameter in template.get("Parameters", {}).items()}
    return defaults | parameters
