"""An iterator that shows the next item before it is taken."""

from __future__ import annotations

from itertools import islice
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator


class LookAhead[T]:
    """The items, pulled one by one, each when it is asked for or looked at."""

    def __init__(self, items: Iterable[T]) -> None:
        self._items = iter(items)
        self._seen: list[T] = []

    def __iter__(self) -> Iterator[T]:
        """Itself."""
        return self

    def __next__(self) -> T:
        """Take the next item."""
        return self._seen.pop() if self._seen else next(self._items)

    def peek(self) -> T | None:
        """The next item, which stays to be taken; None where there is none."""
        if not self._seen:
            self._seen.extend(islice(self._items, 1))
        return self._seen[0] if self._seen else None
