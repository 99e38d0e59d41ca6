"""What an address is not mailed about, and the key that its suppression is kept under."""

from __future__ import annotations

from hashlib import sha256
from typing import Annotated

from pydantic import Field

ALL = "all"
"""The scope of a suppression that stops everything."""

LONGEST_PAGE_ID = 200
"""Characters. A status page with a longer id has no list that can be left by a link of ours."""

_OF_PAGE = "status_page/"
_DIGITS = 32

Scope = Annotated[
    str,
    Field(
        pattern=rf"^(?:{ALL}|{_OF_PAGE}.{{1,{LONGEST_PAGE_ID}}})$",
        description=f"What is not mailed: `{ALL}`, or `{_OF_PAGE}<id>`: what a status page tells its subscribers.",
    ),
]


def page_scope(page_id: str) -> Scope:
    """The scope of a suppression that stops what a status page tells all of its subscribers."""
    return f"{_OF_PAGE}{page_id}"


def suppression_key(address: str, scope: Scope) -> str:
    """What a canonical address is kept under with this scope. No address has a line feed."""
    return address if scope == ALL else f"{address}\n{sha256(scope.encode()).hexdigest()[:_DIGITS]}"


def address_of(key: str) -> str:
    """The address that is kept under this key."""
    return key.partition("\n")[0]
