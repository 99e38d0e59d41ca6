"""A subscriber's place on a status page's list, and the token by which a mail lets its reader leave it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Self

from tocsin.model.signed_token import EXPIRY, read, sign
from tocsin.model.subscribers import listed_page
from tocsin.model.suppression_scope import LONGEST_PAGE_ID, page_scope

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

    from tocsin.model.notification import Notification
    from tocsin.model.signed_token import LinkKey
    from tocsin.model.suppression_scope import Scope

LINKS_HOLD = timedelta(days=400)
"""How long the link of a mail opens the way out: people keep mails, and look for it in an old one."""

_PURPOSE = "unsubscribe"
_PROJECT, _ADDRESS, _PAGE, _NAME = "p", "a", "s", "n"
_NAME_CHARACTERS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Subscription:
    """Who gets the mails of which status page. `address` is canonical; `page_name` is what its mails call the page."""

    project_id: str
    address: str = field(repr=False)
    page_id: str
    page_name: str | None

    @classmethod
    def of(cls, notification: Notification, address: str) -> Self | None:
        """The subscription by which the notification goes to canonical `address`; None: it has nothing to leave."""
        page = listed_page(notification)
        if page is None or len(page.id) > LONGEST_PAGE_ID:
            return None
        name = " ".join((page.name or "").split())[:_NAME_CHARACTERS]
        return cls(project_id=notification.project_id, address=address, page_id=page.id, page_name=name or None)

    @classmethod
    def of_token(cls, token: str, *, keys: Iterable[LinkKey], now: datetime) -> Self:
        """The subscription that a token is about.

        Raises:
            ExpiredToken: it was good once.
            BadToken: it is none of these.
        """
        claims = read(token, purpose=_PURPOSE, keys=keys, now=now)
        return cls(
            project_id=str(claims[_PROJECT]),
            address=str(claims[_ADDRESS]),
            page_id=str(claims[_PAGE]),
            page_name=str(claims[_NAME]) if _NAME in claims else None,
        )

    def token(self, key: LinkKey, *, since: datetime) -> str:
        """The token of mails that are known `since` then: the same in every try."""
        claims: dict[str, str | int] = {
            _PROJECT: self.project_id,
            _ADDRESS: self.address,
            _PAGE: self.page_id,
            EXPIRY: int((since + LINKS_HOLD).timestamp()),
        }
        if self.page_name is not None:
            claims[_NAME] = self.page_name
        return sign(claims, purpose=_PURPOSE, key=key)

    @property
    def scope(self) -> Scope:
        """What its suppression is about."""
        return page_scope(self.page_id)

    @property
    def masked_address(self) -> str:
        """The address, for one who knows it anyway."""
        local_part, _, domain = self.address.rpartition("@")
        return f"{local_part[:1]}…@{domain}"
