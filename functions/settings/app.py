"""HTTP API -> settings: what an admin does. Each resource has a module of its own, with a `Router` named `routes`.

A request passes the door (`door`), is checked against its route's parameters and models, and is carried out; whatever
is not is answered with a problem (`refusals`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from tocsin import wiring_api

from functions.settings import (
    audit,
    authorization,
    deliveries,
    mail_accounts,
    projects,
    providers,
    suppressions,
    templates,
    verification,
)
from functions.settings.answers import answer
from functions.settings.bearer import NOT_LET_IN, is_let_in
from functions.settings.conditions import busy_stores_are_transient, only_known_parameters, unless_known
from functions.settings.door import NotAdmitted, admit
from functions.settings.openapi import openapi
from functions.settings.refusals import REFUSALS, refusal
from functions.settings.requests import caller_of
from functions.settings.routing import no_such_route

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="settings")
app = APIGatewayHttpResolver(enable_validation=True, response_validation_error_http_code=500)
app.use(middlewares=[busy_stores_are_transient, only_known_parameters, unless_known])
for resource in (
    providers,
    projects,
    mail_accounts,
    authorization,
    deliveries,
    suppressions,
    templates,
    audit,
    verification,
):
    app.include_router(resource.routes)


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request; a token that is no access token gets as far as none at all."""
    if not is_let_in(event):
        return NOT_LET_IN
    try:
        return app.resolve(admit(event), context)
    except NotAdmitted as error:
        refused = refusal(error)
        return {"statusCode": refused.status_code, "headers": refused.headers, "body": refused.body}


@app.get("/openapi.json", summary="This document", tags=["interface"])
def read_openapi() -> Response[dict[str, Any]]:
    """Answer with OpenAPI 3.1; the only route that needs no token."""
    return answer(openapi(app, wiring_api.public_base_url()))


@app.not_found
def nothing_here(_: Exception) -> Response[str]:
    """Answer an address or a method that is no route."""
    return no_such_route(app)


@app.exception_handler(REFUSALS)  # type: ignore[untyped-decorator]  # Powertools says nothing of its types
def refuse(error: Exception) -> Response[str]:
    """Answer a request that is not carried out."""
    logger.info("request_refused", reason=type(error).__name__, admin=caller_of(app).id)
    return refusal(error)
