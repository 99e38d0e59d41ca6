"""Which links a mail may carry."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.links import is_one_click_link, safe_url

PARTS = st.text("ab.-~_%20AZ09:/?#[]@!$&'()*+,;=", max_size=12)
URLS = st.builds("{}://{}{}{}".format, st.sampled_from(["http", "https", "HTTP"]), PARTS, st.sampled_from("/?#"), PARTS)


@pytest.mark.parametrize(
    ("text", "url"),
    [
        ("https://example.org", "https://example.org"),
        (" HTTP://Example.org:8080/a?b=c&d=%20#e ", "http://example.org:8080/a?b=c&d=%20#e"),
        ("https://bücher.example/ü", "https://xn--bcher-kva.example/%C3%BC"),
        ("https://[::1]:8443/", "https://[::1]:8443/"),
        ('https://x.org/?q={"a":"<b>"}', "https://x.org/?q=%7B%22a%22:%22%3Cb%3E%22%7D"),
    ],
)
def test_web_links_are_kept_in_ascii(text: str, url: str) -> None:
    assert safe_url(text) == url


@pytest.mark.parametrize(
    "text",
    [
        None,
        "",
        "example.org",
        "/incidents/1",
        "//example.org/1",
        "javascript:alert(1)",
        "JaVaScRiPt:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "mailto:ana@example.org",
        "https://",
        "https://user@example.org",
        "https://good.org\\@evil.org",
        "https://a b.org",
        "https://x.org:99999",
        "https://[::1",
        "https://x.org/\r\nBcc: y",
        "https://\ud800.org",
        "https://x.org/" + "a" * 5_000,
    ],
)
def test_anything_else_is_no_link(text: str | None) -> None:
    assert safe_url(text) is None


@pytest.mark.parametrize(
    ("text", "is_one"),
    [
        ("https://example.org/leave", True),
        (" HTTPS://bücher.example/leave", True),
        (f"https://example.org/{'x' * 880}", True),
        (f"https://example.org/{'x' * 881}", False),
        ("https://user@example.org/leave", False),
        ("http://example.org/leave", False),
        ("mailto:leave@example.org", False),
        ("", False),
        (None, False),
    ],
)
def test_a_mail_program_follows_only_a_short_https_link(text: str | None, *, is_one: bool) -> None:
    assert is_one_click_link(text) is is_one


@given(
    URLS | st.from_regex(r"https?://[a-z0-9.]{1,9}(/[a-z]{0,5}){0,3}(\?[a-z=&/?]{0,9})?(#[a-z]{0,3})?", fullmatch=True)
)
def test_plain_links_get_no_other_form_than_those_that_need_care(text: str) -> None:
    assert safe_url(text) == safe_url(f" {text}")
