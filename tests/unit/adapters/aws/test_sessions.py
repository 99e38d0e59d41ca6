"""Sessions with relays: who may share one, and how many there are at once."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from threading import Event
from typing import TYPE_CHECKING, Any, cast

import pytest
from tocsin.adapters.sessions import Sessions
from tocsin.errors import TooLate

from tests.unit.model.examples import account

if TYPE_CHECKING:
    from tocsin.adapters.submission import Submission
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount

SOON = 30.0


class FakeSession:
    """A session that only knows whether it was closed, and for whom it was opened."""

    def __init__(self, opened_for: MailAccount) -> None:
        self.account = opened_for
        self.closed = 0

    def close(self) -> None:
        """Count it."""
        self.closed += 1


class Opened:
    """Opens sessions, and remembers them."""

    def __init__(self) -> None:
        self.sessions: list[FakeSession] = []

    def __call__(self, for_account: MailAccount, credential: Credential | None) -> Submission:
        """Open one."""
        del credential
        self.sessions.append(FakeSession(for_account))
        return cast("Submission", self.sessions[-1])


def _sessions() -> tuple[Sessions, Opened]:
    opened = Opened()
    return Sessions(opened, monotonic=time.monotonic), opened


def _soon() -> float:
    return time.monotonic() + SOON


def _limited(connections: int) -> MailAccount:
    return account(limits={"connections": connections})


def test_a_session_that_was_given_back_is_lent_again() -> None:
    sessions, opened = _sessions()

    for _ in range(3):
        with sessions.lease(account(), None, deadline=_soon()):
            pass

    assert len(opened.sessions) == 1


@pytest.mark.parametrize(
    "other",
    [
        pytest.param({"project_id": "other"}, id="project"),
        pytest.param({"id": "second"}, id="account"),
        pytest.param({"version": 2}, id="version"),
        pytest.param({"credential_version": "v2"}, id="credential-version"),
        pytest.param({"credential_version": None}, id="no-credential"),
    ],
)
def test_a_session_is_never_shared_across_what_tells_accounts_apart(other: dict[str, Any]) -> None:
    sessions, opened = _sessions()
    ours, theirs = account(), account().model_copy(update=other)

    for one in (ours, theirs, ours, theirs):
        with sessions.lease(one, None, deadline=_soon()) as session:
            assert cast("FakeSession", session).account == one

    assert [session.account for session in opened.sessions] == [ours, theirs]


@pytest.mark.parametrize("connections", [1, 3])
def test_an_account_has_at_most_its_connections_at_once(connections: int) -> None:
    sessions, opened = _sessions()
    limited = _limited(connections)
    with ExitStack() as held:
        for _ in range(connections):
            held.enter_context(sessions.lease(limited, None, deadline=_soon()))

        with pytest.raises(TooLate), sessions.lease(limited, None, deadline=time.monotonic() - 1):
            pass
        with sessions.lease(account("second"), None, deadline=_soon()):  # another account is not held up
            pass

    assert len(opened.sessions) == connections + 1


def test_many_threads_share_the_connections_and_all_get_their_turn() -> None:
    sessions, opened = _sessions()
    limited = _limited(2)
    in_use: set[int] = set()
    most = 0

    def work(number: int) -> int:
        nonlocal most
        with sessions.lease(limited, None, deadline=_soon()) as session:
            assert id(session) not in in_use
            in_use.add(id(session))
            most = max(most, len(in_use))
            in_use.discard(id(session))
        return number

    with ThreadPoolExecutor(max_workers=8) as pool:
        assert list(pool.map(work, range(200))) == list(range(200))

    assert most <= 2
    assert len(opened.sessions) <= 2


def test_waiting_ends_when_a_session_is_given_back() -> None:
    sessions, opened = _sessions()
    limited = _limited(1)
    begun = Event()

    def wait() -> bool:
        begun.set()
        with sessions.lease(limited, None, deadline=_soon()):
            return True

    with ThreadPoolExecutor(max_workers=1) as pool:
        with sessions.lease(limited, None, deadline=_soon()):
            waiting = pool.submit(wait)
            assert begun.wait(SOON)
            assert not waiting.done()
        assert waiting.result(timeout=SOON)

    assert len(opened.sessions) == 1


def test_waiting_ends_at_the_deadline() -> None:
    sessions, _ = _sessions()
    limited = _limited(1)
    with sessions.lease(limited, None, deadline=_soon()):
        began = time.monotonic()

        with pytest.raises(TooLate), sessions.lease(limited, None, deadline=began + 0.05):
            pass

        assert 0.049 <= time.monotonic() - began < SOON


def test_a_session_is_given_back_when_its_borrower_fails() -> None:
    sessions, opened = _sessions()
    limited = _limited(1)

    with pytest.raises(LookupError), sessions.lease(limited, None, deadline=_soon()):
        raise LookupError
    with sessions.lease(limited, None, deadline=_soon()):
        pass

    assert len(opened.sessions) == 1


def test_a_session_that_cannot_be_opened_takes_nobodys_place() -> None:
    attempts = iter([OSError("no"), None])

    def open_session(for_account: MailAccount, credential: Credential | None) -> Submission:
        del credential
        if failure := next(attempts):
            raise failure
        return cast("Submission", FakeSession(for_account))

    sessions = Sessions(open_session, monotonic=time.monotonic)

    with pytest.raises(OSError, match="no"), sessions.lease(_limited(1), None, deadline=_soon()):
        pass
    with sessions.lease(_limited(1), None, deadline=_soon()):
        pass


def test_closing_ends_what_is_not_in_use_and_leaves_the_rest_to_its_borrower() -> None:
    sessions, opened = _sessions()
    with sessions.lease(account("second"), None, deadline=_soon()):
        pass
    with sessions.lease(account(), None, deadline=_soon()):
        sessions.close()

    idle, borrowed = opened.sessions
    assert (idle.closed, borrowed.closed) == (1, 0)

    sessions.close()
    sessions.close()

    assert (idle.closed, borrowed.closed) == (1, 1)


def test_one_who_waited_while_all_was_closed_still_gives_its_session_back() -> None:
    sessions, opened = _sessions()
    limited = _limited(1)
    begun = Event()

    def wait() -> bool:
        begun.set()
        with sessions.lease(limited, None, deadline=_soon()):
            sessions.close()
        return True

    with ThreadPoolExecutor(max_workers=1) as pool:
        with sessions.lease(limited, None, deadline=_soon()):
            waiting = pool.submit(wait)
            assert begun.wait(SOON)
        sessions.close()
        assert waiting.result(timeout=SOON)

    sessions.close()
    assert all(session.closed == 1 for session in opened.sessions)
