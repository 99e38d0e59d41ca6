"""Texts in the reader's language, by gettext: the English text is the key, `%(name)s` a place in it."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from jinja2 import pass_eval_context
from markupsafe import escape

from tocsin.compose.reader import current_reader

if TYPE_CHECKING:
    from gettext import NullTranslations

    from jinja2.nodes import EvalContext

LOCALES = Path(__file__).parent / "locale"
DOMAIN = "tocsin"


def gettext(message: str, /, **values: object) -> str:
    """Translate `message` and fill its places. `%%` stands for a percent sign."""
    return _translated(message) % values


def ngettext(singular: str, plural: str, count: int, /, **values: object) -> str:
    """Translate the form that goes with `count`, which is the place `%(count)s`."""
    return _plural(singular, plural, count) % {"count": count, **values}


@pass_eval_context
def gettext_in_template(context: EvalContext, message: str, /, **values: object) -> str:
    """Do as `gettext`, and escape the values where the template does."""
    text = _translated(message)
    return (escape(text) if context.autoescape else text) % values


@pass_eval_context
def ngettext_in_template(context: EvalContext, singular: str, plural: str, count: int, /, **values: object) -> str:
    """Do as `ngettext`, and escape the values where the template does."""
    text = _plural(singular, plural, count)
    return (escape(text) if context.autoescape else text) % {"count": count, **values}


def N_(message: str) -> str:  # noqa: N802  (the name by which gettext's tools know it)
    """Mark `message` for translation, which happens where it is shown."""
    return message


def _translated(message: str) -> str:
    language = current_reader().language
    return message if language == "en" else _catalogue(language).gettext(message)


def _plural(singular: str, plural: str, count: int) -> str:
    language = current_reader().language
    if language == "en":
        return singular if count == 1 else plural
    return _catalogue(language).ngettext(singular, plural, count)


@cache
def _catalogue(language: str) -> NullTranslations:
    from gettext import translation  # noqa: PLC0415  (readers of English need none)

    return translation(DOMAIN, LOCALES, [language])
