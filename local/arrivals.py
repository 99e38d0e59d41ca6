"""What became of each sample: the journal's word beside the inbox's bytes."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import batched
from typing import TYPE_CHECKING, Any

from local.samples import canonical_address

if TYPE_CHECKING:
    from collections.abc import Sequence

    from local.inbox.mailbox import Mail, Mailbox
    from local.samples import Sample
    from local.stack import Stack

_KEYS_IN_A_CALL = 100  # BatchGetItem's limit; the engine leaves none unprocessed

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


def arrivals(*samples: Sample, stack: Stack, mailbox: Mailbox) -> tuple[Arrival, ...]:
    """What became of `samples` so far, recipient by recipient."""
    asked = [(sample, recipient) for sample in samples for recipient in sample.recipients]
    states = _journal(stack, [(sample.journal_key, recipient) for sample, recipient in asked])
    received = {(canonical_address(mail.rcpt_to), mail.message_id.strip("<>")): mail for mail in mailbox.mails()}
    found = []
    for sample, recipient in asked:
        item = states.get((sample.journal_key, recipient), {})
        mail = received.get((recipient, str(item.get("message_id")).strip("<>")))
        found.append(Arrival(sample=sample.name, recipient=recipient, state=item.get("state"), mail=mail))
    return tuple(found)


def _journal(stack: Stack, keys: Sequence[tuple[str, str]]) -> dict[tuple[str, str], dict[str, Any]]:
    """What the journal holds of these deliveries."""
    table = stack.table("DeliveriesTable")
    items: dict[tuple[str, str], dict[str, Any]] = {}
    for part in batched(keys, _KEYS_IN_A_CALL, strict=False):
        asked = {"Keys": [{"pk": pk, "sk": sk} for pk, sk in part], "ConsistentRead": True}
        answer = table.meta.client.batch_get_item(RequestItems={table.name: asked})
        items |= {(item["pk"], item["sk"]): item for item in answer["Responses"][table.name]}
    return items
