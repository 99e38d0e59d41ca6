"""What the rendering of a custom template may use up: steps and characters, counted, so that no clock decides."""

from __future__ import annotations

from jinja2 import TemplateRuntimeError

MOST_STEPS = 100_000
"""About one for each part of an expression that is evaluated; all of them take a fraction of a second."""

MOST_CHARACTERS = 60_000
"""What is written by one part of a template, and what it puts together on the way."""


class Misuse(TemplateRuntimeError):
    """A template does what it may not. The text is ours, names what stands in the template, and holds no value."""

    def __init__(self, reason: str, *, remedy: str | None = None) -> None:
        super().__init__(reason)
        self.reason = reason
        self.remedy = remedy


class Budget:
    """The budget of one rendering of one part."""

    def __init__(self) -> None:
        self._steps = MOST_STEPS
        self._characters = MOST_CHARACTERS

    def take(self, *, steps: int = 0, characters: int = 0) -> None:
        """Use some of it up.

        Raises:
            Misuse: there is not so much left.
        """
        self._steps -= steps
        self._characters -= characters
        if self._steps < 0:
            raise Misuse("it takes too many steps", remedy="Loop over fewer lists within one another.")
        if self._characters < 0:
            raise Misuse(
                f"it writes more than {MOST_CHARACTERS:,} characters",
                remedy="Show less: some providers clip long mails.",
            )
