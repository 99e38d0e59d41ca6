"""Suppressions over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated
from urllib.parse import quote, unquote

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from tocsin import wiring_deliveries
from tocsin.model.suppression import SuppressionInput, SuppressionPage, SuppressionView, is_key, view
from tocsin.model.suppression_scope import ALL, Scope
from tocsin.model.written import AsJson

from functions.settings.answers import answer, nothing
from functions.settings.cursors import cursor_for, position_at
from functions.settings.idempotency import once
from functions.settings.parameters import Cursor, Limit
from functions.settings.requests import caller_of

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler.openapi.types import (
        OpenAPIResponseContentModel,
        OpenAPIResponseContentSchema,
    )

logger = Logger(service="settings", child=True)
routes = Router()

_TAGS = ["suppressions"]
_ALL = "/projects/<project_id>/suppressions"
_SHOWN: dict[str, OpenAPIResponseContentSchema | OpenAPIResponseContentModel] = {
    "application/json": {"model": SuppressionView}
}

OneScope = Annotated[Scope, Query(description="Which of the address's suppressions: `all`, or `status_page/<id>`.")]


@routes.get(_ALL, summary="List suppressions", tags=_TAGS)
def list_suppressions(project_id: str, cursor: Cursor = None, limit: Limit = 100) -> Response[SuppressionPage]:
    """Show a page of suppressions, by address."""
    which = ["suppressions", project_id]
    position = position_at(cursor, of=which, parts={"after": is_key})
    found, last = wiring_deliveries.suppress().page(
        caller_of(routes), project_id, after=position["after"] if position is not None else None, size=limit
    )
    following = cursor_for({"after": last}, of=which) if last is not None else None
    return answer(SuppressionPage(items=tuple(view(one) for one in found), cursor=following))


@routes.post(
    _ALL,
    summary="Suppress an address",
    tags=_TAGS,
    status_code=201,
    responses={
        200: {"description": "It was suppressed already, and stays as it was.", "content": _SHOWN},
        201: {"description": "It is suppressed now.", "content": _SHOWN},
    },
    middlewares=[once],
)
def add_suppression(
    project_id: str, wanted: Annotated[SuppressionInput, AsJson(), Body()]
) -> Response[SuppressionView]:
    """Stop mailing an address. What waits for it becomes `suppressed` when its time comes."""
    caller = caller_of(routes)
    suppression, is_new = wiring_deliveries.suppress().add(caller, project_id, wanted)
    logger.info("address_suppressed", project_id=project_id, is_new=is_new, admin=caller.id)
    location = f"/projects/{project_id}/suppressions/{_in_path(suppression.address)}"
    if suppression.scope != ALL:
        location += f"?scope={quote(suppression.scope, safe='')}"
    return answer(view(suppression), status=201 if is_new else 200, headers={"Location": location})


@routes.delete(
    f"{_ALL}/<address>",
    summary="Let an address be mailed again",
    description='The address is percent-encoded: of its signs, % / ? # " and ` twice, since gateways decode once.',
    tags=_TAGS,
    status_code=204,
)
def remove_suppression(project_id: str, address: str, scope: OneScope = ALL) -> Response[None]:
    """Mail an address again. What became `suppressed` stays so, and what other scopes stop."""
    caller = caller_of(routes)
    wiring_deliveries.suppress().remove(caller, project_id, unquote(address), scope)
    logger.info("suppression_removed", project_id=project_id, admin=caller.id)
    return nothing()


def _in_path(address: str) -> str:
    """The address as a path names it: encoded twice, since gateways decode once."""
    return quote(quote(address, safe="@"), safe="@")
