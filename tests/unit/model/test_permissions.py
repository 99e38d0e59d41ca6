"""What a claim permits."""

from __future__ import annotations

import pytest
from tocsin.model.permissions import Permissions


@pytest.mark.parametrize(
    "claim",
    [
        ["acme:admin", "beta:viewer"],
        "[acme:admin beta:viewer]",
        "acme:admin beta:viewer",
        "  acme:admin\tbeta:viewer ",
        '["acme:admin", "beta:viewer"]',
        "[acme:admin nonsense beta:viewer acme]",
        ["acme:admin", 7, None, "beta:viewer"],
    ],
    ids=["list", "flattened", "spaces", "white-space", "json", "nonsense-beside", "other-types-beside"],
)
def test_every_form_of_the_claim_is_read(claim: object) -> None:
    permissions = Permissions.of(claim)

    assert [permissions.may_change(project) for project in ("acme", "beta", "other")] == [True, False, False]
    assert [permissions.may_read(project) for project in ("acme", "beta", "other")] == [True, True, False]


@pytest.mark.parametrize(
    "claim",
    [
        None,
        7,
        True,
        "",
        "[]",
        "{}",
        "acme",
        "acme:owner",
        "acme:admin:more",
        "ACME:admin",
        "acme:admin,beta:admin",
        '{"acme:admin": 1}',
        '"acme:admin"',
        "*:viewer",
        "*",
        "a*:admin",
        ":admin",
        "acme:admin\x00",
        {"acme:admin": True},
        [["acme:admin"]],
    ],
)
def test_anything_else_permits_nothing(claim: object) -> None:
    permissions = Permissions.of(claim)

    assert not [project for project in ("acme", "beta", "*", "", "a", "_system") if permissions.may_read(project)]


def test_the_admin_of_all_is_admin_of_each() -> None:
    permissions = Permissions.of("*:admin")

    assert permissions.may_change("acme")
    assert permissions.may_change("_system")


def test_nobody_but_its_own_admin_and_the_admin_of_all_reaches_the_installation_s_project() -> None:
    assert Permissions.of("_system:admin").may_change("_system")
    assert not Permissions.of("acme:admin").may_read("_system")
