"""What the provider says no with (RFC 6749 sections 4.1.2.1 and 5.2)."""

from __future__ import annotations


class Refused(Exception):
    """The request is answered with this `error`; `description` is for the developer who reads it."""

    def __init__(self, error: str, description: str) -> None:
        super().__init__(f"{error}: {description}")
        self.error = error
        self.description = description
