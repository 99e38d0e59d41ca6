"""What is parked goes again when its account can send, once a mark says so; what is stale expires instead."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from functions.settings.app import lambda_handler as settings
from tests.functional.deliver.stack import LOGIN
from tests.functional.http_api import call
from tests.functional.sweep.conftest import FIRST, LAST
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Stack
    from tests.functional.sweep.conftest import Marks, Sent, Sweep

_ANA, _BO = "ana@example.org", "bo@example.org"
_PAST = "2026-01-01T00:00:00.000000Z"
_REFUSED = Say("553 5.7.1 not your address")


def _relay(*refusals: Say) -> Relay:
    return Relay(**LOGIN, script={"mail": [*refusals]})


def _verified(acme: Acme) -> None:
    """Write what a verification finds out, as it does."""
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    account = wiring.grants().read(acme.id, acme.account_id)
    assert account is not None
    after = account.model_copy(update={"status": "verified", "verified_at": datetime.now(UTC)})
    wiring.grants().update(account, after, refresh_at=None)


def _mark(project_id: str, account_id: str | None, at: datetime) -> None:
    from tocsin.adapters.redrive_marks import RedriveMarks  # noqa: PLC0415  (after the stack is there)

    RedriveMarks(boto3.client("dynamodb"), "SettingsTable").mark(project_id, account_id, at)


def _deliver_now(acme: Acme, deliver: Invoke, *recipients: str) -> None:
    """Let the message of the project's chunk arrive, and the seconds pass that it waited."""
    for recipient in recipients:
        acme.overwrite(recipient, retry_at=_PAST)
    acme.let_breaker_try()
    assert deliver(acme.pointer(), queue="BulkQueue") == []


def test_a_verification_lets_parked_mails_go_with_their_message_id_and_log(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, sent: Sent
) -> None:
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA, _BO))
        assert acme.states() == {_ANA: "parked", _BO: "parked"}
        parked = acme.deliveries()
        _verified(acme)
        marks.let_pass(FIRST)

        assert sweep() == {"redriven": 2}
        assert acme.states() == {_ANA: "queued", _BO: "queued"}
        assert [0 < seconds <= 5 for seconds in sent(acme)] == [True]  # one for both, when both are released
        _deliver_now(acme, deliver, _ANA, _BO)

        assert acme.states() == {_ANA: "accepted", _BO: "accepted"}
        assert sorted(address for mail in relay.mails for address in mail.rcpt_to) == [_ANA, _BO]
    for recipient, delivery in acme.deliveries().items():
        assert delivery["message_id"] == parked[recipient]["message_id"]
        assert (delivery["attempt"], delivery["created_at"]) == (1, parked[recipient]["created_at"])
        assert [line["state"] for line in delivery["log"]] == ["parked", "queued", "accepted"]
        assert delivery["log"][1]["redriven_by"] == "sweep"
        assert not {"retry_at", "due_shard", "parked_account"} & delivery.keys()


_FIRST, _NEXT = "01JD7Z0000000000000000ACME", "01JD7Z0000000000000000NEXT"


@pytest.mark.parametrize(
    ("policy", "mended", "state"),
    [
        pytest.param("project", _FIRST, "accepted", id="the-account-it-is-parked-for"),
        pytest.param("project", _NEXT, "accepted", id="one-that-may-carry-it-too"),
        pytest.param("none", _NEXT, "parked", id="one-that-may-not"),
    ],
)
def test_what_is_parked_for_one_account_goes_by_whichever_of_its_route_is_mended(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, policy: str, mended: str, state: str
) -> None:
    with _relay() as relay:
        acme.save(relay)
        acme.change(paused=True)
        acme.add_account(relay, _NEXT, policy)
        acme.change(paused=True)
        deliver(acme.event(_ANA))
        assert acme.deliveries()[_ANA]["mail_account_id"] == _FIRST

        _mend(acme, mended, marks)
        _sweep_and_deliver(acme, sweep, deliver)

    assert (acme.states(), len(relay.mails)) == ({_ANA: state}, int(state == "accepted"))


