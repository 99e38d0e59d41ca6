"""Handing mails over in one session: pipelined where that is safe and saves time, else in lock-step."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.adapters.smtp_lock_step import LockStep

if TYPE_CHECKING:
    from collections.abc import Callable

    from tocsin.adapters.smtp_pipeline import Pipeline
    from tocsin.adapters.smtp_session import Session
    from tocsin.adapters.time_limits import TimeLimits
    from tocsin.model.envelope import MailObject
    from tocsin.model.reply import Reply

_REFUSED_IN_A_ROW = 5  # pipelined, a refused mail can count as two errors: Postfix closes after ten such mails


class HandOver:
    """One session with its mails; without a `pipeline` all of them go in lock-step.

    `opened_by` is the reply that opened it.
    """

    def __init__(self, session: Session, pipeline: Pipeline | None) -> None:
        self.opened_by = session.reply
        self._channel = session.channel
        self._lock_step = LockStep(session)
        self._pipeline = pipeline
        self._refused_in_a_row = 0

    @property
    def is_ready(self) -> bool:
        """Whether the session takes one more mail."""
        return self._channel.usable and (self._has_begun or self._channel.is_silent())

    def submit(self, mail: MailObject, *, following: Callable[[], MailObject | None], limits: TimeLimits) -> Reply:
        """Hand one mail over; `following` gives the next one without taking it, and is asked only to pipeline.

        Raises:
            PhaseFailed: the session ended before the mail's fate was told, or with it unknown.
            NotTaken: the session ended, and nothing of the mail was taken.
        """
        pipeline = self._pipeline
        if pipeline is None or not (pipeline.has_begun or (self._is_trusting and following() is not None)):
            reply = self._lock_step.submit(mail, limits=limits)
        else:
            one_more = following if self._is_trusting else _nothing
            reply = pipeline.submit(mail, following=one_more, limits=limits)
            self._lock_step.is_clean = reply.accepted
        if reply.code is not None:
            self._refused_in_a_row = 0 if reply.accepted else self._refused_in_a_row + 1
        return reply

    def abandon(self) -> None:
        """Make sure that no mail which was begun is ever taken."""
        if self._has_begun:
            self._channel.drop()  # it may wait for content, so that any word would be taken for it

    def close(self) -> None:
        """Take leave; nothing that happens now changes a reply."""
        self.abandon()
        self._channel.quit()

    def drop(self) -> None:
        """Close without a word."""
        self._channel.drop()

    @property
    def _has_begun(self) -> bool:
        return self._pipeline is not None and self._pipeline.has_begun

    @property
    def _is_trusting(self) -> bool:
        return self._refused_in_a_row < _REFUSED_IN_A_ROW


def _nothing() -> None:
    """No mail to begin."""
