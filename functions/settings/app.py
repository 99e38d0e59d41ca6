"""HTTP API -> settings: the routes behind the JWT authorizer. They parse, call, and answer with JSON."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from tocsin import wiring_api
from tocsin.actions.configure import PAGE_SIZE
from tocsin.errors import TocsinError, TransientError
from tocsin.model.mail_account_view import etag, view
from tocsin.model.settings_error import ForbiddenToChange, InvalidSettings, NothingToAuthorize, NotThere, Outdated

from functions.settings.answers import answer, nothing
from functions.settings.problems import problem
from functions.settings.providers import providers
from functions.settings.refusals import refusal
from functions.settings.requests import admin, authorization_request, body, permissions

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

logger = Logger(service="settings")
app = APIGatewayHttpResolver()


@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request; a token that is no access token gets as far as none at all."""
    return app.resolve(event, context)


@app.get("/providers")
def list_providers() -> Response[str]:
    """Show the providers that we know, and guides."""
    return providers(app)


@app.post("/projects/<project_id>/mail-accounts")
def create_mail_account(project_id: str) -> Response[str]:
    """Save a new mail account."""
    account = wiring_api.configure().create(permissions(app), project_id, body(app))
    logger.info("mail_account_created", project_id=project_id, mail_account_id=account.id, admin=admin(app))
    location = f"/projects/{project_id}/mail-accounts/{account.id}"
    return answer(view(account), status=201, headers={"ETag": etag(account), "Location": location})


@app.get("/projects/<project_id>/mail-accounts")
def list_mail_accounts(project_id: str) -> Response[str]:
    """Show a page of mail accounts."""
    after = app.current_event.query_string_parameters.get("cursor")
    accounts = wiring_api.configure().page(permissions(app), project_id, after=after)
    cursor = accounts[-1].id if len(accounts) == PAGE_SIZE else None
    return answer({"items": [view(account) for account in accounts], "cursor": cursor})


@app.get("/projects/<project_id>/mail-accounts/<mail_account_id>")
def read_mail_account(project_id: str, mail_account_id: str) -> Response[str]:
    """Show one mail account."""
    account = wiring_api.configure().read(permissions(app), project_id, mail_account_id)
    return answer(view(account), headers={"ETag": etag(account)})


@app.delete("/projects/<project_id>/mail-accounts/<mail_account_id>")
def delete_mail_account(project_id: str, mail_account_id: str) -> Response[str]:
    """Delete a mail account with its secret."""
    if_match = app.current_event.headers.get("if-match")
    wiring_api.configure().delete(permissions(app), project_id, mail_account_id, if_match=if_match)
    logger.info("mail_account_deleted", project_id=project_id, mail_account_id=mail_account_id, admin=admin(app))
    return nothing()


@app.post("/projects/<project_id>/mail-accounts/<mail_account_id>/authorization")
def authorize_mail_account(project_id: str, mail_account_id: str) -> Response[str]:
    """Give a ticket for the authorization redirect."""
    account = wiring_api.configure().read_to_change(permissions(app), project_id, mail_account_id)
    wanted = authorization_request(app)
    ticket = wiring_api.issue_ticket()(account, admin=admin(app), return_path=wanted.return_path)
    logger.info("ticket_issued", project_id=project_id, mail_account_id=mail_account_id, admin=admin(app))
    return answer({"authorize_url": ticket.authorize_url, "expires_at": ticket.expires_at.isoformat()}, status=201)


@app.not_found
def no_such_route(_: Exception) -> Response[str]:
    """Answer an address that is no route."""
    return problem(404, "There is nothing here.")


def _refused(error: TocsinError) -> Response[str]:
    logger.info("request_refused", reason=type(error).__name__, admin=admin(app))
    return refusal(error)


app.exception_handler([NotThere, ForbiddenToChange, InvalidSettings, Outdated, NothingToAuthorize, TransientError])(
    _refused
)