def test_what_the_last_account_of_a_route_could_not_send_goes_by_the_first_when_that_is_mended(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay(_REFUSED) as first, _relay(_REFUSED) as last:
        acme.save(first)
        acme.add_account(last, _NEXT, "project")
        deliver(acme.event(_ANA))
        assert acme.deliveries()[_ANA]["mail_account_id"] == _NEXT

        _mend(acme, _FIRST, marks)
        _sweep_and_deliver(acme, sweep, deliver)

    assert (acme.states(), len(first.mails), len(last.mails)) == ({_ANA: "accepted"}, 1, 0)


def _mend(acme: Acme, account_id: str, marks: Marks) -> None:
    """Let an account be able to send again, and the seconds pass until the sweep looks what that lets go."""
    acme.account_id = account_id
    acme.change(paused=False)
    _verified(acme)
    marks.let_pass(FIRST)


def _sweep_and_deliver(acme: Acme, sweep: Sweep, deliver: Invoke) -> None:
    if sweep():
        _deliver_now(acme, deliver, _ANA)


def test_nothing_goes_while_nothing_was_mended(acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks) -> None:
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))

        assert sweep() == {}

    assert (acme.states(), marks.names(acme.id)) == ({_ANA: "parked"}, [])


@pytest.mark.parametrize(
    ("refusals", "state", "status"), [(1, "accepted", None), (2, "parked", "failing")], ids=["once", "twice"]
)
def test_a_mail_whose_login_was_refused_is_the_one_that_tries_again(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, refusals: int, state: str, status: str | None
) -> None:
    with Relay(**LOGIN, script={"auth": [Say("535 5.7.8 no")] * refusals}) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))
        assert acme.states() == {_ANA: "parked"}
        assert sweep() == {}  # before the half minute is over in which no login is tried
        marks.let_pass(FIRST)

        assert sweep() == {"redriven": 1}
        _deliver_now(acme, deliver, _ANA)

    assert acme.states() == {_ANA: state}
    assert acme.account()["state"].get("status") == status


def test_a_mark_waits_until_no_function_remembers_the_old_settings(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))
        _verified(acme)

        assert sweep() == {}

    assert marks.names(acme.id) == [f"redrive#{acme.account_id}"]


def test_stale_mails_expire_and_are_not_sent(
    stack: Stack, acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        event = acme.event(_ANA)
        event["data"]["options"] = {"expires_at": (datetime.now(UTC) + timedelta(seconds=0.5)).isoformat()}
        deliver(event)
        stack.events()
        _let_expire(acme, event)
        _verified(acme)
        marks.let_pass(FIRST)

        sweep()
        _deliver_now(acme, deliver, _ANA)

        assert (acme.states(), relay.mails) == ({_ANA: "expired"}, [])
    assert [told["detail-type"] for told in stack.events()] == ["delivery.expired"]


def _let_expire(acme: Acme, event: dict[str, Any]) -> None:
    """Let the stored notification's useful life be over, as the passing of time does."""
    from tocsin.adapters.journal_items import pack  # noqa: PLC0415  (after the stack is there)

    event["data"]["options"] = {"expires_at": _PAST}
    key = json.loads(acme.pointer())
    partition = f"{key['project_id']}#{key['notification_key']}#{key['number']}"
    boto3.client("dynamodb").update_item(
        TableName="DeliveriesTable",
        Key={"pk": {"S": partition}, "sk": {"S": "#notification"}},
        UpdateExpression="SET event = :event",
        ExpressionAttributeValues={":event": {"B": pack(event)}},
    )


def test_what_the_mended_account_parks_again_is_not_tried_over_and_over(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay(_REFUSED, _REFUSED) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))
        _verified(acme)
        marks.let_pass(FIRST)
        sweep()

        _deliver_now(acme, deliver, _ANA)
        assert acme.states() == {_ANA: "parked"}
        assert sweep() == {}
        marks.let_pass(LAST)
        assert sweep() == {"redriven": 1, "marks_ended": 1}

    assert marks.names(acme.id) == []


