"""CPU to build and submit 1,000 personalised mails over one kept connection: ours, nodemailer's pool, and smtplib.

All three tell the same recipients the same, in text and HTML. The peers render two texts a mail, from templates that
were compiled before the clock started.
"""

from __future__ import annotations

from statistics import median
from typing import TYPE_CHECKING

from tests.benchmarks import peers
from tests.benchmarks.figures import Figure
from tests.benchmarks.mails import letter
from tests.benchmarks.peers import MissingPeer
from tests.benchmarks.runs import Client, module, running_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.benchmarks.runs import Range, Run

_ROUNDS = 5
_MAILS = 1_000
_WARM_UP = 200

_OURS = Client(name="Tocsin", command=module("ours_building"))
_SMTPLIB = Client(name="smtplib + EmailMessage + Jinja2", command=module("smtplib_building"))
_NODEMAILER = Client(
    name=f"nodemailer {peers.version_of('nodemailer')} + Handlebars {peers.version_of('handlebars')}",
    command=lambda: ["node", str(peers.nodemailer_folder() / "build.js")],
)


def measure() -> list[Figure]:
    """Run all three by turns."""
    with running_range() as range_:
        missing = _missing()
        clients = [_OURS, _SMTPLIB] if missing else [_OURS, _SMTPLIB, _NODEMAILER]
        rounds = [{client.name: _run(range_, client) for client in clients} for _ in range(_ROUNDS)]
    for client in clients:
        _show(client, [one[client.name] for one in rounds])
    return [
        _figure("vs_nodemailer", _ratios(rounds, _NODEMAILER), 0.25, missing),
        _figure("vs_smtplib", _ratios(rounds, _SMTPLIB), 0.125, None),
    ]


def _missing() -> str | None:
    try:
        peers.nodemailer_folder()
    except MissingPeer as error:
        return str(error)
    return None


def _run(range_: Range, client: Client) -> Run:
    return range_.run(client, mails=_MAILS, letter=letter(), warm_up=_WARM_UP)


def _ratios(rounds: Sequence[dict[str, Run]], peer: Client) -> list[float]:
    return [one[_OURS.name].cpu_seconds / one[peer.name].cpu_seconds for one in rounds if peer.name in one]


def _figure(name: str, ratios: list[float], goal: float, missing: str | None) -> Figure:
    return Figure(
        name=f"build_and_submit.cpu.{name}", rounds=ratios, goal=goal, better="lower", unit="ratio", missing=missing
    )


def _show(client: Client, runs: Sequence[Run]) -> None:
    costs = [run.cpu_per_thousand for run in runs]
    rate = median(run.rate for run in runs)
    spread = f"{median(costs):.2f} ({min(costs):.2f} to {max(costs):.2f})"
    print(f"build and submit: {client.name:<40} {spread} CPU s for 1,000 mails, {rate:.0f} mails/s")
