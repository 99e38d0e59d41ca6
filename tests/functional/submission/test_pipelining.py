"""Pipelining: one round trip a mail where it is safe, and no mail ever under another's envelope."""

from __future__ import annotations

import random
import time
from typing import TYPE_CHECKING

import pytest
from tocsin.adapters.pipelining_trust import PipeliningTrust
from tocsin.model.reply import Phase

from tests.functional.submission.kit import PASSWORD, mail_to, session_with
from tests.relay import Close, Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from tocsin.adapters.submission import Submission
    from tocsin.model.envelope import MailObject
    from tocsin.model.reply import Reply

    from tests.relay.actions import Action, Script


def mail(name: str) -> MailObject:
    """A mail whose sender, recipient and content all tell whose it is."""
    content = f"Subject: {name}\r\n\r\n.\r\n..{name}\r\nQUIT\r\nRSET\r\n".encode()
    return mail_to(f"{name}@example.org", mail_from=f"{name}@acme.example", content=content)


A, B, C = MAILS = [mail(name) for name in "abc"]


def group(one: MailObject) -> bytes:
    envelope = one.envelope
    parameters = f" SIZE={len(one.content)}"
    lines = ("RSET", f"MAIL FROM:<{envelope.mail_from}>{parameters}", f"RCPT TO:<{envelope.rcpt_to}>", "DATA", "")
    return "\r\n".join(lines).encode()


def protected_relay(script: Script | None = None, *, forgets_ahead: bool = False) -> Relay:
    return Relay(
        script=script,
        security="tls",
        mechanisms=["PLAIN"],
        passwords={"ana": "hunter2"},
        forgets_ahead=forgets_ahead,
    )


def submit(
    relay: Relay, mails: Iterable[MailObject], *, trust: PipeliningTrust | None = None, **settings: object
) -> list[Reply]:
    credential = PASSWORD if relay.security == "tls" else None
    with session_with(relay, credential, trust=trust, **settings) as submission:
        return told(submission, mails)


def told(submission: Submission, mails: Iterable[MailObject]) -> list[Reply]:
    return list(submission.submit(mails, deadline=time.monotonic() + 20))


def recipients(relay: Relay) -> list[str]:
    """Who got mail; each under its own envelope and whole."""
    for received in relay.mails:
        [rcpt_to] = received.rcpt_to
        own = mail(rcpt_to.partition("@")[0])
        assert (received.mail_from, received.content) == (own.envelope.mail_from, own.content)
    return [received.rcpt_to[0].partition("@")[0] for received in relay.mails]


def test_content_goes_in_one_write_with_the_commands_of_the_next_mail() -> None:
    with protected_relay() as relay:
        replies = submit(relay, MAILS)

    assert all(reply.accepted for reply in replies)
    assert recipients(relay) == ["a", "b", "c"]
    assert relay.behind_contents == [group(B), group(C), b""]
    assert relay.connections == 1


@pytest.mark.parametrize(
    ("relay", "mails"),
    [
        pytest.param(Relay(), MAILS, id="without TLS"),
        pytest.param(Relay(security="tls", offers=["SIZE"]), MAILS, id="not offered"),
        pytest.param(
            Relay(
                security="starttls",
                script={"ehlo": [Say("250-relay\n250-PIPELINING\n250 STARTTLS"), Say("250-relay\n250 SIZE")]},
            ),
            MAILS,
            id="offered only before TLS",
        ),
        pytest.param(Relay(security="tls"), [A], id="a single mail"),
    ],
)
def test_mails_go_in_lock_step_where_pipelining_is_not_safe_or_saves_nothing(
    relay: Relay, mails: Sequence[MailObject]
) -> None:
    with relay, session_with(relay) as submission:
        replies = told(submission, mails)

    assert [reply.accepted for reply in replies] == [True] * len(mails)
    assert relay.behind_contents == [b""] * len(mails)
    assert "RSET" not in relay.commands


