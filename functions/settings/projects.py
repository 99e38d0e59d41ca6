"""Projects over HTTP."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Header
from pydantic import BaseModel, ConfigDict
from tocsin import wiring_api
from tocsin.model.project import is_project_id
from tocsin.model.project_input import ProjectInput, ProjectView, etag
from tocsin.model.written import AsJson

from functions.settings.answers import answer, nothing
from functions.settings.cursors import cursor_for, position_at
from functions.settings.pages import page_of
from functions.settings.parameters import Cursor, IfMatch, Limit
from functions.settings.requests import caller_of

logger = Logger(service="settings", child=True)
routes = Router()

_LIST = "projects"
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", max_length=1000, description="* makes a new project, and replaces none."),
]


class ProjectList(BaseModel):
    """A page of projects; `cursor` is that of the next page, if there may be one."""

    model_config = ConfigDict(frozen=True)

    items: tuple[ProjectView, ...]
    cursor: str | None


@routes.get("/projects", summary="List the projects that the caller may see", tags=["projects"])
def list_projects(cursor: Cursor = None, limit: Limit = 100) -> Response[ProjectList]:
    """Show a page of projects, by id."""
    position = position_at(cursor, of=_LIST, parts={"after": is_project_id})
    projects, last = wiring_api.configure_projects().page(
        caller_of(routes), after=position["after"] if position else None, size=limit
    )
    items, last = page_of(projects, last, show=ProjectView.of, place=lambda project: project.project_id)
    return answer(ProjectList(items=items, cursor=cursor_for({"after": last}, of=_LIST) if last else None))


@routes.get("/projects/<project_id>", summary="Read a project", tags=["projects"])
def read_project(project_id: str) -> Response[ProjectView]:
    """Show one project."""
    project = wiring_api.configure_projects().read(caller_of(routes), project_id)
    return answer(ProjectView.of(project), headers={"ETag": etag(project)})


@routes.put(
    "/projects/<project_id>",
    summary="Make a project, or replace its settings",
    description="Making one needs the permission `*:admin`; replacing one needs If-Match.",
    tags=["projects"],
)
def put_project(
    project_id: str,
    written: Annotated[ProjectInput, AsJson(), Body()],
    if_match: IfMatch = None,
    if_none_match: IfNoneMatch = None,
) -> Response[ProjectView]:
    """Save a project."""
    caller = caller_of(routes)
    project, is_new = wiring_api.configure_projects().put(
        caller, project_id, written, if_match=if_match, if_none_match=if_none_match
    )
    logger.info("project_saved", project_id=project_id, is_new=is_new, admin=caller.id)
    return answer(ProjectView.of(project), status=201 if is_new else 200, headers={"ETag": etag(project)})


@routes.delete(
    "/projects/<project_id>", summary="Delete a project without mail accounts", tags=["projects"], status_code=204
)
def delete_project(project_id: str, if_match: IfMatch = None) -> Response[None]:
    """Delete a project."""
    caller = caller_of(routes)
    wiring_api.configure_projects().delete(caller, project_id, if_match=if_match)
    logger.info("project_deleted", project_id=project_id, admin=caller.id)
    return nothing()
