"""Requests that the API's own document makes up: aimed at one project of the local stack, and led nowhere outside."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

import requests
from hypothesis import settings
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig

from local.engine_process import ROOT
from local.ports import HOST

if TYPE_CHECKING:
    from schemathesis import Case
    from schemathesis.schemas import BaseSchema

    from tests.local.conftest import Local

type Json = dict[str, Any]

DOCUMENT = ROOT / "events" / "api" / "openapi.json"
SEED = 20_261_121
EXAMPLES = {"bounded": 20, "full": 500}
PROJECT_ID, ACCOUNT_ID = "odd", "01JD7W5K2M4P6R8T0V2X4Z0DDS"
PARAMETERS = {
    "project_id": [PROJECT_ID, "nowhere"],
    "mail_account_id": [ACCOUNT_ID, "01JD7W5K2M4P6R8T0V2X4ZN0NE"],
    "If-Match": ["*", '"1"'],
}
"""What made-up parameters would hardly ever hit; others than these are tried too."""

HOST_NAME = re.compile(r"[^\s/\\@?#]{1,253}")
SECONDS = 35


def schema() -> BaseSchema:
    """The document as Schemathesis reads it, always with the same seed."""
    document: Json = json.loads(DOCUMENT.read_text(encoding="utf-8"))
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in PARAMETERS:
                    parameter["schema"] = {"type": "string", "enum": PARAMETERS[parameter["name"]]}
    config = SchemathesisConfig(seed=SEED)
    made = openapi.from_dict(document, config=config)
    examples = EXAMPLES[settings.get_current_profile_name()]
    made.config.generation.update(max_examples=examples, deterministic=True, with_security_parameters=False)
    return made
