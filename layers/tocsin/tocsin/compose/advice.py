"""What to do about a failure. Our remedies are English: readers of other languages get the gist in theirs first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.reader import current_reader
from tocsin.compose.times import ENGLISH
from tocsin.compose.translate import N_, gettext
from tocsin.compose.translate import gettext as _
from tocsin.compose.words import with_colon, word

if TYPE_CHECKING:
    from collections.abc import Mapping

type Advice = tuple[str, str]
"""Words that stand out, and what to do."""

_MOST_GROUPS = 20
_GISTS = {
    "refused": N_(
        "Sent again as they are, these mails would be refused again. Correct the address, the mail or the mail account"
        " first."
    ),
    "parked": N_(
        "These mails wait for a change of the mail account or of the project's settings, and then go at once."
    ),
    "expired": N_("These mails could not be sent in time. Send them again if they still matter."),
    "unknown": N_("It is not known whether these mails arrived. Ask their recipients, or send them again."),
}


def what_to_do(remedy: str | None, gist: str) -> list[Advice]:
    """Give the remedy, or the gist of what is done in all such cases, or both."""
    lead = _("What to do:")
    if remedy is None or _is_english():
        return [(lead, remedy or gist)]
    return [(lead, gist), (_("In detail (in English):"), remedy)]


def failure_gists(failures: Mapping[str, Any]) -> list[Advice]:
    """Give what to do about all failures of a state, for readers who do not get it from the remedies."""
    states = dict.fromkeys(group["state"] for group in _groups(failures) if group["remedy"])
    known = [(state, _GISTS[state]) for state in states if state in _GISTS]
    return [] if _is_english() else [(with_colon(word(state) or ""), gettext(gist)) for state, gist in known]


def failure_remedies(failures: Mapping[str, Any]) -> list[Advice]:
    """Give what to do about each reason; each remedy once."""
    remedies = {
        group["remedy"]: group["reason"] or word(group["state"]) or ""
        for group in reversed(_groups(failures))
        if group["remedy"]
    }
    return [(with_colon(reason), remedy) for remedy, reason in reversed(remedies.items())]


def _groups(failures: Mapping[str, Any]) -> list[Any]:
    return (failures["groups"] or [])[:_MOST_GROUPS]


def _is_english() -> bool:
    return current_reader().language == ENGLISH
