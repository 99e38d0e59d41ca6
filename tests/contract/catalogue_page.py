"""`docs/catalogue.md`: every mail that is known, our type for it, and its subjects."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from email import message_from_bytes
from email.policy import SMTPUTF8
from itertools import groupby
from pathlib import Path
from typing import TYPE_CHECKING

from tocsin.compose.composer import Composer
from tocsin.model.branding import Look, SubjectStyle
from tocsin.model.event import check_event
from tocsin.model.mail_account import Sender

from tests.contract.catalogue_rows import ROWS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.contract.catalogue_rows import Row

_ROOT = Path(__file__).parents[2]
CATALOGUE_PAGE = _ROOT / "docs" / "catalogue.md"
_COMPOSER = Composer()
_COLUMNS = ("| mail | type | form of the subject | descriptive subject | stable subject |", "|---|---|---|---|---|")
_HEAD = """# The catalogue

Every type of notification, beside the mail of OneUptime that it stands for. `make publish` writes this page from
`tests/contract/catalogue_rows.py` and the samples in `events/notifications/`; the subjects are those of the samples.
Where a type has a stable subject, all mails of its thread share it: that is the rule for all mails but those to
subscribers, and a project may choose (`subject_style`)."""


def page() -> str:
    """The text of the page."""
    parts = [_HEAD]
    for family, rows in groupby(ROWS, key=lambda row: row.family):
        parts += [f"\n## {family[0].upper()}{family[1:]}\n", *_COLUMNS]
        parts += [line for row in rows for line in _lines(row)]
    return "\n".join(parts) + "\n"


def _lines(row: Row) -> Iterator[str]:
    for type_ in row.types:
        yield f"| {row.template or 'our own'} | `{type_}` | {row.subject} | {_subjects(type_)} |"


def _subjects(type_: str) -> str:
    descriptive, stable = (_subject(type_, style) for style in reversed(SubjectStyle))
    return f"{descriptive} | {'the same' if stable == descriptive else stable}"


def _subject(type_: str, style: SubjectStyle) -> str:
    event = json.loads((_ROOT / "events" / "notifications" / f"{type_}.json").read_text(encoding="utf-8"))
    notification = check_event(event)
    mail = _COMPOSER.compose(
        notification,
        (notification.data.recipients or ())[0].model_copy(update={"locale": "en"}),
        sender=Sender(email="ops@acme.example"),
        message_id="<1@acme.example>",
        thread_root="<0@acme.example>",
        at=datetime(2026, 11, 21, tzinfo=UTC),
        look=Look(subject_style=style),
    )
    return str(message_from_bytes(mail.content, policy=SMTPUTF8)["Subject"]).replace("|", "\\|")
