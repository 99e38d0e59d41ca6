"""All text of a mail can be read on what lies behind it, light and dark (WCAG 2.2, 1.4.3, level AA)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.brand import brand_of
from tocsin.compose.styles import TEMPLATES
from tocsin.model.branding import Branding, Look

_ENOUGH = 4.5
_BEHIND = {"secondary-text": "secondary", "markdown a": "card"}
"""What lies behind a text that has no ground of its own, and is not on the card either."""


def _rules(sheet: str) -> dict[str, dict[str, str]]:
    """What a sheet says of each class, and of the elements in one, by its name without the dot."""
    rules: dict[str, dict[str, str]] = {}
    for names, body in re.findall(r"(\.[^{}]*)\{([^{}]*)\}", sheet):
        said = dict(re.findall(r"([\w-]+):\s*([^;]+?)(?: !important)?\s*;", body))
        for name in names.split(","):
            rules.setdefault(name.strip().removeprefix("."), {}).update(said)
    return rules


_LIGHT = _rules((TEMPLATES / "_base" / "mail.css").read_text(encoding="utf-8"))
_HEAD = (TEMPLATES / "_base" / "head.css").read_text(encoding="utf-8")
_DARK = _rules(_HEAD.partition("(prefers-color-scheme: dark) {")[2].partition("\n}")[0])
_SCHEMES = {"light": _LIGHT, "dark": {name: _LIGHT.get(name, {}) | _DARK.get(name, {}) for name in {*_LIGHT, *_DARK}}}
_COLOURED = sorted(name for name, said in _LIGHT.items() if "color" in said and name != "badge")


@pytest.mark.parametrize("scheme", _SCHEMES)
@pytest.mark.parametrize("name", _COLOURED)
def test_a_text_stands_out_from_its_ground(scheme: str, name: str) -> None:
    said = _SCHEMES[scheme]
    own = said[name].get("background-color") or said[_BEHIND.get(name, "card")]["background-color"]
    inner = [each.get("background-color") for part, each in said.items() if part.startswith(f"{name} ")]

    assert min(_contrast(said[name]["color"], ground) for ground in (own, *filter(None, inner))) >= _ENOUGH


@pytest.mark.parametrize("kind", ["critical", "major", "minor", "info"])
def test_a_badge_s_text_stands_out_from_its_colour(kind: str) -> None:
    assert _contrast(_LIGHT["badge"]["color"], _LIGHT[kind]["background-color"]) >= _ENOUGH


@given(color=st.integers(0, 0xFFFFFF).map("#{:06x}".format))
def test_a_button_s_text_stands_out_from_any_project_s_colour(color: str) -> None:
    brand = brand_of({"project": {"id": "acme", "name": None}}, Look(branding=Branding(color=color)))

    assert _contrast(str(brand["on_color"]), str(brand["color"])) >= _ENOUGH


def _contrast(one: str, other: str) -> float:
    darker, lighter = sorted(map(_luminance, (one, other)))
    return (lighter + 0.05) / (darker + 0.05)


def _luminance(color: str) -> float:
    shares = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    linear = [share / 12.92 if share <= 0.04045 else ((share + 0.055) / 1.055) ** 2.4 for share in shares]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]
