"""Pictures in Markdown: those that come with the mail are shown, of all others the words."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.markdown import markdown_to_html, markdown_to_text

from tests.unit.compose.mails import Mail, mail_of, sample

HERE = frozenset({"chart", "a.b+c@acme"})
PICTURE = {"name": "chart.png", "content_type": "image/png", "content_base64": "iVBORw0KGgo=", "content_id": "chart"}


def _mail(description: str, **attachment: object) -> Mail:
    event = sample("incident.created")
    event["data"]["incident"]["description"] = description
    event["data"]["options"]["attachments"] = [PICTURE | attachment]
    return mail_of(event)


@pytest.mark.parametrize(
    ("source", "shown"),
    [
        ("![a chart](cid:chart)", '<img src="cid:chart" alt="a chart" style="max-width:100%;height:auto;border:0;">'),
        ('![a "b" <c>](cid:a.b+c@acme)', '<img src="cid:a.b+c@acme" alt="a &#34;b&#34; &lt;c&gt;"'),
        ("![a chart](CID:chart)", '<img src="cid:chart" alt="a chart"'),
    ],
)
def test_a_picture_that_comes_along_is_shown(source: str, shown: str) -> None:
    assert shown in markdown_to_html(source, HERE)


@pytest.mark.parametrize(
    "source",
    [
        "![a chart](cid:other)",
        "![a chart](cid:chart2)",
        "![a chart](https://tracker.example.org/chart)",
        "[a chart](cid:chart)",
        "[a chart](CID:other)",
    ],
)
def test_of_anything_else_there_are_words(source: str) -> None:
    assert markdown_to_html(source, HERE) == "<p>a chart</p>\n"
    assert markdown_to_text(source) == "a chart"


def test_a_link_to_a_picture_takes_no_other_link_with_it() -> None:
    source = "[one](cid:chart) [two](https://example.org/2) [**three**](cid:x)"

    html = markdown_to_html(source, HERE)

    assert html == '<p>one <a href="https://example.org/2">two</a> <strong>three</strong></p>\n'
    assert markdown_to_text(source) == "one two (https://example.org/2) three"


@given(content_id=st.text(min_size=1, max_size=40), words=st.text(max_size=40))
def test_no_source_shows_a_picture_that_does_not_come_along(content_id: str, words: str) -> None:
    assert "<img" not in markdown_to_html(f"![{words}](cid:{content_id})", frozenset({"never this one"}))


def test_a_mail_shows_its_pictures_where_its_text_says() -> None:
    mail = _mail("Load:\n\n![rising](cid:chart)", inline=True)

    assert '<img src="cid:chart" alt="rising"' in mail.html
    assert "rising" in mail.text
    assert "cid:" not in mail.text


@pytest.mark.parametrize("attachment", [{"inline": False}, {"inline": True, "content_id": "other"}])
def test_a_mail_shows_no_file_that_is_not_inline(attachment: dict[str, object]) -> None:
    assert "<img src=" not in _mail("![rising](cid:chart)", **attachment).html


def test_mails_with_other_pictures_do_not_share_a_rendering() -> None:
    text = "![rising](cid:chart)"

    with_it, without = _mail(text, inline=True), _mail(text)

    assert ("<img src" in with_it.html, "<img src" in without.html) == (True, False)
