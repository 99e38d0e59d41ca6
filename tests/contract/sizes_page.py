"""`docs/sizes.md`: how large the mail of every sample is."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.compose.reader import LANGUAGES
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import mail_of, sample

if TYPE_CHECKING:
    from tests.unit.compose.mails import Mail

SIZES_PAGE = Path(__file__).parents[2] / "docs" / "sizes.md"
LARGEST = 30_000
"""In octets: the most that a sample's mail may take, whatever the language."""
_HEAD = f"""# The sizes of the mails

In octets, of the sample of every type for its first recipient. `make publish` writes this page. The message is all that
the relay is given, encoded; its size is that of the English one, and that of the language that takes the most. None is
larger than {LARGEST:,}.

| type | text | HTML | message | largest message |
|---|---:|---:|---:|---|"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sizes:
    """The octets of a sample's mail: its parts decoded, its message as the relay gets it, in each language."""

    text: int
    html: int
    messages: dict[str, int]

    @property
    def largest(self) -> tuple[int, str]:
        """The size of the largest message, and its language."""
        return max((size, language) for language, size in self.messages.items())


@cache
def sizes(type_: str) -> Sizes:
    """Measure the mail of a sample."""
    mails = {language: _mail(type_, language) for language in LANGUAGES}
    return Sizes(
        text=len(mails["en"].text.encode()),
        html=len(mails["en"].html.encode()),
        messages={language: len(mail.mail_object.content) for language, mail in mails.items()},
    )


def page() -> str:
    """The text of the page."""
    return "\n".join([_HEAD, *map(_line, CATALOGUE)]) + "\n"


def _line(type_: str) -> str:
    measured = sizes(type_)
    size, language = measured.largest
    own = f"{measured.text:,} | {measured.html:,} | {measured.messages['en']:,}"
    return f"| `{type_}` | {own} | {size:,} ({language}) |"


def _mail(type_: str, language: str) -> Mail:
    event = sample(type_)
    event["data"]["recipients"][0]["locale"] = language
    return mail_of(event)
