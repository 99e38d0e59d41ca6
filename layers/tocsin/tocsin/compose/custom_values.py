"""What a custom template is given: the values that the built-in ones get, as plain data, and places for recipients'."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NoReturn

from tocsin.compose.custom_budget import Misuse
from tocsin.compose.reader import current_reader
from tocsin.model.notification import Recipient

if TYPE_CHECKING:
    from collections.abc import Mapping

BRAND = ("name", "url", "logo_url", "footer", "color", "on_color", "background")
READER = ("language", "direction")
_NOT_SHOWN = frozenset({"signature_html", "reader", "recipient"})


class OwnValue:
    """A recipient's own value, which is put in after the rendering. It can be written, and asked whether it is there.

    Everything else would happen to the stand-in, and be wrong for everybody.
    """

    __slots__ = ("_stand_in",)

    def __init__(self, stand_in: str) -> None:
        self._stand_in = stand_in

    @property
    def stand_in(self) -> str:
        """What is written in its place."""
        return self._stand_in

    def __bool__(self) -> bool:
        """It is there."""
        return True

    def __str__(self) -> str:  # noqa: PLE0307  (it never returns)
        """Refuse: only what writes it may know the stand-in."""
        refuse_own_value()

    def __eq__(self, other: object) -> bool:
        """Refuse."""
        refuse_own_value()

    __hash__ = None  # type: ignore[assignment]  # as it is not compared


def refuse_own_value() -> NoReturn:
    """Refuse to do something with a recipient's own value.

    Raises:
        Misuse: always.
    """
    raise Misuse(
        "a value of the recipient's own is compared, put together or passed through a filter",
        remedy="Write it as it is: {{ recipient.name }}. Or ask whether it is there: {% if recipient.name %}.",
    )


def values_for_all(values: Mapping[str, Any]) -> dict[str, Any]:
    """What may be shown to everybody, subjects included."""
    return {name: value for name, value in values.items() if name not in _NOT_SHOWN}


def values_for_body(values: Mapping[str, Any], stand_ins: Mapping[str, str]) -> dict[str, Any]:
    """What may be shown in a body; `stand_ins` stand for what the recipients have of their own."""
    own = {name: OwnValue(stand_in) for name, stand_in in stand_ins.items()}
    return values_for_all(values) | {
        "reader": {name: getattr(current_reader(), name) for name in READER},
        "recipient": dict.fromkeys(Recipient.model_fields) | own,
    }
