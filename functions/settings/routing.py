"""The routes as the resolver keeps them: which there are, and which methods an address has."""

from __future__ import annotations

from typing import TYPE_CHECKING

from functions.settings.problems import problem

if TYPE_CHECKING:
    from collections.abc import Sequence

    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver, Response
    from aws_lambda_powertools.event_handler.api_gateway import Route


def routes_of(app: APIGatewayHttpResolver) -> Sequence[Route]:
    """All routes."""
    return [*app._static_routes, *app._dynamic_routes]  # noqa: SLF001  (Powertools tells of its routes nowhere else)


def no_such_route(app: APIGatewayHttpResolver) -> Response[str]:
    """The answer where no route is: that the address has other methods, or that there is nothing."""
    path = app.current_event.path
    methods = sorted({route.method for route in routes_of(app) if route.rule.match(path)})
    if methods:
        return problem(405, "The address does not have this method.", headers={"Allow": ", ".join(methods)})
    return problem(404, "There is nothing here.")
