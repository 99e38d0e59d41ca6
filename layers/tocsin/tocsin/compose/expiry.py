"""When a client secret ends, in a sentence."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.compose.reader import current_reader
from tocsin.compose.times import day
from tocsin.compose.translate import gettext as _
from tocsin.compose.translate import ngettext

if TYPE_CHECKING:
    from datetime import date, datetime


def secret_expiry(name: str, on: date, told_at: datetime | None) -> str:
    """Say it as seen from `told_at`: `The client secret of Ops mailbox expires in 7 days`."""
    written = day(on, current_reader().locale)
    if told_at is None:
        return _("The client secret of %(name)s expires on %(day)s", name=name, day=written)
    match (on - told_at.date()).days:
        case 0:
            return _("The client secret of %(name)s expires today", name=name)
        case 1:
            return _("The client secret of %(name)s expires tomorrow", name=name)
        case days if days < 0:
            return _("The client secret of %(name)s expired on %(day)s", name=name, day=written)
        case days:
            return ngettext(
                "The client secret of %(name)s expires in %(count)s day",
                "The client secret of %(name)s expires in %(count)s days",
                days,
                name=name,
            )
