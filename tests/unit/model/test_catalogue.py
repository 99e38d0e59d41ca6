"""The catalogue knows every type, and loads a family when it is asked for."""

from __future__ import annotations

import pytest
from tocsin.model.notification import CATALOGUE
from tocsin.model.notifications.parts import NotificationData


def test_it_has_each_type_once_with_its_data() -> None:
    assert len(CATALOGUE) == len(set(CATALOGUE)) > 0
    assert all(issubclass(data, NotificationData) for data in CATALOGUE.values())


@pytest.mark.parametrize(
    "event_type", ["", ".", "parts", "parts.Part", "incident", "incident.", "incident.exploded", "../incident.created"]
)
def test_what_is_no_type_is_not_in_it(event_type: str) -> None:
    assert event_type not in CATALOGUE
    assert CATALOGUE.get(event_type) is None
