"""HTTP API -> authorize: the public routes: an admin's way to the identity provider and back, and readers' links."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
from aws_lambda_powertools.metrics import MetricUnit
from tocsin import wiring_api
from tocsin.actions.authorize_ticket import Opened
from tocsin.errors import TransientError
from tocsin.model.authorization import Outcome, Result

from functions.authorize.answers import empty, page, redirect
from functions.authorize.requests import returned
from functions.authorize.tracking import routes as tracking
from functions.authorize.unsubscribe import routes as unsubscribe

if TYPE_CHECKING:
    from aws_lambda_powertools.utilities.typing import LambdaContext

_CALLBACK_SECONDS = 20.0  # API Gateway ends the call after 30
_TICKET_CHARACTERS = 200

logger = Logger(service="authorize")
metrics = Metrics(namespace="Tocsin", service="authorize")
app = APIGatewayHttpResolver()
app.include_router(tracking)
app.include_router(unsubscribe)


@metrics.log_metrics
@logger.inject_lambda_context(clear_state=True)
def lambda_handler(event: dict[str, Any], context: LambdaContext) -> dict[str, Any]:
    """Answer one request with a page or a redirect."""
    metrics.add_metric("RequestsReceived", MetricUnit.Count, 1)
    return app.resolve(event, context)


@app.route("/authorize/<ticket>", method="HEAD")
@app.route("/oauth/callback", method="HEAD")
def look(ticket: str = "") -> Response[str]:
    """Show a link checker that something is here; nothing is looked up, and nothing is used up."""
    del ticket
    return empty()


@app.get("/authorize/<ticket>")
def open_ticket(ticket: str) -> Response[str]:
    """Send the browser to the identity provider, with a cookie to know it by when it comes back."""
    if len(ticket) > _TICKET_CHARACTERS:
        return _page(Result(outcome=Outcome.TICKET_INVALID))
    opened = wiring_api.open_ticket()(ticket)
    if isinstance(opened, Opened):
        return redirect(opened)
    return _page(opened)


@app.get("/oauth/callback")
def complete() -> Response[str]:
    """Take what the identity provider sent along, and say what came of it."""
    deadline = time.monotonic() + _CALLBACK_SECONDS
    ended = wiring_api.complete_authorization(_events_lost)(returned(app.current_event.raw_event), deadline=deadline)
    return _page(ended.result, ticket=ended.ticket)


@app.not_found
def no_such_route(_: Exception) -> Response[str]:
    """Answer any other address."""
    return _page(Result(outcome=Outcome.STATE_INVALID))


@app.exception_handler(TransientError)  # type: ignore[untyped-decorator]  # Powertools says nothing of its types
def busy(error: TransientError) -> Response[str]:
    """Answer what may be asked again as it is."""
    logger.warning("request_failed", error=type(error).__name__)
    return _page(Result(outcome=Outcome.UNAVAILABLE))


@app.exception_handler(Exception)  # type: ignore[untyped-decorator]  # as above
def broken(error: Exception) -> Response[str]:
    """Answer what nobody foresaw: people see a page, operators hear of it, and its words stay with it."""
    logger.error("request_failed", error=type(error).__name__)
    metrics.add_metric("RequestsFailed", MetricUnit.Count, 1)
    return _page(Result(outcome=Outcome.FAILED))


def _page(result: Result, *, ticket: str | None = None) -> Response[str]:
    extra = {
        "outcome": result.outcome.value,
        "project_id": result.project_id,
        "mail_account_id": result.mail_account_id,
        "remedy_id": result.remedy_id,
    }
    logger.info("authorization_page", extra=extra)
    metrics.add_metric(f"Authorization{result.outcome.title().replace('_', '')}", MetricUnit.Count, 1)
    return page(result, base_url=wiring_api.public_base_url(), ticket=ticket)


def _events_lost(error: str, count: int) -> None:
    logger.warning("events_not_published", error=error, count=count)
