"""What a request says: who asks, and what that admin may do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin import wiring
from tocsin.model.permissions import Caller, Permissions

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver
    from aws_lambda_powertools.event_handler.api_gateway import Router


def caller_of(app: APIGatewayHttpResolver | Router) -> Caller:
    """The bearer of the token."""
    claims = claims_of(app)
    permissions = Permissions.of(claims.get(wiring.config().oidc_projects_claim))
    return Caller(id=str(claims.get("sub", "")), permissions=permissions)


def claims_of(app: APIGatewayHttpResolver | Router) -> dict[str, Any]:
    """What the token says of its bearer, as the authorizer has checked it."""
    context = app.current_event.raw_event.get("requestContext", {})
    claims = context.get("authorizer", {}).get("jwt", {}).get("claims", {})
    return claims if isinstance(claims, dict) else {}
