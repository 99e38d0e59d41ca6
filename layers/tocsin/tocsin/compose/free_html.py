"""HTML of the publisher's own, cut down to what every reader of mail may be shown, and its text.

Broader than a signature's (`model.signature`): a mail may have headings of all ranks, captions and coloured cells.
"""

from __future__ import annotations

from functools import lru_cache

from markupsafe import Markup

from tocsin.compose.html_depth import shallow
from tocsin.compose.values import clean_lines

_KEPT = 16  # every recipient of a notification gets the same

_TAGS = frozenset(
    {
        *("a", "abbr", "b", "blockquote", "br", "caption", "center", "code", "col", "colgroup", "dd", "del", "div"),
        *("dl", "dt", "em", "font", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "i", "img", "ins", "kbd", "li", "mark"),
        *("ol", "p", "pre", "q", "s", "small", "span", "strike", "strong", "sub", "sup", "table", "tbody", "td"),
        *("tfoot", "th", "thead", "tr", "tt", "u", "ul"),
    }
)
_NOT_EVEN_ITS_TEXT = frozenset({"head", "iframe", "noscript", "object", "script", "style", "svg", "template", "title"})
_CELL = frozenset({"align", "bgcolor", "colspan", "height", "rowspan", "valign", "width"})
_ATTRIBUTES = {
    "*": {"dir", "lang", "style", "title"},
    "a": {"href"},
    "col": {"align", "span", "width"},
    "div": {"align"},
    "font": {"color", "face", "size"},
    "h1": {"align"},
    "h2": {"align"},
    "h3": {"align"},
    "img": {"alt", "align", "border", "height", "src", "width"},
    "ol": {"start", "type"},
    "p": {"align"},
    "table": {"align", "bgcolor", "border", "cellpadding", "cellspacing", "role", "width"},
    "td": set(_CELL),
    "th": _CELL | {"scope"},
    "tr": {"align", "bgcolor", "valign"},
}
_STYLES = frozenset(
    {
        *("background-color", "border", "border-bottom", "border-collapse", "border-color", "border-left"),
        *("border-radius", "border-right", "border-spacing", "border-style", "border-top", "border-width", "color"),
        *("direction", "font-family", "font-size", "font-style", "font-weight", "height", "letter-spacing"),
        *("line-height", "list-style-type", "margin", "margin-bottom", "margin-left", "margin-right", "margin-top"),
        *("max-width", "min-width", "padding", "padding-bottom", "padding-left", "padding-right", "padding-top"),
        *("table-layout", "text-align", "text-decoration", "text-indent", "text-transform", "vertical-align"),
        *("white-space", "width", "word-break"),
    }
)
_LINKS = ("http:", "https:", "mailto:", "tel:")
_IMAGES = ("https:", "cid:")  # what is fetched in the clear tells everybody who reads the mail
_SCHEMES = frozenset(scheme.removesuffix(":") for scheme in (*_LINKS, *_IMAGES))


@lru_cache(maxsize=_KEPT)
def safe_html(written: str | None) -> Markup:
    """Give the HTML without all that is not known to be harmless. Images are https only, links have a scheme."""
    import nh3  # noqa: PLC0415  (one type alone needs it)

    clean = nh3.clean(
        shallow(written or ""),
        tags=set(_TAGS),
        clean_content_tags=set(_NOT_EVEN_ITS_TEXT),
        attributes={tag: set(names) for tag, names in _ATTRIBUTES.items()},
        attribute_filter=_fit,
        url_schemes=set(_SCHEMES),
        filter_style_properties=set(_STYLES),
        link_rel="noopener noreferrer",
        url_relative="deny",
    )
    return Markup(clean_lines(clean).strip())  # noqa: S704  (harmless now)


@lru_cache(maxsize=_KEPT)
def html_text(written: str | None) -> str:
    """Give what the harmless part of the HTML says, for readers of plain text."""
    from tocsin.compose.html_text import text_of  # noqa: PLC0415  (as above)

    return text_of(safe_html(written))


def _fit(_tag: str, attribute: str, value: str) -> str | None:
    """Drop links that only an image may have, and images that only a link may lead to."""
    schemes = {"href": _LINKS, "src": _IMAGES}.get(attribute)
    return value if schemes is None or value.strip().lower().startswith(schemes) else None
