"""Our pages, as a test looks at them: which elements they have, with which attributes."""

from __future__ import annotations

from html.parser import HTMLParser


class PageReader(HTMLParser):
    """Counts the elements of a page and keeps their attributes."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep an element."""
        self.tags.append(tag)
        self.attributes += attrs
