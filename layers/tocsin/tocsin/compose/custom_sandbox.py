"""The sandbox that custom templates run in: plain data, no calls, counted loops, and what a template may do as a list.

A source is read, held to the rules, and changed where something would cost more than it says: a loop, `~` and a
comparison become filters that count. What is left is compiled as Jinja2 does it.
"""

from __future__ import annotations

from functools import cache, lru_cache
from typing import TYPE_CHECKING, Any, NoReturn

from jinja2 import StrictUndefined, TemplateSyntaxError, UndefinedError, nodes
from jinja2.runtime import LoopContext, Undefined
from jinja2.sandbox import ImmutableSandboxedEnvironment
from jinja2.visitor import NodeTransformer

from tocsin.compose.custom_budget import Budget, Misuse
from tocsin.compose.custom_counting import BUDGET, bounded, calculated, compared, joined, written
from tocsin.compose.custom_filters import FILTERS, HTML_FILTERS, TEXT_FILTERS
from tocsin.compose.custom_rules import TESTS, findings
from tocsin.model.custom_template import BrokenTemplate

if TYPE_CHECKING:
    from collections.abc import Mapping
    from types import TracebackType

    from jinja2 import Template
    from jinja2.runtime import Context

    from tocsin.model.custom_template import Part

_LOOP = frozenset({"index", "index0", "revindex", "revindex0", "first", "last", "length"})
_COMPILED = 64
_BOUNDED, _JOINED, _COMPARED = (
    "bounded_",
    "joined_",
    "compared_",
)  # no template may name them: they are no filters of its
_FILE = frozenset({"<template>", "<unknown>"})  # how Jinja2 calls a source without a file


def parsed(source: str, part: Part) -> nodes.Template:
    """The syntax tree of a part's source.

    Raises:
        BrokenTemplate: it is no Jinja2.
    """
    try:
        return _sandbox(is_html=part == "html").parse(source)
    except TemplateSyntaxError as error:
        raise BrokenTemplate(f"{error.message}", part=part, line=error.lineno) from None
    except (RecursionError, ValueError, OverflowError):  # thousands of brackets; a number of thousands of digits
        raise BrokenTemplate("it is nested too deep, or has too large a number", part=part) from None


@lru_cache(maxsize=_COMPILED)
def compiled(source: str, part: Part) -> Template:
    """The part's template, if it keeps to the rules.

    Raises:
        BrokenTemplate: it does not.
    """
    tree = parsed(source, part)
    for finding in findings(tree):
        raise BrokenTemplate(finding.text, part=part, line=finding.line, remedy=finding.remedy)
    sandbox = _sandbox(is_html=part == "html")
    counted: nodes.Template = _Counting().visit(tree)
    counted.set_environment(sandbox)
    try:
        return sandbox.from_string(counted)
    except (TemplateSyntaxError, SyntaxError) as error:  # what only the compiler refuses: loops 20 deep in each other
        raise BrokenTemplate("it cannot be compiled", part=part, line=error.lineno) from None
    except (RecursionError, ValueError, MemoryError):
        raise BrokenTemplate("it is too long, or nested too deep", part=part) from None


def render(source: str, part: Part, values: Mapping[str, Any]) -> str:
    """What the source makes of the values; HTML is escaped, and not yet cut down to what is harmless.

    Raises:
        BrokenTemplate: it cannot be compiled, or fails.
    """
    template = compiled(source, part)
    try:
        return template.render(dict(values) | {BUDGET: Budget()})
    except Misuse as error:
        raise BrokenTemplate(error.reason, part=part, line=_line(error), remedy=error.remedy) from None
    except UndefinedError as error:
        raise BrokenTemplate(f"{error.message}", part=part, line=_line(error)) from None
    except Exception as error:  # noqa: BLE001  (whatever a stranger's template fails with is that template's fault)
        raise BrokenTemplate(f"it fails: {type(error).__name__}", part=part, line=_line(error)) from None


