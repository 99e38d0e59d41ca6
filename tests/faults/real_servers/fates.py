"""What becomes of a mail: its addresses tell, and every server is configured to do as they say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from tocsin.model.reply import Phase

from tests.relay import Say

if TYPE_CHECKING:
    from tocsin.model.reply import Reply

    from tests.relay import Script

type Step = Literal["mail", "rcpt", "data", "content"]

CLOSING = 421
_PHASES: dict[Step, Phase] = {"mail": Phase.MAIL, "rcpt": Phase.RCPT, "data": Phase.DATA, "content": Phase.DATA}
_CODES: dict[Step, tuple[int, ...]] = {
    "mail": (451, 550, CLOSING),
    "rcpt": (450, 550, CLOSING),
    "data": (451, 554, CLOSING),
    "content": (451, 554, CLOSING),
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Fate:
    """The last step that a mail comes to, and the code it gets there; None: we never offer it to the server."""

    step: Step
    code: int | None

    def __str__(self) -> str:
        """As a word of an address."""
        return f"{self.step}-{self.code}"

    def is_met_by(self, reply: Reply) -> bool:
        """Whether the reply has the phase and the class."""
        return reply.phase is _PHASES[self.step] and _class(reply.code) == _class(self.code)

    def script(self, *, mail_from: str, rcpt_to: str) -> Script:
        """What makes our own relay bring it about for these addresses."""
        if self.code is None or self.code == ACCEPTED.code:
            return {}
        say = Say(f"{self.code} {_class(self.code)}.7.1 refused at {self.step}", then_close=self.code == CLOSING)
        return {f"{self.step} {rcpt_to if self.step == 'rcpt' else mail_from}": say}


ACCEPTED = Fate(step="content", code=250)
TOO_LARGE = Fate(step="mail", code=None)
REFUSED = tuple(Fate(step=step, code=code) for step, codes in _CODES.items() for code in codes)


def _class(code: int | None) -> int | None:
    return code and code // 100
