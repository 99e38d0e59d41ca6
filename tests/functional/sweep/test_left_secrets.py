"""The sweep comes back to the secret of an account that was deleted, and to that of no other."""

from __future__ import annotations

from typing import TYPE_CHECKING

import boto3

from functions.settings.app import lambda_handler as settings
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.functional.http_api import call
from tests.functional.sweep.conftest import FIRST

if TYPE_CHECKING:
    from tests.functional.deliver.stack import Acme
    from tests.functional.sweep.conftest import Marks, Sweep


def _is_let_go(acme: Acme) -> bool:
    name = f"tocsin/test/{acme.id}/{acme.account_id}"
    return "DeletedDate" in boto3.client("secretsmanager").describe_secret(SecretId=name)


def _delete(acme: Acme) -> int:
    path = f"/projects/{acme.id}/mail-accounts/{acme.account_id}"
    return call(settings, "DELETE", path, claims={"tocsin_projects": f"{acme.id}:admin"}).status


def test_a_secret_that_could_not_be_let_go_is_when_secrets_manager_can_be_asked_again(
    acme: Acme, sweep: Sweep, marks: Marks
) -> None:
    acme.save(None)
    with trouble_with_aws(refused("ThrottlingException"), at=lambda call: call.name == "DeleteSecret"):
        assert _delete(acme) == 204
        marks.let_pass(FIRST)

        assert sweep() == {"failed": 1}
        assert not _is_let_go(acme)

    sweep()

    assert _is_let_go(acme)


def test_a_secret_that_is_let_go_already_ends_the_pass_as_well(acme: Acme, sweep: Sweep, marks: Marks) -> None:
    acme.save(None)
    assert _delete(acme) == 204
    marks.let_pass(FIRST)

    assert sweep() == {}
    assert _is_let_go(acme)


def test_the_secret_of_an_account_that_stands_is_left_alone(acme: Acme, sweep: Sweep, marks: Marks) -> None:
    from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

    acme.save(None)
    wiring.redrive_marks().mark(acme.id, acme.account_id, wiring.now())
    marks.let_pass(FIRST)

    assert sweep() == {}
    assert not _is_let_go(acme)
