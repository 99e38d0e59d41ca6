"""A mail gets links that count where its project wants it, and never waits for them."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from tocsin.actions.track_links import TrackLinks
from tocsin.errors import SecretUnavailable, ServiceBusy, TocsinError
from tocsin.model.chunk import chunk_of
from tocsin.model.signed_token import LinkKey
from tocsin.model.tracking import Tracking

from tests.unit.model.examples import NOW, notification

KEY = LinkKey(b"k" * 32)


@dataclass(slots=True)
class Keys:
    """A key, or what Secrets Manager says instead."""

    trouble: TocsinError | None = None
    asked: int = 0
    failures: list[str] = field(default_factory=list)

    def current(self) -> LinkKey:
        self.asked += 1
        if self.trouble is not None:
            raise self.trouble
        return KEY


def _track(keys: Keys) -> TrackLinks:
    return TrackLinks(keys=lambda: keys, base_url="https://tocsin.example", on_failure=keys.failures.append)


def test_each_recipient_has_links_that_are_the_same_at_every_attempt() -> None:
    incident = notification()
    chunk, tracking = chunk_of(incident), Tracking(opens=True)

    first, again = (_track(Keys())(incident, chunk, tracking, since=NOW) for _ in range(2))

    assert first is not None
    assert again is not None
    assert first("ana@example.org") == again("ana@example.org")
    assert first("ana@example.org").pixel() != first("bo@example.org").pixel()
    assert "ana" not in first("ana@example.org").link("https://acme.example/")


@pytest.mark.parametrize(
    ("type_", "tracking"),
    [
        pytest.param("incident.created", Tracking(), id="switched-off"),
        pytest.param("settings.secret_expiring", Tracking(opens=True, clicks=True), id="never-tracked"),
    ],
)
def test_where_nothing_is_counted_no_key_is_asked_for(type_: str, tracking: Tracking) -> None:
    keys, about = Keys(), notification(type_)

    assert _track(keys)(about, chunk_of(about), tracking, since=NOW) is None
    assert keys.asked == 0


@pytest.mark.parametrize("trouble", [SecretUnavailable("gone"), ServiceBusy("busy")], ids=["gone", "busy"])
def test_without_a_key_mails_go_out_uncounted_and_somebody_is_told(trouble: TocsinError) -> None:
    keys, incident = Keys(trouble), notification()

    assert _track(keys)(incident, chunk_of(incident), Tracking(clicks=True), since=NOW) is None
    assert keys.failures == ["acme"]
