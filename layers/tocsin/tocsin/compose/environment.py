"""The Jinja2 environment that all mails are rendered in."""

from __future__ import annotations

from typing import TYPE_CHECKING

from jinja2 import Environment, PackageLoader, StrictUndefined, select_autoescape

from tocsin.compose import times
from tocsin.compose.advice import failure_gists, failure_remedies, what_to_do
from tocsin.compose.budget import slo_facts
from tocsin.compose.columns import columns, has_long_word, underlined
from tocsin.compose.digest import digest_rest, digest_rows, digest_sentence
from tocsin.compose.edits import edit_rows, edit_sections
from tocsin.compose.expiry import secret_expiry
from tocsin.compose.failed import example_rows, failed_deliveries, failure_rows, failure_states
from tocsin.compose.free_html import html_text, safe_html
from tocsin.compose.items import count_of, item_rows, items_left
from tocsin.compose.lasting import lasting
from tocsin.compose.markdown import markdown_to_text
from tocsin.compose.occurrence import badges, moment, note_badges, occurrence_facts, occurrence_sections
from tocsin.compose.probes import probe_rows
from tocsin.compose.reader import current_reader
from tocsin.compose.report import percent, report_facts, report_rows, rows_left_out
from tocsin.compose.styles import InlineStyles, markdown_with_styles
from tocsin.compose.translate import gettext_in_template, ngettext_in_template
from tocsin.compose.validity import validity
from tocsin.compose.words import listed, number, sentence_case, with_colon, word

if TYPE_CHECKING:
    from datetime import date


def build_environment() -> Environment:
    """Make the environment. A missing value is an error; values in `.html.j2` are escaped; threads may share it."""
    environment = Environment(
        loader=PackageLoader("tocsin", "compose/templates"),
        undefined=StrictUndefined,
        autoescape=select_autoescape(enabled_extensions=("html.j2",), default=False),
        extensions=[InlineStyles],
        trim_blocks=True,
        lstrip_blocks=True,
        auto_reload=False,
        optimized=False,  # else what a filter makes of a constant is kept for readers of all languages
    )
    environment.globals |= {
        "_": gettext_in_template,
        "ngettext": ngettext_in_template,
        "badges": badges,
        "digest_rest": digest_rest,
        "digest_rows": digest_rows,
        "digest_sentence": digest_sentence,
        "edit_rows": edit_rows,
        "edit_sections": edit_sections,
        "count_of": count_of,
        "example_rows": example_rows,
        "failed_deliveries": failed_deliveries,
        "failure_gists": failure_gists,
        "failure_remedies": failure_remedies,
        "failure_rows": failure_rows,
        "failure_states": failure_states,
        "item_rows": item_rows,
        "items_left": items_left,
        "lasting": lasting,
        "moment": moment,
        "note_badges": note_badges,
        "occurrence_facts": occurrence_facts,
        "occurrence_sections": occurrence_sections,
        "probe_rows": probe_rows,
        "report_facts": report_facts,
        "report_rows": report_rows,
        "rows_left_out": rows_left_out,
        "secret_expiry": secret_expiry,
        "slo_facts": slo_facts,
        "validity": validity,
        "what_to_do": what_to_do,
    }
    environment.filters |= {
        "columns": columns,
        "day": _day,
        "duration": _duration,
        "has_long_word": has_long_word,
        "html_text": html_text,
        "listed": listed,
        "markdown": markdown_with_styles,
        "markdown_text": markdown_to_text,
        "number": number,
        "percent": percent,
        "safe_html": safe_html,
        "sentence_case": sentence_case,
        "underlined": underlined,
        "with_colon": with_colon,
        "word": word,
    }
    return environment


def _day(on: date | None) -> str | None:
    return None if on is None else times.day(on, current_reader().locale)


def _duration(seconds: float | None) -> str | None:
    return None if seconds is None else times.duration(seconds, current_reader().locale)
