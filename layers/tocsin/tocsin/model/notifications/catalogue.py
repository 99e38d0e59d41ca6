"""Every type of notification that we know, by families: a family is loaded when one of its types is first asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.model.notifications.parts import NotificationData

_FAMILIES = (
    "incident",
    "alert",
    "alert_episode",
    "incident_episode",
    "status_page",
    "maintenance",
    "monitor",
    "slo",
    "probe",
    "on_call",
    "account",
    "generic",
    "settings",
    "delivery",
)
"""What stands before the dot of a type, and so the modules of this package that have a `TYPES`."""


class Catalogue(Mapping[str, "type[NotificationData]"]):
    """Every event type, and what its `data` holds."""

    def __getitem__(self, event_type: str) -> type[NotificationData]:
        """The data of one type."""
        family = event_type.partition(".")[0]
        if family not in _FAMILIES:
            raise KeyError(event_type)
        return _types(family)[event_type]

    def __iter__(self) -> Iterator[str]:
        """All types; this loads all families."""
        for family in _FAMILIES:
            yield from _types(family)

    def __len__(self) -> int:
        """How many there are; as above."""
        return sum(len(_types(family)) for family in _FAMILIES)


CATALOGUE = Catalogue()
"""The catalogue, of which there is one."""


def is_for_admins(event_type: str) -> bool:
    """Whether mails of the type tell a project's admins what they must put right, by whichever account can send."""
    data = CATALOGUE.get(event_type)
    return data is not None and data.for_admins


def is_for_subscribers(event_type: str) -> bool:
    """Whether mails of the type go to subscribers of a status page, rather than to people of the project."""
    data = CATALOGUE.get(event_type)
    return data is not None and data.for_subscribers


@cache
def _types(family: str) -> Mapping[str, type[NotificationData]]:
    types: Mapping[str, type[NotificationData]] = import_module(f"{__package__}.{family}").TYPES
    return types
