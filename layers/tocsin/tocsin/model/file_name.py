"""Names of attached files: the part that is safe to show, to store under and to judge by."""

from __future__ import annotations

import re
import unicodedata

_CHARACTERS = 150
_ASCII_CHARACTERS = 60
_NAMELESS = "attachment"
_INVISIBLE = frozenset({"Cc", "Cf", "Co", "Cn", "Cs", "Zl", "Zp"})  # Cf: they can make a name read as another
_PATH = re.compile(r"[/\\]")
_NO_NAME_HOLDS = str.maketrans(dict.fromkeys('<>:"|?*', "_"))  # no Windows file does
_EXTENSION_CHARACTERS = 16


def clean_file_name(text: str) -> str:
    """Give the last part of a path, without what cannot be seen, and cut in front of the extension where it is long."""
    seen = "".join(
        " " if c in "\t\r\n" else c for c in text if c in "\t\r\n" or unicodedata.category(c) not in _INVISIBLE
    )
    parts = [part for part in (_trimmed(part) for part in _PATH.split(seen)) if part]
    return _cut(parts[-1]) if parts else _NAMELESS


def extensions(name: str) -> tuple[str, ...]:
    """Give what stands behind each dot of a clean name, as those compare it who open files by it: folded."""
    _, *parts = unicodedata.normalize("NFKC", name).casefold().split(".")
    return tuple(part.strip() for part in parts)


def ascii_file_name(name: str) -> str:
    """Give a clean name, short, in the characters that every program reads."""
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _EXTENSION_CHARACTERS:
        stem, dot, extension = name, "", ""
    ending = dot + _ascii(extension) if _ascii(extension) else ""
    return (_ascii(stem)[: _ASCII_CHARACTERS - len(ending)].strip(" .") or _NAMELESS) + ending


def _trimmed(part: str) -> str:
    """Without the white space and dots at the ends, which Windows drops in silence."""
    name = " ".join(unicodedata.normalize("NFC", part).translate(_NO_NAME_HOLDS).split())
    return name.rstrip(". ").lstrip()


def _cut(name: str) -> str:
    stem, dot, extension = name.rpartition(".")
    if not stem or len(extension) > _EXTENSION_CHARACTERS:
        return name[:_CHARACTERS].rstrip(". ")
    return stem[: _CHARACTERS - len(extension) - 1].rstrip(". ") + dot + extension


def _ascii(text: str) -> str:
    plain = unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()
    return re.sub(r"[^A-Za-z0-9 ._+()&,@#=-]+", "_", plain).strip(" ._")
