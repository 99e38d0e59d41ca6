"""Whoever opens a connection to somebody else's server does so through the egress guard: nothing else can."""

from __future__ import annotations

import ast
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SOURCES = sorted([*(ROOT / "layers" / "tocsin" / "tocsin").rglob("*.py"), *(ROOT / "functions").rglob("*.py")])

MAY_IMPORT = {
    "aiohttp": set(),
    "asyncio": set(),
    "ftplib": set(),
    "http.client": {"https.py"},  # over a connection of the guard's
    "httpx": set(),
    "imaplib": {"mailbox.py"},  # as above
    "nntplib": set(),
    "poplib": set(),
    "requests": {"https.py", "requests_transport.py", "google.py", "microsoft.py"},  # by a transport of our own
    "smtplib": set(),
    "ssl": {"tls.py", "smtp_channel.py", "imap_wire.py"},
    "subprocess": set(),
    "telnetlib": set(),
    "urllib.request": set(),
    "urllib3": set(),
    "xmlrpc.client": set(),
}
"""The modules that may import what speaks to servers."""

OPENS = {("socket", name) for name in ("create_connection", "socket", "socketpair", "fromfd", "create_server")}
"""The calls that make sockets."""


def _imports(tree: ast.AST) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            names |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            names |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return names


def _is_for_types_only(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


@cache
def _tree(path: Path) -> ast.Module:
    """The module without what is there for types only."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    tree.body = [node for node in tree.body if not _is_for_types_only(node)]
    return tree


@pytest.mark.parametrize("library", MAY_IMPORT)
def test_what_speaks_to_servers_is_imported_where_it_goes_through_the_guard(library: str) -> None:
    found = {path.name for path in SOURCES if library in _imports(_tree(path))}

    assert found <= MAY_IMPORT[library]


def test_only_the_guard_opens_connections() -> None:
    openers = {
        path.name
        for path in SOURCES
        for node in ast.walk(_tree(path))
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and isinstance(node.func.value, ast.Name)
        and (node.func.value.id, node.func.attr) in OPENS
    }

    assert openers == {"egress.py"}
