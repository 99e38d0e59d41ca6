"""Mails by a project's own templates: each recipient's own, harmless, and in the frame that keeps the way out."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.compose.custom_html import harmless, with_looks
from tocsin.compose.styles import styles
from tocsin.compose.values import one_line
from tocsin.model.branding import Look, SubjectStyle
from tocsin.model.custom_template import BrokenTemplate, CustomTemplate, Scope
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import mail_of, minimal_mail, sample, sample_mail
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from tests.unit.compose.mails import Mail

PAGE = "status_page.incident_created"
TEXTS = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=100) | st.sampled_from(
    [
        "{{ 7 * 7 }}",
        "{% raw %}",
        "</td></table>",
        "<script>x</script>",
        "a\r\nBcc: x@example.org",
        "&amp;",
        "=?utf-8?q?x?=",
    ]
)


def _look(type_: str = PAGE, *, style: SubjectStyle | None = None, **parts: Any) -> Look:  # noqa: ANN401  (the parts)
    scope = Scope(type=type_)
    template = CustomTemplate(project_id="acme", scope=scope, version=1, updated_at=NOW, updated_by="a", **parts)
    return Look(template=template, subject_style=style)


def _mail(html: str, **recipient: str) -> Mail:
    event = sample(PAGE)
    event["data"]["recipients"] = [{"email": "ana@example.org", **recipient}]
    return mail_of(event, look=_look(html=html, text="-"))


@pytest.mark.parametrize("type_", CATALOGUE)
def test_a_template_of_any_type_stands_in_that_type_s_frame(type_: str) -> None:
    built_in = sample_mail(type_)

    mail = sample_mail(type_, look=_look(type_, subject="Ours", text="Our text.", html="<p>Our HTML.</p>"))

    assert mail.message["Subject"] == "Ours"
    assert mail.text.startswith("Our text.\n")
    assert mail.text.rpartition("----")[2] == built_in.text.rpartition("----")[2]
    assert f'<p style="{styles()["markdown p"]}">Our HTML.</p>' in mail.html
    assert mail.html.partition('class="footer"')[2] == built_in.html.partition('class="footer"')[2]


@pytest.mark.parametrize("part", ["subject", "text", "html"])
def test_a_part_that_is_left_out_is_the_built_in_one(part: str) -> None:
    own: dict[str, Any] = {part: "Ours"}
    built_in, mail = sample_mail(PAGE), sample_mail(PAGE, look=_look(**own))

    same = {"subject": str(mail.message["Subject"]), "text": mail.text, "html": mail.html.partition("<body")[2]}
    before = {
        "subject": str(built_in.message["Subject"]),
        "text": built_in.text,
        "html": built_in.html.partition("<body")[2],
    }
    assert {name for name in same if same[name] != before[name]} == {part}


@pytest.mark.parametrize("style", [None, *SubjectStyle])
def test_a_subject_of_one_s_own_goes_before_every_style(style: SubjectStyle | None) -> None:
    mail = sample_mail("incident.created", look=_look("incident.created", subject="Ours", style=style))

    assert mail.message["Subject"] == "Ours"
    assert mail.message["Thread-Topic"] == sample_mail("incident.created").message["Thread-Topic"]


@given(title=TEXTS, name=TEXTS)
def test_no_value_leaves_its_place(title: str, name: str) -> None:
    shown = "[{{ incident.title }}|{{ recipient.name }}]"
    event = sample("incident.created")
    event["data"]["incident"]["title"] = title
    event["data"]["recipients"] = [{"email": "ana@example.org", "name": name}]

    mail = mail_of(event, look=_look("incident.created", subject="{{ incident.title }}", text=shown, html=shown))

    clean = one_line(title) or "(no title)"
    assert mail.text.startswith(f"[{clean}|{one_line(name)}]\n")
    assert mail.message["Bcc"] is None
    assert "<script" not in mail.html
    assert mail.html.count("<td") == mail.html.count("</td>")


@pytest.mark.parametrize(
    ("html", "left"),
    [
        ("<p onclick='x()'>a</p>", "<p>a</p>"),
        ("a<script>alert(1)</script><style>p { color: red }</style>", "a"),
        ("a<iframe src='https://x.example'></iframe><!-- hidden -->", "a"),
        ("<form action='https://x.example'><input name='a'>a</form>", "a"),
        ("<body><title>t</title><p class='a' id='b'>a</p></body>", "t<p>a</p>"),
        ("<a href='javascript:alert(1)'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='JaVaScRiPt&#58;alert(1)'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='data:text/html,a'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='/relative'>a</a>", '<a rel="noopener noreferrer">a</a>'),
        ("<a href='mailto:a@example.org'>a</a>", '<a href="mailto:a@example.org" rel="noopener noreferrer">a</a>'),
        ("<img src='http://x.example/a.png' alt='a'>", '<img alt="a">'),
        ("<img src='https://x.example/a.png' onerror='x()'>", '<img src="https://x.example/a.png">'),
        ("<img src='cid:logo'>", '<img src="cid:logo">'),
        ("<p style='position:fixed;color:red'>a</p>", '<p style="color:red">a</p>'),
        ("<p style='background:url(https://x.example/a)'>a</p>", '<p style="">a</p>'),
        ("</div></td></tr></table>a", "a"),
        ("<div><b>a", "<div><b>a</b></div>"),
    ],
)
def test_html_is_cut_down_to_what_is_harmless_and_closed_in_itself(html: str, left: str) -> None:
    assert harmless(html, ()) == left


@pytest.mark.parametrize(
    ("html", "styled"),
    [
        ("<h1>a</h1>", '<h1 style="margin:0 0 12px;font-size:22px;line-height:30px;">a</h1>'),
        ("<p>a</p>", f'<p style="{styles()["markdown p"]}">a</p>'),
        ('<p style="color:red">a</p>', '<p style="color:red">a</p>'),
        ('<p title="a &gt; b">a</p>', f'<p style="{styles()["markdown p"]}" title="a &gt; b">a</p>'),
        ("<pre>a</pre><paragraph>", f'<pre style="{styles()["markdown pre"]}">a</pre><paragraph>'),
        ("&lt;p&gt;", "&lt;p&gt;"),
    ],
)
def test_elements_without_a_style_get_the_house_s(html: str, styled: str) -> None:
    assert with_looks(html) == styled


def test_a_recipient_s_own_links_are_links_and_nothing_else_of_his_is() -> None:
    html = (
        "<a href='{{ recipient.manage_url }}'>m</a><a href='{{ recipient.name }}'>n</a>"
        "<a href='https://x.example/{{ recipient.email }}'>e</a>{{ recipient.manage_url }}"
    )

    mail = _mail(html, name="javascript:alert(1)", manage_url="https://status.example.org/m?a=1&b=2")

    assert 'href="https://status.example.org/m?a=1&amp;b=2" rel="noopener noreferrer">m</a>' in mail.html
    assert 'href="https://x.example/ana@example.org"' in mail.html
    assert "javascript:" not in mail.html.partition(">n</a>")[0]


def test_recipients_share_a_rendering_and_have_their_own_values_in_it() -> None:
    event = sample(PAGE)
    event["data"]["recipients"] = [{"email": f"{name}@example.org", "name": f"<{name}>"} for name in ("ana", "bo")]
    look = _look(text="Dear {{ recipient.name }}", html="<p title='{{ recipient.name }}'>Dear {{ recipient.name }}</p>")

    mails = [mail_of(event, recipient=number, look=look) for number in range(2)]

    for mail, name in zip(mails, ("ana", "bo"), strict=True):
        assert mail.text.startswith(f"Dear <{name}>\n")
        assert f'title="&lt;{name}&gt;">Dear &lt;{name}&gt;</p>' in mail.html


def test_what_a_recipient_does_not_have_is_absent() -> None:
    look = _look("incident.created", text="Dear {{ recipient.name or 'all' }}{{ recipient.role }}")

    assert minimal_mail(look=look).text.startswith("Dear all\n")


@pytest.mark.parametrize("attribute", ["style='color:{{ recipient.name }}'", "width='{{ recipient.name }}'"])
def test_a_recipient_s_own_value_is_kept_out_of_styles_and_sizes(attribute: str) -> None:
    with pytest.raises(BrokenTemplate, match="attribute"):
        _mail(f"<table><tr><td {attribute}>a</td></tr></table>", name="red")


def test_markdown_is_rendered_in_both_bodies() -> None:
    shown = "{{ '**Loud** [words](https://x.example)'|markdown }}"

    mail = sample_mail(PAGE, look=_look(text=shown, html=shown))

    assert mail.text.startswith("Loud words (https://x.example)\n")
    assert "<strong>Loud</strong>" in mail.html


@given(st.text("<>/=\"' abp\n", max_size=200) | st.text(max_size=200))
def test_whatever_is_written_the_fragment_is_closed_in_itself(html: str) -> None:
    assert harmless(harmless(html, ()), ()) == harmless(html, ())
