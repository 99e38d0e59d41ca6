"""GET and POST /unsubscribe/{token}: the way out of a status page's list, for people and for one click (RFC 8058)."""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import parse_qs

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.metrics import MetricUnit
from tocsin import wiring_subscriptions
from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.signed_token import BadToken, ExpiredToken

from functions.authorize.answers import empty
from functions.authorize.unsubscribe_pages import COME_BACK, Ending, page

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.model.subscription import Subscription

logger = Logger(service="authorize", child=True)
metrics = Metrics(namespace="Tocsin", service="authorize")
routes = Router()

_PATH = "/unsubscribe/<token>"


@routes.route(_PATH, method="HEAD")
def look(token: str) -> Response[str]:
    """Show a link checker that something is here; nothing is looked up."""
    del token
    return empty()


@routes.get(_PATH)
def ask(token: str) -> Response[str]:
    """Ask whether it is meant. Programs that check links come here too, so nothing is changed."""
    return _answer(wiring_subscriptions.unsubscribe().look, token, Ending.ASKED)


@routes.post(_PATH)
def leave(token: str) -> Response[str]:
    """Leave the list, by our page or by the button of a mail program; or come back to it, by our page."""
    if _is_to_come_back():
        return _answer(wiring_subscriptions.unsubscribe().come_back, token, Ending.BACK)
    return _answer(wiring_subscriptions.unsubscribe().leave, token, Ending.LEFT)


def _is_to_come_back() -> bool:
    """Whether the form says so; whatever else is posted means what RFC 8058 means by it."""
    event = routes.current_event
    headers = {name.lower(): value for name, value in (event.raw_event.get("headers") or {}).items()}
    is_form = headers.get("content-type", "").startswith("application/x-www-form-urlencoded")
    try:
        return is_form and COME_BACK in parse_qs(event.decoded_body or "", max_num_fields=10)
    except ValueError:  # no base64, no UTF-8, or too many fields: not our form
        return False


def _answer(act: Callable[[str], Subscription], token: str, good: Ending) -> Response[str]:
    subscription, ending = None, good
    try:
        with wiring_subscriptions.busy_services_are_transient():
            subscription = act(token)
    except ExpiredToken:
        ending = Ending.TOO_OLD
    except BadToken:
        ending = Ending.NOT_OURS
    except (SecretUnavailable, TransientError) as error:
        ending = Ending.NOT_NOW
        logger.warning("unsubscribing_failed", error=type(error).__name__)
    project_id = subscription.project_id if subscription is not None else None
    logger.info("unsubscribe_page", ending=ending.value, project_id=project_id)
    metrics.add_metric(f"Unsubscribe{ending.title().replace('_', '')}", MetricUnit.Count, 1)
    return page(ending, subscription)
