"""A small item that workers share: read, reckoned anew, and written only where nobody else wrote meanwhile."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from tocsin.errors import TransientError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from datetime import datetime

    from tocsin.model.mail_account import MailAccount


@dataclass(frozen=True, slots=True, kw_only=True)
class SharedItem:
    """An item of EphemeralTable as it stands or shall stand. Version 0: there is none.

    It may be written where the one before it, by version, still stands. `forgotten_at` lets the table drop it.
    `is_checked_only`: nothing is written of it, but what is written with it is only if it still stands.
    """

    key: str
    version: int = 0
    document: Mapping[str, Any] = field(default_factory=dict)
    forgotten_at: datetime | None = None
    is_checked_only: bool = False

    def with_document(self, document: Mapping[str, Any], *, forgotten_at: datetime) -> SharedItem:
        """The item that shall follow this one."""
        return SharedItem(key=self.key, version=self.version + 1, document=document, forgotten_at=forgotten_at)

    def checked(self) -> SharedItem:
        """This item, as something that must still stand."""
        return replace(self, is_checked_only=True)


class SharedItemsChanged(TransientError):
    """Somebody else wrote items meanwhile, so nothing was written. `items` are those, as they stand now."""

    def __init__(self, items: Iterable[SharedItem]) -> None:
        super().__init__("shared items changed")
        self.items = tuple(items)


def shared_key(kind: str, account: MailAccount, *parts: object) -> str:
    """The key of what workers share of an account: never of two accounts, never of two projects."""
    return "#".join((kind, account.project_id, account.id, *(str(part) for part in parts)))
