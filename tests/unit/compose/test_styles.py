"""Styles stand in the elements, where no mail program drops them."""

from __future__ import annotations

import re

import pytest
from jinja2 import DictLoader, Environment, TemplateSyntaxError
from tocsin.compose.styles import InlineStyles, markdown_with_styles

from tests.unit.compose.mails import minimal_mail


def _loaded(source: str, name: str = "x.html.j2") -> str:
    return Environment(loader=DictLoader({name: source}), extensions=[InlineStyles]).get_template(name).render()  # noqa: S701  (no values)


def test_a_class_brings_its_style_and_keeps_what_stands_beside_it() -> None:
    assert _loaded('<p class="line">') == '<p class="line" style="margin:0 0 8px;">'
    assert _loaded('<p class="line" style="color:red;">') == '<p class="line" style="margin:0 0 8px;color:red;">'
    assert _loaded('<p class="line">', "x.txt.j2") == '<p class="line">'


def test_an_unknown_class_is_an_error() -> None:
    with pytest.raises(TemplateSyntaxError, match="make publish"):
        _loaded('<p class="unheard-of">')


def test_elements_of_markdown_have_styles_too() -> None:
    html = markdown_with_styles("a `b` [c](https://x.example)\n\n```\nd\n```")

    assert len(re.findall(r"<(?:p|code|a|pre)[^>]* style=", html)) == 4
    assert "<pre style=" in html
    assert "<code>d" in html, "the block has the style, not the code in it"


@pytest.mark.parametrize("source", ["- a", "1. a"])
def test_the_marks_of_a_list_have_room_on_whichever_side_they_stand(source: str) -> None:
    assert "padding:0 24px;" in markdown_with_styles(source)


def test_text_that_looks_like_an_element_stays_text() -> None:
    assert "&lt;p&gt;" in markdown_with_styles("<p>")


def test_markdown_of_very_many_elements_does_not_grow_out_of_hand() -> None:
    assert len(markdown_with_styles("- a\n\n" * 3000)) < 100_000


def test_every_mail_has_a_frame_for_outlook_and_colours_for_the_dark() -> None:
    html = minimal_mail().html

    assert "<!--[if mso]><table" in html
    assert html.count("<!--[if mso]>") == html.count("<![endif]-->")
    assert "@media (prefers-color-scheme: dark)" in html
    assert '<meta name="color-scheme" content="light dark">' in html
