"""What a custom template says in place of the built-in one: a subject, and what stands in the frame of a body."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from markupsafe import Markup

from tocsin.compose.custom_html import harmless, with_looks
from tocsin.compose.custom_sandbox import render
from tocsin.compose.custom_values import values_for_all, values_for_body
from tocsin.compose.values import many_lines, one_line
from tocsin.model.custom_template import BrokenTemplate

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from tocsin.compose.body import Places
    from tocsin.model.custom_template import CustomTemplate, Part

_TEXT_CHARACTERS = 60_000


class CustomTexts:
    """The texts of one template, for the reader that `reading` names."""

    def __init__(self, template: CustomTemplate) -> None:
        self._template = template

    def has(self, part: Part) -> bool:
        """Whether the template has a part of its own."""
        return self._template.source(part) is not None

    def subject(self, values: Mapping[str, Any], *, limit: int) -> str:
        """The subject, in one line.

        Raises:
            BrokenTemplate: it fails, or writes nothing.
        """
        subject = one_line(self._render("subject", values_for_all(values)), limit=limit)
        return self._checked(subject, "subject")

    def body(self, part: Part, values: Mapping[str, Any], present: Collection[str], places: Places) -> str:
        """What stands in the frame of a body, with places for what is `present` of the recipients' own.

        Raises:
            BrokenTemplate: as `subject`.
        """
        return self._html(values, present, places) if part == "html" else self._text(values, present, places)

    def _text(self, values: Mapping[str, Any], present: Collection[str], places: Places) -> str:
        rendered = self._render("text", values_for_body(values, {name: places.stand_in(name) for name in present}))
        return self._checked(many_lines(rendered, limit=_TEXT_CHARACTERS), "text")

    def _html(self, values: Mapping[str, Any], present: Collection[str], places: Places) -> Markup:
        """Give the fragment. A recipient's own link stands there as a link meanwhile, or it would be taken for none."""
        stand_ins = {name: places.stand_in(name) for name in present}
        links = {name: f"https://{stand_in}" for name, stand_in in stand_ins.items() if name.endswith("_url")}
        rendered = self._render("html", values_for_body(values, stand_ins | links))
        fragment = harmless(rendered, stand_ins.values()).strip()
        for name, link in links.items():
            fragment = fragment.replace(link, stand_ins[name])
        return Markup(with_looks(self._checked(fragment, "html")))  # noqa: S704  (what nh3 found harmless)

    def _render(self, part: Part, values: Mapping[str, Any]) -> str:
        return render(self._template.source(part) or "", part, values)

    def _checked(self, rendered: str, part: Part) -> str:
        if not rendered:
            raise BrokenTemplate("it writes nothing", part=part, remedy="Leave the part out to have the built-in one.")
        return rendered
