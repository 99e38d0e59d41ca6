"""What other projects' mails wait for goes when the installation's own account is mended."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING

import boto3
import pytest

from tests.functional.deliver.stack import LOGIN, Acme
from tests.functional.sweep.conftest import FIRST
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.http_api import Json
    from tests.functional.sweep.conftest import Marks, Sent, Sweep

_ANA = "ana@example.org"
_REFUSED = Say("553 5.7.1 not your address")


@pytest.fixture
def system(acme: Acme) -> Iterator[Acme]:
    """The installation's own account, for as long as the test lasts, and a list of projects that the test's is in."""
    _forget_settings()
    system = Acme(id="_system", account_id=f"system-of-{acme.id}")
    listed = {"project_id": {"S": "_projects"}, "sk": {"S": acme.id}}
    boto3.client("dynamodb").put_item(TableName="SettingsTable", Item=listed)
    yield system
    of_system = ({"project_id": {"S": "_system"}, "sk": {"S": sk}} for sk in ("project", _sort_key(system)))
    for key in (listed, *of_system):
        boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)
    _forget_settings()


def _forget_settings() -> None:
    """What was read of the installation's project is not kept from one test to the next."""
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    wiring.settings_store.cache_clear()
    wiring.receive.cache_clear()


def _sort_key(system: Acme) -> str:
    return f"mail-account#{system.account_id}"


def _mend(system: Acme) -> None:
    """Write what a verification finds out, as it does."""
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    account = wiring.grants().read(system.id, system.account_id)
    assert account is not None
    after = account.model_copy(update={"status": "verified", "verified_at": datetime.now(UTC)})
    wiring.grants().update(account, after, refresh_at=None)


def test_a_mended_account_of_the_installation_lets_go_what_any_project_parked_for_it(
    acme: Acme, system: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, sent: Sent
) -> None:
    acme.project = {"fallback_policy": "system"}
    with Relay(**LOGIN, script={"mail": _REFUSED}) as own, Relay(**LOGIN, script={"mail": [_REFUSED]}) as last:
        acme.save(own)
        system.save(last)
        deliver(acme.event(_ANA))
        parked = acme.deliveries()[_ANA]
        assert (parked["state"], parked["mail_account_id"]) == ("parked", system.account_id)
        _mend(system)
        marks.let_pass(FIRST)

        assert sweep() == {"redriven": 1}

        assert acme.states() == {_ANA: "queued"}
        assert len(sent(acme)) == 1
        assert marks.names("_system") == [f"redrive#{system.account_id}"]


@pytest.mark.parametrize(
    ("policy", "state"), [("system", "accepted"), ("project", "parked"), ("none", "parked")], ids=lambda one: one
)
def test_a_mended_account_of_the_installation_lets_go_what_a_project_parked_for_its_own(
    acme: Acme, system: Acme, deliver: Invoke, sweep: Sweep, marks: Marks, policy: str, state: str
) -> None:
    acme.project, acme.changes = {"fallback_policy": policy}, {"paused": True}
    with Relay(**LOGIN) as own, Relay(**LOGIN) as last:
        acme.save(own)
        system.changes = {"paused": True}
        system.save(last)
        deliver(acme.event(_ANA))
        parked = acme.deliveries()[_ANA]
        assert (parked["state"], parked["mail_account_id"]) == ("parked", acme.account_id)
        system.change(paused=False)
        _mend(system)
        marks.let_pass(FIRST)

        sweep()
        _deliver_if_released(acme, deliver)

        assert (acme.states(), own.mails) == ({_ANA: state}, [])
        assert len(last.mails) == (state == "accepted")


def test_a_word_to_admins_that_no_account_could_carry_goes_once_the_installation_has_one_that_can(
    acme: Acme, system: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    acme.project, acme.changes = {"fallback_policy": "none"}, {"paused": True}
    with Relay(**LOGIN) as own, Relay(**LOGIN) as last:
        acme.save(own)
        system.changes, system.project = {"paused": True}, {"routes": {"system": [system.account_id]}}
        system.save(last)
        deliver(_word_to_admins(acme))
        assert acme.states() == {_ANA: "parked"}
        system.change(paused=False)
        _mend(system)
        marks.let_pass(FIRST)

        sweep()
        _deliver_if_released(acme, deliver)

        assert acme.states() == {_ANA: "accepted"}
        assert (len(own.mails), len(last.mails)) == (0, 1)


def _word_to_admins(acme: Acme) -> Json:
    event = acme.event(_ANA, type="settings.secret_expiring")
    named = {"id": acme.account_id, "name": "Ops mailbox"}
    return event | {"data": event["data"] | {"mail_account": named, "expires_on": "2026-12-24"}}


def test_a_mended_account_of_a_project_lets_go_what_is_parked_for_the_installations(
    acme: Acme, system: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    acme.project = {"fallback_policy": "system"}
    with Relay(**LOGIN, script={"mail": [_REFUSED]}) as own, Relay(**LOGIN, script={"mail": _REFUSED}) as last:
        acme.save(own)
        system.save(last)
        deliver(acme.event(_ANA))
        assert acme.deliveries()[_ANA]["mail_account_id"] == system.account_id
        _mend(acme)
        marks.let_pass(FIRST)

        sweep()
        acme.let_breaker_try()
        _deliver_if_released(acme, deliver)

        assert (acme.states(), len(own.mails)) == ({_ANA: "accepted"}, 1)


def _deliver_if_released(acme: Acme, deliver: Invoke) -> None:
    if acme.states() == {_ANA: "queued"}:
        acme.overwrite(_ANA, retry_at="2026-01-01T00:00:00.000000Z")
        assert deliver(acme.pointer(), queue="BulkQueue") == []


def test_a_mended_account_of_a_project_lets_go_nothing_of_another(
    acme: Acme, system: Acme, deliver: Invoke, sweep: Sweep, marks: Marks
) -> None:
    other = Acme(account_id=system.account_id)  # ids are never used twice; and if they were
    acme.project = {"fallback_policy": "system"}
    with Relay(**LOGIN, script={"mail": _REFUSED}) as own, Relay(**LOGIN, script={"mail": [_REFUSED]}) as last:
        acme.save(own)
        system.save(last)
        other.save(last)
        deliver(acme.event(_ANA))
        _mend(other)
        marks.let_pass(FIRST)

        assert sweep() == {}
    assert acme.states() == {_ANA: "parked"}
