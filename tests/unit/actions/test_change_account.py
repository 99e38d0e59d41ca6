"""Changing a mail account: under the lease of its grant, secret first, and nothing left behind by who loses."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.access import Access
from tocsin.actions.change_account import ChangeAccount
from tocsin.errors import GrantBusy, ServiceBusy, TransientError
from tocsin.model.credential import AccountSecret
from tocsin.model.merge_patch import merged, patched
from tocsin.model.permissions import Caller, Permissions
from tocsin.model.settings_error import InvalidSettings, NotThere, Outdated, SlugTaken, VersionNotNamed

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Callable
    from datetime import datetime, timedelta

    from tocsin.model.audit import AuditEntry
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.mail_account_input import MailAccountInput

ACCOUNT_ID = "01JD7Z0000000000000000ACME"
ADMIN = Caller(id="admin-1", permissions=Permissions(admin_of=frozenset({"acme"})))


@dataclass(slots=True, kw_only=True)
class FakeProjects:
    """One project."""

    def has_project(self, project_id: str) -> bool:
        return project_id == "acme"


@dataclass(slots=True, kw_only=True)
class FakeAccounts:
    """One account with a password, and what was done to it, in order."""

    account: MailAccount
    done: list[str] = field(default_factory=list)
    hindrance: Exception | None = None
    loses_answer: bool = False
    has_slug: bool = True
    entries: list[AuditEntry] = field(default_factory=list)

    def read(self, project_id: str, account_id: str) -> MailAccount | None:
        del project_id
        return self.account if account_id == self.account.id else None

    def is_free(self, account: MailAccount) -> bool:
        del account
        return self.has_slug

    def stored_secret(self, account: MailAccount) -> AccountSecret | None:
        return AccountSecret.model_validate(
            {"saved_for": account.secret_binding, "password": "old", "grant_version": 4}
        )

    def store_secret(self, account: MailAccount, secret: AccountSecret) -> str:
        assert account.may_use(secret)
        self.done.append("stored")
        return "second"

    def update(
        self, before: MailAccount, after: MailAccount, entry: AuditEntry, *, refresh_at: datetime | None
    ) -> None:
        del before, refresh_at
        if self.hindrance is not None:
            raise self.hindrance
        self.done.append("updated")
        self.entries.append(entry)
        self.account = after
        if self.loses_answer:
            raise ServiceBusy("no answer")


@dataclass(slots=True, kw_only=True)
class FakeLeases:
    """A lease that others hold until so many have asked for it."""

    refusals: int = 0
    asked: list[str] = field(default_factory=list)
    given_back: list[str] = field(default_factory=list)

    def take(self, name: str, holder: str, *, lasting: timedelta) -> bool:
        del holder, lasting
        self.asked.append(name)
        return len(self.asked) > self.refusals

    def give_back(self, name: str, holder: str) -> None:
        del holder
        self.given_back.append(name)


def _accounts(**changes: object) -> FakeAccounts:
    found = account(ACCOUNT_ID).model_copy(update={"project_id": "acme", "credential_version": "first", "version": 7})
    return FakeAccounts(account=found.model_copy(update=changes))


def _change(
    accounts: FakeAccounts, leases: FakeLeases, patch: dict[str, object], **more: object
) -> tuple[MailAccount, list[float]]:
    pauses: list[float] = []
    change = ChangeAccount(
        accounts=accounts,
        access=Access(projects=FakeProjects()),
        leases=leases,
        problems=lambda account, secret: [],  # noqa: ARG005  (the port's names)
        clock=lambda: NOW,
        jitter=lambda: 1.0,
        pause=pauses.append,
        new_holder=lambda: "us",
    )
    edit: Callable[[MailAccount], MailAccountInput] = lambda before: patched(before, patch)  # noqa: E731  (named for its type)
    arguments = {"if_match": None} | more
    return change(ADMIN, "acme", ACCOUNT_ID, edit, **arguments), pauses  # type: ignore[arg-type]  # of many kinds


def test_a_secret_is_stored_once_and_before_the_account() -> None:
    accounts, leases = _accounts(), FakeLeases()

    after, pauses = _change(accounts, leases, {"auth": {"password": "new"}})

    assert accounts.done == ["stored", "updated"]
    assert (after.credential_version, after.version, after.status) == ("second", 8, "not_verified")
    assert leases.asked == leases.given_back == [f"grant#acme#{ACCOUNT_ID}"]
    assert pauses == []
    assert [(entry.admin, entry.action, entry.fields) for entry in accounts.entries] == [
        ("admin-1", "mail_account.changed", ("auth.password",))
    ]


def test_settings_alone_touch_no_secret_and_saying_what_stands_writes_nothing() -> None:
    accounts = _accounts()

    _change(accounts, FakeLeases(), {"name": "New"})
    _change(accounts, FakeLeases(), {"name": "New"})

    assert accounts.done == ["updated"]


@pytest.mark.parametrize(
    "hindrance",
    [Outdated("changed"), SlugTaken(), TransientError("contention"), ServiceBusy("it may be written")],
    ids=["outdated", "slug", "contention", "busy"],
)
def test_an_account_that_was_not_written_does_not_name_the_new_secret(hindrance: Exception) -> None:
    accounts, leases = _accounts(), FakeLeases()
    accounts.hindrance = hindrance

    with pytest.raises(type(hindrance)):
        _change(accounts, leases, {"auth": {"password": "new"}})

    assert (accounts.done, accounts.account.credential_version) == (["stored"], "first")
    assert leases.given_back


@pytest.mark.parametrize("patch", [{"auth": {"password": "new"}}, {"name": "New"}], ids=["secret", "settings"])
def test_a_change_that_was_written_is_made_though_its_answer_was_lost(patch: dict[str, object]) -> None:
    accounts = _accounts()
    accounts.loses_answer = True

    after, _ = _change(accounts, FakeLeases(), patch)

    assert (after, after.version) == (accounts.account, 8)


@pytest.mark.parametrize(
    ("patch", "more", "refused"),
    [
        ({"name": "New"}, {"if_match": '"6"'}, Outdated),
        ({"name": "New"}, {"replaces": True}, VersionNotNamed),
        ({"auth": {"password": None}}, {}, InvalidSettings),
        ({"relay": {"host": "elsewhere.example.org"}}, {}, InvalidSettings),
    ],
    ids=["outdated", "unnamed", "cleared", "elsewhere"],
)
def test_who_is_refused_has_stored_nothing(
    patch: dict[str, object], more: dict[str, object], refused: type[Exception]
) -> None:
    accounts = _accounts()

    with pytest.raises(refused):
        _change(accounts, FakeLeases(), patch, **more)

    assert accounts.done == []


def test_a_slug_that_is_taken_is_found_before_anything_is_stored() -> None:
    accounts = _accounts()
    accounts.has_slug = False

    with pytest.raises(SlugTaken):
        _change(accounts, FakeLeases(), {"slug": "ops", "auth": {"password": "new"}})

    assert accounts.done == []


def test_an_account_is_left_alone_while_its_grant_is_renewed() -> None:
    accounts, leases = _accounts(), FakeLeases(refusals=100)

    with pytest.raises(GrantBusy):
        _change(accounts, leases, {"name": "New"})

    assert (accounts.done, len(leases.asked), leases.given_back) == ([], 5, [])


def test_a_renewal_that_ends_soon_is_waited_for() -> None:
    accounts = _accounts()

    _, pauses = _change(accounts, FakeLeases(refusals=2), {"name": "New"})

    assert (accounts.done, pauses) == (["updated"], [0.2, 0.4])


def test_no_lease_is_taken_on_what_is_not_there() -> None:
    leases = FakeLeases()

    with pytest.raises(NotThere):
        _change(_accounts(id="01JD7Z0000000000000000GONE"), leases, {"name": "New"})

    assert leases.asked == []


@pytest.mark.parametrize(
    ("target", "patch", "result"),
    [  # RFC 7396 appendix A, as far as both are objects
        ({"a": "b"}, {"a": "c"}, {"a": "c"}),
        ({"a": "b"}, {"b": "c"}, {"a": "b", "b": "c"}),
        ({"a": "b"}, {"a": None}, {}),
        ({"a": "b", "b": "c"}, {"a": None}, {"b": "c"}),
        ({"a": ["b"]}, {"a": "c"}, {"a": "c"}),
        ({"a": "c"}, {"a": ["b"]}, {"a": ["b"]}),
        ({"a": {"b": "c"}}, {"a": {"b": "d", "c": None}}, {"a": {"b": "d"}}),
        ({"a": [{"b": "c"}]}, {"a": [1]}, {"a": [1]}),
        ({"e": None}, {"a": 1}, {"e": None, "a": 1}),
        ({}, {"a": {"bb": {"ccc": None}}}, {"a": {"bb": {}}}),
        ({}, {"auth": {"password": None}}, {"auth": {"password": None}}),  # of a secret, null is a wish
        ({"password": "b"}, {"password": None}, {}),  # and this is none, whatever its name
    ],
)
def test_a_patch_is_merged_as_rfc_7396_says(
    target: dict[str, object], patch: dict[str, object], result: dict[str, object]
) -> None:
    assert merged(target, patch) == result
