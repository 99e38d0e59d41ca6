"""GET /providers: what is known of mail providers, and how to set an account up there."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Query
from pydantic import BaseModel, ConfigDict
from tocsin import wiring_api
from tocsin.data.guides import guides, values_of
from tocsin.data.presets import document
from tocsin.model.preset_view import view
from tocsin.model.problem import Problem
from tocsin.model.settings_error import ForbiddenToChange, InvalidSettings

from functions.settings.answers import answer
from functions.settings.requests import caller_of

if TYPE_CHECKING:
    from collections.abc import Mapping

routes = Router()

_LONGEST = 300

Name = Annotated[str | None, Query(alias="id", max_length=_LONGEST, description="One provider, by any of its names.")]
OfAccount = Annotated[str | None, Query(max_length=_LONGEST, description="The account that guides are filled in for.")]
Typed = Annotated[str | None, Query(max_length=_LONGEST, description="What guides are filled in with.")]


class Guide(BaseModel):
    """How to set an account up, step by step, in Markdown."""

    model_config = ConfigDict(frozen=True)

    id: str
    title: str
    markdown: str


class ProviderList(BaseModel):
    """The presets, with locked and free fields, and the guides that they name."""

    model_config = ConfigDict(frozen=True)

    items: tuple[dict[str, Any], ...]
    cursor: None
    guides: tuple[Guide, ...]
    redirect_uri: str


@routes.get("/providers", summary="List the providers that are known, with guides", tags=["providers"])
def list_providers(
    name: Name = None,
    project_id: OfAccount = None,
    mail_account_id: OfAccount = None,
    client_id: Typed = None,
    tenant_id: Typed = None,
    object_id: Typed = None,
) -> Response[ProviderList]:
    """Show presets and guides, these filled in with what is known.

    That is what the account has that `project_id` and `mail_account_id` name, and before it what is typed.
    """
    permissions = caller_of(routes).permissions
    if not permissions.admin_of | permissions.viewer_of:
        raise ForbiddenToChange("the token permits nothing here")
    typed = {"client_id": client_id, "tenant_id": tenant_id, "object_id": object_id}
    values = _values(project_id, mail_account_id) | {name: value for name, value in typed.items() if value}
    return answer(ProviderList.model_validate(_content(name, values)), headers={"Cache-Control": "private, no-cache"})


def _values(project_id: str | None, account_id: str | None) -> dict[str, str]:
    values = {"redirect_uri": wiring_api.redirect_uri()}
    if project_id and account_id:
        return values | values_of(wiring_api.configure().read(caller_of(routes), project_id, account_id))
    if project_id or account_id:
        missing = "mail_account_id" if project_id else "project_id"
        raise InvalidSettings([Problem(field=missing, text="A mail account is named by both ids.")])
    return values


def _content(name: str | None, values: Mapping[str, str]) -> dict[str, Any]:
    """`name` is that of a provider; None: all of them."""
    presets = [preset for preset in document().values() if name is None or name in {preset.id, *preset.aliases}]
    wanted = {guide for preset in presets for guide in preset.guides}
    shown = [guide for guide in guides(values) if guide.id in wanted]
    return {
        "items": [view(preset) for preset in presets],
        "cursor": None,
        "guides": [{"id": guide.id, "title": guide.title, "markdown": guide.markdown} for guide in shown],
        "redirect_uri": values["redirect_uri"],
    }