def test_what_was_parked_by_settings_of_before_after_the_first_pass_goes_at_a_later_one(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        _verified(acme)
        marks.let_pass(FIRST)
        assert sweep() == {}

        deliver(acme.event(_ANA))  # by a function that began before
        assert acme.states() == {_ANA: "parked"}
        marks.let_pass(timedelta(minutes=1))

        assert sweep() == {"redriven": 1}


def test_a_sweep_of_two_at_once_moves_each_delivery_once(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, sent: Sent
) -> None:
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA, _BO))
    _verified(acme)
    marks.let_pass(FIRST)
    sweep()
    marks.let_pass(FIRST)  # as the other one saw it

    assert sweep() == {}
    assert len(sent(acme)) == 1
    assert [line["state"] for line in acme.deliveries()[_ANA]["log"]] == ["parked", "queued"]


def test_deleting_a_broken_account_lets_its_mails_go_by_the_next_one(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    first = acme.account_id
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        acme.add_account(relay, "01JD7Z0000000000000000NEXT", "none")
        deliver(acme.event(_ANA))
        assert acme.deliveries()[_ANA]["mail_account_id"] == first

        path = f"/projects/{acme.id}/mail-accounts/{first}"
        claims = {"sub": "admin-1", "tocsin_projects": "*:admin"}
        assert call(settings, "DELETE", path, claims=claims).status == 204
        assert marks.names(acme.id) == [f"redrive#{first}"]
        marks.let_pass(FIRST)
        assert sweep() == {"redriven": 1}
        _deliver_now(acme, deliver, _ANA)

        assert acme.deliveries()[_ANA]["mail_account_id"] == "01JD7Z0000000000000000NEXT"
        assert acme.states() == {_ANA: "accepted"}


def _park_without_route(acme: Acme, deliver: Invoke, relay: Relay) -> None:
    acme.project = {"routes": {}}
    acme.save(relay)
    deliver(acme.event(_ANA))
    assert acme.states() == {_ANA: "parked"}


def test_what_is_parked_without_an_account_goes_when_the_project_has_a_route(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay() as relay:
        _park_without_route(acme, deliver, relay)
        acme.project = {}
        acme._save_project()  # noqa: SLF001  (what `save` does beside its account)
        _mark(acme.id, None, datetime.now(UTC))
        marks.let_pass(FIRST)

        assert sweep() == {"redriven": 1}
        _deliver_now(acme, deliver, _ANA)

    assert acme.states() == {_ANA: "accepted"}


def test_what_waits_for_a_route_is_not_tried_because_an_account_was_mended(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    with _relay() as relay:
        _park_without_route(acme, deliver, relay)
        _mark(acme.id, acme.account_id, datetime.now(UTC))
        marks.let_pass(FIRST)

        assert sweep() == {}

    assert acme.states() == {_ANA: "parked"}


@pytest.mark.parametrize(("ahead", "redriven"), [(timedelta(days=9), 0), (timedelta(seconds=-11), 1)])
def test_a_mark_may_lie_ahead_beside_one_of_now(
    acme: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, ahead: timedelta, redriven: int
) -> None:
    at = datetime.now(UTC) + ahead
    with _relay(_REFUSED) as relay:
        acme.save(relay)
        deliver(acme.event(_ANA))
        acme.overwrite(_ANA, updated_at=_PAST)
        _mark(acme.id, acme.account_id, at)
        _mark(acme.id, acme.account_id, at)

        assert sweep().get("redriven", 0) == redriven
        _verified(acme)

    assert len(marks.names(acme.id)) == 2


def test_the_renewal_of_a_token_marks_nothing(acme: Acme, marks: Marks) -> None:
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    acme.save(None)
    account = wiring.grants().read(acme.id, acme.account_id)
    assert account is not None

    wiring.grants().update(account, account.model_copy(update={"credential_version": "v2"}), refresh_at=None)

    assert marks.names(acme.id) == []


def test_a_write_that_came_too_late_marks_nothing(acme: Acme, marks: Marks) -> None:
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)
    from tocsin.errors import AccountChanged  # noqa: PLC0415  (as above)

    acme.save(None)
    account = wiring.grants().read(acme.id, acme.account_id)
    assert account is not None
    stale = account.model_copy(update={"credential_version": "older"})

    with pytest.raises(AccountChanged):
        wiring.grants().update(stale, stale.model_copy(update={"verified_at": datetime.now(UTC)}), refresh_at=None)
    assert marks.names(acme.id) == []
