"""Keep title and number that the first mail of a thread had, for the subjects of those that follow."""

from __future__ import annotations

from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any

from tocsin.model.branding import SubjectStyle, ThreadTitle
from tocsin.model.shared_item import SharedItem
from tocsin.model.thread import TITLE_KEPT, keeps_one_subject, own_title, title_key

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from tocsin.model.notification import Notification


@dataclass(slots=True, kw_only=True)
class KeepTitle:
    """What is to be read and written of it: beside what is read and written anyway, so it costs no call.

    `items` are the shared items as they are known to stand. `writes` is false for all chunks of a notification but one:
    else they would all be in each other's way.
    """

    notification: Notification
    style: SubjectStyle | None
    items: Mapping[str, SharedItem]
    writes: bool
    clock: Callable[[], datetime]
    _key: str | None = field(init=False)
    _title: ThreadTitle | None = None
    _is_asked: bool = False

    def __post_init__(self) -> None:
        """Find out whether there is a title to keep."""
        wanted = keeps_one_subject(self.notification, self.style) and own_title(self.notification) is not None
        self._key = title_key(self.notification) if wanted else None

    def keys(self) -> Iterator[str]:
        """The key of what must be known, if there is a title to keep."""
        if self._key is not None:
            yield self._key

    def title(self) -> ThreadTitle | None:
        """What was known when it was first asked for; None: this is the first mail, or there is none to keep.

        It stays the same in one run, whose mails have most of their making in common.
        """
        if not self._is_asked:
            self._title, self._is_asked = self._known(), True
        return self._title

    def claim(self) -> list[SharedItem]:
        """What must be written with the first mail; nothing where a title is known."""
        if self._key is None or not self.writes or self._known() is not None:
            return []
        standing = self.items.get(self._key, SharedItem(key=self._key))
        return [standing.with_document(self._own(), forgotten_at=self.clock() + TITLE_KEPT)]

    def _known(self) -> ThreadTitle | None:
        """What stands; where that says nothing of a number, with the notification's own."""
        item = self.items.get(self._key) if self._key is not None else None
        title = item.document.get("title") if item is not None else None
        if item is None or not isinstance(title, str):
            return None
        number = {**self._own(), **item.document}["number"]
        return ThreadTitle(title=title, number=number if isinstance(number, int) else None)

    def _own(self) -> dict[str, Any]:
        own = own_title(self.notification)
        return asdict(own) if own is not None else {}
