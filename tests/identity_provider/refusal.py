"""How the identity provider says no."""

from __future__ import annotations


class Refused(Exception):
    """An OAuth2 error answer (RFC 6749 section 5.2)."""

    def __init__(self, error: str, description: str = "", *, status: int = 400) -> None:
        super().__init__(error)
        self.fields = {"error": error, **({"error_description": description} if description else {})}
        self.status = status
