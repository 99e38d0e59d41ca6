"""How a custom template's items look in SettingsTable: the one that stands, and the versions before it."""

from __future__ import annotations

import json
from datetime import datetime
from typing import TYPE_CHECKING, Any

from tocsin.model.custom_template import CustomTemplate, Failure, Scope

if TYPE_CHECKING:
    from collections.abc import Mapping

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef

    Item = Mapping[str, AttributeValueTypeDef]

PREFIX = "template#"
_VERSIONS = "template-version#"
_VERSION_DIGITS = 10


def key_of(project_id: str, name: str) -> dict[str, AttributeValueTypeDef]:
    """The primary key of the template that stands."""
    return {"project_id": {"S": project_id}, "sk": {"S": f"{PREFIX}{name}"}}


def version_key(project_id: str, name: str, version: int) -> dict[str, AttributeValueTypeDef]:
    """The primary key of a version that stood before; such keys sort by version."""
    return {"project_id": {"S": project_id}, "sk": {"S": f"{_VERSIONS}{name}#{version:0{_VERSION_DIGITS}}"}}


def read_template(item: Item) -> CustomTemplate:
    """The template that an item holds, either one that stands or one that did.

    Raises:
        ValueError, KeyError, TypeError: it holds none.
    """
    document = json.loads(item["document"]["S"])
    return CustomTemplate(
        project_id=item["project_id"]["S"],
        scope=Scope(type=document["type"], status_page_id=document["status_page_id"]),
        version=int(item["version"]["N"]),
        subject=document["subject"],
        text=document["text"],
        html=document["html"],
        updated_at=datetime.fromisoformat(document["updated_at"]),
        updated_by=document["updated_by"],
        last_error=_read_failure(json.loads(item["last_error"]["S"])) if "last_error" in item else None,
    )


def write_template(template: CustomTemplate) -> dict[str, AttributeValueTypeDef]:
    """All of an item but its key; a new version has failed nowhere yet."""
    document = {
        "type": template.type,
        "status_page_id": template.scope.status_page_id,
        "subject": template.subject,
        "text": template.text,
        "html": template.html,
        "updated_at": template.updated_at.isoformat(),
        "updated_by": template.updated_by,
    }
    return {"version": {"N": str(template.version)}, "document": {"S": json.dumps(document)}}


def write_failure(failure: Failure) -> AttributeValueTypeDef:
    """What went wrong last."""
    fields = {
        "at": failure.at.isoformat(),
        "part": failure.part,
        "line": failure.line,
        "reason": failure.reason,
    }
    return {"S": json.dumps(fields)}


def _read_failure(fields: Mapping[str, Any]) -> Failure:
    return Failure(
        at=datetime.fromisoformat(fields["at"]), part=fields["part"], line=fields["line"], reason=fields["reason"]
    )