@pytest.mark.parametrize(
    ("step", "phase"), [("mail", Phase.MAIL), ("rcpt", Phase.RCPT), ("data", Phase.DATA), ("content", Phase.DATA)]
)
@pytest.mark.parametrize("answer", ["550 5.7.1 no", "451 4.3.0 later"])
@pytest.mark.parametrize("refused", [0, 1, 2])
def test_a_refused_mail_leaves_its_neighbours_alone(step: str, phase: Phase, answer: str, refused: int) -> None:
    with protected_relay({step: [None] * refused + [Say(answer, split=True)]}) as relay:
        replies = submit(relay, MAILS)

    assert [reply.accepted for reply in replies] == [index != refused for index in range(3)]
    assert (replies[refused].phase, replies[refused].code, replies[refused].text) == (
        phase,
        int(answer[:3]),
        answer[4:],
    )
    assert recipients(relay) == [name for index, name in enumerate("abc") if index != refused]
    assert relay.connections == 1


def test_a_refusal_of_several_lines_is_one_reply() -> None:
    with protected_relay({"rcpt b@example.org": Say("550-5.1.1 no\n550-5.1.1 such\n550 5.1.1 user")}) as relay:
        replies = submit(relay, MAILS)

    assert replies[1].text == "5.1.1 no\n5.1.1 such\n5.1.1 user"
    assert recipients(relay) == ["a", "c"]


def test_a_mail_whose_sender_was_refused_gets_no_octet_out_although_its_recipient_was_taken() -> None:
    script = {"mail b@acme.example": Say("550 5.7.1 no"), "rcpt b@example.org": Say("250 ok")}
    with protected_relay(script) as relay:
        replies = submit(relay, MAILS)

    assert [(reply.phase, reply.code) for reply in replies] == [(Phase.DATA, 250), (Phase.MAIL, 550), (Phase.DATA, 250)]
    assert recipients(relay) == ["a", "c"]
    assert len(relay.contents) == 2
    assert relay.commands.count("QUIT") == 1  # the first session awaits content, and any word would be some


def test_a_go_ahead_without_a_recipient_is_answered_by_the_dot_alone() -> None:
    script: Script = {
        "rcpt a@example.org": Say("550 5.1.1 who?"),
        "data": [Say("354 go")],
        ".": Say("554 5.5.1 nobody"),
    }
    with protected_relay(script) as relay:
        replies = submit(relay, MAILS)

    assert (replies[0].phase, replies[0].code) == (Phase.RCPT, 550)
    assert recipients(relay) == ["b", "c"]
    assert relay.commands[relay.commands.index(".") + 1] == "RSET"
    assert relay.connections == 1


@pytest.mark.parametrize(
    ("step", "phase"), [("mail", Phase.MAIL), ("rcpt", Phase.RCPT), ("data", Phase.DATA), ("content", Phase.DATA)]
)
@pytest.mark.parametrize("then_close", [False, True])
def test_after_a_421_the_session_hears_nothing_more(step: str, phase: Phase, *, then_close: bool) -> None:
    with protected_relay({step: [None, Say("421 4.3.2 going down", then_close=then_close)]}) as relay:
        replies = submit(relay, MAILS)

    assert [(reply.phase, reply.code) for reply in replies] == [(Phase.DATA, 250), (phase, 421), (Phase.DATA, 250)]
    assert recipients(relay) == ["a", "c"]
    assert relay.connections == 2
    assert relay.commands.count("QUIT") == 1


def test_a_session_that_the_relay_ended_between_mails_is_opened_again() -> None:
    with protected_relay({"rset": [None, Say("421 4.4.2 enough for now", then_close=True)]}) as relay:
        replies = submit(relay, MAILS)

    assert [reply.accepted for reply in replies] == [True] * 3
    assert recipients(relay) == ["a", "b", "c"]
    assert relay.behind_contents == [group(B), group(C), b""]
    assert relay.connections == 2


