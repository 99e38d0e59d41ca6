"""Mail accounts over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from pydantic import BaseModel, ConfigDict, Field
from tocsin import wiring_api
from tocsin.actions.configure import Search
from tocsin.data.preset_checks import filled
from tocsin.model.mail_account_input import MailAccountInput
from tocsin.model.mail_account_view import MailAccountView, Status, etag
from tocsin.model.merge_patch import patched
from tocsin.model.ulid import is_ulid
from tocsin.model.written import AsJson, Written

from functions.settings.answers import answer, nothing
from functions.settings.cursors import cursor_for, position_at
from functions.settings.idempotency import once
from functions.settings.pages import page_of
from functions.settings.parameters import Cursor, IfMatch, Limit
from functions.settings.requests import caller_of
from functions.settings.validation import TestTo, Validate, gate

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.model.mail_account import MailAccount

    from functions.settings.validation import Gate

logger = Logger(service="settings", child=True)
routes = Router()

_TAGS = ["mail accounts"]
_ALL = "/projects/<project_id>/mail-accounts"
_ONE = f"{_ALL}/<mail_account_id>"
_LONGEST_TEXT = 200

Text = Annotated[str | None, Query(max_length=_LONGEST_TEXT, description="Stands in name, slug or provider.")]
Provider = Annotated[str | None, Query(max_length=_LONGEST_TEXT, description="The provider, by its whole name.")]
WithStatus = Annotated[Status | None, Query(description="The status.")]
Patch = Annotated[
    dict[str, Any],
    Body(
        media_type="application/merge-patch+json",
        description=(
            "A JSON Merge Patch (RFC 7396) of what PUT takes. Null takes a secret away; one that is left out stays."
        ),
    ),
]
AccountBody = Annotated[MailAccountInput, AsJson(), Body()]
AccountId = Annotated[str, Field(min_length=1, max_length=26)]


class MailAccountList(BaseModel):
    """A page of mail accounts; `cursor` is that of the next page, if there may be one."""

    model_config = ConfigDict(frozen=True)

    items: tuple[MailAccountView, ...]
    cursor: str | None


class BulkDelete(Written):
    """The mail accounts that are to be deleted."""

    ids: Annotated[tuple[AccountId, ...], Field(min_length=1, max_length=50)]


class Deleted(BaseModel):
    """The mail accounts that were deleted, those that were not there, and those that may still be: ask again for them.

    Some are `left` where a store became busy on the way, or where others change them all the time.
    """

    model_config = ConfigDict(frozen=True)

    deleted: tuple[str, ...]
    not_there: tuple[str, ...]
    left: tuple[str, ...]


@routes.get(_ALL, summary="List mail accounts", tags=_TAGS)
def list_mail_accounts(
    project_id: str,
    q: Text = None,
    provider: Provider = None,
    status: WithStatus = None,
    cursor: Cursor = None,
    limit: Limit = 100,
) -> Response[MailAccountList]:
    """Show a page of the mail accounts that are looked for, in the order in which they were made."""
    which = ["mail-accounts", project_id, q, provider, status]
    position = position_at(cursor, of=which, parts={"after": is_ulid})
    accounts, last = wiring_api.configure().page(
        caller_of(routes),
        project_id,
        Search(text=q, provider=provider, status=status),
        after=position["after"] if position else None,
        size=limit,
    )
    items, last = page_of(accounts, last, show=MailAccountView.of, place=lambda account: account.id)
    return answer(MailAccountList(items=items, cursor=cursor_for({"after": last}, of=which) if last else None))


@routes.post(_ALL, summary="Make a mail account", tags=_TAGS, status_code=201, middlewares=[once])
def create_mail_account(
    project_id: str, written: AccountBody, validate: Validate = None, test_to: TestTo = None
) -> Response[MailAccountView]:
    """Save a new mail account."""
    caller, checks = caller_of(routes), gate(routes, validate=validate, test_to=test_to)
    confirm = checks.new if checks is not None else None
    account = wiring_api.configure().create(caller, project_id, filled(written), confirm=confirm)
    if checks is not None:
        checks.announce(account)
    logger.info("mail_account_created", project_id=project_id, mail_account_id=account.id, admin=caller.id)
    location = f"/projects/{project_id}/mail-accounts/{account.id}"
    return answer(MailAccountView.of(account), status=201, headers={"ETag": etag(account), "Location": location})


@routes.get(_ONE, summary="Read a mail account", tags=_TAGS)
def read_mail_account(project_id: str, mail_account_id: str) -> Response[MailAccountView]:
    """Show one mail account."""
    return _shown(wiring_api.configure().read(caller_of(routes), project_id, mail_account_id))


@routes.put(_ONE, summary="Replace the settings of a mail account", tags=_TAGS)
def replace_mail_account(
    project_id: str,
    mail_account_id: str,
    written: AccountBody,
    validate: Validate = None,
    test_to: TestTo = None,
    if_match: IfMatch = None,
) -> Response[MailAccountView]:
    """Save all settings of a mail account anew. Needs If-Match."""
    return _changed(
        project_id,
        mail_account_id,
        lambda _: filled(written),
        if_match=if_match,
        replaces=True,
        checks=gate(routes, validate=validate, test_to=test_to),
    )


@routes.patch(_ONE, summary="Change some settings of a mail account", tags=_TAGS)
def change_mail_account(
    project_id: str,
    mail_account_id: str,
    patch: Patch,
    validate: Validate = None,
    test_to: TestTo = None,
    if_match: IfMatch = None,
) -> Response[MailAccountView]:
    """Change what is named, and leave the rest."""
    return _changed(
        project_id,
        mail_account_id,
        lambda before: filled(patched(before, patch)),
        if_match=if_match,
        replaces=False,
        checks=gate(routes, validate=validate, test_to=test_to),
    )


@routes.delete(_ONE, summary="Delete a mail account with its secrets", tags=_TAGS, status_code=204)
def delete_mail_account(project_id: str, mail_account_id: str, if_match: IfMatch = None) -> Response[None]:
    """Delete a mail account."""
    caller = caller_of(routes)
    wiring_api.configure().delete(caller, project_id, mail_account_id, if_match=if_match)
    logger.info("mail_account_deleted", project_id=project_id, mail_account_id=mail_account_id, admin=caller.id)
    return nothing()


@routes.post(f"{_ALL}/bulk-delete", summary="Delete several mail accounts", tags=_TAGS, middlewares=[once])
def delete_mail_accounts(project_id: str, wanted: Annotated[BulkDelete, AsJson(), Body()]) -> Response[Deleted]:
    """Delete mail accounts as they stand."""
    caller = caller_of(routes)
    done = wiring_api.configure().delete_some(caller, project_id, tuple(dict.fromkeys(wanted.ids)))
    logger.info("mail_accounts_deleted", project_id=project_id, mail_account_ids=done.deleted, admin=caller.id)
    return answer(Deleted(deleted=done.deleted, not_there=done.not_there, left=done.left))


def _changed(
    project_id: str,
    mail_account_id: str,
    edit: Callable[[MailAccount], MailAccountInput],
    *,
    if_match: str | None,
    replaces: bool,
    checks: Gate | None,
) -> Response[MailAccountView]:
    caller, confirm = caller_of(routes), checks.changed if checks is not None else None
    account = wiring_api.change_account()(
        caller, project_id, mail_account_id, edit, if_match=if_match, replaces=replaces, confirm=confirm
    )
    if checks is not None:
        checks.announce(account)
    logger.info("mail_account_changed", project_id=project_id, mail_account_id=mail_account_id, admin=caller.id)
    return _shown(account)


def _shown(account: MailAccount) -> Response[MailAccountView]:
    return answer(MailAccountView.of(account), headers={"ETag": etag(account)})
