"""The addresses of ours in a tracked mail: each recipient's own, and signed, so that they lead only where we said."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Self

from tocsin.model.reaction import Reaction
from tocsin.model.signed_token import EXPIRY, BadToken, read, sign

if TYPE_CHECKING:
    from collections.abc import Iterable

    from tocsin.model.signed_token import Claims, LinkKey
    from tocsin.model.tracking import Tracking

LINKS_HOLD = timedelta(days=400)
"""How long the links of a mail lead on, which is longer than anything is counted: people keep mails."""

_PATHS = {Reaction.OPEN: "t", Reaction.CLICK: "l"}
_PROJECT, _DELIVERY, _TARGET = "p", "d", "u"


@dataclass(frozen=True, slots=True, kw_only=True)
class TrackedLinks:
    """What is one delivery's own in its mail. The same at every attempt, unless the key was changed between two."""

    tracking: Tracking
    base_url: str
    key: LinkKey
    project_id: str
    delivery_id: str
    since: datetime

    def pixel(self) -> str:
        """Where the picture is that tells of an open."""
        return self._address(Reaction.OPEN, {})

    def link(self, target: str) -> str:
        """What leads to `target` and tells of it; what is ours already stays as it is."""
        if target == self.base_url or target.startswith(f"{self.base_url}/"):
            return target
        return self._address(Reaction.CLICK, {_TARGET: target})

    def _address(self, reaction: Reaction, more: dict[str, str]) -> str:
        ends_at = int((self.since + LINKS_HOLD).timestamp())
        claims: Claims = {_PROJECT: self.project_id, _DELIVERY: self.delivery_id, EXPIRY: ends_at, **more}
        return f"{self.base_url}/{_PATHS[reaction]}/{sign(claims, purpose=reaction.value, key=self.key)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Trail:
    """What a token of a tracked mail says: which delivery, since when it is known, and where its link leads."""

    project_id: str
    delivery_id: str
    since: datetime
    target: str | None

    @classmethod
    def of(cls, token: str, reaction: Reaction, *, keys: Iterable[LinkKey], now: datetime) -> Self:
        """Read the token of one of our addresses.

        Raises:
            ExpiredToken: it was good once.
            BadToken: it is none of these.
        """
        claims = read(token, purpose=reaction.value, keys=keys, now=now)
        target = claims.get(_TARGET)
        if (reaction is Reaction.CLICK) is (target is None) or not _is_web_page(target):
            raise BadToken("the token holds something else")
        return cls(
            project_id=str(claims[_PROJECT]),
            delivery_id=str(claims[_DELIVERY]),
            since=datetime.fromtimestamp(int(claims[EXPIRY]), UTC) - LINKS_HOLD,
            target=None if target is None else str(target),
        )


def _is_web_page(target: str | int | None) -> bool:
    """Whether a browser may be sent there, or it is a picture's token and leads nowhere: looked at once more."""
    if target is None:
        return True
    is_text = isinstance(target, str) and target.isascii() and target.isprintable() and " " not in target
    return is_text and str(target).startswith(("http://", "https://"))
