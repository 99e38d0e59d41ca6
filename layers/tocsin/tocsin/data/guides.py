"""The guides: step by step to what a mail account needs of its provider, filled in with an admin's own ids."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.mail_account import MailAccount

_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_FILLS_IN = re.compile(r"[A-Za-z0-9][A-Za-z0-9._%+~:/@-]{0,500}")
"""What ends neither a quotation of PowerShell nor a code span of Markdown; anything else is left for the admin."""

PLACEHOLDERS = {
    "redirect_uri": "YOUR_REDIRECT_URI",
    "mailbox": "YOUR_MAILBOX",
    "tenant_id": "YOUR_TENANT_ID",
    "client_id": "YOUR_CLIENT_ID",
    "object_id": "OBJECT_ID_OF_THE_ENTERPRISE_APPLICATION",
}
"""What a guide may hold between double braces, and what stands there while it is not known."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Guide:
    """One way to set up one kind of account, in Markdown (CommonMark)."""

    id: str
    title: str
    markdown: str


def guides(values: Mapping[str, str]) -> list[Guide]:
    """All of them, with `values` for their placeholders."""
    return [_filled(guide, values) for guide in document()]


def values_of(account: MailAccount) -> dict[str, str]:
    """What an account says of placeholders."""
    oauth2 = account.auth.oauth2
    known = {
        "mailbox": account.username,
        "client_id": oauth2.client_id if oauth2 else None,
        "tenant_id": oauth2.tenant_id if oauth2 else None,
    }
    return {name: value for name, value in known.items() if value}


@cache
def document() -> tuple[Guide, ...]:
    """The files as they stand; each begins with its title."""
    from importlib.resources import files  # noqa: PLC0415  only this route needs it

    found = sorted(files("tocsin.data").joinpath("guides").iterdir(), key=lambda file: file.name)
    texts = {file.name.removesuffix(".md"): file.read_text("utf-8") for file in found if file.name.endswith(".md")}
    return tuple(Guide(id=name, title=_title(text), markdown=text) for name, text in texts.items())


def _title(text: str) -> str:
    return text.partition("\n")[0].removeprefix("# ")


def _filled(guide: Guide, values: Mapping[str, str]) -> Guide:
    """Each placeholder is replaced once; what is put in is not read again."""

    def value(match: re.Match[str]) -> str:
        given = values.get(match[1], "")
        return given if _FILLS_IN.fullmatch(given) else PLACEHOLDERS[match[1]]

    return Guide(id=guide.id, title=guide.title, markdown=_PLACEHOLDER.sub(value, guide.markdown))
