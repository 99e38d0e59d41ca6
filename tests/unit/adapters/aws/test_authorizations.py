"""Authorizations: one callback takes a state, also where the answer to its write was lost."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.adapters.authorizations import Authorizations
from tocsin.model.authorization import Authorization, Outcome, Result, Ticket

from tests.unit.adapters.aws.tables import table_by_pk
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator

TABLE = "UnitTestAuthorizations"
TICKET = Ticket(
    project_id="acme", mail_account_id="A1", account_version=1, admin="admin-1", expires_at=NOW + timedelta(minutes=10)
)
OPEN = Authorization(
    **TICKET.model_dump(exclude={"is_used"}), ticket_fingerprint="t", cookie_fingerprint="c", code_verifier="v"
)
VERIFIED = Result(outcome=Outcome.VERIFIED)


@pytest.fixture
def authorizations() -> Iterator[Authorizations]:
    """A table with one state that is open."""
    with table_by_pk(TABLE) as client:
        kept = Authorizations(client, TABLE)
        kept.add("s", OPEN)
        yield kept


def test_who_takes_a_state_again_since_the_answer_was_lost_has_it(authorizations: Authorizations) -> None:
    taken = [authorizations.begin("s", OPEN, now=NOW, holder="us") for _ in range(2)]

    assert taken[0] is not None
    assert taken[0] == taken[1] == authorizations.read("s")
    assert taken[0].step == "begun"


def test_a_state_is_taken_once(authorizations: Authorizations) -> None:
    authorizations.begin("s", OPEN, now=NOW, holder="us")

    assert authorizations.begin("s", OPEN, now=NOW, holder="others") is None


def test_a_result_stands_however_often_it_is_written(authorizations: Authorizations) -> None:
    begun = authorizations.begin("s", OPEN, now=NOW, holder="us")
    assert begun is not None

    for _ in range(2):
        authorizations.finish("s", begun, VERIFIED)
    authorizations.finish("s", begun, Result(outcome=Outcome.INTERRUPTED))

    kept = authorizations.read("s")
    assert kept is not None
    assert (kept.step, kept.result, kept.code_verifier) == ("finished", VERIFIED, "")
    assert authorizations.begin("s", OPEN, now=NOW, holder="us") is None


def test_what_is_new_may_be_written_again_but_never_over_another(authorizations: Authorizations) -> None:
    for _ in range(2):
        authorizations.add_ticket("t", TICKET)
        authorizations.add("s", OPEN)

    other = OPEN.model_copy(update={"admin": "admin-2"})
    with pytest.raises(Exception, match="ConditionalCheckFailed"):
        authorizations.add("s", other)
    assert authorizations.read("s") == OPEN


def test_a_ticket_that_is_used_says_so_and_one_that_is_gone_is_none(authorizations: Authorizations) -> None:
    authorizations.add_ticket("t", TICKET)

    authorizations.use_ticket("t")
    authorizations.use_ticket("gone")

    assert authorizations.ticket("t") == TICKET.model_copy(update={"is_used": True})
    assert authorizations.ticket("gone") is None
