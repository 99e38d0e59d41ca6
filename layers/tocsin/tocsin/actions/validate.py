"""Validate mail accounts that are not saved: values that somebody tries, and those to be saved if they verify."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import timedelta
from functools import partial
from typing import TYPE_CHECKING

from tocsin.actions.log_in import NoCredential, credential_from, logs_in_as_nobody
from tocsin.errors import TransientError
from tocsin.model.grant import GrantState
from tocsin.model.reply import Phase, Reply
from tocsin.model.step_report import NotVerified
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime

    from tocsin.actions.grant_ports import TokenSource
    from tocsin.actions.test_message import ComposeTestMessage
    from tocsin.actions.verify_steps import VerifySteps
    from tocsin.model.account_change import AccountChange
    from tocsin.model.credential import AccountSecret, Credential
    from tocsin.model.grant import Tokens
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.step_report import StepReport

_LASTS = timedelta(minutes=1)
_UNSAVED = "unsaved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Validate:
    """The action and all that it needs; a deadline is in monotonic seconds.

    `stored_secret` reads what stands in the secret of a saved account; None: there is none that can be read.

    Tokens that were obtained on the way are kept with what is saved. A refresh token that is stored is used only where
    something is to be saved: many identity providers take it back for a new one. `keep_tokens` stores that as a renewal
    does, before anything else is done, for the account keeps its grant even if nothing is saved in the end: the grant
    alone, beside the secrets that are stored.
    """

    steps: VerifySteps
    tokens: TokenSource
    stored_secret: Callable[[MailAccount], AccountSecret | None]
    keep_tokens: Callable[[MailAccount, AccountSecret], object]
    compose: ComposeTestMessage
    clock: Callable[[], datetime]

    def report(self, account: MailAccount, secret: AccountSecret | None, *, deadline: float) -> StepReport:
        """How values would do that nobody saves, with the secrets that came with them."""
        return self.steps(account, _Draft(self, account, secret, may_renew=True).credential, deadline=deadline)

    def report_on_change(self, change: AccountChange, *, deadline: float) -> StepReport:
        """How a saved account would do if it were changed so; what it has stored is used where it was saved for."""
        draft = _Draft(self, change.after, self._known(change), may_renew=not _spends_stored(change))
        return self.steps(change.after, draft.credential, deadline=deadline)

    def new(
        self, account: MailAccount, secret: AccountSecret | None, *, to: str | None, deadline: float
    ) -> tuple[MailAccount, AccountSecret | None]:
        """A new account as it is to be saved: verified. `to` None: no test message is sent.

        Raises:
            NotVerified: it does not verify, or its relay did not take the message.
        """
        draft = _Draft(self, account, secret, may_renew=True)
        self._require(account, draft, to, deadline)
        return draft.kept(self.clock())

    def changed(self, change: AccountChange, *, to: str | None, deadline: float) -> AccountChange:
        """A change as it is to be saved: verified. To be asked while nobody else may change the account.

        Raises:
            NotVerified: as `new`.
        """
        known = self._known(change)
        stored = known if change.to_store is None else self.stored_secret(change.before)
        keep = partial(self._keep, change.before, stored) if stored is not None and _spends_stored(change) else None
        draft = _Draft(self, change.after, known, may_renew=True, keep=keep)
        self._require(change.after, draft, to, deadline)
        after, secret = draft.kept(self.clock())
        return replace(change, after=after, known=secret, to_store=secret if draft.has_new_tokens else change.to_store)

    def _require(self, account: MailAccount, draft: _Draft, to: str | None, deadline: float) -> None:
        report = self.steps(account, draft.credential, deadline=deadline)
        if report.passed and to is not None:
            mail = self.compose(account, to)
            report = self.steps.send(account, draft.credential, mail, deadline=deadline)
        if not report.passed:
            raise NotVerified(report)

    def _known(self, change: AccountChange) -> AccountSecret | None:
        if change.known is not None or change.before.credential_version is None:
            return change.known
        stored = self.stored_secret(change.before)
        return stored if stored is not None and change.after.may_use(stored) else None

    def _keep(self, before: MailAccount, stored: AccountSecret, tokens: Tokens, grant_version: int) -> None:
        """Store the new tokens, and nothing else of a change that may never be saved.

        The access token may be for settings that are never saved, too: it is of no version of them. Where they cannot
        be stored now, they are with what is saved: the old refresh token may be dead, so giving up would save nothing.
        """
        with suppress(TransientError):
            self.keep_tokens(before, stored.with_tokens(tokens, grant_version=grant_version, account_version=None))


def _spends_stored(change: AccountChange) -> bool:
    """Whether tokens come by the refresh token that is stored, and not by one that is given with the change."""
    oauth2 = change.after.auth.oauth2
    return oauth2 is not None and oauth2.grant.has_refresh_token and "refresh_token" not in change.secrets_changed


class _Draft:
    """Values with their secret, and the tokens that are obtained for them."""

    def __init__(
        self,
        action: Validate,
        account: MailAccount,
        secret: AccountSecret | None,
        *,
        may_renew: bool,
        keep: Callable[[Tokens, int], None] | None = None,
    ) -> None:
        self._action = action
        self._account = account
        self._secret = secret
        self._may_renew = may_renew
        self._keep = keep
        self._grant = account.grant
        self.has_new_tokens = False

    def credential(self, until: float) -> Credential | None:
        if logs_in_as_nobody(self._account):
            return None
        if self._secret is None:
            raise NoCredential(Reply(phase=Phase.SETTINGS, code=None, text="secret_missing"))
        if self._account.auth.type == "oauth2" and not self._has_token(self._secret):
            self._secret = self._renewed(self._secret, until)
        return credential_from(self._account, self._secret, version=_UNSAVED)

    def kept(self, now: datetime) -> tuple[MailAccount, AccountSecret | None]:
        """What is to be saved, once it was verified."""
        found = {"status": "verified", "verified_at": now, "last_error": None, "grant": self._grant}
        return self._account.model_copy(update=found), self._secret

    def _has_token(self, secret: AccountSecret) -> bool:
        ends = secret.access_token_expires_at
        return secret.access_token is not None and ends is not None and ends - self._action.clock() > _LASTS

    def _renewed(self, secret: AccountSecret, until: float) -> AccountSecret:
        if not self._may_renew:
            raise NoCredential(Reply(phase=Phase.SETTINGS, code=None, text="token_expired"))
        now, before = self._action.clock(), self._grant or GrantState()
        try:
            tokens = self._action.tokens.renew(self._account, secret, now=now, deadline=until)
        except (TokenEndpointFailed, GrantRefused) as failure:
            raise NoCredential(failure.reply, failure.verdict) from failure
        version = max(before.version, secret.grant_version)
        self._grant = before.model_copy(update={"version": version}).renewed(tokens, now)
        secret = secret.with_tokens(tokens, grant_version=self._grant.version, account_version=self._account.version)
        if self._keep is not None and tokens.refresh_token is not None:
            self._keep(tokens, self._grant.version)
        self.has_new_tokens = True
        return secret
