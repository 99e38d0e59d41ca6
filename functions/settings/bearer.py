"""Whether a request's token is one for us: what the authorizer lets through, and we do not."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

NOT_LET_IN = {
    "statusCode": 401,
    "headers": {"content-type": "application/json"},
    "body": json.dumps({"message": "Unauthorized"}),
}
"""What API Gateway itself answers, to the letter: which of the two it was is nobody's business."""


def is_let_in(event: Mapping[str, Any]) -> bool:
    """Whether the token is an access token, and ends; a request without one came by a route that needs none.

    The authorizer has checked who signed it, for whom, and its times, as far as it has any. Cognito marks its tokens,
    and signs those that say who somebody is with the same key, for the same audience.
    """
    claims = event.get("requestContext", {}).get("authorizer", {}).get("jwt", {}).get("claims")
    return not claims or (claims.get("token_use", "access") == "access" and "exp" in claims)
