"""Replies: what their lines mean, and how they are kept."""

from __future__ import annotations

import pytest
from tocsin.adapters.smtp_reply import ReplyLine, assemble
from tocsin.model.reply import Phase, Reply


def read(*lines: bytes) -> Reply | None:
    parsed = [ReplyLine.parse(line) for line in lines]
    return assemble(tuple(line for line in parsed if line is not None), Phase.RCPT)


@pytest.mark.parametrize(
    ("lines", "code", "enhanced", "text"),
    [
        pytest.param([b"250 ok\r\n"], 250, None, "ok", id="one line"),
        pytest.param([b"250\r\n"], 250, None, "", id="no text"),
        pytest.param([b"250 ok\n"], 250, None, "ok", id="a bare line feed"),
        pytest.param([b"550 5.1.1 who?\r\n"], 550, "5.1.1", "5.1.1 who?", id="an enhanced status"),
        pytest.param([b"550 5.1.1\r\n"], 550, "5.1.1", "5.1.1", id="an enhanced status alone"),
        pytest.param([b"550 5.1.1xyz\r\n"], 550, None, "5.1.1xyz", id="a word that begins like one"),
        pytest.param([b"450 5.1.1 x\r\n"], 450, None, "5.1.1 x", id="an enhanced status of another class"),
        pytest.param([b"550-5.7.1 a\r\n", b"550 5.7.1 b\r\n"], 550, "5.7.1", "5.7.1 a\n5.7.1 b", id="several lines"),
        pytest.param(["550 café\r\n".encode()], 550, None, "café", id="UTF-8"),
        pytest.param([b"550 caf\xe9\r\n"], 550, None, "caf\N{REPLACEMENT CHARACTER}", id="not UTF-8"),
        pytest.param([b"550 a\x1b[31m\x00b\rc\r\n"], 550, None, "a [31m b c", id="control characters"),
    ],
)
def test_a_reply_is_kept_whole(lines: list[bytes], code: int, enhanced: str | None, text: str) -> None:
    assert read(*lines) == Reply(phase=Phase.RCPT, code=code, enhanced=enhanced, text=text)


@pytest.mark.parametrize(
    "line", [b"\r\n", b"ok\r\n", b"25 ok\r\n", b"2500 ok\r\n", b"150 x\r\n", b"650 x\r\n", b"250_ok\r\n"]
)
def test_a_line_without_a_code_is_no_reply_line(line: bytes) -> None:
    assert ReplyLine.parse(line) is None


def test_lines_with_different_codes_are_no_reply() -> None:
    assert read(b"250-one\r\n", b"550 two\r\n") is None
