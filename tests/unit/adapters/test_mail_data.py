"""Content over the wire: line ends and dots."""

from __future__ import annotations

import re

from hypothesis import given
from hypothesis import strategies as st
from tocsin.adapters.mail_data import normalised, stuffed

CONTENT = st.lists(st.sampled_from([b"\r\n", b"\r", b"\n", b".", b"..", b"a", b"\x00", b"\xff", b"QUIT"])).map(b"".join)


@given(CONTENT | st.binary())
def test_every_line_ends_in_crlf_and_nothing_else_changes(content: bytes) -> None:
    lines = normalised(content)

    assert not re.search(rb"\r(?!\n)|(?<!\r)\n", lines)
    assert lines == b"" or lines.endswith(b"\r\n")
    ends = re.compile(rb"\r\n|\r|\n")
    assert lines in {ends.sub(b"\r\n", content), ends.sub(b"\r\n", content) + b"\r\n"}


@given(CONTENT | st.binary())
def test_the_relay_reads_back_exactly_what_was_stuffed(content: bytes) -> None:
    lines = normalised(content)

    *read, enclosed, last, nothing = stuffed(lines, b"enclosed\r\n").split(b"\r\n")

    assert (enclosed, last, nothing) == (b"enclosed", b".", b"")
    assert stuffed(lines) == stuffed(lines, b"enclosed\r\n").replace(b"enclosed\r\n", b"")
    assert b"." not in read
    assert b"".join(line.removeprefix(b".") + b"\r\n" for line in read) == lines
