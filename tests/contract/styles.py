"""The inline styles that the mails' stylesheet gives each class and each element of Markdown."""

from __future__ import annotations

import re

import css_inline
from tocsin.compose.styles import CLASSES, ELEMENTS, TEMPLATES

_STYLESHEET = TEMPLATES / "_base" / "mail.css"


def inline_styles() -> dict[str, str]:
    """The style of each `class` attribute that a template has, and of `markdown p` and the like."""
    sheet = _STYLESHEET.read_text(encoding="utf-8")
    classes = {f"{each}": _styled(f'<div class="{each}"></div>', sheet, "div") for each in sorted(_used())}
    elements = {
        f"markdown {each}": _styled(f'<div class="markdown"><{each}></{each}></div>', sheet, each) for each in ELEMENTS
    }
    return classes | elements


def _used() -> set[str]:
    sources = (path.read_text(encoding="utf-8") for path in TEMPLATES.rglob("*.html.j2"))
    return {match[1] for source in sources for match in CLASSES.finditer(source)}


def _styled(fragment: str, sheet: str, element: str) -> str:
    """What stands in the `style` of the first such element once the sheet is inlined, without needless spaces."""
    inlined = css_inline.inline_fragment(fragment, sheet)
    style = re.search(rf'<{element}\b[^>]* style="([^"]*)"', inlined)
    if style is None:
        return ""
    return re.sub(r"([:;,])\s+", r"\1", style[1].replace("&quot;", "'")).rstrip(";") + ";"
