"""The rules that the source of a custom template is held to before anything of it runs, found in its syntax tree."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from jinja2 import nodes

from tocsin.compose.custom_filters import FILTERS, HTML_FILTERS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from tocsin.compose.custom_variables import Variable

MOST_NODES = 5_000
DEEPEST = 40
TESTS = ("defined", "none", "string", "number", "odd", "even", "true", "false")
ARITHMETIC = (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div)

_ALLOWED: tuple[type[nodes.Node], ...] = (
    *(nodes.Template, nodes.Output, nodes.TemplateData, nodes.For, nodes.If, nodes.Assign),
    *(nodes.Name, nodes.Const, nodes.List, nodes.Tuple, nodes.Getattr, nodes.Getitem, nodes.Filter, nodes.Test),
    *(nodes.CondExpr, nodes.And, nodes.Or, nodes.Not, nodes.Compare, nodes.Operand, nodes.Concat, nodes.Neg),
    *ARITHMETIC,
)
_CALLED: Mapping[type[nodes.Node], str] = {
    nodes.AssignBlock: "{% set %} of what stands before {% endset %}",
    nodes.Block: "{% block %}",
    nodes.Call: "calling a function",
    nodes.CallBlock: "{% call %}",
    nodes.Dict: "an object written out",
    nodes.Extends: "{% extends %}",
    nodes.FilterBlock: "{% filter %}",
    nodes.FloorDiv: "//",
    nodes.FromImport: "{% from %}",
    nodes.Import: "{% import %}",
    nodes.Include: "{% include %}",
    nodes.Macro: "{% macro %}",
    nodes.Mod: "%",
    nodes.Pow: "**",
    nodes.ScopedEvalContextModifier: "{% autoescape %}",
    nodes.Slice: "a slice",
    nodes.With: "{% with %}",
}


_FORMS: tuple[tuple[tuple[type[nodes.Node], ...], Callable[[Any], bool], str], ...] = (
    ((nodes.For,), lambda node: node.recursive, "a recursive loop is not allowed"),
    ((nodes.Compare,), lambda node: len(node.ops) > 1, "comparisons in a row are not allowed"),
    ((nodes.Assign,), lambda node: not isinstance(node.target, nodes.Name), "set takes one name"),
)
"""Forms of what is allowed that are not."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What is wrong at a line, and what helps."""

    line: int
    text: str
    remedy: str | None = None


def findings(tree: nodes.Template) -> Iterator[Finding]:
    """What a template has that no custom template may have."""
    for count, (node, depth) in enumerate(_walk(tree)):
        if count >= MOST_NODES:
            yield Finding(line=node.lineno, text="the template is too long", remedy="Say it with less.")
            return
        if depth > DEEPEST:
            yield Finding(line=node.lineno, text="it is nested too deep", remedy="Say it with less.")
            return
        text = _wrong(node)
        if text is not None:
            yield Finding(line=node.lineno, text=text, remedy=_remedy(node))


def unknown_names(tree: nodes.Template, known: Mapping[str, Variable]) -> Iterator[Finding]:
    """What a template names that the mails of its type do not have."""
    own = {name.name for name in tree.find_all(nodes.Name) if name.ctx == "store"} | {"loop"}
    for name in tree.find_all(nodes.Name):
        if name.ctx == "load" and name.name not in known and name.name not in own:
            yield Finding(
                line=name.lineno, text=f"there is no variable {name.name}", remedy=f"There are: {_listed(known)}."
            )
    for attribute in tree.find_all(nodes.Getattr):
        yield from _unknown_fields(attribute, {name: one for name, one in known.items() if name not in own})


def _unknown_fields(attribute: nodes.Getattr, known: Mapping[str, Variable]) -> Iterator[Finding]:
    fields = _fields_of(attribute.node, known)
    if fields is not None and attribute.attr not in fields:
        yield Finding(
            line=attribute.lineno,
            text=f"there is no {attribute.attr} in {_path(attribute.node)}",
            remedy=f"There are: {_listed(fields)}." if fields else "It has no fields.",
        )


def _fields_of(node: nodes.Node, known: Mapping[str, Variable]) -> Mapping[str, Variable] | None:
    """The fields of what a path leads to; None: that is not known, or said elsewhere."""
    match node:
        case nodes.Name():
            variable = known.get(node.name)
        case nodes.Getattr():
            variable = (_fields_of(node.node, known) or {}).get(node.attr)
        case _:
            return None
    return variable.fields if variable is not None and not variable.is_list else None


def _path(node: nodes.Node) -> str:
    return f"{_path(node.node)}.{node.attr}" if isinstance(node, nodes.Getattr) else str(getattr(node, "name", ""))


def _listed(names: Iterable[str]) -> str:
    return ", ".join(sorted(names))


def _walk(tree: nodes.Template) -> Iterator[tuple[nodes.Node, int]]:
    """Every node with its depth, without recursion: a tree may be as deep as its source is long."""
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    while waiting:
        node, depth = waiting.pop()
        yield node, depth
        waiting += [(child, depth + 1) for child in node.iter_child_nodes()]


def _wrong(node: nodes.Node) -> str | None:
    if not isinstance(node, _ALLOWED):
        return f"{_CALLED.get(type(node), type(node).__name__)} is not allowed"
    match node:
        case nodes.Filter() | nodes.Test():
            return _wrong_use(node)
        case nodes.Name() if node.name.startswith("_"):
            return f"{node.name} is no name for a variable"
        case nodes.Getattr() if node.attr.startswith("_"):
            return f"{node.attr} is no field"
    return next((text for kind, is_so, text in _FORMS if isinstance(node, kind) and is_so(node)), None)


def _wrong_use(node: nodes.Filter | nodes.Test) -> str | None:
    known: Iterable[str] = TESTS if isinstance(node, nodes.Test) else (*FILTERS, *HTML_FILTERS)
    kind = "test" if isinstance(node, nodes.Test) else "filter"
    if node.name not in known:
        return f"there is no {kind} {node.name}"
    if node.kwargs or node.dyn_args is not None or node.dyn_kwargs is not None:
        return f"the {kind} {node.name} takes no named values"
    return None


def _remedy(node: nodes.Node) -> str | None:
    match node:
        case nodes.Filter():
            return f"There are: {_listed((*FILTERS, *HTML_FILTERS))}."
        case nodes.Test():
            return f"There are: {_listed(TESTS)}."
        case nodes.Compare():
            return "Join two comparisons with and."
        case nodes.Call():
            return "Filters do what functions would: docs/templates.md lists them."
    return None
