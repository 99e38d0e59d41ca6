"""What the last page of the redirect says of a permission that soon ends."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest
from tocsin.actions.authorize_callback import CompleteAuthorization, Returned
from tocsin.actions.verify import Verification
from tocsin.data.identity_providers import identity_provider_for
from tocsin.data.remedies import Remedies
from tocsin.model.authorization import Authorization, Outcome, Result, Ticket, cookie_name, fingerprint
from tocsin.model.reply import Phase, Reply

from tests.identity_provider.accounts import NOW, account_of

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

DAY = timedelta(days=1)
AUTHORIZATION = Authorization(
    ticket_fingerprint="t",
    cookie_fingerprint=fingerprint("cookie"),
    project_id="acme",
    mail_account_id="A1",
    account_version=1,
    admin="admin-1",
    code_verifier="v",
    expires_at=NOW + timedelta(minutes=10),
)
IN = Verification(reply=Reply(phase=Phase.AUTH, code=235, text="welcome"), verdict=None)


@dataclass
class Fakes:
    """An authorization whose account is connected, and let in by its relay."""

    account: MailAccount

    def read(self, *ids: str) -> Authorization | MailAccount:
        return AUTHORIZATION if len(ids) == 1 else self.account

    def ticket(self, known: str) -> Ticket | None:
        del known
        return None

    def begin(self, known: str, authorization: Authorization, *, now: datetime, holder: str) -> Authorization | None:
        del known, now, holder
        return authorization

    def finish(self, known: str, authorization: Authorization, result: Result) -> None:
        """Nobody asks again."""

    def use_ticket(self, known: str) -> None:
        """Nobody asks again."""

    def connect(self, account: MailAccount, **_: object) -> MailAccount:
        return account

    def confirm(self, account: MailAccount, *, deadline: float) -> Verification:
        del account, deadline
        return IN

    def complete(self) -> Result:
        action = CompleteAuthorization(
            authorizations=self,  # type: ignore[arg-type]  # its `read` serves both ports
            accounts=self,  # type: ignore[arg-type]  # as above
            connect=self.connect,
            confirm=self.confirm,
            provider_of=identity_provider_for,
            remedies=Remedies(),
            redirect_uri="https://tocsin.example/oauth/callback",
            clock=lambda: NOW,
            new_holder=lambda: "us",
        )
        returned = Returned(state="s", code="c", cookies={cookie_name("s"): "cookie"})
        return action(returned, deadline=0.0).result


@pytest.mark.parametrize(
    ("name", "life", "is_said"),
    [
        pytest.param("google", 7 * DAY, True, id="google-in-testing"),
        pytest.param("google", 180 * DAY, False, id="google-in-production"),
        pytest.param("google", None, False, id="google-without-an-end"),
        pytest.param("microsoft365", DAY, False, id="microsoft"),
        pytest.param("yandex", DAY, False, id="another"),
    ],
)
def test_only_a_provider_that_limits_tests_is_said_to_do_so(
    name: str, life: timedelta | None, *, is_said: bool
) -> None:
    end = NOW + life if life is not None else None
    known = {"version": 1, "consented_at": NOW, "refresh_token_expires_at": end}

    result = Fakes(account_of(name, known=known)).complete()

    assert result.outcome is Outcome.VERIFIED
    assert ("7 days" in (result.remedy or "")) is is_said
    assert (result.remedy is not None) is is_said
