"""A slot: the right to one of an account's connections, leased by one process at a time."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from tocsin.model.shared_item import shared_key

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.shared_item import SharedItem

KEPT_OPEN = timedelta(seconds=30)
"""How long a connection that is not in use stays its process's own."""

CLOSED_AT_ONCE = 2
"""Accounts with so few connections close them at the end of an invocation: a frozen process cannot."""

KIND = "slot#"

_LEFT_FREE = 0

_REMEMBERED = timedelta(hours=1)


def slot_key(account: MailAccount, number: int) -> str:
    """The key of the account's slot with this number, from 0."""
    return shared_key("slot", account, number)


def is_left_free(number: int, connections: int) -> bool:
    """Whether bulk leaves this one of the account's slots to all others, so that they never wait behind it.

    It is always the same one: who leaves one to others need not know what else is being taken just now.
    """
    return number == _LEFT_FREE and connections > 1


def lives(item: SharedItem, now: datetime) -> bool:
    """Whether somebody's lease of the slot goes on."""
    return bool(item.document) and ends_at(item) > now


def ends_at(item: SharedItem) -> datetime:
    """When the lease of a slot that was ever leased ends."""
    return datetime.fromisoformat(item.document["ends_at"])


def is_taken(item: SharedItem, holder: str, now: datetime) -> bool:
    """Whether another than `holder` has the slot."""
    return lives(item, now) and item.document["holder"] != holder


def leased(item: SharedItem, holder: str, ends_at: datetime) -> SharedItem:
    """The slot in the hands of `holder` until `ends_at`; now, or before: given back."""
    document: dict[str, Any] = {"holder": holder, "ends_at": ends_at.isoformat()}
    return item.with_document(document, forgotten_at=ends_at + _REMEMBERED)
