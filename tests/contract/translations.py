"""`python -m tests.contract.translations [FILE]`: bring the catalogues of all languages up to date with the texts.

FILE holds translations to add, as JSON: by the English text (of a plural: its singular), by the language, the text or
the list of its plural forms. What is translated already and is not in FILE stays.
"""

from __future__ import annotations

import fcntl
import json
import sys
from datetime import UTC, datetime
from io import BytesIO
from pathlib import Path
from typing import TYPE_CHECKING

from babel.messages.catalog import Catalog
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po, write_po
from tocsin.compose.reader import LANGUAGES
from tocsin.compose.translate import DOMAIN, LOCALES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from babel.messages.catalog import Message

type Text = str | list[str]

TRANSLATED = tuple(language for language in LANGUAGES if language != "en")
_SOURCES = LOCALES.parent
_NO_DATE = datetime(2000, 1, 1, tzinfo=UTC)
_METHODS = [("**.py", "python"), ("**.j2", "jinja2.ext:babel_extract")]
_HEADER = {
    "project": "Tocsin",
    "version": "1",
    "charset": "utf-8",
    "fuzzy": False,
    "header_comment": "# The mails' texts.",
    "last_translator": "Tocsin",
    "language_team": "Tocsin",
    "msgid_bugs_address": "-",
}


def catalogues() -> dict[str, Catalog]:
    """The catalogue of each language with exactly the texts that are used; one that is new has no translation yet."""
    used = _used()
    return {language: _merged(language, used) for language in TRANSLATED}


def sources(found: Mapping[str, Catalog]) -> dict[Path, bytes]:
    """The files that translators edit."""
    return {_folder(language) / f"{DOMAIN}.po": _po(catalogue) for language, catalogue in found.items()}


def compiled(found: Mapping[str, Catalog]) -> dict[Path, bytes]:
    """The files that are read at run time."""
    return {_folder(language) / f"{DOMAIN}.mo": _mo(catalogue) for language, catalogue in found.items()}


def write(additions: Mapping[str, Mapping[str, Text]]) -> None:
    """Write all files anew, with these translations added."""
    found = catalogues()
    for text, translations in additions.items():
        for language, translation in translations.items():
            message = found[language].get(text)
            if message is None:
                raise SystemExit(f"no mail has the text {text!r}")
            message.string = tuple(translation) if isinstance(translation, list) else translation
    for path, octets in (sources(found) | compiled(found)).items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(octets)


def main() -> None:
    """Add what FILE holds, one process at a time, and say what is missing."""
    with (_SOURCES / "translate.py").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        write(json.loads(Path(sys.argv[1]).read_text(encoding="utf-8")) if len(sys.argv) > 1 else {})
    missing = {
        str(each.id): None for found in catalogues().values() for each in found if each.id and not is_whole(each)
    }
    print("\n".join(["missing:", *missing]) if missing else "nothing is missing")  # noqa: T201  (it is a command)


def is_whole(message: Message) -> bool:
    """Whether the text, or each of its plural forms, is translated."""
    return all(message.string) if isinstance(message.string, tuple | list) else bool(message.string)


def _used() -> Catalog:
    catalogue = Catalog()
    found = extract_from_dir(_SOURCES, _METHODS, keywords=DEFAULT_KEYWORDS, directory_filter=lambda _: True)
    for _, _, message, _, _ in found:
        catalogue.add(message, flags=["python-format"] if "%(" in str(message) else [])
    return catalogue


def _merged(language: str, used: Catalog) -> Catalog:
    path = _folder(language) / f"{DOMAIN}.po"
    known = read_po(BytesIO(path.read_bytes()), locale=language) if path.exists() else Catalog()
    merged = Catalog(locale=language, **_HEADER)  # type: ignore[arg-type]  # a table of several types
    for message in used:
        if message.id:
            old = known.get(message.id)
            merged.add(message.id, old.string if old else None, flags=message.flags)
    return merged


def _po(catalogue: Catalog) -> bytes:
    file = BytesIO()
    write_po(file, catalogue, width=120, no_location=True, sort_output=True, omit_header=False)
    return b"\n".join(
        line for line in file.getvalue().split(b"\n") if b"-Date: " not in line and b"Generated" not in line
    )


def _mo(catalogue: Catalog) -> bytes:
    """Compile what is in the source, whose header has no dates: else each run would give other octets."""
    read = read_po(BytesIO(_po(catalogue)), locale=catalogue.locale)
    read.creation_date = read.revision_date = _NO_DATE
    file = BytesIO()
    write_mo(file, read)
    return file.getvalue()


def _folder(language: str) -> Path:
    return LOCALES / language / "LC_MESSAGES"


if __name__ == "__main__":
    main()
