"""Relays that are odd while several mails are on their way, pipelined and in lock-step: each mail has its own reply."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import pytest
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, mail_to, submit
from tests.relay import Flood, Relay, Say, Trickle

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.model.reply import Reply

    from tests.relay.actions import Action, Script

NAMES = [f"m{number}" for number in range(10)]
WAYS = pytest.mark.parametrize("security", ["tls", "none"], ids=["pipelined", "lock-step"])
STEPS = ("ehlo", "rset", "mail", "rcpt", "data", "content")


def replies_of(script: Script, security: Literal["tls", "none"], **settings: object) -> tuple[list[Reply], Relay]:
    """What each of ten mails was answered, and the relay, with its record."""
    mails = [mail_to(f"{name}@example.org", content=f"Subject: {name}\r\n".encode()) for name in NAMES]
    passwords = {"ana": "hunter2"} if security == "tls" else {}
    mechanisms = ["PLAIN"] if passwords else []
    with Relay(security=security, mechanisms=mechanisms, passwords=passwords, script=script) as relay:
        replies = submit(relay, mails, credential=PASSWORD if passwords else None, seconds=30, **settings)
    return replies, relay


def arrived(relay: Relay) -> list[str]:
    """The mails whose content came, by their subject."""
    return [content.decode().removeprefix("Subject: ").strip() for content in relay.contents]


@WAYS
def test_replies_in_packets_of_one_octet_are_replies(security: Literal["tls", "none"]) -> None:
    usual = {"ehlo": "250-relay\n250 PIPELINING", "rset": "250 ok", "mail": "250-2.1.0 sender\n250 2.1.0 ok"}
    usual |= {"rcpt": "250-2.1.5 recipient\n250 2.1.5 ok", "content": "250-2.0.0 queued\n250 2.0.0 as 7"}
    script: Script = {step: Say(text, split=True) for step, text in usual.items()}
    if security == "tls":
        script = {**script, "ehlo": Say(f"{usual['ehlo'].replace(' P', '-P')}\n250 AUTH PLAIN", split=True)}

    replies, relay = replies_of(script, security)

    assert [(reply.phase, reply.code, reply.text) for reply in replies] == [
        (Phase.DATA, 250, "2.0.0 queued\n2.0.0 as 7")
    ] * len(NAMES)
    assert arrived(relay) == NAMES
    assert any(relay.behind_contents) is (security == "tls")


@WAYS
@pytest.mark.parametrize("number", [1, 2, 3])
@pytest.mark.parametrize("word", ["", "\n421 4.4.2 enough for now"], ids=["without-a-word", "with-421"])
def test_a_relay_that_closes_after_so_many_mails_takes_each_of_them_once(
    security: Literal["tls", "none"], number: int, word: str
) -> None:
    closes: list[Action | None] = [Say("250 2.0.0 queued")] * (number - 1)
    closes.append(Say(f"250 2.0.0 queued{word}", then_close=True))

    replies, relay = replies_of({"content": closes * len(NAMES)}, security)

    assert [reply.accepted for reply in replies] == [True] * len(NAMES)
    assert arrived(relay) == NAMES
    assert relay.connections == -(-len(NAMES) // number)


@WAYS
def test_a_relay_that_wants_no_more_than_three_recipients_says_so_of_each_mail(
    security: Literal["tls", "none"],
) -> None:
    too_many: Sequence[Action | None] = [None] * 3 + [Say("452 4.5.3 too many recipients")] * len(NAMES)

    replies, relay = replies_of({"rcpt": too_many}, security)

    assert [(reply.phase, reply.code) for reply in replies] == [(Phase.DATA, 250)] * 3 + [(Phase.RCPT, 452)] * 7
    assert arrived(relay) == NAMES[:3]


@WAYS
@pytest.mark.parametrize("one_line", [False, True], ids=["lines", "one-line"])
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "content"])
def test_ten_megabytes_of_reply_to_one_mail_cost_at_most_that_mail(
    security: Literal["tls", "none"], step: str, *, one_line: bool
) -> None:
    replies, relay = replies_of({step: [None, Flood(one_line=one_line)]}, security)

    others = [reply.accepted for reply in [replies[0], *replies[2:]]]
    assert others == [True] * (len(NAMES) - 1)
    if not replies[1].accepted:
        phase = Phase.AFTER_DATA if step == "content" else Phase(step)
        assert (replies[1].phase, replies[1].code, replies[1].text) == (phase, None, "reply too long")
    accepted = [name for name, reply in zip(NAMES, replies, strict=True) if reply.accepted]
    assert [name for name in arrived(relay) if name in accepted] == accepted


@WAYS
def test_a_relay_that_is_slow_and_within_the_limit_is_waited_for(security: Literal["tls", "none"]) -> None:
    crawl: Action = Trickle("250 2.0.0 queued", seconds=0.01)

    replies, relay = replies_of({"content": [None, crawl, crawl]}, security, timeout_seconds=5)

    assert [reply.accepted for reply in replies] == [True] * len(NAMES)
    assert arrived(relay) == NAMES
    assert relay.connections == 1


@WAYS
@pytest.mark.parametrize("step", ["mail", "rcpt", "data", "content"])
def test_octets_that_keep_dripping_do_not_prolong_a_phase(security: Literal["tls", "none"], step: str) -> None:
    drip = Trickle("250 2.0.0 " + "x" * 60)

    replies, relay = replies_of({step: [None, drip]}, security, timeout_seconds=1)

    phase = Phase.AFTER_DATA if step == "content" else Phase(step)
    assert [reply.accepted for reply in replies] == [True, False] + [True] * 8
    assert (replies[1].phase, replies[1].code, replies[1].text) == (phase, None, "timed out")
    assert arrived(relay).count(NAMES[1]) == (step == "content")
