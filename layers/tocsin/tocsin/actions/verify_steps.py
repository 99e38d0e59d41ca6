"""Try a mail account out step by step, all within one deadline, and report on every step."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.log_in import NoCredential
from tocsin.errors import PermanentError, TransientError
from tocsin.model.address import parse_address
from tocsin.model.condition import Service
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.reply import Phase, Reply
from tocsin.model.step_report import TEST_MESSAGE, VERIFICATION, Finding, Step, StepReport
from tocsin.model.token_claims import token_claims

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount, Mailbox, Relay
    from tocsin.model.remedy import Verdict

type FindCredential = Callable[[float], Credential | None]
"""What the account logs in with, by a time (monotonic seconds); None where it logs in as nobody.

It raises NoCredential where there is nothing, and TransientError where its secret may be read later.
"""

_SAMPLE = b"\r\n"


class Remedies(Protocol):
    """The table of failures."""

    def verdict(
        self,
        reply: Reply,
        *,
        auth_type: str,
        port: int | None = None,
        host: str | None = None,
        grant: str | None = None,
        service: Service = Service.SMTP,
    ) -> Verdict:
        """The class of a failed reply, and its remedy."""
        ...


class Trial(Protocol):
    """Opens sessions, and says what it found out; nothing that a server does raises."""

    def greet(self, account: MailAccount, *, deadline: float) -> Sequence[Finding]:
        """Come as far as EHLO, as nobody."""
        ...

    def offer(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, *, deadline: float
    ) -> Sequence[Finding]:
        """Log in, name sender and recipient of `mail`, and take it back."""
        ...

    def send(
        self, account: MailAccount, credential: Credential | None, mail: MailObject, *, deadline: float
    ) -> Sequence[Finding]:
        """Log in and submit `mail`, once."""
        ...

    def mailbox(self, account: MailAccount, credential: Credential | None, *, deadline: float) -> Sequence[Finding]:
        """Log in to the account's mailbox: one finding."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class VerifySteps:
    """The action and all that it needs. A deadline is a time of `monotonic()`; the report is always given.

    `may_see_token` says whether the account's tokens may go to its mailbox.
    """

    trial: Trial
    remedies: Remedies
    may_see_token: Callable[[MailAccount], bool]
    monotonic: Callable[[], float]

    def __call__(self, account: MailAccount, find: FindCredential, *, deadline: float) -> StepReport:
        """Log in to relay and mailbox, and name a sender and a recipient; no mail is sent."""
        begun = self.monotonic()
        findings = [*self._verified(account, find, deadline)]
        return self._report(account, findings, VERIFICATION, begun)

    def send(
        self, account: MailAccount, find: FindCredential, mail: MailObject | None, *, deadline: float
    ) -> StepReport:
        """Submit `mail` by this account and no other. None: it could not be composed."""
        begun = self.monotonic()
        findings = [*self._sent(account, find, mail, deadline)]
        return self._report(account, findings, TEST_MESSAGE, begun)

    def _verified(self, account: MailAccount, find: FindCredential, deadline: float) -> Iterator[Finding]:
        sample = _sample(account)
        yield (settings := _settings(account, sample))
        if not settings.is_good or sample is None:
            return
        token, credential = self._token(account, find, deadline)
        if not token.is_good:
            yield from self._without_credential(account, token, deadline)
            return
        findings = self.trial.offer(account, credential, sample, deadline=deadline)
        yield from _joined(findings, token)
        if self._lets_on(account, findings) and account.mailbox is not None:
            yield from self._mailbox(account, credential, deadline)

    def _sent(
        self, account: MailAccount, find: FindCredential, mail: MailObject | None, deadline: float
    ) -> Iterator[Finding]:
        yield (settings := _settings(account, mail))
        if not settings.is_good or mail is None:
            return
        token, credential = self._token(account, find, deadline)
        if not token.is_good:
            yield from self._without_credential(account, token, deadline)
            return
        yield from _joined(self.trial.send(account, credential, mail, deadline=deadline), token)

    def _token(self, account: MailAccount, find: FindCredential, deadline: float) -> tuple[Finding, Credential | None]:
        """What AUTH will prove, with what its token says of itself; or why there is nothing."""
        begun, credential, details = self.monotonic(), None, {}
        reply: Reply | None = None
        verdict: Verdict | None = None
        try:
            credential = find(min(begun + account.relay.timeout_seconds, deadline))
        except NoCredential as none:
            reply, verdict = none.reply, none.verdict
        except TransientError:
            reply = Reply(phase=Phase.SETTINGS, code=None, text="secret_unreadable")
        if credential is not None and credential.token is not None:
            details = {"token": token_claims(credential.token)}
        now = self.monotonic()
        return Finding(
            step=Step.AUTH,
            seconds=now - begun,
            reply=reply,
            is_cut=reply is not None and now >= deadline,
            details=details,
            verdict=verdict,
        ), credential

    def _without_credential(self, account: MailAccount, token: Finding, deadline: float) -> Iterator[Finding]:
        """Show that the relay is there, where there is time, before saying why nobody can log in to it.

        The password of a proxy on the way comes with the credential: such a proxy would only refuse us.
        """
        proxy = account.relay.proxy
        if token.is_cut or (proxy is not None and proxy.username is not None):
            yield token
            return
        findings = self.trial.greet(account, deadline=deadline)
        yield from findings
        if all(one.is_good for one in findings):
            yield token

    def _mailbox(self, account: MailAccount, credential: Credential | None, deadline: float) -> Sequence[Finding]:
        if credential is not None and credential.token is not None and not self.may_see_token(account):
            reply = Reply(phase=Phase.SETTINGS, code=None, text="token_not_for_this_mailbox")
            return [Finding(step=Step.MAILBOX, seconds=0.0, reply=reply)]
        return self.trial.mailbox(account, credential, deadline=deadline)

    def _lets_on(self, account: MailAccount, findings: Sequence[Finding]) -> bool:
        """Whether the relay let us through, whatever it thinks of the sample recipient."""
        report = StepReport.of(findings, wanted=VERIFICATION, judge=self._judge(account), seconds=0.0)
        return report.passed

    def _report(
        self, account: MailAccount, findings: Sequence[Finding], wanted: tuple[Step, ...], begun: float
    ) -> StepReport:
        return StepReport.of(findings, wanted=wanted, judge=self._judge(account), seconds=self.monotonic() - begun)

    def _judge(self, account: MailAccount) -> Callable[[Reply, Step], Verdict]:
        oauth2 = account.auth.oauth2

        def server(step: Step) -> Relay | Mailbox:
            return account.mailbox if step is Step.MAILBOX and account.mailbox is not None else account.relay

        return lambda reply, step: self.remedies.verdict(
            reply,
            auth_type=account.auth.type,
            port=server(step).port,
            host=server(step).host,
            grant=oauth2.grant.value if oauth2 is not None else None,
            service=Service.IMAP if step is Step.MAILBOX else Service.SMTP,
        )


def _settings(account: MailAccount, mail: MailObject | None) -> Finding:
    """What stands against it before anybody is asked."""
    text = None
    if account.transport != "smtp":
        text = "transport_not_available"
    elif mail is None:
        text = "sender_invalid"
    reply = Reply(phase=Phase.SETTINGS, code=None, text=text) if text is not None else None
    return Finding(step=Step.SETTINGS, seconds=0.0, reply=reply)


def _sample(account: MailAccount) -> MailObject | None:
    """A mail from the default sender to itself, which is never sent; None where the address is none."""
    try:
        address = parse_address(account.default_sender.email)
    except PermanentError:
        return None
    return MailObject(
        envelope=Envelope(mail_from=str(address), rcpt_to=str(address), smtputf8=address.needs_smtputf8),
        content=_SAMPLE,
    )


def _joined(findings: Sequence[Finding], token: Finding) -> Iterator[Finding]:
    """The findings, with the time that the token took, and its claims, in the step that uses it."""
    for one in findings:
        if one.step is Step.AUTH:
            yield replace(one, seconds=one.seconds + token.seconds, details={**one.details, **token.details})
        else:
            yield one
