"""The publishers that the README shows publish an event that is valid."""

from __future__ import annotations

import re
import subprocess
from shutil import which
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from moto import mock_aws
from tocsin.model.event import check_event, read_event

from tests.contract.template import ROOT

if TYPE_CHECKING:
    from pathlib import Path

_README = (ROOT / "README.md").read_text(encoding="utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", _README, re.MULTILINE | re.DOTALL)


@mock_aws
def test_the_publisher_in_python_publishes_a_valid_event_in_its_project_s_group(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("AWS_DEFAULT_REGION", "eu-west-1")
    client: Any = boto3.client("sqs")
    url = client.create_queue(QueueName="notifications")["QueueUrl"]
    monkeypatch.setenv("NOTIFICATION_QUEUE_URL", url)
    [publisher] = [block for block in _blocks("python") if "send_message" in block]

    exec(compile(publisher, "README.md", "exec"), {})  # noqa: S102  (our own README)

    [message] = client.receive_message(QueueUrl=url, AttributeNames=["All"])["Messages"]
    assert check_event(read_event(message["Body"])).project_id == message["Attributes"]["MessageGroupId"] == "acme"


@pytest.mark.skipif(which("node") is None, reason="Node is not installed")
def test_the_publisher_in_node_is_javascript(tmp_path: Path) -> None:
    [publisher] = [block for block in _blocks("js") if "SendMessageCommand" in block]
    module = tmp_path / "publish.mjs"
    module.write_text(publisher, encoding="utf-8")

    checked = subprocess.run(["node", "--check", module], capture_output=True, check=False, text=True)  # noqa: S603, S607  (our own README)

    assert checked.returncode == 0, checked.stderr
