"""The Jinja2 environment that all mails are rendered in."""

from __future__ import annotations

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tocsin.compose.markdown import markdown_to_html, markdown_to_text
from tocsin.compose.times import day, duration, expiry, in_zones


def build_environment() -> Environment:
    """Make the environment. A missing value is an error; values in `.html.j2` are escaped; threads may share it."""
    environment = Environment(
        loader=PackageLoader("tocsin", "compose/templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
    )
    environment.filters |= {
        "day": day,
        "duration": duration,
        "expiry": expiry,
        "in_zones": in_zones,
        "markdown": markdown_to_html,
        "markdown_text": markdown_to_text,
        "sentence_case": _sentence_case,
    }
    return environment


def _sentence_case(text: str) -> str:
    """Raise the first letter and leave the publisher's own words alone."""
    return text[:1].upper() + text[1:]
