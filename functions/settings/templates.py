"""A project's own templates over HTTP."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header, Query
from pydantic import BaseModel, ConfigDict, Field
from tocsin import wiring_templates
from tocsin.model.custom_template import STATUS_PAGE_ID_PATTERN, Scope, is_template_name
from tocsin.model.custom_template_input import (
    CustomTemplateInput,
    CustomTemplateSummary,
    CustomTemplateView,
    Preview,
    PreviewWanted,
    etag,
)
from tocsin.model.written import AsJson

from functions.settings.answers import answer, nothing
from functions.settings.cursors import cursor_for, position_at
from functions.settings.parameters import Cursor, IfMatch, Limit
from functions.settings.requests import caller_of

logger = Logger(service="settings", child=True)
routes = Router()

_TAGS = ["templates"]
_ALL = "/projects/<project_id>/templates"
_ONE = f"{_ALL}/<type>"

StatusPageId = Annotated[
    str | None,
    Field(pattern=STATUS_PAGE_ID_PATTERN),
    Query(description="For the mails of this status page only; they go before those for all mails of the type."),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="* makes a new template, and replaces none."),
]
Version = Annotated[
    int | None, Field(ge=1, le=2**31), Query(description="One of the last ten versions before this one.")
]


class CustomTemplateList(BaseModel):
    """A page of templates, by type and status page; `cursor` is that of the next page, if there may be one."""

    model_config = ConfigDict(frozen=True)

    items: tuple[CustomTemplateSummary, ...]
    cursor: str | None


@routes.get(_ALL, summary="List the project's own templates", tags=_TAGS)
def list_templates(project_id: str, cursor: Cursor = None, limit: Limit = 100) -> Response[CustomTemplateList]:
    """Show a page of templates, without their sources."""
    which = ["templates", project_id]
    position = position_at(cursor, of=which, parts={"after": is_template_name})
    templates, last = wiring_templates.configure_templates().page(
        caller_of(routes), project_id, after=position["after"] if position else None, size=limit
    )
    items = tuple(CustomTemplateSummary.of(template) for template in templates)
    return answer(CustomTemplateList(items=items, cursor=cursor_for({"after": last}, of=which) if last else None))


@routes.get(_ONE, summary="Read a template", tags=_TAGS)
def read_template(
    project_id: str,
    type: str,  # noqa: A002  (the path's own name)
    status_page_id: StatusPageId = None,
    version: Version = None,
) -> Response[CustomTemplateView]:
    """Show the template as it stands, or as it stood."""
    scope = Scope(type=type, status_page_id=status_page_id)
    template = wiring_templates.configure_templates().read(caller_of(routes), project_id, scope, version=version)
    return answer(CustomTemplateView.of(template), headers={"ETag": etag(template)})


@routes.put(
    _ONE,
    summary="Save a template for a type of mail",
    description="It is tried out first: what fails is answered with part and line. Replacing one needs If-Match.",
    tags=_TAGS,
)
def put_template(
    project_id: str,
    type: str,  # noqa: A002  (the path's own name)
    written: Annotated[CustomTemplateInput, AsJson(), Body()],
    status_page_id: StatusPageId = None,
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[CustomTemplateView]:
    """Save a template; mails are written by it within seconds."""
    caller, scope = caller_of(routes), Scope(type=type, status_page_id=status_page_id)
    template, is_new = wiring_templates.configure_templates().put(
        caller, project_id, scope, written, if_match=if_match, if_none_match=if_none_match
    )
    logger.info(
        "template_saved", project_id=project_id, template=template.name, version=template.version, admin=caller.id
    )
    headers = {"ETag": etag(template)}
    return answer(CustomTemplateView.of(template), status=201 if is_new else 200, headers=headers)


@routes.delete(_ONE, summary="Delete a template: the built-in mail goes out again", tags=_TAGS, status_code=204)
def delete_template(
    project_id: str,
    type: str,  # noqa: A002  (the path's own name)
    status_page_id: StatusPageId = None,
    if_match: IfMatch = None,
) -> Response[None]:
    """Delete a template; its last versions are kept."""
    caller, scope = caller_of(routes), Scope(type=type, status_page_id=status_page_id)
    wiring_templates.configure_templates().delete(caller, project_id, scope, if_match=if_match)
    logger.info("template_deleted", project_id=project_id, template=scope.name, admin=caller.id)
    return nothing()


@routes.post(f"{_ONE}/preview", summary="Preview a mail", tags=_TAGS)
def preview_template(
    project_id: str,
    type: str,  # noqa: A002  (the path's own name)
    wanted: Annotated[PreviewWanted, AsJson(), Body()],
    status_page_id: StatusPageId = None,
) -> Response[Preview]:
    """Show a mail as it would go out. Nothing is saved and nothing sent, so repeating it needs no key."""
    scope = Scope(type=type, status_page_id=status_page_id)
    return answer(wiring_templates.configure_templates().preview(caller_of(routes), project_id, scope, wanted))
