"""The audit over HTTP: who changed what in a project, and when."""

from __future__ import annotations

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from tocsin import wiring_deliveries
from tocsin.model.audit_view import AuditPage, is_place, view

from functions.settings.answers import answer
from functions.settings.cursors import cursor_for, position_at
from functions.settings.parameters import Cursor, Limit
from functions.settings.requests import caller_of

routes = Router()


@routes.get("/projects/<project_id>/audit", summary="List who changed what, newest first", tags=["audit"])
def list_audit(project_id: str, cursor: Cursor = None, limit: Limit = 100) -> Response[AuditPage]:
    """Show a page of the audit."""
    which = ["audit", project_id]
    position = position_at(cursor, of=which, parts={"behind": is_place})
    entries, last = wiring_deliveries.read_audit()(
        caller_of(routes), project_id, behind=position["behind"] if position is not None else None, size=limit
    )
    following = cursor_for({"behind": last}, of=which) if last is not None else None
    return answer(AuditPage(items=tuple(view(entry) for entry in entries), cursor=following))
