"""`python -m local.up`: the whole stack on this machine, with a demo project whose mails arrive in the demo inbox."""

from __future__ import annotations

import argparse
import os
import platform
import re
import signal
import sys
import time
from contextlib import ExitStack
from typing import TYPE_CHECKING

from local import engine_process
from local.demonstration import Demonstration
from local.deployment import DeploymentFailed, deploy
from local.engine_process import ROOT, Engine, EngineFailed, running_engine
from local.lock import AlreadyRunning, held
from local.oauth2_demo import commands, write_requests
from local.outputs import write_outputs
from local.ports import usable_port
from local.report import Progress, arrivals_table
from local.samples import PublishingFailed
from local.stack import ACCOUNT_ID, REGION, SECRET_ACCESS_KEY, Stack, describe_stack
from local.surroundings import Surroundings, running_surroundings

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

STATE_FOLDER = ROOT / "local" / ".state"
HOST_AND_PORT = re.compile(r"[a-z0-9.-]+:\d{1,5}")


def main(arguments: Sequence[str] | None = None, *, state_folder: Path = STATE_FOLDER) -> int:
    """Run the command; the exit status is 0 if everything asked for was done. All files go to `state_folder`."""
    options = _options(arguments)
    os.umask(0o077)  # what is kept on disk holds passwords and mails
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # leave as on Ctrl-C: the engine is stopped in order
    try:
        with held(state_folder), ExitStack() as running:
            return _run(options, running, state_folder)
    except (AlreadyRunning, EngineFailed, DeploymentFailed, PublishingFailed, OSError) as error:
        print(f"failed: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 0


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="make run", description="Run the stack on this machine.")
    parser.add_argument("--once", action="store_true", help="publish the samples, see them arrive, and exit")
    parser.add_argument("--no-demo", action="store_true", help="publish nothing")
    parser.add_argument(
        "--allow-host",
        action="append",
        default=[],
        type=_host_and_port,
        metavar="HOST:PORT",
        help="let projects use a relay at this private address too",
    )
    return parser.parse_args(arguments)


def _host_and_port(value: str) -> str:
    if not HOST_AND_PORT.fullmatch(value):
        raise argparse.ArgumentTypeError(f"{value!r} is not host:port in lower case")
    return value


def _run(options: argparse.Namespace, running: ExitStack, state_folder: Path) -> int:
    progress = Progress()
    engine, surroundings = _start(running, state_folder, progress)
    stack = _deploy(engine, surroundings.parameters(allowed=options.allow_host), progress)
    surroundings.front.lead_to(stack)
    write_outputs(state_folder / "outputs.json", stack=stack, surroundings=surroundings)
    write_requests(state_folder, surroundings)
    demonstration = Demonstration(engine=engine, stack=stack, inbox=surroundings.inbox, progress=progress)
    succeeded = options.no_demo or _demonstrate(demonstration)
    _say_where(engine, surroundings, state_folder, progress)
    if not options.once:
        _say_how(surroundings, state_folder)
        _stay(engine, progress)
    return 0 if succeeded else 1


def _start(running: ExitStack, state_folder: Path, progress: Progress) -> tuple[Engine, Surroundings]:
    """Start engine and surroundings afresh, on the usual ports where they are free."""
    progress.say("starting the engine")
    port = usable_port(engine_process.PREFERRED_PORT)
    engine = running.enter_context(running_engine(state_folder / "engine", port=port))
    return engine, running.enter_context(running_surroundings(state_folder, on_usual_ports=True))


def _deploy(engine: Engine, parameters: dict[str, str], progress: Progress) -> Stack:
    progress.say("deploying template.yaml")
    drops = deploy(engine.endpoint_url, parameters=parameters, machine=platform.machine())
    progress.say(f"not emulated: {'; '.join(dict.fromkeys(drop['reason'] for drop in drops))}")
    return describe_stack(engine.endpoint_url)


def _demonstrate(demonstration: Demonstration) -> bool:
    """Publish, wait, tell; whether every sample arrived."""
    found = demonstration.run()
    print(f"\n{arrivals_table(found)}\n", flush=True)
    missing = sum(not arrival.is_good for arrival in found)
    if missing:
        print(f"{missing} mails did not arrive; the engine's log ends:", file=sys.stderr)
        print(demonstration.engine.log_tail(), file=sys.stderr)
    return bool(found) and not missing


def _say_where(engine: Engine, surroundings: Surroundings, state_folder: Path, progress: Progress) -> None:
    inbox = surroundings.inbox
    progress.say(f"inbox     {inbox.url}")
    progress.say(f"SMTP      {inbox.address}, STARTTLS")
    progress.say(f"API       {surroundings.front.url}")
    progress.say(f"identity  {surroundings.identity_provider.issuer}")
    progress.say(f"engine    {engine.endpoint_url} (region {REGION}, keys {ACCOUNT_ID} and {SECRET_ACCESS_KEY})")
    progress.say(f"outputs   {state_folder / 'outputs.json'}")


def _say_how(surroundings: Surroundings, state_folder: Path) -> None:
    print("\nTo see the OAuth2 redirect, create a mail account and ask for its authorization:\n")
    for command in commands(state_folder, surroundings):
        print(f"  {command}")
    print("\nThen open `authorize_url` in a browser within ten minutes, and allow.\n", flush=True)


def _stay(engine: Engine, progress: Progress) -> None:
    """Stay up until Ctrl-C, or until the engine is gone."""
    progress.say("running; stop with Ctrl-C")
    while True:
        engine.check()
        time.sleep(1)


if __name__ == "__main__":
    sys.exit(main())
