"""Windows of the tests: an account, a session and a journal that are fakes, and mails to submit."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.actions.submit_window import Item, Window
from tocsin.model.delivery import State

from tests.unit.actions.fakes import (
    FakeJournal,
    FakeSession,
    calm,
    entry,
    gate,
    judge,
    mail,
)
from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from tocsin.model.delivery import Change


def items(number: int, *, state: State = State.QUEUED, attempt: int = 0) -> list[Item]:
    entries = [entry(state, attempt=attempt, number=index) for index in range(number)]
    return [Item(entry=one, mail=mail(one.recipient)) for one in entries]


def window(
    session: FakeSession, journal: FakeJournal | None = None, *, may_begin: Callable[[], bool] = lambda: True
) -> Window:
    return Window(
        account=account(),
        session=session,
        gate=gate(),
        counts=calm(),
        slot_ends_at=lambda: NOW,
        journal=journal or FakeJournal(),
        judge=judge(),
        clock=lambda: NOW,
        may_begin=may_begin,
        deadline=7.0,
    )


def states(changes: Sequence[Change]) -> list[tuple[State, int]]:
    return [(change.state, change.attempt) for change in changes]