class _Sandbox(ImmutableSandboxedEnvironment):
    """Knows the keys of objects, the places of lists, and what a loop tells; nothing can be called."""

    intercepted_binops = frozenset({"+", "-", "*", "/"})
    intercepted_unops = frozenset({"-"})

    def getattr(self, obj: Any, attribute: str) -> Any:  # noqa: ANN401  (as Jinja2 has it)
        """What `obj.attribute` is."""
        if isinstance(obj, LoopContext) and attribute in _LOOP:
            return getattr(obj, attribute)
        return self._found(obj, attribute) if isinstance(obj, dict | Undefined) else self._nothing(attribute)

    def getitem(self, obj: Any, argument: Any) -> Any:  # noqa: ANN401  (as above)
        """What `obj[argument]` is."""
        if isinstance(obj, list) and isinstance(argument, int):
            return obj[argument] if -len(obj) <= argument < len(obj) else None
        if isinstance(obj, dict | Undefined) and isinstance(argument, str):
            return self._found(obj, argument)
        return self._nothing(str(argument) if isinstance(argument, str | int) else "such a thing")

    def call(self, context: Context, obj: Any, *args: Any, **kwargs: Any) -> NoReturn:  # noqa: ANN401, ARG002  (as above)
        """Refuse; no call gets past the rules."""
        raise Misuse("nothing can be called")

    def call_binop(self, context: Context, operator: str, left: Any, right: Any) -> Any:  # noqa: ANN401, ARG002  (as above)
        """Calculate with numbers."""
        return calculated(operator, left, right)

    def call_unop(self, context: Context, operator: str, arg: Any) -> Any:  # noqa: ANN401, ARG002  (as above)
        """Turn a number's sign."""
        return calculated("-", 0, arg)

    def _found(self, obj: dict[str, Any] | Undefined, name: str) -> Any:  # noqa: ANN401  (as above)
        if isinstance(obj, Undefined):
            str(obj)  # raises what is to be said of it
        return obj[name] if name in obj else self._nothing(name)

    def _nothing(self, name: str) -> Undefined:
        return self.undefined(hint=f"there is no {name} in what stands before it, which may be absent", name=name)


@cache
def _sandbox(*, is_html: bool) -> _Sandbox:
    sandbox = _Sandbox(
        undefined=StrictUndefined,
        autoescape=is_html,
        finalize=written,
        trim_blocks=True,
        lstrip_blocks=True,
        optimized=False,
        cache_size=0,
    )
    sandbox.globals.clear()
    sandbox.tests = {name: sandbox.tests[name] for name in TESTS}
    sandbox.filters = {
        **FILTERS,
        **(HTML_FILTERS if is_html else TEXT_FILTERS),
        _BOUNDED: bounded,
        _JOINED: joined,
        _COMPARED: compared,
    }
    return sandbox


class _Counting(NodeTransformer):
    """Puts filters that count where something costs more than it says."""

    def visit_For(self, node: nodes.For) -> nodes.For:  # noqa: N802  (as Jinja2 names it)
        """Let the loop pay for all of its turns before the first."""
        steps, characters = _cost_of_a_turn(node)
        self.generic_visit(node)
        node.iter = _filter(node.iter, _BOUNDED, nodes.Const(steps), nodes.Const(characters))
        return node

    def visit_Concat(self, node: nodes.Concat) -> nodes.Filter:  # noqa: N802  (as above)
        """Let `~` pay for what it puts together."""
        self.generic_visit(node)
        return _filter(nodes.List(node.nodes, lineno=node.lineno), _JOINED)

    def visit_Compare(self, node: nodes.Compare) -> nodes.Filter:  # noqa: N802  (as above)
        """Compare nothing but texts, numbers and moments."""
        self.generic_visit(node)
        [operand] = node.ops
        return _filter(node.expr, _COMPARED, nodes.Const(operand.op), operand.expr)


def _filter(expression: Any, name: str, *values: nodes.Expr) -> nodes.Filter:  # noqa: ANN401  (Jinja2 types For.iter as Node)
    return nodes.Filter(expression, name, list(values), [], None, None, lineno=expression.lineno)


def _cost_of_a_turn(loop: nodes.For) -> tuple[int, int]:
    """How many steps a turn takes, and how many characters of the template it writes; inner loops pay apart."""
    steps, characters = 1, 0
    waiting: list[nodes.Node] = [*loop.body, *([loop.test] if loop.test is not None else [])]
    while waiting:
        node = waiting.pop()
        steps += 1
        if isinstance(node, nodes.TemplateData):
            characters += len(node.data)
        waiting += [node.iter, *node.else_] if isinstance(node, nodes.For) else node.iter_child_nodes()
    return steps, characters


def _line(error: BaseException) -> int | None:
    """The line of the template that it failed at."""
    lines = [trace.tb_lineno for trace in _traces(error.__traceback__) if trace.tb_frame.f_code.co_filename in _FILE]
    return lines[-1] if lines else None


def _traces(trace: TracebackType | None) -> list[TracebackType]:
    traces = []
    while trace is not None:
        traces.append(trace)
        trace = trace.tb_next
    return traces
