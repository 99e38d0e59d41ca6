"""Middlewares around every route: only parameters that are known, and no content that the caller has already."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tocsin import wiring
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings
from tocsin.model.version_tag import names

from functions.settings.answers import nothing
from functions.settings.routing import routes_of

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
    from aws_lambda_powertools.event_handler.middlewares import NextMiddleware


def only_known_parameters(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Refuse a query that means nothing here: a filter that is misspelt would otherwise show everything.

    Raises:
        InvalidSettings: a parameter is not one of the route's.
    """
    route = app.context["_route"]
    if any(route is known for known in routes_of(app)):
        known = {field.alias for field in route.dependant.query_params}
        unknown = sorted(set(app.current_event.query_string_parameters) - known)
        if unknown:
            raise InvalidSettings([Problem(field=name, text="There is no such parameter here.") for name in unknown])
    return next_middleware(app)


def busy_stores_are_transient(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Let a store that throttles us, or fails, be an answer and no crash."""
    with wiring.busy_services_are_transient():
        return next_middleware(app)


def unless_known(app: APIGatewayHttpResolver, next_middleware: NextMiddleware) -> Response[Any]:
    """Give content that is read a tag, if it has none, and leave out what the caller has (RFC 9110 13.1.2)."""
    response = next_middleware(app)
    if app.current_event.http_method.upper() != "GET" or response.status_code != 200:  # noqa: PLR2004  (OK)
        return response
    tag = str(response.headers.setdefault("ETag", _tag(response.body)))
    if names(app.current_event.headers.get("if-none-match", ""), tag.removeprefix("W/"), weakly=True):
        kept = {name: str(value) for name, value in response.headers.items() if name != "Content-Type"}
        return nothing(status=304, headers=kept)
    return response


def _tag(content: object) -> str:
    return f'"{sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()[:32]}"'
