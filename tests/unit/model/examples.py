"""A notification, a mail account and a project for unit tests to change."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tocsin.model.event import check_event
from tocsin.model.mail_account import MailAccount
from tocsin.model.project import Project, ProjectSettings

if TYPE_CHECKING:
    from tocsin.model.notification import Notification

type Json = dict[str, Any]

NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)


def event(type_: str = "incident.created", **attributes: Any) -> Json:  # noqa: ANN401  (JSON)
    """An event of project `acme` with what every type requires; `attributes` are laid over its envelope."""
    occurrence = {"id": "1042", "title": "Checkout is down"}
    return {
        "specversion": "1.0",
        "source": "/monitoring/eu-1",
        "id": "01JD7Z",
        "type": type_,
        "data": {
            "project": {"id": "acme"},
            "recipients": [{"email": "ana@example.org"}],
            "incident": occurrence,
            "alert": occurrence,
            "status_page": {"id": "public"},
            "change": {"state": "resolved"},
            "mail_account": {"id": "first", "name": "Ops mailbox"},
            "expires_on": "2026-11-28",
        },
    } | attributes


def notification(type_: str = "incident.created", *, options: Json | None = None, **attributes: Any) -> Notification:  # noqa: ANN401
    """The event, checked."""
    whole = event(type_, **attributes)
    whole["data"]["options"] = options
    return check_event(whole)


def account(id_: str = "first", **changes: Any) -> MailAccount:  # noqa: ANN401  (JSON)
    """An account of `acme` that logs in with a password at relay.example:587."""
    document = {
        "project_id": "acme",
        "id": id_,
        "version": 1,
        "name": "Ops mailbox",
        "relay": {"host": "relay.example", "port": 587, "security": "starttls"},
        "auth": {"type": "password", "username": "ops"},
        "senders": [{"name": "Acme Ops", "email": "ops@acme.example"}],
        "credential_version": "v1",
    }
    return MailAccount.model_validate(document | changes)


def settings(*accounts: MailAccount, **project: Any) -> ProjectSettings:  # noqa: ANN401  (JSON)
    """Project `acme` with these accounts, all of them on the incident route."""
    document = {"project_id": "acme", "version": 1, "routes": {"incident": [one.id for one in accounts]}}
    return ProjectSettings(
        project=Project.model_validate(document | project), mail_accounts={one.id: one for one in accounts}
    )
