"""Submission of prepared mails: our adapter and its peers, without latency and with a round trip of 20 ms.

All clients open STARTTLS + AUTH once per connection, but for `smtp-source`, which knows neither and is spared both; the
table shows one connection of each also as it is, in clear.
Rates include the opening: with latency it is about a tenth of our run, and no more of any peer's that a goal is beside.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tests.benchmarks.board import Board
from tests.benchmarks.figures import Figure
from tests.benchmarks.runs import (
    AIOSMTPLIB,
    NODEMAILER,
    OURS,
    ROUND_TRIP_MILLISECONDS,
    SMTP_SOURCE,
    SMTPLIB_EACH,
    SMTPLIB_KEPT,
    running_range,
)

if TYPE_CHECKING:
    from tests.benchmarks.runs import Client, Run

_ROUNDS = 5
_ROUNDS_LOCAL = 7  # they are short, so that noise shows more
_PEERS_ROUNDS = 3
_MANY = 8  # connections
_MAILS = 80  # on each connection, with latency
_MAILS_OF_PEERS = 30  # the same, of slower clients
_MAILS_CONNECTING = 8  # the same, of a client that opens a connection for each
_MAILS_LOCAL = 1_000
_LARGEST_SPREAD = 0.1
_TRIES = 4


def measure() -> list[Figure]:
    """Run all clients by turns; print them all, and give the figures that have a goal."""
    with running_range() as range_:
        board = Board(range_)
        measured = [f"{range_.measured_round_trip(each):.1f}" for each in (0, ROUND_TRIP_MILLISECONDS)]
        print(f"round trips of 0 and {ROUND_TRIP_MILLISECONDS} ms, measured: {' and '.join(measured)} ms")
        figures = [_local(board), *_delayed(board)]
        _run_others(board)
    board.show()
    return figures


@dataclass(frozen=True, slots=True)
class _Ratio:
    """How many times a peer's rate ours was, in each round; `missing` says why there are none."""

    rounds: list[float]
    missing: str | None

    @classmethod
    def of(cls, rounds: list[tuple[Run, Run | None]], peer: Client, board: Board) -> _Ratio:
        ratios = [ours.rate / theirs.rate for ours, theirs in rounds if theirs is not None]
        return cls(ratios, board.missing.get(peer.name))

    def figure(self, name: str, goal: float) -> Figure:
        return Figure(
            name=f"submission.{name}",
            rounds=self.rounds,
            goal=goal,
            better="higher",
            unit="ratio",
            missing=self.missing,
        )


def _local(board: Board) -> Figure:
    """One connection each, no latency."""
    rounds = [
        (_ours(board, mails=_MAILS_LOCAL), board.run(NODEMAILER, mails=_MAILS_LOCAL)) for _ in range(_ROUNDS_LOCAL)
    ]
    return _Ratio.of(rounds, NODEMAILER, board).figure("pipelining.local.vs_nodemailer", 4)


def _delayed(board: Board) -> list[Figure]:
    """One and eight connections with latency, beside `smtp-source`; eight also beside one that smtplib keeps."""
    single = [_round(board, 1) for _ in range(_ROUNDS)]
    many, kept = [], []
    for _ in range(_ROUNDS):
        ours, theirs = _round(board, _MANY)
        many.append((ours, theirs))
        kept.append((ours, _distant(board, SMTPLIB_KEPT)))
    return [
        _Ratio.of(single, SMTP_SOURCE, board).figure("pipelining.rtt20.vs_smtp_source", 3.3),
        _Ratio.of(many, SMTP_SOURCE, board).figure("connections8.rtt20.vs_smtp_source", 3.3),
        _Ratio.of(kept, SMTPLIB_KEPT, board).figure("connections8.rtt20.vs_smtplib_kept", 24),
    ]


def _round(board: Board, connections: int) -> tuple[Run, Run | None]:
    """A round with latency; again, a few times, where `smtp-source` differed too much from itself."""
    ours, theirs, spread = _noisy_round(board, connections)
    for _ in range(_TRIES - 1):
        if spread <= _LARGEST_SPREAD:
            break
        print(f"smtp-source at {connections} differs from itself by {spread:.0%}: the round is repeated")
        ours, theirs, spread = _noisy_round(board, connections)
    return ours, theirs


def _noisy_round(board: Board, connections: int) -> tuple[Run, Run | None, float]:
    """Run us between two runs of `smtp-source`; also how far these are apart."""
    before = _distant(board, SMTP_SOURCE, connections)
    ours = _ours(board, mails=_MAILS, connections=connections, round_trip=ROUND_TRIP_MILLISECONDS)
    after = _distant(board, SMTP_SOURCE, connections)
    if before is None or after is None:
        return ours, None, 0
    return ours, before + after, abs(before.rate - after.rate) / max(before.rate, after.rate)


def _run_others(board: Board) -> None:
    """The clients that no goal is set beside, for the table."""
    for _ in range(_PEERS_ROUNDS):
        _distant(board, SMTPLIB_EACH, mails=_MAILS_CONNECTING)
        board.run(SMTPLIB_EACH, mails=_MAILS_LOCAL // 10)
        for client in (SMTP_SOURCE, SMTPLIB_KEPT, AIOSMTPLIB):
            board.run(client, mails=_MAILS_LOCAL)
        for client in (SMTP_SOURCE, SMTPLIB_KEPT, AIOSMTPLIB, NODEMAILER, OURS):
            board.run(client, mails=_MAILS_LOCAL // _MANY, connections=_MANY)
        for client in (AIOSMTPLIB, NODEMAILER):
            _distant(board, client)
        for client in (SMTPLIB_KEPT, AIOSMTPLIB, NODEMAILER, OURS):
            board.run(client.in_clear(), mails=_MAILS_LOCAL)
            _distant(board, client.in_clear())
        for client in (SMTPLIB_KEPT, AIOSMTPLIB, NODEMAILER):
            _distant(board, client, _MANY)


def _ours(board: Board, *, mails: int, connections: int = 1, round_trip: int = 0) -> Run:
    run = board.run(OURS, mails=mails, connections=connections, round_trip=round_trip)
    assert run is not None, "we are never missing"
    return run


def _distant(board: Board, client: Client, connections: int = 1, *, mails: int = _MAILS_OF_PEERS) -> Run | None:
    return board.run(client, mails=mails, connections=connections, round_trip=ROUND_TRIP_MILLISECONDS)
