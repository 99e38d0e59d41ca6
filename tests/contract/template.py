"""`template.yaml` as the contract tests read it: parsed, with its short intrinsic functions (`!Ref`) written out."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

type Json = dict[str, Any]

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "template.yaml").read_text(encoding="utf-8")


class _Loader(yaml.SafeLoader):
    """A YAML loader that knows CloudFormation's tags."""


def _intrinsic(loader: _Loader, name: str, node: yaml.Node) -> Json:
    match node:
        case yaml.SequenceNode():
            value: object = loader.construct_sequence(node, deep=True)
        case yaml.MappingNode():
            value = loader.construct_mapping(node, deep=True)
        case _:
            value = node.value.split(".", 1) if name == "GetAtt" else node.value
    return {name if name in {"Ref", "Condition"} else f"Fn::{name}": value}


_Loader.add_multi_constructor("!", _intrinsic)

TEMPLATE: Json = yaml.load(TEXT, _Loader)  # noqa: S506  (a SafeLoader, with the tags above)
RESOURCES: Json = TEMPLATE["Resources"]
PARAMETERS: Json = TEMPLATE["Parameters"]


def resources(*types: str) -> dict[str, Json]:
    """The resources of these types, by logical id."""
    return {name: resource for name, resource in RESOURCES.items() if resource["Type"] in types}


def properties(logical_id: str) -> Json:
    """The properties of one resource."""
    own: Json = RESOURCES[logical_id]["Properties"]
    return own


def functions() -> dict[str, Json]:
    """The properties of each function by logical id, what `Globals` say merged in."""
    shared = TEMPLATE["Globals"]["Function"]
    return {
        name: _merged(shared, resource["Properties"])
        for name, resource in resources("AWS::Serverless::Function").items()
    }


def environment(function: Json) -> Json:
    """The environment variables of a function."""
    variables: Json = function["Environment"]["Variables"]
    return variables


def value(said: object) -> object:
    """What `said` comes to when every parameter keeps its default."""
    if isinstance(said, dict) and said.get("Ref") in PARAMETERS:
        return PARAMETERS[said["Ref"]]["Default"]
    return said


def statements(policy: Json) -> list[Json]:
    """The statements of a policy document, those under a condition included."""
    return [one["Fn::If"][1] if "Fn::If" in one else one for one in policy["Statement"]]


def listed(one_or_many: object) -> list[Any]:
    """A list of what may stand alone in a template."""
    return one_or_many if isinstance(one_or_many, list) else [one_or_many]


def _merged(shared: Json, own: Json) -> Json:
    both = {key: _merged(shared[key], own[key]) for key in shared.keys() & own.keys() if isinstance(own[key], dict)}
    return shared | own | both
