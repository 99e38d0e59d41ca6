"""A publisher's own HTML: what is kept of it, and how it reads as text."""

from __future__ import annotations

from time import process_time

import pytest
from tocsin.compose.free_html import html_text, safe_html

from tests.unit.compose.mails import mail_of, minimal_mail, sample


@pytest.mark.parametrize(
    ("written", "kept"),
    [
        pytest.param("<p>a &amp; <b>b</b></p>", "<p>a &amp; <b>b</b></p>", id="plain"),
        pytest.param("a < b & c", "a &lt; b &amp; c", id="no-markup"),
        pytest.param("<p>a", "<p>a</p>", id="open-end"),
        pytest.param("</td></tr></table></body>x", "x", id="ends-of-our-own-frame"),
        pytest.param("<script>alert(1)</script>x", "x", id="script"),
        pytest.param("<style>p { color: red }</style>x", "x", id="stylesheet"),
        pytest.param("<head><title>t</title></head><p>x</p>", "<p>x</p>", id="whole-page"),
        pytest.param("<svg><script>alert(1)</script></svg>x", "x", id="svg"),
        pytest.param("<form action=/x><input name=a>x</form>", "x", id="form"),
        pytest.param("<!-- c -->x<!--[if mso]>y<![endif]-->", "x", id="comments"),
        pytest.param('<p class="page" id="x" onclick="alert(1)">x</p>', "<p>x</p>", id="class-id-and-handler"),
        pytest.param('<a href="javascript:alert(1)">x</a>', '<a rel="noopener noreferrer">x</a>', id="script-link"),
        pytest.param(
            '<a href="cid:logo">x</a>', '<a rel="noopener noreferrer">x</a>', id="link-to-what-only-images-have"
        ),
        pytest.param('<a href="/x">x</a>', '<a rel="noopener noreferrer">x</a>', id="link-without-host"),
        pytest.param(
            '<a href="https://x.example/?a=1&b=2">x</a>',
            '<a href="https://x.example/?a=1&amp;b=2" rel="noopener noreferrer">x</a>',
            id="link",
        ),
        pytest.param('<img src="http://x.example/a.png" alt="A">', '<img alt="A">', id="image-in-the-clear"),
        pytest.param('<img src="data:image/png;base64,AA" alt="A">', '<img alt="A">', id="image-in-a-link"),
        pytest.param(
            '<img src="HTTPS://x.example/a.png" width="9">', '<img src="HTTPS://x.example/a.png" width="9">', id="image"
        ),
        pytest.param('<img src="cid:logo">', '<img src="cid:logo">', id="image-that-goes-along"),
        pytest.param(
            '<p style="color:red;position:fixed;background-image:url(https://x.example/p)">x</p>',
            '<p style="color:red">x</p>',
            id="styles",
        ),
        pytest.param(
            '<table width="9" background="https://x.example/p"><tr><td bgcolor="#fff" colspan="2">x</td></tr></table>',
            '<table width="9"><tbody><tr><td bgcolor="#fff" colspan="2">x</td></tr></tbody></table>',
            id="table",
        ),
        pytest.param("a&#8238;b&#x2066;c", "abc", id="entities-of-directions"),
        pytest.param("a&#13;b&#x2028;c&#12;&#31;d", "a\nb\nc\nd", id="entities-of-line-ends"),
        pytest.param('<b title="a&#8238;b">c</b>', '<b title="ab">c</b>', id="entities-in-attributes"),
        pytest.param("&amp;#8238;", "&amp;#8238;", id="what-looks-like-an-entity"),
    ],
)
def test_only_what_is_harmless_is_kept(written: str, kept: str) -> None:
    assert safe_html(written) == kept


