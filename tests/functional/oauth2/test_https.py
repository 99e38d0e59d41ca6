"""The guard around every call to an identity provider: where it goes, what it carries, when it ends."""

from __future__ import annotations

import gzip
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from tocsin.adapters.egress import Egress
from tocsin.adapters.failures import Mishap, PhaseFailed
from tocsin.adapters.https import Https
from tocsin.model.reply import Phase

from tests.identity_provider import Detour, IdentityProvider, Say
from tests.identity_provider.accounts import NOW, account_at, account_of, providers_at, providers_by_detour, secret_of
from tests.relay import authority

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LIMIT = 256 * 1024


def _soon() -> float:
    return time.monotonic() + 2


def _egress_to(*addresses: str, allowed: str = "") -> Egress:
    return Egress(allowed, resolve=lambda _host, _port: addresses)


@pytest.mark.parametrize(
    ("url", "addresses", "allowed"),
    [
        ("https://login.acme.example/token", ["127.0.0.1"], ""),
        ("https://login.acme.example/token", ["10.0.0.7", "::1", "fe80::1"], ""),
        ("https://login.acme.example/token", ["169.254.169.254"], "login.acme.example:443"),
        ("https://[fd00:ec2::254]/token", ["fd00:ec2::254"], "fd00:ec2::254:443"),
        ("https://login.acme.example:8443/token", ["10.0.0.7"], "login.acme.example:443"),
        ("http://login.acme.example/token", ["93.184.216.34"], ""),
        ("http://login.acme.example:8080/token", ["93.184.216.34"], "login.acme.example:80"),
    ],
)
def test_a_host_that_may_not_be_reached_is_refused(url: str, addresses: Sequence[str], allowed: str) -> None:
    with pytest.raises(PhaseFailed) as failed:
        Https(_egress_to(*addresses, allowed=allowed)).call("POST", url, headers={}, until=_soon())

    assert failed.value.reply.phase is Phase.EGRESS


def test_a_name_is_resolved_once_and_that_address_is_connected_to() -> None:
    asked = []

    def resolve(host: str, _port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["169.254.169.254"]

    with IdentityProvider(hosts=["login.acme.example"]) as provider:
        egress = Egress(f"login.acme.example:{provider.port}", resolve=resolve)
        url = f"https://login.acme.example:{provider.port}/userinfo"

        answer = Https(egress, ca_certificate=authority().pem).call("GET", url, headers={}, until=_soon())

    assert (answer.status, asked) == (200, ["login.acme.example"])
    assert provider.requests("userinfo")[0].host == f"login.acme.example:{provider.port}"


@pytest.mark.parametrize(
    ("hosts", "trusted"),
    [
        pytest.param(["other.example"], True, id="certificate of another host"),
        pytest.param(["login.acme.example"], False, id="unknown authority"),
    ],
)
def test_a_certificate_that_proves_nothing_ends_the_call(hosts: list[str], trusted: bool) -> None:  # noqa: FBT001
    with IdentityProvider(hosts=hosts) as provider, pytest.raises(PhaseFailed) as failed:
        Https(Detour(provider.port), ca_certificate=authority().pem if trusted else None).call(
            "POST", "https://login.acme.example/token", headers={}, form={"code": "c"}, until=_soon()
        )

    assert failed.value.reply.phase is Phase.TLS
    assert failed.value.reply.text.startswith(Mishap.CERTIFICATE_VERIFY_FAILED)
    assert provider.requests() == []


def test_a_server_without_tls_ends_the_call() -> None:
    with IdentityProvider() as provider, pytest.raises(PhaseFailed) as failed:
        Https(Detour(provider.port)).call("GET", "https://login.acme.example/token", headers={}, until=_soon())

    assert failed.value.reply.phase is Phase.TLS


@pytest.mark.parametrize("url", ["ftp://h.example/", "https://", "https://h.example:99999/", "//h.example/", "x", ""])
def test_what_is_no_url_is_not_called(url: str) -> None:
    with pytest.raises(PhaseFailed) as failed:
        Https(_egress_to("93.184.216.34")).call("GET", url, headers={}, until=_soon())

    assert failed.value.reply.phase is Phase.DNS


@pytest.mark.parametrize("octets", [_LIMIT, _LIMIT + 1])
def test_an_answer_is_read_up_to_its_limit(octets: int) -> None:
    with IdentityProvider(script={"token": Say(200, b"x" * octets)}) as provider:
        http = Https(Egress(f"127.0.0.1:{provider.port}"))

        if octets > _LIMIT:
            with pytest.raises(PhaseFailed, match=Mishap.REPLY_TOO_LONG):
                http.call("POST", provider.token_url, headers={}, until=_soon())
        else:
            assert len(http.call("POST", provider.token_url, headers={}, until=_soon()).body) == octets


def test_a_packed_answer_is_not_unpacked() -> None:
    bomb = gzip.compress(b"0" * 50_000_000)
    with IdentityProvider(script={"token": Say(200, bomb, {"Content-Encoding": "gzip"})}) as provider:
        answer = Https(Egress(f"127.0.0.1:{provider.port}")).call("POST", provider.token_url, headers={}, until=_soon())

    assert answer.body == bomb
    assert provider.requests()[0].headers["accept-encoding"] == "identity"


def test_neither_proxy_nor_netrc_nor_cookie_of_anybody_is_used(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password something")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "HTTPS_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    monkeypatch.setenv("NETRC", str(netrc))
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(netrc))
    with IdentityProvider(script={"token": [Say(200, "{}", {"Set-Cookie": "a=b; Path=/"})] * 2}) as provider:
        http = Https(Egress(f"127.0.0.1:{provider.port}"))

        for _ in range(2):
            http.call("POST", provider.token_url, headers={}, form={"a": "b"}, until=_soon())

    for request in provider.requests():
        assert {"authorization", "cookie", "proxy-authorization"}.isdisjoint(request.headers)


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_an_answer_and_not_followed(status: int) -> None:
    with IdentityProvider(script={"token": Say(status, "", {"Location": "/userinfo"})}) as provider:
        answer = Https(Egress(f"127.0.0.1:{provider.port}")).call(
            "POST", provider.token_url, headers={}, form={"a": "b"}, until=_soon()
        )

    assert answer.status == status
    assert provider.requests("userinfo") == []


def test_many_threads_share_one_client() -> None:
    with IdentityProvider(hosts=["login.microsoftonline.com"]) as provider:
        providers, _ = providers_by_detour(provider)
        begin = threading.Barrier(8)

        def renew(_: int) -> str | None:
            begin.wait()
            secret = secret_of(refresh_token=provider.refresh_token())
            return providers.renew(account_of("microsoft365"), secret, now=NOW).refresh_token

        with ThreadPoolExecutor(8) as pool:
            assert len(set(pool.map(renew, range(8)))) == 8


def test_no_thread_and_no_connection_outlives_its_call() -> None:
    with IdentityProvider() as provider:
        secret = secret_of(refresh_token=provider.refresh_token())
        before = threading.active_count()

        providers_at(provider).renew(account_at(provider), secret, now=NOW)

        assert threading.active_count() <= before + 1  # the provider's own, which may still be closing
