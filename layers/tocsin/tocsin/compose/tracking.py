"""Links that are counted: found once in a rendering, and filled with each recipient's own signed addresses."""

from __future__ import annotations

import re
from dataclasses import dataclass
from html import unescape
from typing import TYPE_CHECKING, Any

from tocsin.model.links import normal_url, safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.compose.body import Places
    from tocsin.model.tracked_links import TrackedLinks
    from tocsin.model.tracking import Tracking

_MOST_LINKS = 50  # some 350 octets each: clients clip a mail at 102 kB
_LONGEST_URL = 1_000  # ours are half as long again, and Outlook opens none beyond 2,083 characters
_LINK = re.compile(r"""(<a\s(?:[^<>]*?\s)?href=)(["'])(https?://(?:(?!\2)[^<>])*)\2""", re.IGNORECASE)
_BODY_END = re.compile(r"</body\s*>", re.IGNORECASE)
_PAGES = frozenset({"view_url", "logo_url"})
_PIXEL = "pixel"
_STYLE = "display:block;width:1px;height:1px;border:0;"


@dataclass(frozen=True, slots=True, kw_only=True)
class Tracked:
    """What stands at the places of a tracked rendering: where its links lead, and whether there is a picture."""

    targets: tuple[str, ...] = ()
    has_pixel: bool = False

    def filled(self, links: TrackedLinks) -> dict[str, str]:
        """The addresses that are one recipient's own, by the names of their places."""
        own = {_name(number): links.link(target) for number, target in enumerate(self.targets)}
        return own | ({_PIXEL: links.pixel()} if self.has_pixel else {})


def with_places(html: str, tracking: Tracking, places: Places, *, values: Mapping[str, Any]) -> tuple[str, Tracked]:
    """Put places where the links of `html` lead, and a picture at its end, as far as `tracking` says so.

    A link stays as it is where it is the recipient's own, or one that `values` name by anything but `url` and
    `view_url`: to acknowledge, to confirm, to log in.
    """
    targets: dict[str, int] = {}
    if tracking.clicks:
        html = _LINK.sub(_Replacement(targets, places, _acting(values)), html)
    if tracking.opens:
        html = _with_pixel(html, places.stand_in(_PIXEL))
    return html, Tracked(targets=tuple(targets), has_pixel=tracking.opens)


class _Replacement:
    """Puts a place where a link leads to a page, and adds the page to `targets` with its number."""

    def __init__(self, targets: dict[str, int], places: Places, acting: tuple[str, ...]) -> None:
        self._targets = targets
        self._places = places
        self._acting = acting

    def __call__(self, link: re.Match[str]) -> str:
        target = safe_url(unescape(link[3]))
        if target is None or not self._is_page(target):
            return link[0]
        number = self._targets.setdefault(target, len(self._targets))
        return f"{link[1]}{link[2]}{self._places.stand_in(_name(number))}{link[2]}"

    def _is_page(self, target: str) -> bool:
        is_counted = target in self._targets or len(self._targets) < _MOST_LINKS
        is_own = bool(self._places.split(target.encode())[1])
        return (
            is_counted
            and not is_own
            and len(target) <= _LONGEST_URL
            and not normal_url(target).startswith(self._acting)
        )


def _acting(values: Mapping[str, Any]) -> tuple[str, ...]:
    """The links that do something, wherever in the values they stand."""
    found: list[str] = []
    waiting: list[Any] = [values]
    while waiting:
        match waiting.pop():
            case dict() as parts:
                waiting += parts.values()
                found += [
                    normal_url(url) for name, url in parts.items() if _acts(name) and url and isinstance(url, str)
                ]
            case list() as parts:
                waiting += parts
    return tuple(found)


def _acts(name: str) -> bool:
    return name.endswith("_url") and name not in _PAGES


def _with_pixel(html: str, address: str) -> str:
    pixel = f'<img src="{address}" alt="" width="1" height="1" style="{_STYLE}">\n'
    ends = list(_BODY_END.finditer(html))
    end = ends[-1].start() if ends else len(html)
    return html[:end] + pixel + html[end:]


def _name(number: int) -> str:
    return f"link-{number}"
