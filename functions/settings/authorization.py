"""Tickets for the authorization redirect, over HTTP."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body
from pydantic import AwareDatetime, BaseModel, ConfigDict
from tocsin import wiring_api
from tocsin.model.authorization import AuthorizationRequest
from tocsin.model.written import AsJson

from functions.settings.answers import answer
from functions.settings.requests import caller_of

logger = Logger(service="settings", child=True)
routes = Router()


class TicketView(BaseModel):
    """Where a browser begins, once."""

    model_config = ConfigDict(frozen=True)

    authorize_url: str
    expires_at: AwareDatetime


@routes.post(
    "/projects/<project_id>/mail-accounts/<mail_account_id>/authorization",
    summary="Make a ticket for the authorization redirect",
    tags=["mail accounts"],
    status_code=201,
)
def authorize_mail_account(
    project_id: str, mail_account_id: str, wanted: Annotated[AuthorizationRequest | None, AsJson(), Body()] = None
) -> Response[TicketView]:
    """Give a ticket. It is a secret until it is used, so no Idempotency-Key keeps it."""
    caller = caller_of(routes)
    account = wiring_api.configure().read_to_change(caller, project_id, mail_account_id)
    return_path = wanted.return_path if wanted is not None else None
    ticket = wiring_api.issue_ticket()(account, admin=caller.id, return_path=return_path)
    logger.info("ticket_issued", project_id=project_id, mail_account_id=mail_account_id, admin=caller.id)
    return answer(TicketView(authorize_url=ticket.authorize_url, expires_at=ticket.expires_at), status=201)
