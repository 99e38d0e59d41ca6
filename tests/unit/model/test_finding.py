"""Of what two find out about a mail account at once, nothing that matters is lost, and a loss is the last word."""

from __future__ import annotations

from typing import Any

import pytest
from tocsin.model.finding import rebased

from tests.unit.model.examples import NOW, account

type Finding = dict[str, Any]

LOST = {"status": "reauthorization_required"}
ONE = account(status="verified", grant={"version": 1})
GRANT = account(grant={"version": 2}).grant
OTHER_GRANT = account(grant={"version": 1, "failures": 1}).grant
CREDENTIAL = {"credential_version": "v2"}


@pytest.mark.parametrize(
    ("theirs", "ours", "stands"),
    [
        pytest.param({}, {"status": "failing"}, {"status": "failing"}, id="nobody-else"),
        pytest.param({"status": "failing"}, {"verified_at": NOW}, {"status": "failing", "verified_at": NOW}, id="both"),
        pytest.param({"status": "failing"}, {"status": "not_verified"}, {"status": "not_verified"}, id="the-later"),
        pytest.param({"status": "failing"}, LOST, LOST, id="a-loss-of-ours"),
        pytest.param(LOST, {"status": "verified", "verified_at": NOW}, None, id="a-loss-of-theirs"),
        pytest.param(LOST, {"last_error": None, "verified_at": NOW}, None, id="a-loss-that-we-say-nothing-of"),
        pytest.param(LOST, {"grant": GRANT} | CREDENTIAL, {"grant": GRANT} | CREDENTIAL, id="renewed-after-all"),
        pytest.param({"grant": OTHER_GRANT}, {"grant": GRANT}, None, id="the-same-grant"),
        pytest.param(
            {"grant": GRANT}, {"status": "failing"}, {"grant": GRANT, "status": "failing"}, id="a-grant-of-theirs"
        ),
        pytest.param(CREDENTIAL, {"status": "failing"}, None, id="another-credential"),
        pytest.param({"version": 2}, {"status": "failing"}, None, id="another-version"),
    ],
)
def test_the_later_finding_counts_field_by_field_but_for_a_loss(
    theirs: Finding, ours: Finding, stands: Finding | None
) -> None:
    found = rebased(ONE, ONE.model_copy(update=ours), ONE.model_copy(update=theirs))

    assert found == (ONE.model_copy(update=stands) if stands is not None else None)
