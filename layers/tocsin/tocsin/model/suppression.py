"""Suppressions: addresses that a project does not mail, since when and why."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import TYPE_CHECKING, Annotated

from pydantic import AwareDatetime, BaseModel, ConfigDict, Field, field_validator

from tocsin.model.address import BadAddress, parse_address
from tocsin.model.suppression_scope import ALL, Scope, suppression_key
from tocsin.model.written import Written

if TYPE_CHECKING:
    from datetime import datetime


_KEY_OCTETS = 1024  # a sort key's limit


class Reason(StrEnum):
    """Why an address is not mailed."""

    MANUAL = "manual"  # an admin wants it so
    BOUNCED = "bounced"
    COMPLAINED = "complained"
    UNSUBSCRIBED = "unsubscribed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Suppression:
    """One address of one project; `address` is canonical. `added_by` is an admin's id, or None where nobody asked."""

    project_id: str
    address: str
    reason: Reason
    scope: Scope
    since: datetime
    added_by: str | None

    @property
    def key(self) -> str:
        """What it is kept under."""
        return suppression_key(self.address, self.scope)


class SuppressionInput(Written):
    """An address that is not to be mailed any more, as an admin writes it."""

    address: Annotated[str, Field(min_length=3, max_length=400)]
    reason: Reason = Reason.MANUAL
    scope: Scope = ALL

    @field_validator("address")
    @classmethod
    def _is_canonical(cls, value: str) -> str:
        try:
            return parse_address(value).canonical
        except BadAddress as error:
            raise ValueError(f"It is no address that mail can be sent to: {error}.") from None


class SuppressionView(BaseModel):
    """One suppression, as it is shown. `added_by` is an admin's id; none: mail that came back, or the reader."""

    model_config = ConfigDict(frozen=True)

    address: str
    reason: Reason
    scope: Scope
    since: AwareDatetime
    added_by: str | None


class SuppressionPage(BaseModel):
    """Some of a project's suppressions, by address."""

    model_config = ConfigDict(frozen=True)

    items: tuple[SuppressionView, ...]
    cursor: str | None


def is_key(text: str) -> bool:
    """Whether a suppression can be kept under this key: an address, or an address with a scope."""
    return 0 < len(text.encode(errors="replace")) <= _KEY_OCTETS


def view(suppression: Suppression) -> SuppressionView:
    """The suppression, for those who may read the project."""
    return SuppressionView(
        address=suppression.address,
        reason=suppression.reason,
        scope=suppression.scope,
        since=suppression.since,
        added_by=suppression.added_by,
    )
