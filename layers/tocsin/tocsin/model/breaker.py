"""The circuit breaker of an account: after failures that are the account's own, nothing is tried for a while.

Two refused logins with one credential end all logins with it: a third may lock the mailbox for its owner.
"""

from __future__ import annotations

from datetime import timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Any

from pydantic import AwareDatetime, BaseModel, ConfigDict

from tocsin.model.remedy import FailureClass, Verdict
from tocsin.model.reply import Phase, Reply
from tocsin.model.shared_item import shared_key

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount

_OPENS_AT = 3
_FIRST_PAUSE = timedelta(seconds=30)
_THROTTLE_PAUSE = timedelta(seconds=60)
_LONGEST_PAUSE = timedelta(minutes=15)
_PROBE = timedelta(seconds=60)
_LOGINS = 2
_TEXT_CHARACTERS = 500
NEXT_LOGIN_AFTER = _FIRST_PAUSE
"""How long after a refused login the credential may be tried once more."""
KEPT = timedelta(days=30)
"""How long a refused login is remembered, if nothing else is heard of the account."""


def breaker_key(account: MailAccount) -> str:
    """The key of the account's breaker."""
    return shared_key("breaker", account)


class Standing(StrEnum):
    """Where the breaker stands."""

    CLOSED = "closed"
    OPEN = "open"
    HALF_OPEN = "half_open"  # one may try


class Failure(BaseModel):
    """What the account failed with, as it is kept."""

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    phase: Phase
    code: int | None = None
    enhanced: str | None = None
    text: str
    failure_class: FailureClass
    remedy_id: str
    remedy: str

    @classmethod
    def of(cls, reply: Reply, verdict: Verdict) -> Failure:
        """The failure that `verdict` says the reply is."""
        return cls(
            phase=reply.phase,
            code=reply.code,
            enhanced=reply.enhanced,
            text=reply.text[:_TEXT_CHARACTERS],
            failure_class=verdict.failure_class,
            remedy_id=verdict.remedy_id,
            remedy=verdict.remedy,
        )

    @property
    def reply(self) -> Reply:
        """The reply."""
        return Reply(phase=self.phase, code=self.code, enhanced=self.enhanced, text=self.text)

    @property
    def verdict(self) -> Verdict:
        """What it means."""
        return Verdict(failure_class=self.failure_class, remedy_id=self.remedy_id, remedy=self.remedy)


class Breaker(BaseModel):
    """What is known of an account's failures in a row. Made of, and kept as, a plain document.

    `pauses` counts how often it opened without a success in between.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", defer_build=True)

    failures: int = 0
    pauses: int = 0
    open_until: AwareDatetime | None = None
    credential_version: str | None = None
    refused_logins: int = 0
    next_login_at: AwareDatetime | None = None
    last: Failure | None = None

    @classmethod
    def of(cls, document: Mapping[str, Any]) -> Breaker:
        """What `document` says."""
        return cls.model_validate(document)

    def document(self) -> dict[str, Any]:
        """What is kept."""
        return self.model_dump(mode="json", exclude_defaults=True)

    def standing(self, now: datetime) -> Standing:
        """Whether anything may be tried now."""
        if self.open_until is None:
            return Standing.CLOSED
        return Standing.OPEN if now < self.open_until else Standing.HALF_OPEN

    def logins_are_stopped(self, credential_version: str | None) -> bool:
        """Whether this credential was refused twice."""
        return self.refused_logins >= _LOGINS and self.credential_version == credential_version

    def has_one_login_left(self, credential_version: str | None) -> bool:
        """Whether this credential was refused once."""
        return self.refused_logins == _LOGINS - 1 and self.credential_version == credential_version

    def logins_wait_until(self, credential_version: str | None, now: datetime) -> datetime | None:
        """Until when this credential's second login waits: for others that are under way, or for the one who tries."""
        if self.next_login_at is None or not self.has_one_login_left(credential_version):
            return None
        return self.next_login_at if now < self.next_login_at else None

    def logging_in(self, now: datetime) -> Breaker:
        """The breaker while one worker tries the last login."""
        return self.model_copy(update={"next_login_at": now + _PROBE})

    @property
    def has_given_way(self) -> bool:
        """Whether it opened, or a login was refused, since the account last worked."""
        return self.pauses > 0 or self.refused_logins > 0

    def probing(self, now: datetime) -> Breaker:
        """The breaker while one worker tries; it opens again for the others."""
        return self.model_copy(update={"open_until": now + _PROBE})

    def after_late_failure(self, reply: Reply, verdict: Verdict, now: datetime) -> Breaker:
        """The breaker after the failure of one who began before it opened: not a further failure in a row."""
        hinted = now + timedelta(seconds=verdict.wait_seconds or 0)
        open_until = max(self.open_until, hinted) if self.open_until is not None else None
        return self.model_copy(update={"open_until": open_until, "last": Failure.of(reply, verdict)})

    def after_failure(self, reply: Reply, verdict: Verdict, now: datetime, *, jitter: float) -> Breaker:
        """The breaker after a failure that concerns the whole account. `jitter` (0 to 1) lengthens the pause."""
        failures = self.failures + 1
        told = self.model_copy(update={"failures": failures, "last": Failure.of(reply, verdict)})
        is_throttled = verdict.failure_class is FailureClass.THROTTLED
        if failures < _OPENS_AT and not is_throttled and self.open_until is None:
            return told
        shortest = _THROTTLE_PAUSE if is_throttled else _FIRST_PAUSE
        pause = min(shortest * 2 ** min(self.pauses, 10), _LONGEST_PAUSE)
        pause = max(pause * (1 + jitter / 4), timedelta(seconds=verdict.wait_seconds or 0))
        return told.model_copy(update={"pauses": self.pauses + 1, "open_until": now + pause})

    def after_refused_login(
        self, reply: Reply, verdict: Verdict, now: datetime, *, credential_version: str | None
    ) -> Breaker:
        """The breaker after the relay refused this credential; it was there to do so.

        The second login waits until those that are under way came to their end: they may be the second.
        """
        earlier = self.refused_logins if self.credential_version == credential_version else 0
        return self.model_copy(
            update={
                "open_until": None,
                "next_login_at": now + NEXT_LOGIN_AFTER,
                "credential_version": credential_version,
                "refused_logins": earlier + 1,
                "last": Failure.of(reply, verdict),
            }
        )


def refuses_the_credential(reply: Reply, verdict: Verdict, *, auth_type: str) -> bool:
    """Whether a failed login counts against the credential, rather than against the server or the settings.

    With OAuth2 a challenge or a status must say so. A password is refused by its code alone: some servers have no
    enhanced codes, and others say by their own that one more try will lock the mailbox.
    """
    if reply.phase is not Phase.AUTH or verdict.failure_class is not FailureClass.AUTH_PERMANENT:
        return False
    return names_the_credential(reply) or (auth_type == "password" and reply.code in _REFUSALS)


def names_the_credential(reply: Reply) -> bool:
    """Whether a refusal is about this credential: by a challenge, or by a status that says so."""
    return reply.challenge is not None or reply.enhanced in _CREDENTIAL_STATUSES


_REFUSALS = frozenset({534, 535})
_CREDENTIAL_STATUSES = frozenset({"5.7.3", "5.7.8", "5.7.9", "5.7.139"})
