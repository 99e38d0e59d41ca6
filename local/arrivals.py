"""What became of each sample: the journal's word beside the inbox's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.samples import canonical_address

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.inbox.mailbox import Mail, Mailbox
    from local.samples import Sample
    from local.stack import Stack

OPEN_STATES = frozenset({None, "queued", "submitting", "deferred"})
"""States in which a mail may still come; None: the journal does not know of the delivery yet."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One recipient of one sample. `mail` is what the inbox got, `state` what the journal says."""

    sample: str
    recipient: str
    state: str | None
    mail: Mail | None

    @property
    def is_good(self) -> bool:
        """Whether the mail is there and the journal knows it."""
        return self.state == "accepted" and self.mail is not None

    @property
    def is_open(self) -> bool:
        """Whether waiting may help."""
        return self.state in OPEN_STATES


def arrivals(sample: Sample, *, stack: Stack, mailbox: Mailbox) -> tuple[Arrival, ...]:
    """What became of `sample` so far, recipient by recipient."""
    table = stack.table("DeliveriesTable")
    found = []
    for recipient in sample.recipients:
        item = table.get_item(Key={"pk": sample.journal_key, "sk": recipient}, ConsistentRead=True).get("Item", {})
        mail = _mail(recipient, str(item.get("message_id", "")), mailbox.mails())
        found.append(Arrival(sample=sample.name, recipient=recipient, state=item.get("state"), mail=mail))
    return tuple(found)


def _mail(recipient: str, message_id: str, mails: Iterable[Mail]) -> Mail | None:
    """The mail for this recipient with the Message-ID that the journal holds, found by its bytes."""
    wanted = message_id.strip("<>")
    return next(
        (
            mail
            for mail in mails
            if wanted and mail.message_id.strip("<>") == wanted and canonical_address(mail.rcpt_to) == recipient
        ),
        None,
    )
