"""Renew a grant: one worker at a time, and the new tokens are stored before anybody uses them (DESIGN section 5)."""

from __future__ import annotations

from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from math import ceil
from typing import TYPE_CHECKING

from tocsin.errors import AccountChanged, GrantBusy, SecretUnavailable, TransientError
from tocsin.model.grant import PACE, GrantState, credential_version
from tocsin.model.mail_account import LastError
from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.token_error import GrantRefused, TokenEndpointFailed
from tocsin.model.visits import awaits_consent, is_renewable, next_visit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from datetime import datetime

    from tocsin.actions.grant_ports import AccountBus, Admins, Grants, Leases, TokenSource
    from tocsin.model.credential import AccountSecret
    from tocsin.model.grant import Tokens
    from tocsin.model.mail_account import MailAccount

_LEASE = timedelta(seconds=60)
_BACK_OFF = tuple(timedelta(minutes=minutes) for minutes in (1, 2, 5, 10, 15, 30))
_FIRST_PAUSE_SECONDS = 0.1
_LONGEST_PAUSE_SECONDS = 4.0
_PUT_WITHIN_SECONDS = 25.0
_PUT_BEFORE_SECONDS = 40.0  # of the lease's 60, less one last slow write
_ASK_BEFORE_SECONDS = 20.0  # of those, less a request of 15 s, and a little for the put
_REFUSED_AGAIN = (
    "The relay refused a token that was renewed minutes before. It is renewed once more, without your help, when ten "
    "minutes have passed since; if that one is refused too, the account must be authorized again."
)
_TOO_OFTEN = (
    "The identity provider's tokens live for minutes only, and no more of them can be stored for now. Mails wait until "
    "the next one may be; have the provider give tokens that live for an hour."
)
STORING_SECONDS = 4.0
"""For how long after its `deadline` a renewal may go on storing what it was given; the caller keeps that time."""


class RenewalOutcome(StrEnum):
    """What a visit to a grant came to."""

    RENEWED = "renewed"
    ADOPTED = "adopted"  # the tokens were there: a worker had died before it could say so
    NOT_DUE = "not_due"  # somebody else had just renewed it, or its time has not come
    NOT_RENEWABLE = "not_renewable"  # it waits for an admin


@dataclass(frozen=True, slots=True, kw_only=True)
class Visit:
    """An account as it was found and as it was left, and what was done."""

    before: MailAccount
    after: MailAccount
    outcome: RenewalOutcome


@dataclass(frozen=True, slots=True, kw_only=True)
class _Turn:
    """One worker's time with a grant, in monotonic seconds: since when it has the lease, and the caller's deadline.

    `refused_version` is as for `RenewGrant`.
    """

    began: float
    deadline: float | None
    refused_version: str | None

    def may_ask(self, now: float) -> bool:
        """Whether the lease lasts until an answer is stored."""
        return now < self.began + _ASK_BEFORE_SECONDS

    def stores_until(self, now: float) -> float:
        """By when the last try to store an answer is to begin."""
        until = min(now + _PUT_WITHIN_SECONDS, self.began + _PUT_BEFORE_SECONDS)
        return until if self.deadline is None else min(until, self.deadline + STORING_SECONDS)


