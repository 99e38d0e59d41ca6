"""Verification as a port scanner: no host that somebody types leads inside, and no answer tells what is there."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING, Any

import pytest
from tocsin.adapters.egress import Egress, system_resolve
from tocsin.adapters.failures import PhaseFailed
from tocsin.adapters.https import Https
from tocsin.model.mail_account import Mailbox, Proxy, Security
from tocsin.model.notification import CATALOGUE

from tests.functional.verification.kit import LOGIN, account_with, step, verified
from tests.imap_server import ImapServer
from tests.relay import Relay
from tests.unit.compose.mails import mail_of, sample

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tocsin.model.mail_account import MailAccount
    from tocsin.model.step_report import StepReport

INSIDE = (
    "127.0.0.1",
    "127.1",
    "2130706433",
    "0x7f000001",
    "0x7f.1",
    "017700000001",
    "0177.0.0.1",
    "0",
    "0.0.0.0",  # noqa: S104  (nothing is bound)
    "localhost",
    "LOCALHOST",
    "10.0.0.1",
    "192.168.1.1",
    "100.64.0.1",
    "169.254.10.10",
    "169.254.169.254",
    "::1",
    "::",
    "::ffff:127.0.0.1",
    "::ffff:7f00:1",
    "::127.0.0.1",
    "64:ff9b::7f00:1",
    "2002:7f00:1::",
    "fe80::1",
    "fc00::1",
    "fd00:ec2::254",
)


class Resolver:
    """Answers each time with the next of `answers`, and with the last for ever."""

    def __init__(self, *answers: str) -> None:
        self._answers = [*answers]
        self.asked: list[str] = []

    def __call__(self, host: str, _port: int) -> Sequence[str]:
        self.asked.append(host)
        return [self._answers.pop(0) if len(self._answers) > 1 else self._answers[0]]


def _as_relay(account: MailAccount, host: str, port: int) -> MailAccount:
    relay = account.relay.model_copy(update={"host": host, "port": port})
    return account.model_copy(update={"relay": relay})


def _as_proxy(account: MailAccount, host: str, port: int) -> MailAccount:
    relay = account.relay.model_copy(update={"proxy": Proxy(host=host, port=port)})
    return account.model_copy(update={"relay": relay})


def _as_mailbox(account: MailAccount, host: str, port: int) -> MailAccount:
    return account.model_copy(update={"mailbox": Mailbox(host=host, port=port, security=Security.TLS)})


PLACES = {"relay": _as_relay, "proxy": _as_proxy, "mailbox": _as_mailbox}


def _shown(report: StepReport) -> Any:  # noqa: ANN401  (JSON)
    """The report without what is never twice the same."""
    document = json.loads(report.model_dump_json())
    del document["seconds"]
    for one in document["steps"]:
        del one["seconds"]
        if one["name"] == "tls":
            one["details"] = {}
    return document


@pytest.mark.parametrize("place", PLACES)
@pytest.mark.parametrize("host", INSIDE)
def test_no_spelling_of_a_private_host_is_connected_to_as(place: str, host: str) -> None:
    with Relay(**LOGIN) as relay, Relay() as inside:
        account = PLACES[place](account_with(relay), host, inside.port)
        report = verified(account, egress=Egress(f"{relay.host}:{relay.port}"), seconds=5)

    assert inside.connections == 0
    assert not report.passed
    failed = step(report, report.failed_step or "")
    assert failed.reply is not None
    assert failed.reply.phase in {"egress", "dns"}  # a resolver may know no odd spelling
    if failed.reply.phase == "egress":
        assert failed.reply.text == f"refused by egress policy: {host} is a private, reserved or metadata address"


@pytest.mark.parametrize("place", PLACES)
def test_an_open_and_a_closed_private_port_are_answered_alike(place: str) -> None:
    with Relay(**LOGIN) as relay:
        with Relay() as inside:
            account = PLACES[place](account_with(relay), "inside.test", inside.port)
            egress = Egress(f"{relay.host}:{relay.port}", resolve=_inside_or_there)
            is_open = _shown(verified(account, egress=egress))
        is_closed = _shown(verified(account, egress=egress))

    assert is_open == is_closed
    assert inside.connections == 0


def _inside_or_there(host: str, _port: int) -> Sequence[str]:
    return ["10.0.0.7"] if host == "inside.test" else [host]


@pytest.mark.parametrize("place", PLACES)
def test_the_address_behind_a_private_name_is_not_told(place: str) -> None:
    with Relay(**LOGIN) as relay:
        account = PLACES[place](account_with(relay), "inside.test", 25)
        egress = Egress(f"{relay.host}:{relay.port}", resolve=_inside_or_there)
        text = verified(account, egress=egress).model_dump_json()

    assert "10.0.0.7" not in text
    assert "inside.test is a private, reserved or metadata address" in text


def test_a_name_that_changes_its_address_is_asked_for_once_and_held_to_its_answer() -> None:
    with Relay(**LOGIN) as relay:
        resolver = Resolver("127.0.0.1", "127.0.0.2")
        account = _as_relay(account_with(relay), "relay.example.org", relay.port)
        report = verified(account, egress=Egress(f"relay.example.org:{relay.port}", resolve=resolver))

    assert report.passed
    assert resolver.asked == ["relay.example.org"]
    assert step(report, "dns").details["addresses"] == ["127.0.0.1"]


def test_a_mailbox_s_name_is_asked_for_once_too() -> None:
    passwords = {"ana": "hunter2"}
    with Relay(**LOGIN) as relay, ImapServer(passwords=passwords) as imap:
        resolver = Resolver("127.0.0.1", "127.0.0.1", "127.0.0.2")
        account = _as_relay(account_with(relay), "relay.example.org", relay.port)
        account = _as_mailbox(account, "localhost", imap.port)
        egress = Egress(f"relay.example.org:{relay.port},localhost:{imap.port}", resolve=resolver)
        report = verified(account, egress=egress)

    assert report.passed
    assert resolver.asked == ["relay.example.org", "localhost"]


@pytest.mark.parametrize("private", ["10.0.0.1", "::1", "::ffff:127.0.0.1", "169.254.169.254"])
def test_a_name_that_is_private_the_second_time_is_refused_the_second_time(private: str) -> None:
    resolver = Resolver("8.8.8.8", private)
    egress = Egress(resolve=resolver)

    assert list(egress.addresses("relay.test", 25, until=time.monotonic() + 5)) == ["8.8.8.8"]
    with pytest.raises(PhaseFailed, match="egress"):
        egress.addresses("relay.test", 25, until=time.monotonic() + 5)


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1:{port}/token",
        "https://127.0.0.1:{port}/token",
        "https://localhost:{port}/token",
        "https://2130706433:{port}/token",
        "https://0x7f000001:{port}/token",
        "https://0177.0.0.1:{port}/token",
        "https://127.1:{port}/token",
        "https://[::1]:{port}/token",
        "https://[::ffff:127.0.0.1]:{port}/token",
        "https://[64:ff9b::7f00:1]:{port}/token",
        "https://[2002:7f00:1::]:{port}/token",
        "https://id.example@127.0.0.1:{port}/token",
        "https://id.example:443@127.0.0.1:{port}/token",
        "https://id.example\\@127.0.0.1:{port}/token",
        "https://127.0.0.1:{port}\\@id.example/token",
        "https://127.0.0.1:{port}#@id.example/token",
        "https:127.0.0.1:{port}/token",
        "file:///etc/passwd",
        "gopher://127.0.0.1:{port}/x",
    ],
)
def test_no_url_that_somebody_types_leads_inside(url: str) -> None:
    with Relay() as inside:
        http = Https(Egress(resolve=_only_literals))
        with pytest.raises(PhaseFailed):
            http.call("POST", url.format(port=inside.port), headers={}, form={}, until=time.monotonic() + 5)

    assert inside.connections == 0


def _only_literals(host: str, port: int) -> Sequence[str]:
    """The system's resolver, which is asked for no name: nobody answers in a sandbox."""
    if host.endswith(".example"):
        return ["10.0.0.8"]
    return system_resolve(host, port)


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_no_url_in_a_notification_is_ever_fetched(event_type: str) -> None:
    with Relay() as inside:
        event = _with_urls(sample(event_type), f"http://127.0.0.1:{inside.port}/x.png")
        mail_of(event)

    assert inside.connections == 0


def _with_urls(value: Any, url: str) -> Any:  # noqa: ANN401  (JSON)
    """The event with `url` in every place that may hold one."""
    if isinstance(value, dict):
        return {name: url if name.endswith("url") else _with_urls(part, url) for name, part in value.items()}
    return [_with_urls(part, url) for part in value] if isinstance(value, list) else value
