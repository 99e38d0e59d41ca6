"""Deleting mail accounts that others change meanwhile, or whose project does."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, cast

import pytest
from tocsin.actions.access import Access
from tocsin.actions.configure import Configure, Deleted
from tocsin.errors import ServiceBusy
from tocsin.model.permissions import Caller, Permissions
from tocsin.model.project import Project
from tocsin.model.route import Route
from tocsin.model.settings_error import Outdated

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.actions.configure import MailAccounts
    from tocsin.model.audit import AuditEntry
    from tocsin.model.mail_account import MailAccount

FIRST, SECOND, THIRD, NOBODY = (f"01JD7Z0000000000000000{name}" for name in ("ACMA", "ACMB", "ACMC", "N0NE"))
ADMIN = Caller(id="admin-1", permissions=Permissions(admin_of=frozenset({"acme"})))


@dataclass(slots=True, kw_only=True)
class World:
    """Accounts of one project. Before one is deleted, others change it so often, or the store is busy."""

    accounts: dict[str, MailAccount] = field(default_factory=lambda: {one: account(one) for one in (FIRST, SECOND)})
    version: int = 1
    changes: dict[str, int] = field(default_factory=dict)
    is_busy_for: str | None = None
    projects: list[tuple[Project, Project] | None] = field(default_factory=list)
    entries: list[AuditEntry] = field(default_factory=list)

    def has_project(self, project_id: str) -> bool:
        return project_id == "acme"

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        del project_id
        return self.accounts.get(account_id)

    def delete(
        self, account: MailAccount, entries: Sequence[AuditEntry], *, project: tuple[Project, Project] | None
    ) -> None:
        if account.id == self.is_busy_for:
            raise ServiceBusy("no answer")
        if self.changes.get(account.id):
            self.changes[account.id] -= 1
            self.version += 1
            raise Outdated("changed")
        del self.accounts[account.id]
        self.projects.append(project)
        self.entries += entries


@dataclass(slots=True, kw_only=True)
class FakeProjects:
    """The project, in the version that it has by then."""

    world: World

    def read(self, project_id: str) -> Project | None:
        return Project(project_id=project_id, version=self.world.version, routes={Route.INCIDENT: (FIRST, THIRD)})


def _configure(world: World) -> Configure:
    return Configure(
        accounts=cast("MailAccounts", world),
        projects=FakeProjects(world=world),
        access=Access(projects=world),
        problems=lambda account, secret: [],  # noqa: ARG005  (the port's names)
        clock=lambda: NOW,
        random_octets=bytes,
    )


@pytest.mark.parametrize("changes", [0, 1, 2])
def test_an_account_is_deleted_as_it_and_its_project_are_by_then(changes: int) -> None:
    world = World(changes={FIRST: changes})

    _configure(world).delete(ADMIN, "acme", FIRST, if_match=None)

    [project] = world.projects
    assert project is not None
    before, after = project
    assert (before.version, after.version, after.routes) == (changes + 1, changes + 2, {Route.INCIDENT: (THIRD,)})
    assert [(entry.action, entry.fields) for entry in world.entries] == [
        ("mail_account.deleted", ()),
        ("project.changed", ("routes.incident",)),
    ]


def test_an_account_that_is_changed_again_and_again_stays() -> None:
    world = World(changes={FIRST: 3})

    with pytest.raises(Outdated):
        _configure(world).delete(ADMIN, "acme", FIRST, if_match=None)

    assert FIRST in world.accounts


@pytest.mark.parametrize(
    ("world", "done"),
    [
        (World(), Deleted(deleted=(FIRST, SECOND), not_there=(NOBODY,), left=())),
        (World(changes={FIRST: 3}), Deleted(deleted=(SECOND,), not_there=(NOBODY,), left=(FIRST,))),
        (World(is_busy_for=SECOND), Deleted(deleted=(FIRST,), not_there=(), left=(SECOND, NOBODY))),
    ],
    ids=["quiet", "changed", "busy"],
)
def test_of_several_it_is_told_what_came_of_each(world: World, done: Deleted) -> None:
    assert _configure(world).delete_some(ADMIN, "acme", [FIRST, SECOND, NOBODY]) == done


def test_a_store_that_is_busy_from_the_first_is_told_of() -> None:
    world = World(is_busy_for=FIRST)

    with pytest.raises(ServiceBusy):
        _configure(world).delete_some(ADMIN, "acme", [NOBODY, FIRST, SECOND])
