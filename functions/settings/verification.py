"""Verification of mail accounts and test messages over HTTP."""

from __future__ import annotations

from typing import Annotated

from aws_lambda_powertools import Logger
from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.event_handler.api_gateway import Router
from aws_lambda_powertools.event_handler.openapi.params import Body, Query
from tocsin import wiring_api, wiring_verification
from tocsin.data.preset_checks import filled
from tocsin.model.mail_account_input import Address, MailAccountInput
from tocsin.model.step_report import StepReport
from tocsin.model.written import AsJson, Written

from functions.settings.answers import answer
from functions.settings.idempotency import once
from functions.settings.requests import caller_of

logger = Logger(service="settings", child=True)
routes = Router()

_TAGS = ["verification"]
_ONE = "/projects/<project_id>/mail-accounts/<mail_account_id>"

SavedAs = Annotated[
    str | None,
    Query(
        max_length=26,
        description=(
            "The id of the saved mail account that the values are a change of. What it has stored is used only with the"
            " host, port, TLS mode and user that it was saved for."
        ),
    ),
]


class MessageWanted(Written):
    """To whom a test message goes."""

    to: Address


@routes.post(f"{_ONE}/verification", summary="Verify a saved mail account", tags=_TAGS, middlewares=[once])
def verify_mail_account(project_id: str, mail_account_id: str) -> Response[StepReport]:
    """Try the account step by step, and keep what came of it. No mail is sent; the answer is the report either way."""
    deadline, caller = wiring_verification.deadline(), caller_of(routes)
    account = wiring_api.configure().read_to_change(caller, project_id, mail_account_id)
    wiring_verification.verification_turns().take(project_id)
    report = wiring_verification.verify_saved(not_told)(account, deadline=deadline)
    _log("mail_account_verification", report, project_id=project_id, mail_account_id=mail_account_id, admin=caller.id)
    return answer(report)


@routes.post(
    "/projects/<project_id>/verification", summary="Verify values that are not saved", tags=_TAGS, middlewares=[once]
)
def verify_values(
    project_id: str,
    written: Annotated[MailAccountInput, AsJson(), Body()],
    mail_account_id: SavedAs = None,
) -> Response[StepReport]:
    """Try the values step by step. Nothing is saved, and no mail is sent."""
    deadline, caller = wiring_verification.deadline(), caller_of(routes)
    if mail_account_id is None:
        account, secret = wiring_api.configure().proposed(caller, project_id, filled(written))
        wiring_verification.verification_turns().take(project_id)
        report = wiring_verification.validate().report(account, secret, deadline=deadline)
    else:
        change = wiring_api.change_account().proposed(caller, project_id, mail_account_id, lambda _: filled(written))
        wiring_verification.verification_turns().take(project_id)
        report = wiring_verification.validate().report_on_change(change, deadline=deadline)
    _log("values_verification", report, project_id=project_id, mail_account_id=mail_account_id, admin=caller.id)
    return answer(report)


@routes.post(f"{_ONE}/test-message", summary="Send a test message by a mail account", tags=_TAGS, middlewares=[once])
def send_test_message(
    project_id: str, mail_account_id: str, wanted: Annotated[MessageWanted, AsJson(), Body()]
) -> Response[StepReport]:
    """Submit a message by this account and no other; `reply` is the relay's. It is no delivery, and counts as none."""
    deadline, caller = wiring_verification.deadline(), caller_of(routes)
    account = wiring_api.configure().read_to_change(caller, project_id, mail_account_id)
    wiring_verification.verification_turns().take(project_id)
    mail = wiring_verification.compose_test_message()(account, wanted.to)
    report = wiring_verification.verify_saved(not_told).send(account, mail, deadline=deadline)
    _log("test_message", report, project_id=project_id, mail_account_id=mail_account_id, admin=caller.id)
    return answer(report)


def not_told(reason: str, count: int) -> None:
    """Remember events and notices that were not taken."""
    logger.warning("events_not_published", reason=reason, count=count)


def _log(what: str, report: StepReport, **ids: str | None) -> None:
    logger.info(what, extra={"passed": report.passed, "failed_step": report.failed_step, **ids})
