"""A login that is not begun: whoever the account would talk to is not there yet."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.verify import Verify
from tocsin.data.remedies import Remedies

from tests.unit.model.examples import NOW, account

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tocsin.actions.verify import Session
    from tocsin.model.credential import Credential
    from tocsin.model.mail_account import MailAccount


class NobodyAsks:
    """Has no credential for anybody."""

    def credential(self, account: MailAccount, *, deadline: float) -> tuple[MailAccount, Credential | None]:
        raise AssertionError(account.id, deadline)


@contextmanager
def _no_session(account: MailAccount, credential: Credential | None) -> Iterator[Session]:
    raise AssertionError(account.id, credential)
    yield


@pytest.mark.parametrize("transport", ["graph", "gmail", "ses"])
def test_a_transport_that_is_to_come_logs_in_nowhere_and_says_so(transport: str) -> None:
    verify = Verify(credentials=NobodyAsks(), open_session=_no_session, remedies=Remedies())

    verification = verify(account(transport=transport), deadline=0.0)

    error = verification.last_error(NOW)
    assert error is not None
    assert (error.phase, error.text) == ("settings", "transport_not_available")
    assert "not available yet" in error.remedy
