"""What a request says: who asks, what that admin may do, and the body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from pydantic import ValidationError
from tocsin import wiring
from tocsin.model.authorization import AuthorizationRequest
from tocsin.model.identity_provider import Problem
from tocsin.model.permissions import Permissions
from tocsin.model.settings_error import InvalidSettings

if TYPE_CHECKING:
    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver


def permissions(app: APIGatewayHttpResolver) -> Permissions:
    """What the bearer of the token may do. Cognito marks its tokens: any but an access token permits nothing."""
    claims = _claims(app)
    if claims.get("token_use", "access") != "access":
        return Permissions()
    return Permissions.of(claims.get(wiring.config().oidc_projects_claim))


def admin(app: APIGatewayHttpResolver) -> str:
    """The bearer's id at the issuer."""
    return str(_claims(app).get("sub", ""))


def body(app: APIGatewayHttpResolver) -> str:
    """The body as text.

    Raises:
        InvalidSettings: it is not in UTF-8.
    """
    try:
        return app.current_event.decoded_body or ""
    except ValueError:
        raise InvalidSettings([Problem(field="(body)", text="it is not text in UTF-8")]) from None


def authorization_request(app: APIGatewayHttpResolver) -> AuthorizationRequest:
    """What an admin wants of the redirect; no body wants nothing.

    Raises:
        InvalidSettings: it is something else.
    """
    try:
        return AuthorizationRequest.model_validate_json(body(app) or "{}")
    except ValidationError as error:
        fields = [".".join(str(part) for part in one["loc"]) or "(body)" for one in error.errors()]
        text = "a path of the console is wanted, such as /projects/acme"
        raise InvalidSettings([Problem(field=field, text=text) for field in fields]) from None


def _claims(app: APIGatewayHttpResolver) -> dict[str, Any]:
    context = app.current_event.raw_event.get("requestContext", {})
    claims = context.get("authorizer", {}).get("jwt", {}).get("claims", {})
    return claims if isinstance(claims, dict) else {}
