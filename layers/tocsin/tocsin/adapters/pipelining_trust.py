"""Which relays are trusted with pipelining: all that offer it, until one breaks on it."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount


class PipeliningTrust:
    """What this process learned; a relay's fault at one account concerns that account only, at that host and port."""

    def __init__(self) -> None:
        self._lost: set[tuple[str, str, str, int]] = set()

    def lose(self, account: MailAccount) -> None:
        """Remember that the account's relay broke on pipelining."""
        self._lost.add(_key(account))

    def holds(self, account: MailAccount) -> bool:
        """Whether the account's relay may be told more than one command at a time, where it offers that."""
        return _key(account) not in self._lost


OF_THIS_PROCESS = PipeliningTrust()


def _key(account: MailAccount) -> tuple[str, str, str, int]:
    return (account.project_id, account.id, account.relay.host.lower(), account.relay.port)
