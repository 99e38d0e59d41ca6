"""A token says what we signed, for as long as we said and for one purpose, and nobody else can make one."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.signed_token import BadToken, ExpiredToken, LinkKey, key_id, read, sign

KEY = LinkKey(b"k" * 32)
OTHER = LinkKey(b"o" * 32)
NOW = datetime(2026, 11, 21, 9, 30, tzinfo=UTC)
ENDS = int(NOW.timestamp()) + 60
CLAIMS: dict[str, str | int] = {"p": "acme", "a": "ana@example.org", "exp": ENDS}
TOKEN = sign(CLAIMS, purpose="unsubscribe", key=KEY)


@given(st.dictionaries(st.text(max_size=8), st.text(max_size=200) | st.integers(), max_size=8))
def test_a_token_says_what_was_signed_and_is_safe_in_a_link(claims: dict[str, str | int]) -> None:
    claims |= {"exp": ENDS}

    token = sign(claims, purpose="unsubscribe", key=KEY)

    assert read(token, purpose="unsubscribe", keys=[KEY], now=NOW) == claims
    assert token.isascii()
    assert token.replace("-", "").replace("_", "").isalnum()
    assert token[-1].isalnum()  # else some mail readers take the last sign for the sentence's


@pytest.mark.parametrize("keys", [[KEY], [OTHER, KEY], [KEY, OTHER]], ids=["alone", "previous", "current"])
def test_a_key_that_was_replaced_is_good_while_it_is_kept(keys: list[LinkKey]) -> None:
    assert key_id(TOKEN) == KEY.id
    assert read(TOKEN, purpose="unsubscribe", keys=keys, now=NOW) == CLAIMS


@pytest.mark.parametrize("keys", [[], [OTHER]], ids=["no-key", "another-key"])
def test_a_token_of_a_key_that_is_gone_is_none(keys: list[LinkKey]) -> None:
    with pytest.raises(BadToken):
        read(TOKEN, purpose="unsubscribe", keys=keys, now=NOW)


@pytest.mark.parametrize("purpose", ["open", "click", "unsubscrib", "unsubscribe ", ""])
def test_a_token_never_passes_for_one_of_another_purpose(purpose: str) -> None:
    with pytest.raises(BadToken):
        read(TOKEN, purpose=purpose, keys=[KEY], now=NOW)


def test_a_token_ends() -> None:
    last = NOW + timedelta(seconds=59)
    assert read(TOKEN, purpose="unsubscribe", keys=[KEY], now=last) == CLAIMS

    with pytest.raises(ExpiredToken):
        read(TOKEN, purpose="unsubscribe", keys=[KEY], now=last + timedelta(seconds=1))


@pytest.mark.parametrize("claims", [{"a": "ana@example.org"}, {"exp": "tomorrow"}], ids=["absent", "no-time"])
def test_none_is_signed_that_would_hold_for_ever(claims: dict[str, str | int]) -> None:
    with pytest.raises(TypeError, match="expiry"):
        sign(claims, purpose="unsubscribe", key=KEY)


@pytest.mark.parametrize("place", range(len(TOKEN)))
def test_no_sign_of_a_token_can_be_changed_or_cut_off_with_what_follows(place: int) -> None:
    changed = "A" if TOKEN[place] != "A" else "B"

    for token in (TOKEN[:place] + changed + TOKEN[place + 1 :], TOKEN[:place], TOKEN[:place] + TOKEN[place + 1 :]):
        with pytest.raises(BadToken):
            read(token, purpose="unsubscribe", keys=[KEY], now=NOW)


def test_other_claims_under_the_same_seal_are_refused() -> None:
    octets = urlsafe_b64decode(TOKEN + "=" * (-len(TOKEN) % 4))
    forged = urlsafe_b64encode(octets.replace(b"ana@", b"bob@")).rstrip(b"=").decode()

    with pytest.raises(BadToken):
        read(forged, purpose="unsubscribe", keys=[KEY], now=NOW)


@pytest.mark.parametrize("token", [TOKEN + "=", TOKEN + "\n", f" {TOKEN}", TOKEN + "é", "A" * 8001, "A" * 29])
def test_only_the_one_text_is_the_token(token: str) -> None:
    with pytest.raises(BadToken):
        read(token, purpose="unsubscribe", keys=[KEY], now=NOW)


@given(st.text() | st.from_regex(r"[A-Za-z0-9_-]{28,60}", fullmatch=True))
def test_whatever_comes_as_a_token_is_no_accident(token: str) -> None:
    with pytest.raises(BadToken):
        read(token, purpose="unsubscribe", keys=[KEY], now=NOW)


def test_a_key_does_not_show_itself() -> None:
    assert repr(KEY) == "LinkKey()"
