"""How addresses are read, compared and sent."""

from __future__ import annotations

import hashlib
import unicodedata

import pytest
from tocsin.model.address import BadAddress, canonical_recipient, parse_address
from tocsin.model.chunk import distinct
from tocsin.model.notification import Recipient

_DECOMPOSED = unicodedata.normalize("NFD", "josé@example.org")


@pytest.mark.parametrize(
    ("given", "sent", "canonical"),
    [
        pytest.param("Ana@Example.ORG", "Ana@example.org", "ana@example.org", id="case"),
        pytest.param("  ana@example.org\n", "ana@example.org", "ana@example.org", id="space-around"),
        pytest.param("ana+pager@example.org", "ana+pager@example.org", "ana+pager@example.org", id="subaddress"),
        pytest.param('"Ana Maria"@example.org', '"Ana Maria"@example.org', '"ana maria"@example.org', id="quoted"),
        pytest.param('"a@b"@example.org', '"a@b"@example.org', '"a@b"@example.org', id="at-sign-in-quotes"),
        pytest.param(r'"a\"b"@example.org', r'"a\"b"@example.org', r'"a\"b"@example.org', id="quoted-pair"),
        pytest.param("ana@bücher.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example", id="idn"),
        pytest.param("ana@BÜCHER.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example", id="idn-case"),
        pytest.param(
            "ana@XN--BCHER-KVA.example", "ana@xn--bcher-kva.example", "ana@xn--bcher-kva.example", id="a-label"
        ),
        pytest.param("ana@faß.example", "ana@xn--fa-hia.example", "ana@xn--fa-hia.example", id="idna-2008"),
        pytest.param("ana@example。org", "ana@example.org", "ana@example.org", id="ideographic-full-stop"),
        pytest.param(_DECOMPOSED, "josé@example.org", "josé@example.org", id="nfc"),
        pytest.param("#lease@example.org", "#lease@example.org", "#lease@example.org", id="number-sign"),
        pytest.param("JOSÉ@example.org", "JOSÉ@example.org", "josé@example.org", id="non-ascii-case"),
        pytest.param(f"{'a' * 64}@example.org", f"{'a' * 64}@example.org", f"{'a' * 64}@example.org", id="64-octets"),
    ],
)
def test_an_address_is_compared_in_one_form_and_sent_as_given(given: str, sent: str, canonical: str) -> None:
    assert str(parse_address(given)) == sent
    assert canonical_recipient(given) == canonical


@pytest.mark.parametrize(
    "text",
    [
        pytest.param("", id="nothing"),
        pytest.param("ana", id="no-at-sign"),
        pytest.param("@example.org", id="no-local-part"),
        pytest.param("ana@", id="no-domain"),
        pytest.param("ana@@example.org", id="two-at-signs"),
        pytest.param(".ana@example.org", id="dot-first"),
        pytest.param("a..b@example.org", id="two-dots"),
        pytest.param("ana maria@example.org", id="space-without-quotes"),
        pytest.param('"ana@example.org', id="quote-not-closed"),
        pytest.param("ana\r\nbcc@example.org", id="line-end"),
        pytest.param('"ana\r\n"@example.org', id="line-end-in-quotes"),
        pytest.param("ana\x00@example.org", id="nul"),
        pytest.param("ana\u202e@example.org", id="right-to-left-override"),
        pytest.param("ana\u2028@example.org", id="line-separator"),
        pytest.param("Ana <ana@example.org>", id="display-name"),
        pytest.param("=?utf-8?q?eve=40example.org=3e?=@example.org", id="encoded-word"),
        pytest.param('"=?utf-8?q?eve?="@example.org', id="encoded-word-in-quotes"),
        pytest.param("ana@[192.0.2.1]", id="address-literal"),
        pytest.param("ana@-bad-.example", id="hyphen-at-an-end"),
        pytest.param("ana@a..example", id="empty-label"),
        pytest.param("ana@a_b.example", id="underscore"),
        pytest.param("ana@example.org.", id="dot-last"),
        pytest.param(f"ana@{'a' * 64}.example", id="label-over-63"),
        pytest.param("ana@\u2603\u200d.example", id="no-idn"),
        pytest.param(f"{'é' * 33}@example.org", id="local-part-over-64-octets"),
        pytest.param(f"ana@{'a' * 60}.{'b' * 60}.{'c' * 60}.{'d' * 60}.example", id="over-254-octets"),
    ],
)
def test_what_smtp_cannot_carry_is_no_address_and_the_error_does_not_repeat_it(text: str) -> None:
    with pytest.raises(BadAddress) as caught:
        parse_address(text)

    assert not text or text not in str(caught.value)


@pytest.mark.parametrize(
    ("text", "key"),
    [
        pytest.param("No At Sign ", "no at sign", id="as-it-is"),
        pytest.param("", f"invalid:{hashlib.sha256(b'').hexdigest()[:32]}", id="empty"),
        pytest.param(" ", f"invalid:{hashlib.sha256(b'').hexdigest()[:32]}", id="blank"),
        pytest.param("#lease", f"invalid:{hashlib.sha256(b'#lease').hexdigest()[:32]}", id="a-key-of-the-journal"),
        pytest.param("#", f"invalid:{hashlib.sha256(b'#').hexdigest()[:32]}", id="like-one"),
        pytest.param(
            "é" * 501, f"invalid:{hashlib.sha256(('é' * 501).encode()).hexdigest()[:32]}", id="over-1000-octets"
        ),
        pytest.param("é" * 500, "é" * 500, id="1000-octets"),
    ],
)
def test_what_is_no_address_has_a_key_all_the_same(text: str, key: str) -> None:
    assert canonical_recipient(text) == key


@pytest.mark.parametrize(("local_part", "needs"), [("ana", False), ("josé", True), ('"ana maria"', False)])
def test_only_a_local_part_that_is_not_ascii_needs_smtputf8(local_part: str, *, needs: bool) -> None:
    assert parse_address(f"{local_part}@bücher.example").needs_smtputf8 is needs


def test_the_first_of_duplicates_wins() -> None:
    given = ["Ana@example.org", "bo@example.org", "ana@EXAMPLE.org", "ANA@example.org", "ana@example。org"]

    kept = distinct(Recipient(email=email, name=str(number)) for number, email in enumerate(given))

    assert {key: recipient.name for key, recipient in kept.items()} == {"ana@example.org": "0", "bo@example.org": "1"}
