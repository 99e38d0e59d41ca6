"""The engine is for programs of this machine, and goes when its owner does."""

from __future__ import annotations

import stat
from http.client import HTTPConnection
from typing import TYPE_CHECKING

import pytest

from local.engine_process import EngineFailed, running_engine
from local.ports import HOST
from local.stack import engine_client
from tests.local.waiting import wait_until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.local.conftest import Local

pytestmark = pytest.mark.local


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 200),
        ({"Origin": "https://example.org"}, 403),
        ({"Host": "rebound.example.org"}, 403),
    ],
    ids=["a program", "a web page", "a foreign name"],
)
def test_only_programs_of_this_machine_are_answered(headers: dict[str, str], status: int, local: Local) -> None:
    assert _status(local.engine.port, headers) == status


@pytest.mark.parametrize("path", ["/_aws/execute-api/", "/_aws/execute-api//x", "//", "//_aws/execute-api/abc/x"])
def test_what_only_looks_like_the_http_api_is_not_answered_to_web_pages(path: str, local: Local) -> None:
    assert _status(local.engine.port, {"Origin": "https://example.org"}, path=path) == 403


def test_an_engine_whose_owner_is_gone_stops(tmp_path: Path, built: None) -> None:  # noqa: ARG001  (wanted first)
    with running_engine(tmp_path / "engine") as engine:
        assert engine.process.stdin is not None
        engine.process.stdin.close()  # as when the owner is killed

        wait_until(lambda: engine.process.poll() is not None, "the end of the engine")


def test_a_port_in_use_is_said_so(local: Local, tmp_path: Path) -> None:
    with (
        pytest.raises(EngineFailed, match="is in use"),
        running_engine(tmp_path / "engine", port=local.engine.port),
    ):
        pass


def test_state_of_a_killed_engine_is_kept(tmp_path: Path, built: None) -> None:  # noqa: ARG001  (wanted first)
    with running_engine(tmp_path, checkpoint_seconds=0.2) as engine:
        engine_client("sqs", engine.endpoint_url).create_queue(QueueName="kept")
        wait_until(lambda: b"kept" in _saved(tmp_path / "state" / "sqs.json"), "a checkpoint")
        engine.process.kill()

    with running_engine(tmp_path, checkpoint_seconds=60) as engine:
        (url,) = engine_client("sqs", engine.endpoint_url).list_queues()["QueueUrls"]

    assert url.endswith("/kept")
    assert stat.S_IMODE((tmp_path / "state" / "sqs.json").stat().st_mode) == 0o600


def _saved(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _status(port: int, headers: dict[str, str], *, path: str = "/_ministack/ready") -> int:
    connection = HTTPConnection(HOST, port, timeout=5)
    try:
        connection.request("GET", path, headers=headers)
        return connection.getresponse().status
    finally:
        connection.close()
