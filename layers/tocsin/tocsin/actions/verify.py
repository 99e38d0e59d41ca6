"""Verify a mail account by a real login at its relay."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.actions.log_in import NoCredential
from tocsin.errors import TransientError
from tocsin.model.mail_account import LastError
from tocsin.model.reply import Phase, Reply

if TYPE_CHECKING:
    from collections.abc import Callable
    from contextlib import AbstractContextManager
    from datetime import datetime

    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.remedy import Verdict


class Credentials(Protocol):
    """What accounts log in with."""

    def credential(self, account: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential | None]:
        """The account as it is now, and its credential, by `deadline` (monotonic seconds).

        Raises:
            NoCredential: it cannot log in now.
            TransientError: its secret may be read later.
        """
        ...


class Session(Protocol):
    """A session with a relay."""

    def log_in(self, *, deadline: float) -> Reply:
        """Open the session up to AUTH by `deadline` (monotonic seconds); the last reply."""
        ...


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
    ) -> Verdict:
        """The class of a failed reply, and its remedy."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Verification:
    """What the login came to; `verdict` None: the relay let us in."""

    reply: Reply
    verdict: Verdict | None

    def last_error(self, at: datetime) -> LastError | None:
        """What an admin is shown of it, if it failed."""
        if self.verdict is None:
            return None
        return LastError(
            at=at,
            phase=self.reply.phase.value,
            code=self.reply.code,
            text=self.reply.text,
            remedy_id=self.verdict.remedy_id,
            remedy=self.verdict.remedy,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Verify:
    """The action and all that it needs."""

    credentials: Credentials
    open_session: Callable[[MailAccount, Credential | None], AbstractContextManager[Session]]
    remedies: Remedies

    def __call__(self, account: MailAccount, *, deadline: float) -> Verification:
        """Log in once, by `deadline` (monotonic seconds); nothing that the relay does raises."""
        if account.transport != "smtp":
            reply = Reply(phase=Phase.SETTINGS, code=None, text="transport_not_available")
            return Verification(reply=reply, verdict=self._verdict(account, reply))
        try:
            account, credential = self.credentials.credential(account, deadline=deadline)
        except NoCredential as none:
            return Verification(reply=none.reply, verdict=none.verdict or self._verdict(account, none.reply))
        except TransientError:
            reply = Reply(phase=Phase.SETTINGS, code=None, text="secret_unreadable")
            return Verification(reply=reply, verdict=self._verdict(account, reply))
        with self.open_session(account, credential) as session:
            reply = session.log_in(deadline=deadline)
        return Verification(reply=reply, verdict=None if _is_in(reply) else self._verdict(account, reply))

    def _verdict(self, account: MailAccount, reply: Reply) -> Verdict:
        oauth2 = account.auth.oauth2
        return self.remedies.verdict(
            reply,
            auth_type=account.auth.type,
            port=account.relay.port,
            host=account.relay.host,
            grant=oauth2.grant.value if oauth2 is not None else None,
        )


def _is_in(reply: Reply) -> bool:
    return reply.code is not None and reply.code // 100 == 2  # noqa: PLR2004  (2yz: RFC 5321 section 4.2.1)
