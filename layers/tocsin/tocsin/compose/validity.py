"""For how long a code or a link is good."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.compose.occurrence import moment
from tocsin.compose.reader import current_reader
from tocsin.compose.times import duration
from tocsin.compose.translate import gettext as _
from tocsin.model.useful_time import end_of_use

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.compose.occurrence import Fact

_MINUTE_SECONDS = 60


def validity(expires_at: datetime | None, minutes: int | None, told_at: datetime | None) -> list[Fact]:
    """Say for how many minutes, and until when, as far as either is known."""
    length = None if minutes is None else duration(minutes * _MINUTE_SECONDS, current_reader().locale)
    return [(_("Valid for"), length), (_("Valid until"), moment(end_of_use(expires_at, minutes, told_at)))]
