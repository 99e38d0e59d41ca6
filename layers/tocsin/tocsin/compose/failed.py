"""A day's failed deliveries as mails show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.occurrence import moment
from tocsin.compose.translate import gettext as _
from tocsin.compose.translate import ngettext
from tocsin.compose.words import word

if TYPE_CHECKING:
    from collections.abc import Mapping

type Row = tuple[str | None, ...]

_MOST_ROWS = 20


def failed_deliveries(failures: Mapping[str, Any]) -> str:
    """Say how many there are: `7 mails failed`."""
    count = failures["count"]
    if failures["is_more"]:
        return _("More than %(count)s mails failed", count=count)
    return ngettext("%(count)s mail failed", "%(count)s mails failed", count)


def failure_states(failures: Mapping[str, Any]) -> list[str]:
    """Give the states that they are in, each once."""
    return list(dict.fromkeys(word(group["state"]) or "" for group in failures["groups"] or ()))


def failure_rows(failures: Mapping[str, Any]) -> list[Row]:
    """Give state, count, mail account and reason of the first groups."""
    groups = (failures["groups"] or ())[:_MOST_ROWS]
    return [(word(group["state"]), str(group["count"]), group["mail_account"], group["reason"]) for group in groups]


def example_rows(failures: Mapping[str, Any]) -> list[Row]:
    """Give recipient with type, state with its time, and reason of the examples."""
    return [_example(each) for each in (failures["examples"] or ())[:_MOST_ROWS]]


def _example(each: Mapping[str, Any]) -> Row:
    failed = " · ".join([word(each["state"]) or "", *moment(each["at"])])
    return f"{each['recipient']}, {each['type']}", failed, each["reason"]
