"""`?validate=true`: what does not verify is not saved; with `&test_to=me`, nor what does not take a test message."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any, Literal

from aws_lambda_powertools.event_handler.openapi.params import Query
from tocsin import wiring_verification
from tocsin.errors import PermanentError
from tocsin.model.address import parse_address
from tocsin.model.problem import Problem
from tocsin.model.settings_error import InvalidSettings, NoVerifiedAddress

from functions.settings.requests import claims_of
from functions.settings.verification import not_told

if TYPE_CHECKING:
    from collections.abc import Mapping

    from aws_lambda_powertools.event_handler.api_gateway import Router
    from tocsin.model.account_change import AccountChange
    from tocsin.model.credential import AccountSecret
    from tocsin.model.mail_account import MailAccount

Validate = Annotated[
    bool | None, Query(description="Save only what verifies; what does not is answered with its report.")
]
TestTo = Annotated[
    Literal["me"] | None,
    Query(description="With validate: send a test message to your own verified address, and save if it is accepted."),
]


@dataclass(frozen=True, slots=True, kw_only=True)
class Gate:
    """What an account must pass before it is saved. It began when it was made: all has one deadline."""

    deadline: float
    to: str | None

    def new(self, account: MailAccount, secret: AccountSecret | None) -> tuple[MailAccount, AccountSecret | None]:
        """As `Validate.new`, when it is the project's turn."""
        wiring_verification.verification_turns().take(account.project_id)
        return wiring_verification.validate().new(account, secret, to=self.to, deadline=self.deadline)

    def changed(self, change: AccountChange) -> AccountChange:
        """As `Validate.changed`, when it is the project's turn."""
        wiring_verification.verification_turns().take(change.before.project_id)
        return wiring_verification.validate().changed(change, to=self.to, deadline=self.deadline)

    def announce(self, account: MailAccount) -> None:
        """Tell of what has passed and is saved."""
        wiring_verification.verify_saved(not_told).announce(account)


def gate(routes: Router, *, validate: bool | None, test_to: str | None) -> Gate | None:
    """The gate that the query asks for; None: what is written is saved as it is.

    Raises:
        InvalidSettings: a test message is asked for, and no validation.
        NoVerifiedAddress: nobody knows where the caller's mail goes.
    """
    if not validate:
        if test_to is not None:
            raise InvalidSettings([Problem(field="test_to", text="It goes with validate=true only.")])
        return None
    deadline = wiring_verification.deadline()
    return Gate(deadline=deadline, to=_own_address(claims_of(routes)) if test_to is not None else None)


def _own_address(claims: Mapping[str, Any]) -> str:
    """The caller's e-mail, if the issuer has verified it; API Gateway hands all claims over as text."""
    email, is_verified = claims.get("email"), str(claims.get("email_verified", "")).lower() == "true"
    if not is_verified or not isinstance(email, str):
        raise NoVerifiedAddress("the token has no verified e-mail claim")
    try:
        return str(parse_address(email))
    except PermanentError:
        raise NoVerifiedAddress("the token's e-mail claim is no address") from None
