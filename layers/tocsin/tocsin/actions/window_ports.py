"""What a window needs of the world: the journal, the session with the relay, and what counts its mails."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence
    from datetime import datetime

    from tocsin.model.credential import Credential
    from tocsin.model.delivery import Change, Entry
    from tocsin.model.envelope import MailObject
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.reply import Reply
    from tocsin.model.shared_item import SharedItem


class Journal(Protocol):
    """The journal of one chunk, as seen by the one worker that owns it."""

    def write(self, changes: Sequence[Change], *, last: bool, beside: Sequence[SharedItem] = ()) -> Mapping[str, Entry]:
        """Write the changes, all or those that may be; `last` gives the chunk back in the same write.

        `beside` is written with them. Returns what stands there instead, for each recipient whose change was not
        written.

        Raises:
            ChunkOwned: another worker owns the chunk; nothing was written.
            SharedItemsChanged: items of `beside` are no longer as they were read; nothing was written.
        """
        ...


class Session(Protocol):
    """A session with a relay, within a slot of its account."""

    @property
    def is_open(self) -> bool:
        """Whether it takes one more mail without connecting, and logging in, anew."""
        ...

    def submit(self, mails: Iterable[MailObject], *, deadline: float) -> Iterator[Reply]:
        """Submit the mails; one reply for each, in order. Whatever the network does is a reply too.

        `deadline` (monotonic seconds) ends every phase. Mails are pulled as replies are asked for, and one more may be
        pulled before the reply of the mail ahead of it is given. A caller may stop at any reply: every mail whose
        content was written has had its reply by then, and the one that was pulled and not replied to is not submitted,
        so it counts as untold. The session then ends or drops what the relay heard of it once the iterator is closed
        or let go, and is good for another call.
        """
        ...

    def held_until(self, moment: datetime) -> SharedItem:
        """The session's slot, as it must be written before anything is submitted, to hold it until `moment`."""
        ...

    def kept_open(self) -> SharedItem | None:
        """The slot as it may be written with the last answers; None where nothing need be written."""
        ...

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of items that stand now; the session moves on if another process has its slot.

        Raises:
            ConnectionsInUse: there is no other slot.
        """
        ...

    def renew(self, account: MailAccount, credential: Credential | None) -> None:
        """Go on with another credential."""
        ...


class Counts(Protocol):
    """What the recipients were mailed lately."""

    def holds(self, entry: Entry) -> bool:
        """Whether the delivery must wait, because its recipient was mailed enough."""
        ...

    def count_ahead(self, entries: Sequence[Entry]) -> None:
        """Count those that may go, if they are too many to be counted with the claim."""
        ...

    def take_back(self, entries: Sequence[Entry]) -> None:
        """Count these no more if they were counted ahead last, since they do not begin."""
        ...

    def claim(self, entries: Sequence[Entry]) -> list[SharedItem]:
        """What must be written before these are submitted."""
        ...

    def submitting(self, entries: Sequence[Entry], claimed: Sequence[SharedItem]) -> None:
        """Take note that these are journaled, and with them what was claimed."""
        ...

    def learn(self, items: Iterable[SharedItem]) -> None:
        """Take note of items as they stand now."""
        ...
