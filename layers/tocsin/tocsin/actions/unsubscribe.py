"""Let whoever holds a mail's link leave the status page's list, and come back to it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from tocsin.model.subscription import Subscription
from tocsin.model.suppression import Reason, Suppression

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from datetime import datetime

    from tocsin.model.signed_token import LinkKey


class LinkKeys(Protocol):
    """The keys of our own links."""

    def for_token(self, token: str) -> Iterable[LinkKey]:
        """The keys to read a token by.

        Raises:
            BadToken: it is no token.
            SecretUnavailable: there are none that we can read.
            TransientError: they cannot be read now.
        """
        ...


class Unsubscriptions(Protocol):
    """Where it is kept who left which list."""

    def add(self, suppression: Suppression) -> None:
        """Write it; one that stands there stays as it is."""
        ...

    def remove(self, suppression: Suppression) -> None:
        """Forget what stands there for the same reason, if anything does."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsubscribe:
    """The actions and all that they need. Who they are for is in the token, and nothing else is looked up or told."""

    keys: LinkKeys
    unsubscriptions: Unsubscriptions
    clock: Callable[[], datetime]

    def look(self, token: str) -> Subscription:
        """What the token is about; nothing is changed: programs that check links open them too.

        Raises:
            ExpiredToken: it was good once.
            BadToken: it is none of ours.
            SecretUnavailable, TransientError: it cannot be told now.
        """
        return Subscription.of_token(token, keys=self.keys.for_token(token), now=self.clock())

    def leave(self, token: str) -> Subscription:
        """Stop what the status page tells this address; doing it again changes nothing.

        Raises:
            ExpiredToken, BadToken, SecretUnavailable, TransientError: as for `look`.
        """
        subscription = self.look(token)
        self.unsubscriptions.add(self._suppression(subscription))
        return subscription

    def come_back(self, token: str) -> Subscription:
        """Undo it. What an admin stopped, or mail that came back, stays stopped.

        Raises:
            ExpiredToken, BadToken, SecretUnavailable, TransientError: as for `look`.
        """
        subscription = self.look(token)
        self.unsubscriptions.remove(self._suppression(subscription))
        return subscription

    def _suppression(self, subscription: Subscription) -> Suppression:
        return Suppression(
            project_id=subscription.project_id,
            address=subscription.address,
            reason=Reason.UNSUBSCRIBED,
            scope=subscription.scope,
            since=self.clock(),
            added_by=None,
        )
