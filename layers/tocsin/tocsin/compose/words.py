"""Words of the publisher's own: those that many use are translated, the others shown as they came."""

from __future__ import annotations

from tocsin.compose.reader import Reader, current_reader, reading
from tocsin.compose.translate import N_, gettext

_WORDS = {
    "critical": N_("Critical"),
    "major": N_("Major"),
    "minor": N_("Minor"),
    "info": N_("Info"),
    "high": N_("High"),
    "medium": N_("Medium"),
    "low": N_("Low"),
    "created": N_("Created"),
    "firing": N_("Firing"),
    "open": N_("Open"),
    "identified": N_("Identified"),
    "investigating": N_("Investigating"),
    "monitoring": N_("Monitoring"),
    "acknowledged": N_("Acknowledged"),
    "resolved": N_("Resolved"),
    "closed": N_("Closed"),
    "scheduled": N_("Scheduled"),
    "ongoing": N_("Ongoing"),
    "in progress": N_("In progress"),
    "completed": N_("Completed"),
    "cancelled": N_("Cancelled"),
    "operational": N_("Operational"),
    "degraded": N_("Degraded"),
    "offline": N_("Offline"),
    "online": N_("Online"),
    "connected": N_("Connected"),
    "disconnected": N_("Disconnected"),
    "refused": N_("Refused"),
    "parked": N_("Parked"),
    "expired": N_("Expired"),
    "unknown": N_("Unknown"),
}
_ROLES = {
    "owner": N_("owner"),
    "member": N_("member"),
    "admin": N_("admin"),
    "subscriber": N_("subscriber"),
}
_SEPARATORS = {"ja": "、", "zh": "、"}


def word(text: str | None) -> str | None:
    """Write a state, a severity or a kind."""
    if text is None:
        return None
    known = _WORDS.get(text.replace("_", " ").casefold())
    return gettext(known) if known else sentence_case(text)


def role_word(text: str, locale: str) -> str:
    """Write a recipient's role within a sentence."""
    if text not in _ROLES:
        return text
    with reading(Reader(locale=locale)):
        return gettext(_ROLES[text])


def number(part: dict[str, object]) -> str:
    """Write the number of an incident or the like, with the space before it; nothing where it has none."""
    return "" if part.get("number") is None else f" #{part['number']}"


def listed(texts: list[str] | None) -> str | None:
    """Write several names in one line; None where there are none."""
    return _SEPARATORS.get(current_reader().language, ", ").join(texts) if texts else None


def with_colon(label: str) -> str:
    """Write a label before what it names."""
    return gettext("%(label)s:", label=label)


def sentence_case(text: str) -> str:
    """Raise the first letter and leave the publisher's own words alone."""
    return text[:1].upper() + text[1:]
