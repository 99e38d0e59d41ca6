"""A monitor's probes as mails show them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tocsin.compose.occurrence import moment
from tocsin.compose.words import word

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_MOST_ROWS = 40  # a kilobyte each, of the 102 that some providers show

type ProbeRow = tuple[tuple[str, str | None], str | None, str]
"""The name with its link, the state, and when it was last heard of."""


def probe_rows(probes: Sequence[Mapping[str, Any]] | None) -> list[ProbeRow]:
    """Give a row for each probe, as many as a mail can hold."""
    return [
        ((probe["name"] or "", probe["url"]), word(probe["state"]), " · ".join(moment(probe["last_alive_at"])))
        for probe in (probes or ())[:_MOST_ROWS]
    ]
