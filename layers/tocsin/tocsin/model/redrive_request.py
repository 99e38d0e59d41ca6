"""Which deliveries an admin wants to go again, as a request says it."""

from __future__ import annotations

from typing import Annotated, Literal, Self

from pydantic import BaseModel, ConfigDict, Field, model_validator

from tocsin.model.moments import WrittenTime
from tocsin.model.written import Written

MOST_IDS = 100

_FILTERS = ("recipient", "correlation", "mail_account_id", "type", "since", "until", "cursor")

Redrivable = Literal["parked", "refused", "expired", "unknown"]


class RedriveRequest(Written):
    """Deliveries by their ids, or by what they are about; in these states only.

    A delivery that goes again keeps its Message-ID, and has its family's useful life anew. One whose outcome is
    `unknown` may have arrived: its recipient then has it twice.
    """

    states: Annotated[frozenset[Redrivable], Field(min_length=1)]
    delivery_ids: Annotated[tuple[str, ...], Field(min_length=1, max_length=MOST_IDS)] | None = None
    recipient: Annotated[str, Field(min_length=1, max_length=1000)] | None = None
    correlation: Annotated[str, Field(min_length=1, max_length=1500)] | None = None
    mail_account_id: Annotated[str, Field(pattern=r"^(?:[0-9A-HJKMNP-TV-Z]{26}|none)$")] | None = None
    type: Annotated[str, Field(pattern=r"^[a-z_]{1,64}(?:\.[a-z_]{1,64})?$")] | None = None
    since: Annotated[WrittenTime | None, Field(alias="from")] = None
    until: Annotated[WrittenTime | None, Field(alias="to")] = None
    cursor: Annotated[str, Field(max_length=2000)] | None = None

    @model_validator(mode="after")
    def _is_by_id_or_by_filter(self) -> Self:
        if self.delivery_ids is not None and any(getattr(self, name) is not None for name in _FILTERS):
            raise ValueError("Deliveries are named by delivery_ids, or by filters, and not by both.")
        return self


class RedriveView(BaseModel):
    """What was done. With a `cursor` there is more to do: send the same request with it."""

    model_config = ConfigDict(frozen=True)

    redriven: int
    looked_at: int
    cursor: str | None
