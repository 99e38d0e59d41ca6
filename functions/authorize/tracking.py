"""GET /t/{token} and /l/{token}: the picture and the links of mails whose project counts opens and clicks."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger, Metrics
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.metrics import MetricUnit
from tocsin import wiring_tracking
from tocsin.errors import SecretUnavailable, TransientError
from tocsin.model.reaction import Reaction
from tocsin.model.signed_token import BadToken

from functions.authorize.machines import is_machine
from functions.authorize.tracking_answers import forward, no_picture, not_ours, picture, switched_off, try_again

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import Response
    from tocsin.actions.follow import Followed

logger = Logger(service="authorize", child=True)
metrics = Metrics(namespace="Tocsin", service="authorize")
routes = Router()


@routes.route("/t/<token>", method=["GET", "HEAD"])
def show_picture(token: str) -> Response[Any]:
    """Count an open."""
    return _answer(_picture(token))


@routes.route("/l/<token>", method=["GET", "HEAD"])
def follow_link(token: str) -> Response[Any]:
    """Count a click, and lead on."""
    return _answer(_way_on(token))


def _picture(token: str) -> Response[Any]:
    try:
        followed = _followed(token, Reaction.OPEN)
    except (BadToken, SecretUnavailable, TransientError) as error:
        _refused(Reaction.OPEN, error)
        return no_picture()
    return no_picture() if followed.is_off else picture()


def _way_on(token: str) -> Response[Any]:
    try:
        followed = _followed(token, Reaction.CLICK)
    except BadToken as error:
        _refused(Reaction.CLICK, error)
        return not_ours()
    except (SecretUnavailable, TransientError) as error:
        _refused(Reaction.CLICK, error)
        return try_again()
    target = followed.target or ""
    return switched_off(target) if followed.is_off else forward(target)


def _followed(token: str, reaction: Reaction) -> Followed:
    event = routes.current_event
    headers = {name.lower(): value for name, value in (event.raw_event.get("headers") or {}).items()}
    followed = wiring_tracking.follow()(token, reaction, is_machine=is_machine(event.http_method, headers))
    if followed.trouble is not None:
        logger.warning(
            "reaction_not_counted",
            reaction=reaction.value,
            error=followed.trouble,
            project_id=followed.project_id,
            delivery_id=followed.delivery_id,
        )
        metrics.add_metric("ReactionsNotCounted", MetricUnit.Count, 1)
    return followed


def _answer(response: Response[Any]) -> Response[Any]:
    if routes.current_event.http_method == "HEAD":
        response.body = None
    return response


def _refused(reaction: Reaction, error: Exception) -> None:
    logger.info("tracked_address_refused", reaction=reaction.value, error=type(error).__name__)
