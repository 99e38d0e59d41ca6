"""Service level objectives, as their owners are told of them."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, FiniteFloat

from tocsin.model.notifications.parts import Change, Kind, NotificationData, Part


class Slo(Part):
    """A service level objective. What is left of the error budget is below zero where it is overspent."""

    id: Annotated[str, Field(min_length=1)]
    name: Annotated[str, Field(min_length=1)]
    description: str | None = None
    state: str | None = None
    kind: Kind | None = None
    target_percent: Annotated[FiniteFloat, Field(ge=0, le=100)] | None = None
    current_percent: Annotated[FiniteFloat, Field(ge=0, le=100)] | None = None
    error_budget_percent: Annotated[FiniteFloat, Field(ge=-1_000_000, le=100)] | None = None
    error_budget_seconds: FiniteFloat | None = None
    url: str | None = None


class SloStatusChanged(NotificationData):
    """An objective is met, at risk, missed, or whatever the publisher calls it."""

    about = "slo"

    slo: Slo
    change: Change


TYPES: dict[str, type[NotificationData]] = {"slo.status_changed": SloStatusChanged}
