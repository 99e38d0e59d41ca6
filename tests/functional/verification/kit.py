"""A mail account at a relay of the test's own, tried out step by step."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

from tocsin.actions.verify_steps import VerifySteps
from tocsin.adapters.egress import Egress
from tocsin.adapters.verification import Trial
from tocsin.data.remedies import Remedies
from tocsin.model.mail_account import Mailbox, Security

from tests.functional.submission.kit import PASSWORD, account_at

if TYPE_CHECKING:
    from tocsin.model.credential import Credential
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.step_report import StepReport, StepResult

    from tests.imap_server import ImapServer
    from tests.relay import Relay

LOGIN: dict[str, Any] = {"security": "starttls", "mechanisms": ("PLAIN",), "passwords": {"ana": "hunter2"}}


def account_with(relay: Relay, mailbox: ImapServer | None = None, **settings: Any) -> MailAccount:  # noqa: ANN401  (of any kind)
    """An account that logs in by password, and has a mailbox where one is given."""
    account = account_at(relay, auth=settings.pop("auth", "password"), **settings)
    if mailbox is None:
        return account
    box = Mailbox(host=mailbox.host, port=mailbox.port, security=Security(mailbox.security))
    return account.model_copy(update={"mailbox": box})


def steps(egress: Egress) -> VerifySteps:
    """The action with real adapters."""
    return VerifySteps(trial=Trial(egress), remedies=Remedies(), may_see_token=lambda _: True, monotonic=time.monotonic)


def guard(account: MailAccount) -> Egress:
    """A guard that lets through what the account names."""
    mailbox = account.mailbox or account.relay
    return Egress(f"{account.relay.host}:{account.relay.port},{mailbox.host}:{mailbox.port}")


def verified(
    account: MailAccount,
    *,
    credential: Credential | None = PASSWORD,
    egress: Egress | None = None,
    seconds: float = 5.0,
) -> StepReport:
    """Verify the account; it logs in with `credential`."""
    return steps(egress or guard(account))(account, lambda _: credential, deadline=time.monotonic() + seconds)


def sent(account: MailAccount, mail: MailObject | None, *, credential: Credential | None = PASSWORD) -> StepReport:
    """Send a test message by the account."""
    return steps(guard(account)).send(account, lambda _: credential, mail, deadline=time.monotonic() + 5)


def step(report: StepReport, name: str) -> StepResult:
    """One step of a report."""
    return next(one for one in report.steps if one.name == name)


def outcomes(report: StepReport) -> dict[str, str]:
    """What each step came to."""
    return {one.name.value: one.outcome.value for one in report.steps}
