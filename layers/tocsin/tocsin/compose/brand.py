"""Whose mail it is, to the eye: name, logo and colours, with safe defaults."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from tocsin.compose.values import many_lines, one_line
from tocsin.model.links import safe_url

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.branding import Look

_COLOR = "#175cd3"
_BACKGROUND = "#f2f4f7"
_RGB = re.compile(r"#[0-9a-fA-F]{6}")
_DARK_ENOUGH = 0.183  # up to this luminance white has a contrast of 4.5, and black has more from here on (WCAG 2.2)


def brand_of(values: Mapping[str, Any], look: Look) -> dict[str, str | None]:
    """Give what the frame shows: a status page's own name, logo and footer come before its project's."""
    project, page = values["project"], values.get("status_page") or {}
    color = _color(look.branding.color, _COLOR)
    return {
        "name": page.get("name") or project["name"] or one_line(look.project_name or "") or project["id"],
        "url": page.get("url"),
        "logo_url": page.get("logo_url") or safe_url(look.branding.logo_url),
        "footer": page.get("footer") or many_lines(look.branding.footer or "") or None,
        "color": color,
        "on_color": "#ffffff" if _luminance(color) <= _DARK_ENOUGH else "#000000",
        "background": _color(look.branding.background_color, _BACKGROUND),
    }


def _color(text: str | None, default: str) -> str:
    return text.lower() if text and _RGB.fullmatch(text) else default


def _luminance(color: str) -> float:
    red, green, blue = (_linear(int(color[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(share: float) -> float:
    """Undo sRGB's gamma, all but its straight foot, which is too dark to matter here."""
    return float(((share + 0.055) / 1.055) ** 2.4)
