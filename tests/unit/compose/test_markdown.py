"""Markdown: what is rendered, what is refused, and what plain readers see."""

from __future__ import annotations

import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.markdown import markdown_to_html, markdown_to_text

MARKDOWN = st.text(st.sampled_from("ab*_`~[]()<>!#|-+.:1\n >\\&\"'"), max_size=200)


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        ("**500s** on `/pay`", "<p><strong>500s</strong> on <code>/pay</code></p>\n", "500s on /pay"),
        ("a\nb", "<p>a<br />\nb</p>\n", "a\nb"),
        ("# Head\n\ntext", "<h1>Head</h1>\n<p>text</p>\n", "Head\n\ntext"),
        (
            "[graphs](https://x.org/?a=1&b=2)",
            '<p><a href="https://x.org/?a=1&amp;b=2">graphs</a></p>\n',
            "graphs (https://x.org/?a=1&b=2)",
        ),
        ("<https://x.org>", '<p><a href="https://x.org">https://x.org</a></p>\n', "https://x.org"),
        ("<ana@x.org>", '<p><a href="mailto:ana@x.org">ana@x.org</a></p>\n', "ana@x.org"),
        ("[x](javascript:alert(1))", "<p>[x](javascript:alert(1))</p>\n", "[x](javascript:alert(1))"),
        ("[x](data:text/html,1)", "<p>[x](data:text/html,1)</p>\n", "[x](data:text/html,1)"),
        ("![**alt** <b>](https://x.org/p.png)", "<p>**alt** &lt;b&gt;</p>\n", "**alt** <b>"),
        ("<script>x</script>", "<p>&lt;script&gt;x&lt;/script&gt;</p>\n", "<script>x</script>"),
        ("a <b onclick=x>b", "<p>a &lt;b onclick=x&gt;b</p>\n", "a <b onclick=x>b"),
        ("[error]: https://x.org", "<p>[error]: https://x.org</p>\n", "[error]: https://x.org"),
        ("{{ 7*7 }}", "<p>{{ 7*7 }}</p>\n", "{{ 7*7 }}"),
    ],
)
def test_markdown_is_a_safe_subset(source: str, html: str, text: str) -> None:
    assert markdown_to_html(source) == html
    assert markdown_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "text"),
    [
        ("intro\n- a\n- b\n  more\n\nend", "intro\n\n- a\n- b\n  more\n\nend"),
        ("3. a\n4. b\n   - c\n   - d", "3. a\n4. b\n   - c\n   - d"),
        ("- a\n\n- b", "- a\n\n- b"),
        ("> quoted\n> more\n\nend", "> quoted\n> more\n\nend"),
        ("```\nrm -rf\n\n  x\n```", "    rm -rf\n\n      x"),
        ("- a\n\n      code", "- a\n\n      code"),
        ("a|b\n-|-\n1|2", "a | b\n--+--\n1 | 2"),
        ("zone|p99\n-|-\neu-1a|2 s\n決|1", "zone  | p99\n------+----\neu-1a | 2 s\n決    | 1"),
        ("- x\n\n  a|b\n  -|-\n  1|2", "- x\n\n  a | b\n  --+--\n  1 | 2"),
        ("a|b\n-|-\n" + "1|2\n" * 60 + "long|2", "a | b\n--+--\n" + "1 | 2\n" * 60 + "long | 2"),
        ("a\n\n***\n\nb", "a\n\n----\n\nb"),
        ("~~old~~ *new*", "old new"),
        ("- > deep", "- > deep"),
    ],
)
def test_plain_text_keeps_the_shape(source: str, text: str) -> None:
    assert markdown_to_text(source) == text


@pytest.mark.parametrize(
    ("source", "html", "text"),
    [
        pytest.param("a&#8238;b&#x2066;c", "<p>abc</p>\n", "abc", id="directions"),
        pytest.param("a&#13;b&NewLine;c&#10;&#x2028;d", "<p>a b c  d</p>\n", "a b c  d", id="line-ends"),
        pytest.param(
            "a&Tab;b&#7;&#27;[1m&#127;&#155;c",
            "<p>a b\ufffd\ufffd[1m\ufffd\ufffdc</p>\n",
            "a b\ufffd\ufffd[1m\ufffd\ufffdc",
            id="controls",
        ),
        pytest.param(
            "**a&#8238;b** `&#8238;`",
            "<p><strong>ab</strong> <code>&amp;#8238;</code></p>\n",
            "ab &#8238;",
            id="emphasis-and-code",
        ),
        pytest.param(
            '[a](https://x.org "b&#8238;&#13;c")',
            '<p><a href="https://x.org" title="b c">a</a></p>\n',
            "a (https://x.org)",
            id="title-of-a-link",
        ),
        pytest.param("``` a&#8238;b\nc\n```", "<pre><code>c\n</code></pre>\n", "    c", id="language-of-code"),
        pytest.param("a|b\n-|-\n1&#10;2|3", None, "a   | b\n----+--\n1 2 | 3", id="table"),
        pytest.param("[a](cid&#58;logo) <cid:logo>", "<p>a cid:logo</p>\n", "a cid:logo", id="link-to-a-picture"),
        pytest.param("&amp;#8238; &eacute; &#x1F600;", "<p>&amp;#8238; é 😀</p>\n", "&#8238; é 😀", id="all-others"),
    ],
)
def test_entities_bring_in_nothing_that_texts_may_not_hold(source: str, html: str | None, text: str) -> None:
    assert markdown_to_html(source) == (html or markdown_to_html(source))
    assert markdown_to_text(source) == text


@pytest.mark.parametrize(
    "source", ["*a " * 3000 + "a* " * 3000, "[" * 20_000, "> " * 5000, "- " * 5000 + "a", "|" * 5000]
)
def test_deep_nesting_does_no_harm(source: str) -> None:
    assert len(markdown_to_html(source)) < 20 * len(source)
    assert len(markdown_to_text(source)) <= 2 * len(source)


@pytest.mark.parametrize(("before", "href"), [("", 'href="https://x.org"'), ("[" * 2000, "[a](https://x.org)")])
def test_a_thicket_of_brackets_holds_no_links(before: str, href: str) -> None:
    assert href in markdown_to_html(f"{before} [a](https://x.org)")


@given(MARKDOWN)
def test_no_source_makes_an_element_that_markdown_has_not(source: str) -> None:
    html = markdown_to_html(source)

    for dangerous in ("<img", "<script", "<a>", "javascript:", "<b>"):
        assert dangerous not in html
    assert isinstance(markdown_to_text(source), str)


def test_mails_without_markdown_never_load_it() -> None:
    code = (
        "import sys; from tests.unit.compose.mails import minimal_mail; minimal_mail();"
        "sys.exit('markdown_it' in sys.modules)"
    )

    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0  # noqa: S603  (our own code)
