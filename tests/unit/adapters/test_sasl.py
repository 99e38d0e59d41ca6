"""Which mechanism proves a credential, and what it sends."""

from __future__ import annotations

import pytest
from tocsin.adapters.failures import PhaseFailed
from tocsin.adapters.sasl import Mechanism, mechanism_for
from tocsin.model.credential import Credential
from tocsin.model.reply import Phase

PASSWORD = Credential(version="1", username="ana", password="hunter2")
TOKEN = Credential(version="1", username="ana", token="ya29.token")
ALL = {"PLAIN", "LOGIN", "XOAUTH2", "OAUTHBEARER"}


def choose(credential: Credential, offered: set[str]) -> Mechanism:
    return mechanism_for(credential, offered, host="relay.test", port=587)


@pytest.mark.parametrize(
    ("credential", "offered", "name"),
    [
        (PASSWORD, ALL, "PLAIN"),
        (PASSWORD, ALL - {"PLAIN"}, "LOGIN"),
        (TOKEN, ALL, "XOAUTH2"),
        (TOKEN, ALL - {"XOAUTH2"}, "OAUTHBEARER"),
    ],
)
def test_the_preferred_mechanism_of_those_offered_is_chosen(
    credential: Credential, offered: set[str], name: str
) -> None:
    assert choose(credential, offered).name == name


@pytest.mark.parametrize(
    ("credential", "offered", "text"),
    [
        (PASSWORD, {"XOAUTH2", "CRAM-MD5"}, "no common AUTH mechanism: the relay offers CRAM-MD5 XOAUTH2"),
        (TOKEN, {"PLAIN"}, "no common AUTH mechanism: the relay offers PLAIN"),
        (TOKEN, set(), "no common AUTH mechanism: the relay offers none"),
        (Credential(version="1", username="ana"), ALL, "no credential for AUTH"),
        (
            Credential(version="1", username="ana", password="a\0b"),
            ALL,
            "bad credential: it holds a character that AUTH cannot carry",
        ),
        (
            Credential(version="1", username="a\0na", password="b"),
            ALL,
            "bad credential: it holds a character that AUTH cannot carry",
        ),
        (
            Credential(version="1", username="ana", token="t\x01auth=x"),
            ALL,
            "bad credential: it holds a character that AUTH cannot carry",
        ),
        (
            Credential(version="1", username="ana\ud800", password="b"),
            ALL,
            "bad credential: it holds a character that AUTH cannot carry",
        ),
    ],
)
def test_what_cannot_be_proved_fails_before_anything_is_sent(
    credential: Credential, offered: set[str], text: str
) -> None:
    with pytest.raises(PhaseFailed) as failed:
        choose(credential, offered)

    assert (failed.value.reply.phase, failed.value.reply.code) == (Phase.AUTH, None)
    assert failed.value.reply.text == text


@pytest.mark.parametrize(
    ("credential", "offered", "responses"),
    [
        (PASSWORD, {"PLAIN"}, (b"\0ana\0hunter2",)),
        (PASSWORD, {"LOGIN"}, (b"ana", b"hunter2")),
        (
            Credential(version="1", username="añá", password="pässword"),
            {"PLAIN"},
            ("\0añá\0pässword".encode(),),
        ),
        (TOKEN, {"XOAUTH2"}, (b"user=ana\x01auth=Bearer ya29.token\x01\x01",)),
        (
            TOKEN,
            {"OAUTHBEARER"},
            (b"n,a=ana,\x01host=relay.test\x01port=587\x01auth=Bearer ya29.token\x01\x01",),
        ),
        (
            Credential(version="1", username="a=b,c", token="t"),
            {"OAUTHBEARER"},
            (b"n,a=a=3Db=2Cc,\x01host=relay.test\x01port=587\x01auth=Bearer t\x01\x01",),
        ),
    ],
)
def test_responses_follow_the_wire_format(
    credential: Credential, offered: set[str], responses: tuple[bytes, ...]
) -> None:
    assert choose(credential, offered).responses == responses


@pytest.mark.parametrize(("credential", "secret"), [(PASSWORD, "hunter2"), (TOKEN, "ya29.token")])
def test_no_secret_shows_in_a_repr(credential: Credential, secret: str) -> None:
    mechanism = choose(credential, ALL)

    assert secret not in repr(mechanism)
    assert secret not in repr(credential)


@pytest.mark.parametrize(
    ("name", "without", "names"),
    [
        ("XOAUTH2", ALL - {"XOAUTH2"}, "LOGIN OAUTHBEARER PLAIN"),
        ("OAUTHBEARER", ALL - {"OAUTHBEARER"}, "LOGIN PLAIN XOAUTH2"),
    ],
)
def test_a_credential_that_names_its_mechanism_goes_by_no_other(name: str, without: set[str], names: str) -> None:
    own = Credential(version="1", username="ana", token="ya29.token", mechanism=name)

    assert choose(own, ALL).name == name

    with pytest.raises(PhaseFailed) as failed:
        choose(own, without)

    assert failed.value.reply.phase is Phase.AUTH
    assert failed.value.reply.text == f"no common AUTH mechanism: the relay offers {names}"


def test_a_token_goes_by_the_mechanism_that_its_provider_wants_and_by_no_other() -> None:
    wanted = Credential(version="1", username="ops", token="t", mechanism="OAUTHBEARER")

    assert mechanism_for(wanted, {"XOAUTH2", "OAUTHBEARER"}, host="h", port=1).name == "OAUTHBEARER"
    with pytest.raises(PhaseFailed, match="no common AUTH mechanism"):
        mechanism_for(wanted, {"XOAUTH2"}, host="h", port=1)
