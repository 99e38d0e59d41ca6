"""Values as templates may show them: no control characters, no line breaks where one line is meant, links checked."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from unicodedata import category

from tocsin.model.links import safe_url

if TYPE_CHECKING:
    from pydantic import BaseModel

_LINE_CHARACTERS = 1_000
_TEXT_CHARACTERS = 20_000  # some providers clip a mail at 102 kB
_TEXTS = frozenset({"description", "root_cause", "remediation", "footer", "signature", "body", "old", "new", "html"})
_LIMITS = {"html": 100_000}  # cut, it would say something else: no longer one is taken
_PLACEHOLDERS = {"title": "(no title)", "state": "(no state)"}  # required fields, where cleaning left nothing

_BREAKS = "\r\n\v\f\x85\u2028\u2029"
_CONTROLS = [*range(0x20), *range(0x7F, 0xA0)]
_DIRECTION_OVERRIDES = [*range(0x202A, 0x202F), *range(0x2066, 0x206A)]  # they can make a text read as another
_UNSEEN = frozenset({"Cf", "Zs"})
_BLANKS = frozenset("\t\n\u034f\u115f\u1160\u2800\u3164\uffa0")  # which are no white space by their categories
_SURROGATES = range(0xD800, 0xE000)  # no octets stand for them

_DROP: dict[int, str | None] = {
    **dict.fromkeys([*_CONTROLS, *_DIRECTION_OVERRIDES]),
    **dict.fromkeys(_SURROGATES, "\ufffd"),
}
_ONE_LINE = _DROP | dict.fromkeys(map(ord, [*_BREAKS, "\t"]), " ")
_MANY_LINES = _DROP | dict.fromkeys(map(ord, _BREAKS), "\n") | {ord("\t"): "\t"}


def presentable(part: BaseModel, *, include: set[str] | None = None, exclude: set[str] | None = None) -> dict[str, Any]:
    """Give the fields of `part` with every text clean. An absent field, and a link that is none, is None."""
    return {name: _clean(name, value) for name, value in part.model_dump(include=include, exclude=exclude).items()}


def one_line(text: str, *, limit: int = _LINE_CHARACTERS) -> str:
    """Collapse all white space, drop control characters, and cut at `limit` characters with an ellipsis.

    What nobody can see is no text.
    """
    return cut(_seen(" ".join(clean_line(text[: limit * 4]).split())), limit)


def many_lines(text: str, *, limit: int = _TEXT_CHARACTERS) -> str:
    r"""Make every line end `\n`, and do as `one_line` but for the white space within."""
    return cut(_seen(clean_lines(text[: limit * 4]).strip()), limit)


def clean_line(text: str) -> str:
    """Make every line end and tab a space, and drop control characters."""
    return text if text.isprintable() else text.translate(_ONE_LINE)  # nothing that is printable is dropped


def clean_lines(text: str) -> str:
    r"""Make every line end `\n`, and drop control characters."""
    return text.replace("\r\n", "\n").translate(_MANY_LINES)


def _seen(text: str) -> str:
    """Give a clean and stripped text, unless nothing of it can be seen."""
    if text[:1].isascii():  # as almost all do; so there are no blanks to look for
        return text
    return text if any(category(each) not in _UNSEEN and each not in _BLANKS for each in text) else ""


def cut(text: str, limit: int) -> str:
    """Give at most `limit` characters, the last of them an ellipsis where more are left out."""
    return text if len(text) <= limit else text[: limit - 1].rstrip() + "…"


def _clean(name: str, value: Any) -> Any:  # noqa: ANN401  (any value of a model)
    match value:
        case dict():
            return {key: _clean(key, part) for key, part in value.items()}
        case list() | tuple():
            return [part for part in (_clean(name, part) for part in value) if part is not None]
        case str() if name == "url" or name.endswith("_url"):
            return safe_url(value)
        case str() if name in _TEXTS:
            return many_lines(value, limit=_LIMITS.get(name, _TEXT_CHARACTERS)) or None
        case str():
            return one_line(value) or _PLACEHOLDERS.get(name)
        case _:
            return value
