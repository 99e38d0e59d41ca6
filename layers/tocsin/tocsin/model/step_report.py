"""Step reports: how far the verification of a mail account, or its test message, came, and what ended it."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, Self

from pydantic import BaseModel, ConfigDict

from tocsin.errors import PermanentError
from tocsin.model.mail_account import LastError
from tocsin.model.remedy import FailureClass
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping, Sequence
    from datetime import datetime

    from tocsin.model.remedy import Verdict

_TEXT_CHARACTERS = 4000


class Step(StrEnum):
    """The steps, in order."""

    SETTINGS = "settings"  # what we ourselves must have in order before anything is asked
    DNS = "dns"
    EGRESS = "egress"
    CONNECT = "connect"
    TLS = "tls"
    EHLO = "ehlo"
    AUTH = "auth"
    MAIL = "mail"
    RCPT = "rcpt"
    DATA = "data"  # of a test message only
    MAILBOX = "mailbox"  # the login where bounces come back to


class Outcome(StrEnum):
    """What a step came to."""

    PASSED = "passed"
    WARNING = "warning"  # refused, for a reason that is not the account's
    FAILED = "failed"
    DEADLINE = "deadline"  # cut: the time for the whole was over
    SKIPPED = "skipped"  # not reached, or not a step of this account


VERIFICATION = tuple(step for step in Step if step is not Step.DATA)
"""The steps of a verification: nothing is sent."""

TEST_MESSAGE = tuple(step for step in Step if step is not Step.MAILBOX)
"""The steps of a test message."""

_STEPS = {Phase.COMPOSE: Step.SETTINGS, Phase.AFTER_DATA: Step.DATA}
_CARRIES_NOTHING = "relay-access-denied"  # about one recipient, were it not the account's own sender that is refused
_ABOUT_RECIPIENT = {FailureClass.RECIPIENT_PERMANENT, FailureClass.RECIPIENT_TRANSIENT}


def step_of(phase: Phase) -> Step:
    """The step that a reply of this phase belongs to."""
    return _STEPS[phase] if phase in _STEPS else Step(phase.value)


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What was found out in one step. `verdict` None: the table of remedies judges a reply that is a failure."""

    step: Step
    seconds: float
    reply: Reply | None = None
    is_cut: bool = False
    details: Mapping[str, Any] = field(default_factory=dict, hash=False)
    verdict: Verdict | None = None

    @property
    def is_good(self) -> bool:
        """Whether nothing was refused, and nothing went wrong."""
        code = self.reply.code if self.reply is not None else None
        return self.reply is None or (self.verdict is None and code is not None and code // 100 == 2)  # noqa: PLR2004  (2yz: RFC 5321 section 4.2.1)


class ReplyView(BaseModel):
    """A reply as it came; `code` null: none came, and `text` says what happened instead."""

    model_config = ConfigDict(frozen=True)

    phase: str
    code: int | None
    enhanced: str | None
    text: str

    @classmethod
    def of(cls, reply: Reply) -> Self:
        """The reply, its text cut where it is of no use any more."""
        text = reply.text[:_TEXT_CHARACTERS]
        return cls(phase=reply.phase.value, code=reply.code, enhanced=reply.enhanced, text=text)


class StepResult(BaseModel):
    """One step: what it came to, and for a failure what to do about it. `seconds` null: it was not reached."""

    model_config = ConfigDict(frozen=True)

    name: Step
    outcome: Outcome
    seconds: float | None = None
    reply: ReplyView | None = None
    failure_class: FailureClass | None = None
    remedy_id: str | None = None
    remedy: str | None = None
    details: dict[str, Any] = {}


class StepReport(BaseModel):
    """All steps. `failed_step` is the one that ended it, `reply` and `remedy` are those of that step.

    Where all passed, `reply` is the relay's last one: of a test message, that it took the mail.
    """

    model_config = ConfigDict(frozen=True)

    passed: bool
    failed_step: Step | None
    seconds: float
    reply: ReplyView | None
    remedy: str | None
    steps: tuple[StepResult, ...]

    @classmethod
    def of(
        cls,
        findings: Iterable[Finding],
        *,
        wanted: Sequence[Step],
        judge: Callable[[Reply, Step], Verdict],
        seconds: float,
    ) -> Self:
        """The report on `wanted` steps; those that nothing was found out about were skipped."""
        results = {one.step: _result(one, judge, is_sample=wanted is VERIFICATION) for one in findings}
        steps = tuple(results.get(step) or StepResult(name=step, outcome=Outcome.SKIPPED) for step in wanted)
        failed = next((one for one in steps if one.outcome in {Outcome.FAILED, Outcome.DEADLINE}), None)
        last = next((one for one in reversed(steps) if one.reply is not None and one.name is not Step.MAILBOX), None)
        decisive = failed or last
        return cls(
            passed=failed is None,
            failed_step=failed.name if failed is not None else None,
            seconds=round(seconds, 3),
            reply=decisive.reply if decisive is not None else None,
            remedy=failed.remedy if failed is not None else None,
            steps=steps,
        )

    def last_error(self, at: datetime) -> LastError | None:
        """What an admin is shown of it, if it failed."""
        failed = next((one for one in self.steps if one.name is self.failed_step), None)
        if failed is None or failed.reply is None:
            return None
        return LastError(
            at=at,
            phase=failed.reply.phase,
            code=failed.reply.code,
            text=failed.reply.text,
            remedy_id=failed.remedy_id or "",
            remedy=failed.remedy or "",
        )


class NotVerified(PermanentError):
    """What was to be saved does not verify, so it is not saved."""

    def __init__(self, report: StepReport) -> None:
        super().__init__(report.failed_step or "")
        self.report = report


def _result(finding: Finding, judge: Callable[[Reply, Step], Verdict], *, is_sample: bool) -> StepResult:
    result = StepResult(
        name=finding.step,
        outcome=Outcome.PASSED,
        seconds=round(finding.seconds, 3),
        reply=ReplyView.of(finding.reply) if finding.reply is not None else None,
        details=dict(finding.details),
    )
    if finding.is_good or finding.reply is None:
        return result
    verdict = finding.verdict or judge(finding.reply, finding.step)
    return result.model_copy(
        update={
            "outcome": _outcome(finding, verdict, is_sample=is_sample),
            "failure_class": verdict.failure_class,
            "remedy_id": verdict.remedy_id,
            "remedy": verdict.remedy,
        }
    )


def _outcome(finding: Finding, verdict: Verdict, *, is_sample: bool) -> Outcome:
    """A verification asks for no recipient in particular: that this one is refused says nothing of the account."""
    if finding.is_cut:
        return Outcome.DEADLINE
    is_about_recipient = verdict.failure_class in _ABOUT_RECIPIENT and verdict.remedy_id != _CARRIES_NOTHING
    if is_sample and finding.step is Step.RCPT and is_about_recipient:
        return Outcome.WARNING
    return Outcome.FAILED