@dataclass(frozen=True, slots=True, kw_only=True)
class RenewGrant:
    """The action and all that it needs. `jitter` gives a number from 0 to 1, `monotonic` what deadlines are told in."""

    grants: Grants
    leases: Leases
    tokens: TokenSource
    bus: AccountBus
    admins: Admins
    clock: Callable[[], datetime]
    monotonic: Callable[[], float]
    jitter: Callable[[], float]
    pause: Callable[[float], None]
    new_holder: Callable[[], str]

    def __call__(
        self, project_id: str, account_id: str, *, refused_version: str | None = None, deadline: float | None = None
    ) -> MailAccount:
        """The account with a token that lasts; renewed only if that is due and nobody else did it meanwhile.

        `refused_version` is the credential version that a relay refused: it is renewed though it is not due.
        `deadline` (monotonic seconds) ends the request for tokens; the caller keeps `STORING_SECONDS` to store them.

        Raises:
            GrantBusy: another worker is renewing it, or too little is left of our own time with it.
            AccountChanged: it was deleted, or edited meanwhile.
            SecretUnavailable: its secret is gone; it is marked `reauthorization_required`.
            TransientError: the tokens could not be stored in time, and are not used.
            TokenEndpointFailed: it may be renewed later; the account is as good as before.
            GrantRefused: it is marked `reauthorization_required`, once.
        """
        turn = self._turn(refused_version=refused_version, deadline=deadline)
        with self._leased(project_id, account_id) as account:
            return self._renewed(account, turn).after

    def visit(self, project_id: str, account_id: str) -> Visit:
        """Renew the grant if that is due; one that only an admin can help is left as it is.

        Raises:
            GrantBusy, AccountChanged, SecretUnavailable, TokenEndpointFailed, GrantRefused: as a call.
        """
        turn = self._turn()
        with self._leased(project_id, account_id) as account:
            if not is_renewable(account):
                return Visit(before=account, after=account, outcome=RenewalOutcome.NOT_RENEWABLE)
            return self._renewed(account, turn)

    def refused(self, account: MailAccount, reply: Reply, verdict: Verdict) -> None:
        """Park the account: its relay refused a token that was just renewed. Somebody else's newer finding stands."""
        error = LastError.of(reply, verdict, at=self.clock())
        with suppress(AccountChanged, GrantBusy), self._leased(account.project_id, account.id) as current:
            if current.credential_version == account.credential_version:
                self._mark_lost(current, error)

    def _turn(self, *, refused_version: str | None = None, deadline: float | None = None) -> _Turn:
        return _Turn(began=self.monotonic(), deadline=deadline, refused_version=refused_version)

    @contextmanager
    def _leased(self, project_id: str, account_id: str) -> Iterator[MailAccount]:
        """The account as it stands, which nobody else renews meanwhile."""
        name, holder = f"grant#{project_id}#{account_id}", self.new_holder()
        if not self.leases.take(name, holder, lasting=_LEASE):
            raise GrantBusy("another worker is renewing the grant")
        try:
            account = self.grants.read(project_id, account_id)
            if account is None or account.auth.oauth2 is None:
                raise AccountChanged("the mail account is gone, or has no grant any more")
            yield account
        finally:
            self.leases.give_back(name, holder)

    def _renewed(self, account: MailAccount, turn: _Turn) -> Visit:
        now, found = self.clock(), account
        _raise_if_known_to_fail(account, now)
        try:
            secret = self.grants.current_secret(account)
        except SecretUnavailable:
            self._mark_lost(account, _secret_gone(now))
            raise
        is_ahead = secret.grant_version > _grant(account).version
        if is_ahead and secret.account_version == account.version:
            account = self._adopted(account, secret, now)
            if not _grant(account).lapses_soon(now):
                return Visit(before=found, after=account, outcome=RenewalOutcome.ADOPTED)
        elif not is_ahead and not self._is_asked_for(account, turn, now):
            return Visit(before=found, after=account, outcome=RenewalOutcome.NOT_DUE)
        if turn.refused_version is not None:
            _raise_if_just_forced(account, now)
        if awaits_consent(account):  # what lies there is of a consent to other settings
            secret = secret.model_copy(update={"refresh_token": None})
        tokens = self._tokens(account, secret, now, turn)
        return Visit(before=found, after=self._kept(account, secret, tokens, now, turn), outcome=RenewalOutcome.RENEWED)

    def _is_asked_for(self, account: MailAccount, turn: _Turn, now: datetime) -> bool:
        if turn.refused_version is None:
            return _grant(account).is_due(now)
        return turn.refused_version == account.credential_version

    def _tokens(self, account: MailAccount, secret: AccountSecret, now: datetime, turn: _Turn) -> Tokens:
        """New tokens, if they can be stored: asking may end the refresh token that we have."""
        _raise_if_paced(account, now)
        if not turn.may_ask(self.monotonic()):
            raise GrantBusy("too little of the lease is left")
        try:
            return self.tokens.renew(account, secret, now=now, deadline=turn.deadline)
        except TokenEndpointFailed as failure:
            self._back_off(account, failure, now)
            raise
        except GrantRefused as refusal:
            self._mark_lost(account, LastError.of(refusal.reply, refusal.verdict, at=now))
            raise

    def _kept(
        self, account: MailAccount, secret: AccountSecret, tokens: Tokens, now: datetime, turn: _Turn
    ) -> MailAccount:
        before = _grant(account)
        # The secret is ahead where tokens were stored for settings that were changed before they were named.
        state = before.model_copy(update={"version": max(before.version, secret.grant_version)}).renewed(tokens, now)
        if turn.refused_version is not None:
            state = state.model_copy(update={"forced_at": now})
        secret = secret.with_tokens(tokens, grant_version=state.version, account_version=account.version)
        after = account.model_copy(
            update={
                "credential_version": self._put(account, secret, turn),
                "status": _status_after_renewal(account),
                "last_error": None,
                "grant": state,
            }
        )
        self._update(account, after, now)
        return after

    def _put(self, account: MailAccount, secret: AccountSecret, turn: _Turn) -> str:
        """Write the secret, again and again while lease and deadline allow it: the old refresh token may be dead."""
        pause, until = _FIRST_PAUSE_SECONDS, turn.stores_until(self.monotonic())
        while True:
            try:
                return self.grants.put_secret(account, secret)
            except AccountChanged:
                raise
            except TransientError:
                if self.monotonic() + pause >= until:
                    raise
            self.pause(pause)
            pause = min(pause * 2, _LONGEST_PAUSE_SECONDS) * (0.75 + self.jitter() / 4)

    def _adopted(self, account: MailAccount, secret: AccountSecret, now: datetime) -> MailAccount:
        """Finish what a worker left that died between its two writes: the tokens are stored, and nobody knows.

        When they were issued is not known either; that of the tokens before stands.
        """
        before = _grant(account)
        state = before.model_copy(
            update={
                "version": secret.grant_version,
                "access_token_expires_at": secret.access_token_expires_at,
                "paced_until": max(before.paced_until or now, now) + PACE,
                "failures": 0,
                "retry_at": None,
            }
        )
        version = credential_version(account.project_id, account.id, secret.grant_version)
        after = account.model_copy(
            update={
                "credential_version": version,
                "status": _status_after_renewal(account),
                "last_error": None,
                "grant": state,
            }
        )
        self._update(account, after, now)
        return after

    def _back_off(self, account: MailAccount, failure: TokenEndpointFailed, now: datetime) -> None:
        state = _grant(account)
        wait = max(
            _BACK_OFF[min(state.failures, len(_BACK_OFF) - 1)] * (0.5 + self.jitter() / 2),
            timedelta(seconds=failure.verdict.wait_seconds or 0),
        )
        state = state.model_copy(update={"failures": state.failures + 1, "retry_at": now + wait})
        error = LastError.of(failure.reply, failure.verdict, at=now)
        self._update(account, account.model_copy(update={"grant": state, "last_error": error}), now)

    def _mark_lost(self, account: MailAccount, error: LastError) -> None:
        """Tell of it, then write it: who dies in between leaves it to be found, and told, once more."""
        if account.status == "reauthorization_required":
            return
        after = account.model_copy(update={"status": "reauthorization_required", "last_error": error})
        self.bus.account_changed("reauthorization_required", after)
        self.admins.grant_lost(after)
        self._update(account, after, error.at)

    def _update(self, before: MailAccount, after: MailAccount, now: datetime) -> None:
        self.grants.update(before, after, refresh_at=next_visit(after, now, jitter=self.jitter()))


