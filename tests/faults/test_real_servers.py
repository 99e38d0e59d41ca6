"""No mail leaves Postfix, Dovecot or Exim in another's envelope, whatever they refuse and wherever they are cut off.

A seed decides which mails go in which order, or where the connection is cut; `--full` tries more of them.
"""

from __future__ import annotations

import os
import random
from itertools import chain
from typing import TYPE_CHECKING

import pytest
from tocsin.model.reply import Phase

from tests.faults.death import Death
from tests.faults.real_servers.arrival import check_arrived
from tests.faults.real_servers.bench import running_bench
from tests.faults.real_servers.dovecot import lacking_dovecot, running_dovecot
from tests.faults.real_servers.exim import lacking_exim, running_exim
from tests.faults.real_servers.fates import ACCEPTED, CLOSING, REFUSED, TOO_LARGE
from tests.faults.real_servers.mails import case, cases
from tests.faults.real_servers.postfix import lacking_postfix, running_postfix

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from tocsin.model.reply import Reply

    from tests.faults.death import Kind
    from tests.faults.real_servers.bench import Bench, Submitted
    from tests.faults.real_servers.fates import Fate
    from tests.faults.real_servers.mails import Case

SERVERS = {
    "postfix": (running_postfix, lacking_postfix),
    "dovecot": (running_dovecot, lacking_dovecot),
    "exim": (running_exim, lacking_exim),
}
RUNS = {"seed_of_order": (1, 20), "seed_of_cut": (6, 100)}
"""How many seeds are tried: usually, and with `--full`."""
EITHER_WAY = pytest.mark.parametrize("pipelined", [True, False], ids=["pipelined", "lock-step"])
IN_A_ROW = 22


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Give every seed a test."""
    for name, (bounded, full) in RUNS.items():
        if name in metafunc.fixturenames:
            metafunc.parametrize(name, range(full if metafunc.config.getoption("--full") else bounded))


@pytest.fixture(scope="module", params=SERVERS)
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """A bench with each of the servers. Where one is not installed its tests are skipped, but in CI they fail."""
    run, lacking = SERVERS[request.param]
    if what := lacking():
        message = f"{request.param} needs {what}: .ci/install-mail-servers installs it, as root"
        pytest.fail(message) if os.environ.get("CI") == "true" else pytest.skip(message)
    with running_bench(run) as bench:
        yield bench


@pytest.fixture(scope="module")
def traffic(bench: Bench) -> Mapping[Kind, int]:
    """How many octets of each kind pass for a batch that nothing cuts."""
    bench.lead()
    bench.submit(_batch(), trust=bench.trust(pipelined=True))
    return dict(bench.passage.traffic)


@EITHER_WAY
def test_each_mail_is_refused_where_it_should_be_or_arrives_in_its_own_envelope(
    bench: Bench, seed_of_order: int, *, pipelined: bool
) -> None:
    chance = random.Random(seed_of_order)  # noqa: S311  (no secret: it is to be repeated)
    fates = [ACCEPTED] * 70 + [*REFUSED, TOO_LARGE] * 6
    chance.shuffle(fates)

    _submit_and_check(bench, cases(fates, chance), pipelined=pipelined)


@EITHER_WAY
def test_a_server_that_closes_after_many_refusals_takes_no_mail_from_its_own_reply(
    bench: Bench, *, pipelined: bool
) -> None:
    chance = random.Random(0)  # noqa: S311  (as above)
    rows = [[refused] * IN_A_ROW + [ACCEPTED] * 2 for refused in REFUSED if refused.code != CLOSING]

    _submit_and_check(bench, cases(chain.from_iterable(rows), chance), pipelined=pipelined)

    assert bench.passage.connections > 1 or bench.server.is_proxy  # a proxy counts no refusals of its relay


@pytest.mark.parametrize(("pipelined", "turns"), [(True, 41), (False, 160)], ids=["pipelined", "lock-step"])
def test_a_mail_takes_one_round_trip_and_in_lock_step_four(bench: Bench, turns: int, *, pipelined: bool) -> None:
    mails = cases([ACCEPTED] * 40, random.Random(0))  # noqa: S311  (as above)
    bench.lead()
    with bench.submission(bench.trust(pipelined=pipelined)) as submission:
        bench.replies(submission, [case(ACCEPTED)])  # it opens the session
        bench.lead()

        replies = bench.replies(submission, mails)

        assert all(reply.accepted for reply in replies)
        assert bench.passage.turns == turns


def test_wherever_the_connection_is_cut_what_is_left_can_be_submitted_again(
    bench: Bench, traffic: Mapping[Kind, int], seed_of_cut: int
) -> None:
    chance = random.Random(seed_of_cut)  # noqa: S311  (as above)
    kind: Kind = chance.choice(("octet", "reply"))
    mails, trust = _batch(), bench.trust(pipelined=True)
    bench.lead(Death(kind=kind, at=chance.randint(1, traffic[kind])))

    first = bench.submit(mails, trust=trust)
    check_arrived(mails, first)
    assert _otherwise(bench, mails, first, but_lost=True) == []

    left = [case for case, reply in zip(mails, first.replies, strict=True) if _is_lost(reply)]
    bench.lead()
    second = bench.submit(left, trust=trust)
    check_arrived(left, second)
    assert _otherwise(bench, left, second) == []


@pytest.mark.parametrize(
    ("kind", "times"),
    [
        pytest.param("octet", 0, id="before the content came"),
        pytest.param("reply", 1, id="behind the content"),
    ],
)
def test_the_mail_whose_reply_was_cut_off_is_in_doubt_and_the_next_ones_are_not(
    bench: Bench, kind: Kind, times: int
) -> None:
    mails = [case(ACCEPTED) for _ in range(6)]

    def cutting() -> Iterator[Case]:
        """The mails; when the fourth is asked for, the content of the third is about to be written."""
        yield from mails[:3]
        bench.lead(Death(kind=kind, at=1))
        yield from mails[3:]

    bench.lead()
    submitted = bench.submit(cutting(), trust=bench.trust(pipelined=True))

    check_arrived(mails, submitted)
    phases = [reply.phase for reply in submitted.replies]
    assert phases[:3] == [Phase.DATA, Phase.DATA, Phase.AFTER_DATA]
    assert set(phases[3:]) <= {Phase.CONNECT, Phase.TLS}
    assert len(submitted.arrived) == 2 + times


def _submit_and_check(bench: Bench, mails: Sequence[Case], *, pipelined: bool) -> None:
    """Submit the mails; each must meet its fate, and the server must not have lost our trust."""
    trust = bench.trust(pipelined=pipelined)
    bench.lead()
    submitted = bench.submit(mails, trust=trust)
    assert _otherwise(bench, mails, submitted) == []
    check_arrived(mails, submitted)
    assert trust.holds(bench.account) == pipelined


def _batch() -> list[Case]:
    """Mails of the same sizes at each call."""
    chance = random.Random(0)  # noqa: S311  (as above)
    fates = [ACCEPTED] * 16 + [refused for refused in REFUSED if refused.code != CLOSING]
    chance.shuffle(fates)
    return cases(fates, chance)


def _otherwise(bench: Bench, mails: Sequence[Case], submitted: Submitted, *, but_lost: bool = False) -> list[str]:
    """What the server said that a mail's addresses did not ask for; `but_lost` forgives what it could not say."""
    return [
        f"{case.fate}: {reply}"
        for case, reply in zip(mails, submitted.replies, strict=True)
        if not (_is_met(bench, case.fate, reply) or (but_lost and reply.code is None))
    ]


def _is_met(bench: Bench, fate: Fate, reply: Reply) -> bool:
    if bench.server.is_proxy and fate.code == reply.code == CLOSING:
        return True  # it loses the relay behind it, and says so to whatever command is not answered yet
    return fate.is_met_by(reply)


def _is_lost(reply: Reply) -> bool:
    """Whether the mail certainly did not go, for no reason of its own."""
    return reply.code is None and reply.phase is not Phase.AFTER_DATA
