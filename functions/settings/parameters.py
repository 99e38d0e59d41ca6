"""Parameters that several routes take, as they are checked and documented."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools.event_handler.openapi.params import Header, Query
from pydantic import Field

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        max_length=1000,
        description="The ETag of what is changed, as it was read; another version is answered with 412.",
    ),
]
Cursor = Annotated[
    str | None, Query(max_length=2000, description="The `cursor` of the page before; none: the first page.")
]
Limit = Annotated[
    int,
    Field(ge=1, le=100),
    Query(description="At most so many items; the list goes on as long as there is a `cursor`."),
]
