"""Composing: CPU time of a personalised mail beside the standard library's, which is given its texts ready made."""

from __future__ import annotations

from dataclasses import dataclass
from email import message_from_bytes
from email.message import EmailMessage
from email.policy import SMTP
from statistics import median
from time import process_time
from typing import TYPE_CHECKING

from tocsin.compose.composer import Composer

from tests.benchmarks.figures import Figure
from tests.benchmarks.mails import composed, notification

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

RECIPIENTS = 50
_NOTIFICATIONS = 10  # in one round
_ROUNDS = 7


def measure() -> list[Figure]:
    """Run both by turns on the same mails; every notification is a new one, so each has its rendering in its time."""
    composer = Composer()
    ready = [_Ready.of(content) for content in _compose(composer)]
    rounds = [(_microseconds(lambda: _compose(composer)), _built(ready)) for _ in range(_ROUNDS)]
    ours, theirs = zip(*rounds, strict=True)
    print(f"compose: {_spread(ours)}; EmailMessage: {_spread(theirs)}; CPU microseconds a mail")
    ratios = [own / other for own, other in rounds]
    return [
        Figure(name="compose.cpu.vs_email_message", rounds=ratios, goal=0.125, better="lower", unit="ratio"),
    ]


@dataclass(frozen=True, slots=True, kw_only=True)
class _Ready:
    """The headers and texts of a mail, ready to be put into a message."""

    headers: Sequence[tuple[str, str]]
    text: str
    html: str

    @classmethod
    def of(cls, content: bytes) -> _Ready:
        message = message_from_bytes(content, policy=SMTP)
        text, html = (part.get_content() for part in message.iter_parts())
        own = {"content-type", "mime-version"}
        headers = [(name, str(value)) for name, value in message.items() if name.lower() not in own]
        return cls(headers=headers, text=text, html=html)

    def build(self) -> bytes:
        """Build the message as programs do that use `smtplib`."""
        message = EmailMessage(policy=SMTP)
        for name, value in self.headers:
            message[name] = value
        message.set_content(self.text, cte="quoted-printable")
        message.add_alternative(self.html, subtype="html", cte="quoted-printable")
        return message.as_bytes()


def _compose(composer: Composer) -> list[bytes]:
    return [mail.content for mail in composed(composer, notification(range(RECIPIENTS)))]


def _built(ready: Sequence[_Ready]) -> float:
    return _microseconds(lambda: [each.build() for each in ready])


def _microseconds(make_all: Callable[[], list[bytes]]) -> float:
    begun = process_time()
    for _ in range(_NOTIFICATIONS):
        assert len(make_all()) == RECIPIENTS
    return (process_time() - begun) / _NOTIFICATIONS / RECIPIENTS * 1e6


def _spread(rounds: Sequence[float]) -> str:
    return f"{median(rounds):.0f} ({min(rounds):.0f} to {max(rounds):.0f})"
