"""The launcher of the local engine: MiniStack, closed to everything but programs of this machine.

Runs under the engine's own interpreter (`.tools/engine`), as `python -m local.engine`. All that we know of MiniStack's
insides is here and in `local/deploy/`.
"""

from __future__ import annotations

import argparse
import os
import shutil
import signal
import sys
import tempfile
import threading
from pathlib import Path
from typing import TYPE_CHECKING

from local.api_events import as_api_gateway_reads, as_api_gateway_sends
from local.guard import guarded

if TYPE_CHECKING:
    from collections.abc import Callable

_TEMPORARY = "tmp"


def main() -> None:
    """Serve until SIGTERM, or until the process that holds our standard input is gone."""
    options = _options()
    os.umask(0o077)  # what is kept on disk holds the secrets of the demo
    _prepare(options)
    _die_with_parent()
    _serve(options)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m local.engine", description="Start the local engine.")
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--region", required=True)
    parser.add_argument("--account-id", required=True)
    parser.add_argument("--home", type=Path, required=True, help="folder for temporary files and kept state")
    parser.add_argument("--function-python", required=True, help="interpreter that runs the functions")
    parser.add_argument("--checkpoint-seconds", type=float, help="keep state between runs, saving it this often")
    return parser.parse_args()


def _prepare(options: argparse.Namespace) -> None:
    """Give the engine, and so the functions, an environment that holds nothing of the host's."""
    options.home.mkdir(parents=True, exist_ok=True)
    left_behind = list(options.home.glob(f"{_TEMPORARY}*"))
    temporary = Path(tempfile.mkdtemp(prefix=_TEMPORARY, dir=options.home))
    threading.Thread(target=_delete, args=left_behind, name="left behind", daemon=True).start()
    os.environ.clear()
    os.environ.update(_environment(options, temporary))


def _delete(*folders: Path) -> None:
    """Delete what a killed engine left: for each of its workers a copy of all packages, which a slow disk minds."""
    for folder in folders:
        shutil.rmtree(folder, ignore_errors=True)


def _environment(options: argparse.Namespace, temporary: Path) -> dict[str, str]:
    return {
        "GATEWAY_PORT": str(options.port),
        "BIND_HOST": "127.0.0.1",
        "AUTH": "true",
        "IOT_MTLS_ENABLED": "0",  # else it opens a port on all interfaces
        "SFTP_ENABLED": "0",
        "MINISTACK_REGION": options.region,
        "MINISTACK_ACCOUNT_ID": options.account_id,
        "AWS_ACCESS_KEY_ID": options.account_id,  # the engine's root credentials
        "AWS_SECRET_ACCESS_KEY": "local",
        "AWS_CONFIG_FILE": os.devnull,  # a function must not find the user's own profile
        "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        "AWS_EC2_METADATA_DISABLED": "true",
        "DOCKER_HOST": "unix:///nonexistent",  # the engine would look for containers to clean up
        "LANG": "C.UTF-8",
        "TZ": ":UTC",
        "PATH": os.defpath,
        "TMPDIR": str(temporary),
        **(_persistence(options.home) if options.checkpoint_seconds else {}),
    }


def _persistence(home: Path) -> dict[str, str]:
    return {
        "PERSIST_STATE": "1",
        "STATE_DIR": str(home / "state"),
        "S3_PERSIST": "1",
        "S3_DATA_DIR": str(home / "s3"),
    }


def _die_with_parent() -> None:
    """Stop when standard input ends: our parent holds its other end, and loses it however it dies."""

    def wait() -> None:
        os.read(sys.stdin.fileno(), 1)  # unbuffered: a buffer's lock would stop the interpreter from ending
        os.kill(os.getpid(), signal.SIGTERM)

    threading.Thread(target=wait, name="parent", daemon=True).start()


def _serve(options: argparse.Namespace) -> None:
    import ministack.app as engine  # noqa: PLC0415  (reads the environment at import, which is ours only now)

    engine.app = guarded(engine.app)
    _complete_api_events()
    if options.checkpoint_seconds:
        services = engine._build_persistence_save_dict  # noqa: SLF001  (there is no public way)
        _checkpoint_regularly(services, options.checkpoint_seconds)
    sys.executable = options.function_python  # what the engine runs Python functions with
    sys.argv = ["ministack"]
    engine.main()


def _complete_api_events() -> None:
    """Let functions see the events that API Gateway sends, and be understood as by API Gateway."""
    from ministack.services import lambda_svc  # noqa: PLC0415  (as above)

    execute = lambda_svc._execute_function_with_config_scope  # noqa: SLF001  (there is no public way)
    read = lambda_svc.lambda_execute_result_to_api_proxy_response

    def execute_completed(function: dict[str, object], event: object) -> object:
        return execute(function, as_api_gateway_sends(event))

    def read_completed(result: dict[str, object]) -> tuple[object, object]:
        answer, other = read(result)
        return as_api_gateway_reads(answer), other

    lambda_svc._execute_function_with_config_scope = execute_completed  # noqa: SLF001  (as above)
    lambda_svc.lambda_execute_result_to_api_proxy_response = read_completed


def _checkpoint_regularly(services: Callable[[], dict[str, object]], seconds: float) -> None:
    """Save as we go: by itself the engine saves on a clean stop only."""
    from ministack.core.persistence import save_all  # noqa: PLC0415  (as above)

    def run() -> None:
        pause = threading.Event()
        while not pause.wait(seconds):
            save_all(services())

    threading.Thread(target=run, name="checkpoint", daemon=True).start()


if __name__ == "__main__":
    main()
