"""The SAM transform, without a network: what CloudFormation does with `template.yaml` in the cloud."""

from __future__ import annotations

import copy
from typing import Any

from samtranslator.translator.transform import transform
from samtranslator.yaml_helper import yaml_parse

type Template = dict[str, Any]


def parse(text: str) -> Template:
    """The template in `text`, its short intrinsic functions (`!Ref`) written out."""
    template: Template = yaml_parse(text)
    return template


def without_sam(template: Template, parameters: dict[str, str]) -> Template:
    """`template` as plain CloudFormation."""
    plain: Template = transform(copy.deepcopy(template), dict(parameters), _NoManagedPolicies())
    return plain


class _NoManagedPolicies:
    """Stands for the transform's question to IAM. Our template names managed policies by ARN or not at all."""

    def load(self) -> dict[str, str]:
        return {}
