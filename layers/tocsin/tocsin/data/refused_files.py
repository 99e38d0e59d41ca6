"""Files that no mail carries, whatever they are called: programs, scripts and shortcuts."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

from tocsin.model.file_name import extensions

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tocsin.model.attachment import AttachedFile


def why_refused(file: AttachedFile) -> str | None:
    """Tell what makes `file` one that runs when it is opened; None where nothing does. It holds no part of the name."""
    known = _known()
    media_type = file.content_type.partition(";")[0].strip().lower()
    found = extensions(file.name)
    if known.everywhere.intersection(found) or known.last.intersection(found[-1:]):
        return "the extension is that of a program"
    if media_type in known.content_types:
        return "the content type is that of a program"
    kind = next((kind for kind, octets in known.octets.items() if file.content.startswith(octets)), None)
    return f"the content is that of {kind}" if kind else None


@dataclass(frozen=True, slots=True, kw_only=True)
class _Known:
    everywhere: frozenset[str]
    last: frozenset[str]
    content_types: frozenset[str]
    octets: Mapping[str, bytes]


@cache
def _known() -> _Known:
    document = tomllib.loads(files("tocsin.data").joinpath("refused_files.toml").read_text("utf-8"))
    return _Known(
        everywhere=frozenset(document["extensions"]),
        last=frozenset(document["last_extensions"]),
        content_types=frozenset(document["content_types"]),
        octets={kind: bytes.fromhex(octets) for kind, octets in document["octets"].items()},
    )
