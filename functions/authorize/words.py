"""What the page says for each way in which a redirect can end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tocsin.model.authorization import Outcome

if TYPE_CHECKING:
    from tocsin.model.authorization import Result


@dataclass(frozen=True, slots=True, kw_only=True)
class Words:
    """A heading, what happened, and what to do where the result itself does not know. `status` is HTTP's."""

    status: int
    tone: Literal["good", "warning", "bad"]
    heading: str
    happened: str
    remedy: str | None = None


def words_for(result: Result) -> Words:
    """The words for `result`."""
    return _WORDS[result.outcome]


_START_AGAIN = "Go back to the settings of the mail account and start the authorization there again."
_NOTHING_STORED = "Nothing was stored."

_WORDS = {
    Outcome.VERIFIED: Words(
        status=200,
        tone="good",
        heading="Connected and verified",
        happened="Tocsin may now send through this mail account. A login at its relay has just worked.",
    ),
    Outcome.NOT_VERIFIED: Words(
        status=200,
        tone="warning",
        heading="Connected, but the login failed",
        happened="The permission is given and stored, but the mail relay did not let us in with it.",
        remedy="Correct what the relay complains of, then verify the mail account again.",
    ),
    Outcome.UNCONFIRMED: Words(
        status=200,
        tone="warning",
        heading="Connected, but not verified yet",
        happened=(
            "The permission is given and stored. Whether the mail relay lets us in with it could not be written down "
            "just now."
        ),
        remedy="Verify the mail account in its settings in a few minutes.",
    ),
    Outcome.ALREADY_CONNECTED: Words(
        status=409,
        tone="warning",
        heading="Already connected",
        happened="The same link was opened twice, and the other window connected the account. Here nothing changed.",
        remedy="Close this window. To connect it anew, start the authorization again in the settings.",
    ),
    Outcome.DENIED: Words(
        status=403,
        tone="bad",
        heading="Access was declined",
        happened=f"The identity provider says that the permission was not given. {_NOTHING_STORED}",
    ),
    Outcome.PROVIDER_REFUSED: Words(
        status=400,
        tone="bad",
        heading="The identity provider refused",
        happened=f"It sent you back without a permission. {_NOTHING_STORED}",
    ),
    Outcome.NO_CODE: Words(
        status=400,
        tone="bad",
        heading="Something is missing",
        happened=f"The identity provider sent you back with neither a permission nor an error. {_NOTHING_STORED}",
        remedy="Start again. If this repeats, check the authorization URL in the settings.",
    ),
    Outcome.SCOPE_MISSING: Words(
        status=403,
        tone="bad",
        heading="The mail permission is missing",
        happened=f"You signed in, but the right to send mail was not given. {_NOTHING_STORED}",
        remedy="Start again, and leave the box of the mail permission ticked on the identity provider's page.",
    ),
    Outcome.OTHER_USER: Words(
        status=403,
        tone="bad",
        heading="Another user signed in",
        happened=f"This mail account belongs to somebody else than the one who signed in. {_NOTHING_STORED}",
        remedy=(
            "Start again and choose the right user; a private browser window helps if you are signed in as another. "
            "Or correct the username in the settings."
        ),
    ),
    Outcome.USER_NOT_NAMED: Words(
        status=403,
        tone="bad",
        heading="Nobody said who signed in",
        happened=(
            "The identity provider gave a permission without naming its user, who might be another than this mail "
            f"account's. {_NOTHING_STORED}"
        ),
        remedy=(
            "Start again, and allow the identity provider to share the e-mail address; it must be a verified one. With "
            "a provider of your own, have it answer the scopes openid and email, or correct the userinfo URL."
        ),
    ),
    Outcome.NO_REFRESH_TOKEN: Words(
        status=400,
        tone="bad",
        heading="The permission would not last",
        happened=f"No refresh token came with it, so it would have ended within the hour. {_NOTHING_STORED}",
        remedy=(
            "Remove this application from the user's third-party access at the identity provider, then start again. "
            "With a provider of your own, allow offline access."
        ),
    ),
    Outcome.EXCHANGE_REFUSED: Words(
        status=400,
        tone="bad",
        heading="The identity provider refused the exchange",
        happened=f"You signed in, but it gave us no token for that. {_NOTHING_STORED}",
        remedy="Check client id and client secret in the settings, then start again.",
    ),
    Outcome.EXCHANGE_FAILED: Words(
        status=503,
        tone="warning",
        heading="That could not be completed just now",
        happened=f"You signed in, but the token could not be fetched or stored. {_NOTHING_STORED}",
        remedy="Start again in a few minutes. If this repeats, check the token URL in the settings.",
    ),
    Outcome.ACCOUNT_CHANGED: Words(
        status=409,
        tone="warning",
        heading="The mail account was changed meanwhile",
        happened=f"Its settings are no longer those that you set out to authorize. {_NOTHING_STORED}",
        remedy=_START_AGAIN,
    ),
    Outcome.ACCOUNT_DELETED: Words(
        status=410,
        tone="warning",
        heading="The mail account was deleted meanwhile",
        happened=f"There is nothing left to authorize. {_NOTHING_STORED}",
        remedy=(
            "If that was a mistake, create the mail account anew and authorize that one. If it was not, and no other "
            "mail account of this user needs it, remove this application from the user's third-party access at the "
            "identity provider."
        ),
    ),
    Outcome.SECRET_UNAVAILABLE: Words(
        status=409,
        tone="bad",
        heading="The mail account's secret is missing",
        happened=f"Its place in Secrets Manager is empty or out of our reach. {_NOTHING_STORED}",
        remedy="Save the mail account's secrets anew, then start the authorization again.",
    ),
    Outcome.TICKET_INVALID: Words(
        status=404,
        tone="bad",
        heading="This link is no longer valid",
        happened="A link for an authorization lasts ten minutes, and ends when it has been used with success.",
        remedy=_START_AGAIN,
    ),
    Outcome.STATE_INVALID: Words(
        status=400,
        tone="bad",
        heading="This does not belong to your browser",
        happened="An authorization is completed in the browser that began it, with cookies allowed.",
        remedy=_START_AGAIN,
    ),
    Outcome.EXPIRED: Words(
        status=410,
        tone="warning",
        heading="That took too long",
        happened=f"You have ten minutes to sign in, and they are over. {_NOTHING_STORED}",
        remedy=_START_AGAIN,
    ),
    Outcome.IN_PROGRESS: Words(
        status=409,
        tone="warning",
        heading="It is being completed",
        happened="This page was called twice, and the first call is still at work.",
        remedy="Reload this page in a few seconds to see the result.",
    ),
    Outcome.INTERRUPTED: Words(
        status=500,
        tone="bad",
        heading="It was interrupted",
        happened="Something failed on our side before the end, and it is uncertain what was stored.",
        remedy=_START_AGAIN,
    ),
    Outcome.UNAVAILABLE: Words(
        status=503,
        tone="warning",
        heading="We are busy just now",
        happened=f"A service that we need could not answer in time. {_NOTHING_STORED}",
        remedy="Try the same link again in half a minute: reload this page.",
    ),
    Outcome.FAILED: Words(
        status=500,
        tone="bad",
        heading="Something went wrong on our side",
        happened="Nobody foresaw what happened here. Those who look after this installation hear of it.",
        remedy="Try the same link again in a few minutes. If this repeats, tell them when you were here.",
    ),
}