@pytest.mark.parametrize(
    ("written", "text"),
    [
        pytest.param("<h1>A</h1><p>b\n c<br>d</p>e", "A\n\nb c\nd\n\ne", id="blocks"),
        pytest.param("<ul><li>a</li><li>b<ul><li>c</li></ul></li></ul>", "- a\n- b\n  - c", id="bullets"),
        pytest.param('<ol start="3"><li>a</li><li>b</li></ol>', "3. a\n4. b", id="numbers"),
        pytest.param(
            "<table><tr><th>A</th><th>B</th></tr><tr><td>1 | 2</td><td></td></tr></table>",
            "A | B\n1 | 2",
            id="cells",
        ),
        pytest.param(
            "<table><tr><td><table><tr><td><p>a</p></td></tr></table></td></tr></table>", "a", id="tables-for-layout"
        ),
        pytest.param('<a href="https://x.example/">here</a>', "here (https://x.example/)", id="link"),
        pytest.param('<a href="https://x.example/">https://x.example/</a>', "https://x.example/", id="link-as-words"),
        pytest.param('<a href="mailto:a@b.example">a@b.example</a>', "a@b.example", id="address"),
        pytest.param('a<img src="https://x.example/a.png" alt="Graph">', "aGraph", id="image"),
        pytest.param("<pre>a\n  b</pre>", "a\n  b", id="verbatim"),
        pytest.param("<pre>a  \n  b </pre>", "a\n  b", id="verbatim-with-blanks-at-line-ends"),
        pytest.param(
            "<table><tr><td> </td><td>a</td><td></td><td> </td><td>b</td><td></td></tr></table>",
            "a | b",
            id="empty-cells",
        ),
        pytest.param(
            "<table><tr><td>a</td></tr><tr><td></td><td></td></tr><tr><td>b</td></tr></table>",
            "a\n\nb",
            id="empty-row",
        ),
        pytest.param(
            "<table><tr><td><ul><li>a<ul><li>b</ul></ul></td><td>c</td></tr></table>",
            "- a\n  - b\n\nc",
            id="list-in-a-cell",
        ),
        pytest.param("a<hr>b", "a\n\n----\n\nb", id="rule"),
        pytest.param("&lt;b&gt; &amp;amp;", "<b> &amp;", id="entities"),
        pytest.param("<script>x</script>", "", id="nothing"),
    ],
)
def test_its_text_reads_as_it_looks(written: str, text: str) -> None:
    assert html_text(written) == text


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("<ul><li>" * 12_000 + "x", id="lists-in-lists"),
        pytest.param(f"<pre>{' ' * 90_000}x</pre>", id="blanks-in-a-line"),
        pytest.param("<pre>" + " \n" * 45_000 + "x</pre>", id="blank-lines"),
        pytest.param(f"<table><tr><td>y</td>{'<td></td>' * 10_000}<td>x</td></tr></table>", id="empty-cells"),
        pytest.param('<a href="https://x.example"><table><tr><td>' * 2_000 + "x", id="links-in-links"),
        pytest.param("<div>" * 19_000 + "x", id="blocks-in-blocks"),
        pytest.param("<div>" * 9_000 + "</b>" * 9_000, id="ends-of-nothing"),
        pytest.param("<a" * 49_000, id="tags-without-end"),
        pytest.param('<a b="' * 16_000, id="quotes-without-end"),
    ],
)
def test_whatever_is_nested_or_empty_it_is_read_in_a_moment(written: str) -> None:
    begun = process_time()

    text = html_text(written)

    assert process_time() - begun < 3  # the worst of these took minutes
    assert len(text) <= 100_000


def test_what_lies_deeper_than_mails_do_is_shown_outside_of_its_elements() -> None:
    clean = safe_html("<div>" * 20_000 + "<b>x</b>" + "</div>" * 20_000 + "<p>y</p>")

    assert clean.count("<div>") == clean.count("</div>") == 100
    assert "x" in clean
    assert clean.endswith("<p>y</p>")


@pytest.mark.parametrize(
    "written",
    [
        pytest.param("<p>a" * 1_000, id="paragraphs"),
        pytest.param("<ul>" + "<li>a" * 1_000, id="items"),
        pytest.param("<table>" + "<tr><td>a<td>b" * 1_000, id="cells"),
        pytest.param("<dl>" + "<dt>a<dd>b" * 1_000, id="terms"),
        pytest.param("a<br>" * 1_000, id="line-ends"),
    ],
)
def test_elements_that_end_by_themselves_are_not_nested(written: str) -> None:
    kept = safe_html(written)

    assert kept.count("a") == 1_000 + kept.count("table")
    assert sum(kept.count(tag) for tag in ("<p>", "<li>", "<td>", "<dt>", "<br>")) >= 1_000


def test_it_stands_in_the_frame_of_the_project_and_cannot_end_it() -> None:
    event = sample("generic.html")
    event["data"]["message"]["html"] = "</div></td></tr></table><p>Own words</p><script>alert(1)</script>"

    mail = mail_of(event)

    assert "<p>Own words</p></div>" in mail.html.replace("\n", "")
    assert "alert(1)" not in mail.html
    assert mail.text.startswith("Own words\n")
    assert "as owner of Acme" in mail.text


@pytest.mark.parametrize(
    "text", ["a\x00b\x1fc", "\u202eabc", "a&#x1f;b&#8238;c", "<p>" * 3000, "<table>" * 3000, "&" * 90_000]
)
def test_odd_html_makes_a_mail(text: str) -> None:
    event = sample("generic.html")
    event["data"]["message"]["html"] = text

    mail = mail_of(event)

    assert not {"\x00", "\x1f", "\u202e"} & set(mail.html + mail.text)


def test_a_message_is_markdown_with_a_button_if_there_is_a_url() -> None:
    event = sample("generic.message")
    event["data"]["message"] = {"subject": "S", "body": "**b** <i>", "button_url": "https://x.example/go"}

    mail = mail_of(event)

    assert mail.message["Subject"] == "S"
    assert "<strong>b</strong> &lt;i&gt;" in mail.html
    assert ">Go on</a>" in mail.html
    assert "\nGo on: https://x.example/go\n" in mail.text
    assert "href" not in minimal_mail("generic.message").html


@pytest.mark.parametrize("event_type", ["generic.message", "generic.html"])
def test_what_cannot_be_seen_is_no_subject(event_type: str) -> None:
    event = sample(event_type)
    event["data"]["message"]["subject"] = "\x00\u202e"

    assert mail_of(event).message["Subject"] == "(no subject)"
