"""Accounts, credentials, mails and one call for what these tests do again and again."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from tocsin.adapters.egress import Egress
from tocsin.adapters.pipelining_trust import PipeliningTrust
from tocsin.adapters.submission import Submission
from tocsin.model.credential import Credential
from tocsin.model.envelope import Envelope, MailObject
from tocsin.model.mail_account import Auth, MailAccount, Sender
from tocsin.model.mail_account import Relay as RelaySettings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from typing import Literal

    from tocsin.model.reply import Reply

    from tests.relay import Relay

PASSWORD = Credential(version="1", username="ana", password="hunter2")
TOKEN = Credential(version="1", username="ana", token="ya29.token")
CONTENT = b"Subject: hello\r\n\r\nhello\r\n"


def account_at(
    relay: Relay, *, auth: Literal["none", "password", "oauth2"] = "none", **settings: object
) -> MailAccount:
    """An account at `relay`, as the relay wants it; `settings` are those of the account's own relay."""
    wanted = {
        "host": relay.host,
        "port": relay.port,
        "security": relay.security,
        "ca_certificate": relay.ca_certificate,
    }
    return MailAccount(
        project_id="acme",
        id="01JD7Z",
        version=1,
        name="Ops",
        relay=RelaySettings.model_validate(wanted | settings),
        auth=Auth(type=auth, username="ana"),
        senders=(Sender(email="ops@acme.example"),),
    )


def mail_to(rcpt_to: str, *, content: bytes = CONTENT, mail_from: str = "ops@acme.example") -> MailObject:
    """A mail to one recipient."""
    smtputf8 = not rcpt_to.isascii()
    return MailObject(envelope=Envelope(mail_from=mail_from, rcpt_to=rcpt_to, smtputf8=smtputf8), content=content)


def allowing(relay: Relay) -> Egress:
    """An egress guard that lets the relay be reached."""
    return Egress(f"{relay.host}:{relay.port},localhost:{relay.port},localhost.:{relay.port}")


def session_with(
    relay: Relay, credential: Credential | None = None, *, trust: PipeliningTrust | None = None, **settings: object
) -> Submission:
    """A submission to `relay` that is yet to be opened; it knows nothing of other relays that had the same port."""
    auth: Literal["none", "password", "oauth2"] = "none"
    if credential is not None:
        auth = "password" if credential.token is None else "oauth2"
    account = account_at(relay, auth=auth, **settings)
    return Submission(account, credential, egress=allowing(relay), trust=trust or PipeliningTrust())


def submit(
    relay: Relay,
    mails: Sequence[MailObject] = (mail_to("bob@example.org"),),
    *,
    credential: Credential | None = None,
    seconds: float = 5.0,
    **settings: object,
) -> list[Reply]:
    """Submit the mails in one call and close."""
    with session_with(relay, credential, trust=None, **settings) as submission:
        return list(submission.submit(mails, deadline=time.monotonic() + seconds))