@pytest.mark.parametrize(
    ("step", "phases"),
    [
        pytest.param("rset", [Phase.DATA] * 3, id="before the group"),
        pytest.param("rcpt", [Phase.DATA, Phase.RCPT, Phase.DATA], id="in the group"),
        pytest.param("data", [Phase.DATA, Phase.DATA, Phase.DATA], id="at the end of the group"),
        pytest.param("content", [Phase.DATA, Phase.AFTER_DATA, Phase.DATA], id="at the content"),
    ],
)
def test_a_lost_connection_puts_only_a_mail_in_doubt_whose_content_is_written(
    step: str, phases: Sequence[Phase]
) -> None:
    with protected_relay({step: [None, Close()]}) as relay:
        replies = submit(relay, MAILS)

    assert [reply.phase for reply in replies] == phases
    assert [reply.accepted for reply in replies] == [True, step == "rset", True]
    assert recipients(relay) == (["a", "b", "c"] if step == "rset" else ["a", "c"])
    assert len(relay.contents) == (2 if step in {"rcpt", "data"} else 3)


@pytest.mark.parametrize(
    "script",
    [
        pytest.param({"rcpt": [None, Say("354 go")], "data": [None, Say("250 ok")]}, id="answers out of order"),
        pytest.param({"rset": [None, Say("500 5.5.1 what?")]}, id="knows no RSET"),
        pytest.param({"mail": [None, Say("503 5.5.1 improper pipelining")]}, id="bad sequence at MAIL"),
        pytest.param({"data": [None, Say("503 5.5.1 improper pipelining")]}, id="bad sequence at DATA"),
        pytest.param({"rcpt": [None, Say("250 ok\n250 ok")]}, id="a reply too many"),
        pytest.param({"data": [None, Say("354 go\n250 ok", then_close=True)]}, id="a reply before its command"),
        pytest.param({"mail": [None, Say("nonsense")]}, id="no reply at all"),
    ],
)
def test_a_relay_that_breaks_on_pipelining_is_told_in_lock_step_from_then_on(script: Script) -> None:
    trust = PipeliningTrust()
    with protected_relay(script) as relay:
        replies = [*submit(relay, MAILS, trust=trust), *submit(relay, MAILS, trust=trust)]

    assert [reply.accepted for reply in replies] == [True] * 6
    assert recipients(relay) == ["a", "b", "c"] * 2
    assert relay.behind_contents == [group(B), *[b""] * 5]
    assert relay.connections == 3


def test_a_relay_that_loses_what_comes_ahead_delays_one_mail_and_is_remembered() -> None:
    with protected_relay(forgets_ahead=True) as relay:
        late, *others = submit(relay, MAILS, timeout_seconds=1)

    assert (late.phase, late.code, late.text) == (Phase.MAIL, None, "timed out")
    assert [reply.accepted for reply in others] == [True, True]
    assert recipients(relay) == ["b", "c"]


def test_a_fault_at_one_account_says_nothing_about_another() -> None:
    trust = PipeliningTrust()
    with protected_relay({"rset": [Say("500 what?")]}) as bad, protected_relay() as good:
        submit(bad, MAILS, trust=trust)
        submit(good, MAILS, trust=trust)

    assert bad.behind_contents == [b""] * 3
    assert good.behind_contents == [group(B), group(C), b""]


def test_after_five_refusals_in_a_row_mails_go_in_lock_step_until_one_is_taken() -> None:
    bad = [mail(f"x{index}") for index in range(7)]
    with protected_relay({f"rcpt {one.envelope.rcpt_to}": Say("550 5.1.1 who?") for one in bad}) as relay:
        replies = submit(relay, [*bad, *MAILS])

    assert [reply.accepted for reply in replies] == [False] * 7 + [True] * 3
    assert recipients(relay) == ["a", "b", "c"]
    assert relay.commands.count("DATA") == 5 + 3  # two of the bad ones went without it
    assert relay.behind_contents == [b"", group(C), b""]
    assert relay.connections == 1


