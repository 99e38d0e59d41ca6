"""What stands in custom templates where something would cost more than it says: it counts, and then does it."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

from jinja2 import pass_context
from markupsafe import Markup

from tocsin.compose.custom_budget import Budget, Misuse
from tocsin.compose.custom_operands import as_text, list_of, scalar, scalar_text, steps_of, text_of
from tocsin.compose.custom_values import OwnValue

if TYPE_CHECKING:
    from jinja2.runtime import Context

BUDGET = "_budget"  # the name in the context; no template may use a name that begins so
_CHARACTERS_A_STEP = 50
_LARGEST_NUMBER = 10**15
_ARITHMETIC = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv}
_ORDER = {"lt": operator.lt, "lteq": operator.le, "gt": operator.gt, "gteq": operator.ge}


def budget_of(context: Context) -> Budget:
    """The budget of the rendering that goes on."""
    budget: Budget = context[BUDGET]
    return budget


@pass_context
def written(context: Context, value: object) -> str:
    """What `{{ value }}` writes."""
    if isinstance(value, OwnValue):
        budget_of(context).take(steps=1, characters=len(value.stand_in))
        return value.stand_in
    budget_of(context).take(steps=steps_of([value]))
    text = value if isinstance(value, str) else as_text(value)
    budget_of(context).take(characters=len(text))
    return text


@pass_context
def bounded(context: Context, value: object, steps: int, characters: int) -> list[Any]:
    """The list that a loop goes over; each turn costs so many steps, and writes so many characters of its own."""
    items = list_of(value) or []
    budget_of(context).take(steps=len(items) * steps + 1, characters=len(items) * characters)
    return items


@pass_context
def joined(context: Context, values: list[object]) -> str:
    """What `~` puts together."""
    budget_of(context).take(steps=steps_of(values))
    texts = [scalar_text(value) for value in values]
    budget_of(context).take(characters=sum(map(len, texts)))
    return Markup("").join(texts) if any(isinstance(text, Markup) for text in texts) else "".join(texts)


@pass_context
def compared(context: Context, left: Any, sign: str, right: Any) -> bool:  # noqa: ANN401  (values of any kind)
    """What a comparison says; `in` looks for a text in a text, and for a value in a list."""
    if sign in {"in", "notin"}:
        return _is_in(context, left, right) is (sign == "in")
    left, right = scalar(left), scalar(right)
    if sign in {"eq", "ne"}:
        return bool(left == right) is (sign == "eq")
    if left is None or right is None:
        return False  # what is absent is neither more nor less
    return bool(_ORDER[sign](left, right))


def calculated(sign: str, left: object, right: object) -> int | float:
    """What arithmetic comes to: numbers only, and none that grows out of hand."""
    numbers = [one for one in (left, right) if isinstance(one, int | float) and abs(one) <= _LARGEST_NUMBER]
    if len(numbers) != 2:  # noqa: PLR2004  (both)
        raise Misuse(f"{sign} is for numbers of ordinary size", remedy="Put texts together with ~.")
    return float(result) if isinstance(result := _ARITHMETIC[sign](*numbers), float) else int(result)


def _is_in(context: Context, item: object, holder: object) -> bool:
    if isinstance(holder, str):
        budget_of(context).take(steps=len(holder) // _CHARACTERS_A_STEP + 1)
        return text_of(item) in holder
    items = list_of(holder) or []
    budget_of(context).take(steps=len(items))
    return any(scalar(one) == scalar(item) for one in items)
