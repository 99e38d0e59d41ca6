"""GET /providers: what is known of mail providers, and how to set an account up there."""

from __future__ import annotations

import json
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from aws_lambda_powertools.event_handler import Response
from tocsin import wiring_api
from tocsin.data.guides import guides, values_of
from tocsin.data.presets import document
from tocsin.model.identity_provider import Problem
from tocsin.model.preset_view import view
from tocsin.model.settings_error import InvalidSettings

from functions.settings.answers import answer
from functions.settings.problems import problem
from functions.settings.requests import permissions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler import APIGatewayHttpResolver

_TYPED = ("client_id", "tenant_id", "object_id")
_OF_ACCOUNT = ("project_id", "mail_account_id")


def providers(app: APIGatewayHttpResolver) -> Response[str]:
    """The presets, and the guides filled in with what is known.

    `id` asks for one provider, by any of its names. Guides are filled in with the ids of the account that `project_id`
    and `mail_account_id` name, and with `client_id`, `tenant_id` and `object_id`, which go before them.
    """
    caller, query = permissions(app), app.current_event.query_string_parameters
    if not caller.admin_of | caller.viewer_of:
        return problem(403, "This access token permits nothing here.", remedy="Ask an admin for a permission.")
    content = _content(query.get("id"), _values(app, query))
    return _unless_known(content, app.current_event.headers.get("if-none-match", ""))


def _values(app: APIGatewayHttpResolver, query: Mapping[str, str]) -> dict[str, str]:
    values = {"redirect_uri": wiring_api.redirect_uri()}
    if missing := [name for name in _OF_ACCOUNT if not query.get(name)]:
        if len(missing) < len(_OF_ACCOUNT):
            raise InvalidSettings([Problem(field=missing[0], text="A mail account is named by both ids.")])
    else:
        project_id, account_id = (query[name] for name in _OF_ACCOUNT)
        values |= values_of(wiring_api.configure().read(permissions(app), project_id, account_id))
    return values | {name: query[name] for name in _TYPED if query.get(name)}


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


def _unless_known(content: dict[str, Any], if_none_match: str) -> Response[str]:
    """The content, to be asked for again each time, or that the caller has it already (RFC 9110 section 13.1.2)."""
    tag = f'"{sha256(json.dumps(content).encode()).hexdigest()[:32]}"'
    headers = {"ETag": tag, "Cache-Control": "private, no-cache"}
    known = {one.strip().removeprefix("W/") for one in if_none_match.split(",")}
    if tag in known or "*" in known:
        return Response(status_code=304, headers=headers)
    return answer(content, headers=headers)