def test_a_caller_that_stops_leaves_no_mail_half_told() -> None:
    pulled: list[MailObject] = []

    def lazily() -> Iterator[MailObject]:
        for one in MAILS:
            pulled.append(one)
            yield one

    with protected_relay() as relay, session_with(relay, PASSWORD) as submission:
        replies = submission.submit(lazily(), deadline=time.monotonic() + 20)
        assert next(replies).accepted
        assert pulled == [A, B]
        replies.close()
        assert [reply.accepted for reply in told(submission, [B, C])] == [True, True]

    assert recipients(relay) == ["a", "b", "c"]
    assert relay.connections == 2


def test_a_call_that_its_caller_holds_on_to_disturbs_no_later_one() -> None:
    with protected_relay() as relay, session_with(relay, PASSWORD) as submission:
        replies = submission.submit(MAILS, deadline=time.monotonic() + 20)
        assert next(replies).accepted
        later = submission.submit([B, C, A], deadline=time.monotonic() + 20)
        assert next(later).accepted
        replies.close()
        assert [reply.accepted for reply in later] == [True, True]

    assert recipients(relay) == ["a", "b", "c", "a"]
    assert relay.connections == 2


def test_a_mail_is_not_told_where_the_one_behind_it_cannot_be_made() -> None:
    def mails() -> Iterator[MailObject]:
        yield A
        yield B
        raise LookupError

    with protected_relay() as relay, session_with(relay, PASSWORD) as submission:
        replies = submission.submit(mails(), deadline=time.monotonic() + 20)
        assert next(replies).accepted
        with pytest.raises(LookupError):
            next(replies)

    assert recipients(relay) == ["a"]
    assert len(relay.contents) == 1


def test_mails_that_the_relay_may_not_be_told_of_stand_between_others() -> None:
    huge = mail_to("huge@example.org", content=b"x" * 20_000_000)
    broken = mail_to("a@example.org>\r\nRCPT TO:<b@example.org")
    with protected_relay() as relay:
        replies = submit(relay, [A, huge, broken, B, C])

    assert [(reply.phase, reply.code) for reply in replies] == [
        (Phase.DATA, 250),
        (Phase.MAIL, None),
        (Phase.COMPOSE, None),
        (Phase.DATA, 250),
        (Phase.DATA, 250),
    ]
    assert recipients(relay) == ["a", "b", "c"]
    assert relay.behind_contents == [b"", group(C), b""]


def test_a_mail_lost_while_it_is_written_is_not_in_doubt() -> None:
    large = mail_to("large@example.org", content=b"x" * 9_000_000)
    with protected_relay({"data": [Say("354 go", then_close=True)]}) as relay:
        lost, accepted = submit(relay, [large, A])

    assert (lost.phase, lost.code, lost.text) == (Phase.DATA, None, "connection closed")
    assert accepted.accepted
    assert recipients(relay) == ["a"]


@pytest.mark.parametrize("seed", range(5))
def test_in_a_storm_of_failures_each_mail_gets_its_own_reply_and_only_what_was_accepted_arrives(seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311  (which mails fail is no secret)
    mails = [mail(f"m{index}") for index in range(100)]
    failures = [Say("550 5.7.1 no"), Say("451 4.3.0 later"), Say("421 4.3.2 bye", then_close=True)]
    script: dict[str, Sequence[Action | None]] = {
        step: [chance.choice(failures) if chance.random() < 0.1 else None for _ in range(400)]
        for step in ("mail", "rcpt", "data", "content")
    }
    with protected_relay(script) as relay:
        replies = submit(relay, mails)

    accepted = [f"m{index}" for index, reply in enumerate(replies) if reply.accepted]
    assert len(replies) == 100
    assert recipients(relay) == accepted
    assert 0 < len(accepted) < 100
