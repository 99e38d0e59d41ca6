"""The errors that cross module borders, and whether trying again can help.

TocsinError
├── TransientError      try again later; nothing was decided
├── PermanentError      trying again changes nothing
│   └── InvalidNotification   the event itself cannot be used: dead-letter it with its reason
└── MisconfiguredError  an operator must act; neither of the two above
"""

from __future__ import annotations


class TocsinError(Exception):
    """Base of all errors that Tocsin raises on purpose."""


class TransientError(TocsinError):
    """The same call may succeed later."""


class PermanentError(TocsinError):
    """The same call will never succeed."""


class MisconfiguredError(TocsinError):
    """The deployment is wrong; neither waiting nor dropping helps."""


class AccountChanged(TransientError):
    """The mail account was edited, renewed or deleted meanwhile; nothing was written."""


class AlreadyStored(TransientError):
    """The notification was stored before: go on from what the journal holds."""


class ChunkOwned(TransientError):
    """Another worker owns the chunk of recipients; its lease ends on its own."""


class ConnectionsInUse(TransientError):
    """Other processes have all connections that the mail account may have; nothing was begun."""


class GrantBusy(TransientError):
    """Another worker is renewing the grant; its token will be there shortly."""


class ServiceBusy(TransientError):
    """An AWS service throttles us, fails or is out of reach; whether it did what it was asked is not known."""


class SettingsChanged(TransientError):
    """What was remembered of a project no longer stands; nothing was begun."""


class TooLate(TransientError):
    """Too little of the function's time is left to begin; nothing was begun."""


class FilesGone(PermanentError):
    """A file that was there when the notification came cannot be read any more."""


class InvalidNotification(PermanentError):
    """The event breaks the contract.

    `reason` is a stable snake-case code; `detail` is at most 256 printable ASCII characters and never holds a value of
    the event.
    """

    def __init__(self, reason: str, detail: str) -> None:
        super().__init__(f"{reason}: {detail}")
        self.reason = reason
        self.detail = detail


class SecretUnavailable(PermanentError):
    """A mail account's secret is not there, cannot be read with our rights, or is no secret of ours."""
