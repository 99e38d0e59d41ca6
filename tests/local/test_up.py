"""The command: it shows every sample arrive, tells scripts where things are, and leaves nothing running."""

from __future__ import annotations

import json
import signal
import stat
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from local.lock import AlreadyRunning, held
from local.ports import usable_port
from local.samples import read_samples
from local.stack import describe_stack
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.local

COMMAND = """
import pathlib, signal, sys, local.up
signal.signal(signal.SIGINT, signal.default_int_handler)  # shells have background commands ignore it
sys.exit(local.up.main(sys.argv[2:], state_folder=pathlib.Path(sys.argv[1])))
"""


@pytest.fixture
def command(built: None, tmp_path: Path) -> list[str]:  # noqa: ARG001  (wanted first)
    """The command, with files of its own."""
    return [sys.executable, "-c", COMMAND, str(tmp_path)]


def test_once_shows_every_sample_arrive_and_ends(command: list[str], tmp_path: Path) -> None:
    done = subprocess.run([*command, "--once"], capture_output=True, text=True, check=False)  # noqa: S603  (ours)

    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    for sample in read_samples():
        for recipient in sample.recipients:
            assert any(line.split()[:2] == [sample.name, recipient] and line.endswith("accepted") for line in lines)
    outputs = tmp_path / "outputs.json"
    assert stat.S_IMODE(outputs.stat().st_mode) == 0o600
    _check_outputs(json.loads(outputs.read_text()))


def test_interrupt_stops_everything(command: list[str], tmp_path: Path) -> None:
    outputs = tmp_path / "outputs.json"
    arguments = ["--no-demo", "--allow-host", "127.0.0.1:2599"]
    with subprocess.Popen([*command, *arguments], stdout=subprocess.PIPE, text=True) as process:  # noqa: S603  (ours)
        assert process.stdout is not None
        wait_until(lambda: "running" in process.stdout.readline(), "the last line")  # type: ignore[union-attr]  # as above
        stack = describe_stack(json.loads(outputs.read_text())["endpoint_url"])
        function = stack.client("lambda").get_function_configuration(FunctionName=stack.resources["DeliverFunction"])
        process.send_signal(signal.SIGINT)
        process.communicate(timeout=60)

    assert process.returncode == 0
    assert function["Environment"]["Variables"]["ALLOWED_PRIVATE_HOSTS"].endswith(",127.0.0.1:2599")
    port = int(stack.endpoint_url.rpartition(":")[2])
    assert usable_port(port) == port


def test_two_commands_do_not_share_a_folder(tmp_path: Path) -> None:
    with held(tmp_path), pytest.raises(AlreadyRunning, match="another"), held(tmp_path):
        pass


def _check_outputs(outputs: dict[str, Any]) -> None:
    assert set(outputs) == {
        "endpoint_url",
        "region",
        "account_id",
        "stack",
        "admin_token",
        "inbox",
        "identity_provider",
    }
    stack, inbox, provider = outputs["stack"], outputs["inbox"], outputs["identity_provider"]
    assert {"NotificationQueueUrl", "NotificationQueueArn", "DeadLetterQueueUrl", "PayloadBucketName"} <= set(stack)
    assert stack["OAuthRedirectUri"] == f"{stack['ApiUrl']}/oauth/callback"
    assert set(inbox) == {"smtp_host", "smtp_port", "username", "password", "ca_certificate", "url"}
    assert {"issuer", "authorization_url", "token_url", "client_id", "client_secret", "username"} <= set(provider)
    assert all([*outputs.values(), *stack.values(), *inbox.values(), *provider.values()])
