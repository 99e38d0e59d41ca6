"""Problems as RFC 9457 writes them."""

from __future__ import annotations

import json
from http import HTTPStatus
from typing import TYPE_CHECKING

from pydantic import BaseModel, ConfigDict
from tocsin.model.step_report import StepReport

from functions.settings.answers import answer

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from aws_lambda_powertools.event_handler import Response

CONTENT_TYPE = "application/problem+json"


class FieldProblem(BaseModel):
    """What is wrong with one field, which is named by its path, and in a template at which line. No value is said."""

    model_config = ConfigDict(frozen=True)

    field: str
    problem: str
    line: int | None = None
    remedy: str | None = None


class Problem(BaseModel):
    """Why nothing was done (RFC 9457). `remedy` is what helps, where that is known.

    `report` are the steps of what does not verify.
    """

    model_config = ConfigDict(frozen=True)

    type: str = "about:blank"
    title: str
    status: int
    detail: str
    remedy: str | None = None
    errors: tuple[FieldProblem, ...] | None = None
    report: StepReport | None = None


def problem(
    status: int,
    detail: str,
    *,
    remedy: str | None = None,
    errors: Sequence[FieldProblem] | None = None,
    report: StepReport | None = None,
    headers: Mapping[str, str] | None = None,
) -> Response[str]:
    """A problem without a type of its own: its title is the status's."""
    content = Problem(
        title=HTTPStatus(status).phrase,
        status=status,
        detail=detail,
        remedy=remedy,
        errors=tuple(errors) if errors else None,
        report=report,
    )
    text = json.dumps(content.model_dump(mode="json", exclude_none=True))
    return answer(text, status=status, headers=headers, content_type=CONTENT_TYPE)