def _raise_if_known_to_fail(account: MailAccount, now: datetime) -> None:
    """Ask nobody what was just answered: a lost grant stays lost, and a provider in trouble gets its pause."""
    error, retry_at = account.last_error, _grant(account).retry_at
    if error is None:
        return
    reply = Reply(phase=Phase(error.phase), code=error.code, text=error.text)
    if account.status == "reauthorization_required":
        raise GrantRefused(reply, _known(error, FailureClass.AUTH_PERMANENT, None))
    if retry_at is not None and now < retry_at:
        wait = int((retry_at - now).total_seconds())
        raise TokenEndpointFailed(reply, _known(error, FailureClass.AUTH_TRANSIENT, wait))


def _raise_if_just_forced(account: MailAccount, now: datetime) -> None:
    """A relay that refuses what was renewed for it minutes ago is not to make us ask, and log in, without end."""
    if (wait := _grant(account).may_be_forced_in(now)) and not _grant(account).lapses_soon(now):
        raise _not_yet("token_refused_again", _REFUSED_AGAIN, wait)


def _raise_if_paced(account: MailAccount, now: datetime) -> None:
    """Tokens that cannot be stored are not asked for."""
    if wait := _grant(account).may_be_renewed_in(now):
        raise _not_yet("token_renewed_too_often", _TOO_OFTEN, wait)


def _not_yet(code: str, remedy: str, wait: timedelta) -> TokenEndpointFailed:
    verdict = Verdict(
        failure_class=FailureClass.AUTH_TRANSIENT,
        remedy_id=code,
        remedy=remedy,
        wait_seconds=ceil(wait.total_seconds()),
    )
    return TokenEndpointFailed(Reply(phase=Phase.SETTINGS, code=None, text=code), verdict)


def _known(error: LastError, failure_class: FailureClass, wait_seconds: int | None) -> Verdict:
    return Verdict(
        failure_class=failure_class, remedy_id=error.remedy_id, remedy=error.remedy, wait_seconds=wait_seconds
    )


def _secret_gone(now: datetime) -> LastError:
    return LastError(
        at=now,
        phase="settings",
        text="secret_missing",
        remedy_id="secret_missing",
        remedy="The account's secret is gone or may not be read. Save its credentials again.",
    )


def _grant(account: MailAccount) -> GrantState:
    return account.grant or GrantState()


def _status_after_renewal(account: MailAccount) -> str:
    return "not_verified" if account.status == "reauthorization_required" else account.status
