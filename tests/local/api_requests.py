"""Requests that the API's own document makes up: aimed at one project of the local stack, and led nowhere outside."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any

from hypothesis import settings
from schemathesis import openapi
from schemathesis.config import SchemathesisConfig

from local.engine_process import ROOT
from local.ports import HOST

if TYPE_CHECKING:
    from schemathesis.schemas import BaseSchema

type Json = dict[str, Any]

SEED = 20_261_121
EXAMPLES = {"bounded": 20, "full": 500}
PROJECT_ID, ACCOUNT_ID = "odd", "01JD7W5K2M4P6R8T0V2X4Z0DDS"
PARAMETERS = {
    "project_id": (PROJECT_ID, "nowhere"),
    "mail_account_id": (ACCOUNT_ID, "01JD7W5K2M4P6R8T0V2X4ZN0NE"),
    "If-Match": ("*", '"1"'),
    "type": ("incident.created", "status_page.incident_created"),
}
"""Values that made-up ones would hardly ever hit. What is sent against the document is anything but these."""

REFUSED = ("400", "403", "404", "405", "409", "412", "413", "415", "422", "428")
"""What a request may be refused with that is not as the document says."""

_DOCUMENT = ROOT / "events" / "api" / "openapi.json"
_HOSTS = frozenset({"host"})
_URLS = frozenset({"authorization_url", "token_url", "userinfo_url", "token_uri"})
_HOST_NAME = re.compile(r"[^\s/\\@?#]{1,253}")
_PROVIDER = re.compile(r"[a-z0-9_]{1,40}")


def schema() -> BaseSchema:
    """The document as Schemathesis reads it, with the same seed each time.

    The long form also tries every limit that the document names: hundreds of requests where a body has many fields.
    """
    document: Json = json.loads(_DOCUMENT.read_text(encoding="utf-8"))
    for item in document["paths"].values():
        for operation in item.values():
            for parameter in operation.get("parameters", []):
                if parameter["name"] in PARAMETERS and parameter["in"] != "query":  # a search takes any type
                    parameter["schema"] = {"type": "string", "enum": [*PARAMETERS[parameter["name"]]]}
    made = openapi.from_dict(document, config=SchemathesisConfig(seed=SEED))
    examples = EXAMPLES[settings.get_current_profile_name()]
    made.config.generation.update(max_examples=examples, deterministic=True, with_security_parameters=False)
    made.config.phases.coverage.enabled = settings.get_current_profile_name() == "full"
    made.config.phases.coverage.unexpected_methods = {"put", "post", "delete", "patch"}  # no server of ours knows TRACE
    made.config.checks.negative_data_rejection.expected_statuses = [*REFUSED]
    return made


def led_nowhere(part: Any) -> Any:  # noqa: ANN401  (JSON)
    """`part` with every host on this machine, and no provider whose hosts we would know by its name."""
    match part:
        case dict():
            return {name: _harmless(name, led_nowhere(value)) for name, value in part.items()}
        case list():
            return [led_nowhere(one) for one in part]
        case _:
            return part


def _harmless(name: str, value: Any) -> Any:  # noqa: ANN401  (JSON)
    """What is no host, URL or provider to begin with stays as it is: it is refused for that."""
    if not isinstance(value, str):
        return value
    if name in _HOSTS and _HOST_NAME.fullmatch(value):
        return HOST
    if name in _URLS and value:
        return f"https://{HOST}:1/"
    return "generic" if name == "provider" and _PROVIDER.fullmatch(value) else value
