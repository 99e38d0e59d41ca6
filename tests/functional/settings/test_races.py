"""Two admins at once: whatever is between the reading and the writing of one, no route leads nowhere."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.functional.deliver.trouble import refused, trouble_with_aws

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.functional.deliver.trouble import Call
    from tests.functional.http_api import Answer
    from tests.functional.settings.conftest import Desk


@contextmanager
def _just_before_the_write(act: Callable[[], Answer]) -> Iterator[list[Answer]]:
    """Have somebody else do something as soon as the function has read all that its first transaction is about."""
    answers: list[Answer] = []
    begun: list[bool] = []

    def at(call: Call) -> bool:
        if call.name == "TransactWriteItems" and not begun:
            begun.append(True)
            answers.append(act())
        return False

    with trouble_with_aws(refused("never"), at=at):
        yield answers


def _route(desk: Desk, *account_ids: str, default: str | None = None) -> Answer:
    """Have the project's incidents go by these accounts."""
    settings = {"name": "Acme", "routes": {"incident": account_ids}, "default_mail_account_id": default}
    return desk.ask("PUT", f"/projects/{desk.project}", settings, headers={"if-match": "*"})


def _named(desk: Desk) -> tuple[list[str], str | None]:
    project = desk.ask("GET", f"/projects/{desk.project}").json
    return project["routes"].get("incident", []), project["default_mail_account_id"]


def test_no_route_comes_to_name_an_account_that_is_deleted_meanwhile(desk: Desk) -> None:
    gone, stays = desk.create()["id"], desk.create()["id"]
    _route(desk, stays)

    with _just_before_the_write(lambda: desk.ask("DELETE", f"/{gone}")) as meanwhile:
        answer = _route(desk, stays, default=gone)

    assert ([one.status for one in meanwhile], answer.status) == ([204], 412)
    assert _named(desk) == ([stays], None)


def test_an_account_that_a_route_comes_to_name_meanwhile_is_deleted_with_its_place_there(desk: Desk) -> None:
    gone, stays = desk.create()["id"], desk.create()["id"]

    with _just_before_the_write(lambda: _route(desk, gone, stays)) as meanwhile:
        answer = desk.ask("DELETE", f"/{gone}")

    assert ([one.status for one in meanwhile], answer.status) == ([200], 204)
    assert _named(desk) == ([stays], None)
