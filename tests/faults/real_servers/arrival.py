"""What must be true of mails at their journey's end, whatever was refused and wherever a connection was cut."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tocsin.model.reply import Phase

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tests.faults.real_servers.bench import Submitted
    from tests.faults.real_servers.mails import Case

_LINE_END = re.compile(rb"\r\n|\r|\n")
_TRACE = re.compile(rb"(?:Received: [^\r\n]*\r\n(?:[ \t][^\r\n]*\r\n)*)+")


def check_arrived(cases: Sequence[Case], submitted: Submitted) -> None:
    """An accepted mail came once, one in doubt once at most, no other; in its own envelope, and octet for octet."""
    told = zip(cases, submitted.replies, strict=True)
    awaited = {case.mail.envelope.rcpt_to: (case.mail, reply) for case, reply in told}
    for mail in submitted.arrived:
        [rcpt_to] = mail.rcpt_to
        assert rcpt_to in awaited, "it was not sent, or came a second time"
        sent, reply = awaited.pop(rcpt_to)
        assert reply.accepted or reply.phase is Phase.AFTER_DATA
        assert mail.mail_from == sent.envelope.mail_from
        assert _without_trace(mail.content) == _with_line_ends(sent.content)
    assert [rcpt_to for rcpt_to, (_, reply) in awaited.items() if reply.accepted] == []


def _without_trace(content: bytes) -> bytes:
    """What stands behind the lines that the server put before everything."""
    trace = _TRACE.match(content)
    assert trace is not None
    return content[trace.end() :]


def _with_line_ends(content: bytes) -> bytes:
    """The content with CRLF at every line's end."""
    lines = _LINE_END.sub(b"\r\n", content)
    return lines if lines.endswith(b"\r\n") else lines + b"\r\n"
