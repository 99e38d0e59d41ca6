"""A middleware for POST: a request that is repeated under its Idempotency-Key is answered, not done again."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.openapi.exceptions import RequestValidationError
from tocsin import wiring_api
from tocsin.errors import PermanentError, ServiceBusy, TransientError
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings

from functions.settings.requests import caller_of

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware
    from tocsin.wiring_api import KeptAnswer

logger = Logger(service="settings", child=True)

LONGEST_KEY = 255
_BAD_KEY = Problem(field="Idempotency-Key", text=f"It must be 1 to {LONGEST_KEY} printable ASCII characters.")


def once(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Carry a request out once in 24 hours under its key; what is known to have come to nothing may be repeated.

    Only for routes whose answers hold no secret: the answer is kept.

    Raises:
        InvalidSettings: the header is no key.
        KeyInUse, EndNotKnown, KeyOfAnotherRequest: as `IdempotencyKeys.begin`.
    """
    key = app.current_event.headers.get("idempotency-key")
    if key is None or not _may_be_answered(app):
        return next_middleware(app)
    if not (0 < len(key) <= LONGEST_KEY and key.isascii() and key.isprintable()):
        raise InvalidSettings([_BAD_KEY])
    keys = wiring_api.idempotency_keys()
    found = keys.begin(_name(app, key), _request(app))
    if isinstance(found, wiring_api.KeptAnswer):
        return _replayed(found)
    try:
        response = next_middleware(app)
    except Exception as error:  # whatever it is goes on its way; only the key is let go
        if _came_to_nothing(error):
            keys.forget(found)
        raise
    if not keys.finish(found, _kept(response)):
        logger.warning("answer_not_kept", status=response.status_code, admin=caller_of(app).id)
    return response


def _came_to_nothing(error: Exception) -> bool:
    """Whether it is known that nothing was done: not where a store was busy, for its answer may have been lost."""
    return isinstance(error, (PermanentError, RequestValidationError)) or (
        isinstance(error, TransientError) and not isinstance(error, ServiceBusy)
    )


def _may_be_answered(app: APIGatewayHttpResolver) -> bool:
    """Whoever lost the permission since is told so by the route."""
    project_id = app.context["_route_args"].get("project_id")
    return project_id is not None and caller_of(app).may_change(project_id)


def _name(app: APIGatewayHttpResolver, key: str) -> str:
    event = app.current_event
    return json.dumps([caller_of(app).id, event.http_method, event.path, key])


def _request(app: APIGatewayHttpResolver) -> str:
    event = app.current_event
    return json.dumps([dict(event.query_string_parameters), event.json_body], sort_keys=True)


def _kept(response: Response[Any]) -> KeptAnswer:
    headers = {name: str(value) for name, value in response.headers.items()}
    return wiring_api.KeptAnswer(status=response.status_code, headers=headers, body=json.dumps(response.body))


def _replayed(kept: KeptAnswer) -> Response[Any]:
    body = None if kept.body == "null" else kept.body
    return Response(status_code=kept.status, headers=dict(kept.headers) | {"Idempotent-Replayed": "true"}, body=body)
