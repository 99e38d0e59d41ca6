"""Watching a session with a server come to be, from outside."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tocsin.model.reply import Phase, Reply


class Watch(Protocol):
    """Who is told how a session comes to be. What it is told holds no secret."""

    def reached(self, phase: Phase) -> None:
        """The session goes on with `phase`, for the first time or again."""
        ...

    def learnt(self, phase: Phase, reply: Reply | None = None, **details: object) -> None:
        """This came of it."""
        ...


class _Nobody:
    """A watch that sees nothing: mail is submitted without."""

    def reached(self, phase: Phase) -> None:
        """Forget it."""

    def learnt(self, phase: Phase, reply: Reply | None = None, **details: object) -> None:
        """Forget it."""


UNWATCHED: Watch = _Nobody()
