"""People in CC and BCC get the first recipient's mail, each in an envelope and with a delivery of their own."""

from __future__ import annotations

from email import message_from_bytes
from email.policy import SMTP
from typing import TYPE_CHECKING, Any

import pytest

from tests.functional.deliver.stack import LOGIN
from tests.functional.deliver.test_attachments import stored_events
from tests.functional.deliver.test_bulk import list_event, people
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json, Stack

ANA, BO, CLEO, DAN = "ana@example.org", "bo@example.org", "cleo@example.org", "dan@example.org"
STRICT = SMTP.clone(raise_on_defect=True)


def copied(event: Json, *, cc: tuple[str, ...] = (), bcc: tuple[str, ...] = ()) -> Json:
    event["data"]["options"] = {"cc": [{"email": one} for one in cc], "bcc": [{"email": one} for one in bcc]}
    return event


def messages(relay: Relay) -> dict[str, Any]:
    """What came for each recipient, read as a mail program does."""
    return {mail.rcpt_to[0]: message_from_bytes(mail.content, policy=STRICT) for mail in relay.mails}


def test_each_gets_one_copy_of_the_first_recipients_mail_and_bcc_is_named_nowhere(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = copied(acme.event(ANA, BO), cc=(CLEO,), bcc=(DAN,))
        assert deliver(event) == []
        assert deliver(event, receive_count=2) == []

    got = messages(relay)
    assert len(relay.mails) == 4
    assert {person: (mail["To"], mail["Cc"]) for person, mail in got.items()} == {
        ANA: (ANA, CLEO),
        BO: (BO, None),
        CLEO: (ANA, CLEO),
        DAN: (ANA, CLEO),
    }
    assert len({mail["Message-ID"] for mail in got.values()}) == 4
    assert len({mail["Subject"] for mail in got.values()}) == 1
    assert not [content for content in relay.contents if DAN.encode() in content]
    assert acme.states() == dict.fromkeys((ANA, BO, CLEO, DAN), "accepted")


def test_a_copy_holds_nothing_that_is_the_first_recipients_own(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        event = copied(acme.event(ANA), cc=(CLEO,))
        event["data"]["recipients"][0] |= {"name": "Ana", "role": "owner", "manage_url": "https://app.example.org/mine"}
        event["data"]["incident"]["acknowledge_url"] = "https://app.example.org/acknowledge/secret"
        assert deliver(event) == []

    first, copy = (messages(relay)[person].as_string() for person in (ANA, CLEO))
    assert "acknowledge/secret" in first
    assert "acknowledge/secret" not in copy
    assert "app.example.org/mine" not in copy
    assert "owner" not in copy
    assert messages(relay)[CLEO]["To"].addresses[0].display_name == "Ana"


def test_nobody_gets_two_and_who_is_suppressed_gets_none(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        acme.suppress(DAN)
        assert deliver(copied(acme.event(ANA, BO), cc=("Bo@Example.org", CLEO, DAN), bcc=(CLEO, ANA))) == []

    assert sorted(mail.rcpt_to[0] for mail in relay.mails) == [ANA, BO, CLEO]
    assert acme.states() == dict.fromkeys((ANA, BO, CLEO), "accepted") | {DAN: "suppressed"}


def test_an_address_that_is_none_costs_nobody_else_a_mail(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        assert deliver(copied(acme.event(ANA), cc=("nobody", CLEO))) == []

    assert messages(relay)[ANA]["Cc"] == CLEO
    assert acme.states() == {ANA: "accepted", CLEO: "accepted", "nobody": "refused"}


def test_a_first_recipient_without_address_costs_nobody_a_copy(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        assert deliver(copied(acme.event("nobody"), bcc=(CLEO, DAN))) == []

    assert {person: mail["To"] for person, mail in messages(relay).items()} == {CLEO: CLEO, DAN: DAN}
    assert acme.states() == {CLEO: "accepted", DAN: "accepted", "nobody": "refused"}


def test_of_a_large_event_only_the_first_chunk_has_copies(acme: Acme, deliver: Invoke) -> None:
    acme.save(None)
    assert deliver(copied(acme.event(*people(101)), cc=(CLEO,), bcc=(DAN,))) == []

    first, second = (event["data"]["options"] for event in stored_events())

    assert first == {"cc": [{"email": CLEO}], "bcc": [{"email": DAN}]}
    assert second == {}


def _of_a_list(acme: Acme) -> Json:
    return list_event(acme, [ANA])


def _of_a_page(acme: Acme) -> Json:
    event = acme.event(ANA, type="status_page.incident_created")
    event["data"]["status_page"] = {"id": "public"}
    return event


@pytest.mark.parametrize(
    ("make", "copies", "reason"),
    [
        pytest.param(lambda acme: acme.event(ANA), 21, "too_many_copies", id="21-people"),
        pytest.param(_of_a_list, 1, "copies_not_allowed", id="of-a-list"),
        pytest.param(_of_a_page, 1, "copies_not_allowed", id="to-subscribers"),
    ],
)
def test_where_copies_cannot_be_the_event_is_rejected(
    stack: Stack,
    acme: Acme,
    deliver: Invoke,
    make: Callable[[Acme], Json],
    copies: int,
    reason: str,
) -> None:
    acme.save(None)
    half = copies // 2

    assert deliver(copied(make(acme), cc=(*people(half),), bcc=(*people(copies - half),))) == []

    [letter] = stack.messages("DeadLetterQueue")
    assert letter["reason"].startswith(f"{reason}: ")
