"""A custom template as an admin writes it, has it previewed, and reads it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated, Any, Self

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, model_validator

from tocsin.model.custom_template import PARTS, CustomTemplate, Failure
from tocsin.model.version_tag import tag_of
from tocsin.model.written import Written

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.model.custom_template import Part, Scope

_MOST_SUBJECT_CHARACTERS = 1_000
_MOST_BODY_CHARACTERS = 30_000


def _source(text: str) -> str:
    """The source with plain line ends."""
    lines = text.replace("\r\n", "\n")
    if not all(one.isprintable() or one in "\n\t" for one in lines):
        raise ValueError("it holds characters that cannot be shown; only line ends and tabs may be among them")
    return lines


Subject = Annotated[str, Field(min_length=1, max_length=_MOST_SUBJECT_CHARACTERS), AfterValidator(_source)]
Body = Annotated[str, Field(min_length=1, max_length=_MOST_BODY_CHARACTERS), AfterValidator(_source)]


class CustomTemplateInput(Written):
    """Sources in Jinja2, a safe subset. A part that is left out, or null, stays the built-in one.

    `text` and `html` stand in the built-in frame, between the mail's head and its footer.
    """

    subject: Subject | None = None
    text: Body | None = None
    html: Body | None = None

    @model_validator(mode="after")
    def _has_a_part(self) -> Self:
        if not self.has_part:
            raise ValueError("at least one of subject, text and html is needed")
        return self

    @property
    def has_part(self) -> bool:
        """Whether any part is given."""
        return any(getattr(self, part) is not None for part in PARTS)


class PreviewWanted(CustomTemplateInput):
    """What is to be shown: these sources, else the saved ones, else the built-in mail.

    `data` is an event's data, without recipients; left out, a sample's.
    """

    data: Mapping[str, Any] | None = None
    locale: Annotated[str, Field(max_length=35)] | None = None
    time_zone: Annotated[str, Field(max_length=64)] | None = None

    @model_validator(mode="after")
    def _has_a_part(self) -> Self:
        return self


class FailureView(BaseModel):
    """What went wrong when a mail was last written by the template: it went out as the built-in one."""

    model_config = ConfigDict(frozen=True)

    at: AwareDatetime
    part: str
    line: int | None
    reason: str


class CustomTemplateSummary(BaseModel):
    """A custom template without its sources; `parts` are those it has."""

    model_config = ConfigDict(frozen=True)

    type: str
    status_page_id: str | None
    version: int
    parts: tuple[str, ...]
    updated_at: AwareDatetime
    updated_by: str
    last_error: FailureView | None

    @classmethod
    def of(cls, template: CustomTemplate) -> Self:
        """The template as a list shows it."""
        return cls.model_validate(_shown(template) | {"parts": _parts_of(template)})


class CustomTemplateView(BaseModel):
    """One version of a custom template."""

    model_config = ConfigDict(frozen=True)

    type: str
    status_page_id: str | None
    version: int
    subject: str | None
    text: str | None
    html: str | None
    updated_at: AwareDatetime
    updated_by: str
    last_error: FailureView | None

    @classmethod
    def of(cls, template: CustomTemplate) -> Self:
        """The template as it is shown."""
        return cls.model_validate(_shown(template) | {part: template.source(part) for part in PARTS})


class Preview(BaseModel):
    """A mail as it would go out, and which of its parts are of the custom template."""

    model_config = ConfigDict(frozen=True)

    subject: str
    text: str
    html: str
    custom_parts: tuple[str, ...]


def template_of(
    written: CustomTemplateInput,
    *,
    project_id: str,
    scope: Scope,
    version: int,
    at: datetime,
    by: str,
) -> CustomTemplate:
    """The template that `written` makes."""
    return CustomTemplate(
        project_id=project_id,
        scope=scope,
        version=version,
        subject=written.subject,
        text=written.text,
        html=written.html,
        updated_at=at,
        updated_by=by,
    )


def etag(template: CustomTemplate) -> str:
    """The strong entity tag: what went wrong since is another representation, and nobody's edit."""
    return tag_of(template.version, repr(template.last_error) if template.last_error is not None else "")


def _parts_of(template: CustomTemplate) -> tuple[Part, ...]:
    return tuple(part for part in PARTS if template.source(part) is not None)


def _shown(template: CustomTemplate) -> dict[str, Any]:
    return {
        "type": template.type,
        "status_page_id": template.scope.status_page_id,
        "version": template.version,
        "updated_at": template.updated_at,
        "updated_by": template.updated_by,
        "last_error": _failure(template.last_error),
    }


def _failure(failure: Failure | None) -> FailureView | None:
    if failure is None:
        return None
    return FailureView(at=failure.at, part=failure.part, line=failure.line, reason=failure.reason)
