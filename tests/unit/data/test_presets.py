"""The presets as data: whole, consistent, true to what is known, and how accounts use them."""

from __future__ import annotations

import re
import subprocess
import sys
from typing import Any

import pytest
from tocsin.data import guides, identity_providers
from tocsin.data.preset_checks import filled, problems
from tocsin.data.presets import document, limits_of, preset_of
from tocsin.model.mail_account import Limits, MailAccount, Security
from tocsin.model.mail_account_input import MailAccountInput
from tocsin.model.preset import AVAILABLE_TRANSPORTS, Preset
from tocsin.model.preset_problems import preset_problems
from tocsin.model.preset_view import view
from tocsin.model.settings_error import InvalidSettings

from tests.identity_provider.accounts import NOW, RELAYS

_PRESETS = list(document().values())
_EACH = pytest.mark.parametrize("preset", _PRESETS, ids=lambda preset: preset.id)
_HOST = re.compile(r"(?=.{4,253}$)[a-z0-9](?:[a-z0-9-]*[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]*[a-z0-9])?)+")
_UNVERIFIED_HOSTS = {
    "acs",
    "aliyun_dm",
    "ionos",
    "m365_china",
    "m365_dod",
    "mailgun_eu",
    "mailjet",
    "oci",
    "ovh",
    "postmark_bc",
    "scaleway",
    "sendgrid_eu",
    "sparkpost_eu",
    "yandex",
    "zeptomail",
}
"""No document of the provider and no other program's list was seen to have these."""


def _document(provider: str, **changes: Any) -> dict[str, Any]:  # noqa: ANN401  (fields of any kind)
    return {
        "name": "Ops",
        "provider": provider,
        "auth": {"type": "password", "username": "ops@acme.example", "password": "pa55word"},
        "senders": [{"email": "ops@acme.example"}],
    } | changes


def _oauth2(grant: str = "authorization_code", **oauth2: str) -> dict[str, Any]:
    return {
        "type": "oauth2",
        "username": "ops@acme.example",
        "oauth2": {"grant": grant, "client_id": "app", **oauth2},
    }


def _account(document: dict[str, Any]) -> MailAccount:
    """What is kept of this document."""
    written = filled(MailAccountInput.of(document))
    return written.account("acme", "01JD7ZAAAAAAAAAAAAAAAAAAAA", at=NOW)


def _relay(account: MailAccount) -> tuple[str, int, str]:
    return account.relay.host, account.relay.port, account.relay.security.value


def _example(preset: Preset, host: str) -> str:
    for name, placeholder in preset.placeholders.items():
        host = host.replace(f"{{{name}}}", placeholder.example)
    return host


def test_there_are_fifty() -> None:
    assert len(_PRESETS) == 50


@_EACH
def test_every_preset_has_a_host_a_port_and_its_security(preset: Preset) -> None:
    assert (preset.host is None) == (preset.id == "generic")
    assert all(_HOST.fullmatch(_example(preset, host)) for host in preset.hosts)
    assert preset.ports[0] == (preset.port, preset.security)
    numbers = [port for port, _ in preset.ports]
    assert len(numbers) == len(set(numbers))
    assert 25 not in numbers
    assert Security.NONE not in dict(preset.ports).values()


@_EACH
def test_every_preset_can_be_read_by_a_person(preset: Preset) -> None:
    assert re.fullmatch(r"[a-z0-9_]{1,40}", preset.id)
    assert preset.name
    assert preset.notes is None or re.fullmatch(r"[A-Z0-9].*\.", preset.notes)
    if "password" in preset.auth_types and preset.id != "generic":
        assert preset.username_is
        assert preset.password_is


@_EACH
def test_every_placeholder_is_used_and_known_by_its_example(preset: Preset) -> None:
    used = set(re.findall(r"\{(\w+)\}", " ".join(preset.hosts)))

    assert used == set(preset.placeholders)
    assert all(preset.has_host(_example(preset, host)) for host in preset.hosts)
    assert not any(preset.has_host(host) for host in preset.hosts if "{" in host)


@_EACH
def test_what_is_unverified_is_there_and_is_said(preset: Preset) -> None:
    for path in preset.unverified:
        found: object = preset
        for part in path.split("."):
            found = getattr(found, part)
        assert found
    assert view(preset)["verified"] is (not preset.unverified)


def test_the_hosts_that_nobody_confirmed_are_marked() -> None:
    assert {preset.id for preset in _PRESETS if "host" in preset.unverified} == _UNVERIFIED_HOSTS


@_EACH
def test_oauth2_goes_to_an_identity_provider_that_takes_its_grants_and_hosts(preset: Preset) -> None:
    assert ("oauth2" in preset.auth_types) == bool(preset.grants) == (preset.identity_provider is not None)
    if preset.identity_provider is None:
        return
    provider = identity_providers.document()[preset.identity_provider]
    assert set(preset.grants) <= provider.grants
    if not provider.is_generic:
        assert set(preset.hosts) <= provider.transports["smtp"].hosts
        assert set(preset.transports) <= set(provider.transports)


@_EACH
def test_every_guide_that_is_named_is_there(preset: Preset) -> None:
    assert set(preset.guides) <= {guide.id for guide in guides.document()}


def test_every_identity_provider_is_the_name_of_a_mail_provider_too() -> None:
    for name in identity_providers.document():
        preset = preset_of(name)

        assert preset is not None
        assert preset.identity_provider == name
        assert preset.has_host(RELAYS[name]) or name == "generic"


@pytest.mark.parametrize(
    ("provider", "host", "found"),
    [
        ("microsoft365", None, "m365"),
        ("microsoft365", "smtp.office365.com", "m365"),
        ("microsoft365", "SMTP-HVE.office365.com.", "m365_hve"),
        ("microsoft365", "smtp-mail.outlook.com", "outlook"),
        ("microsoft365", "mail.evil.example", "m365"),
        ("google", None, "gworkspace"),
        ("google", "smtp-relay.gmail.com", "gworkspace_relay"),
        ("gmail", "smtp-relay.gmail.com", "gmail"),
        ("nobody", None, None),
    ],
)
def test_a_name_that_several_share_is_that_of_the_host(provider: str, host: str | None, found: str | None) -> None:
    preset = preset_of(provider, host=host)

    assert (preset.id if preset else None) == found


@pytest.mark.parametrize(
    ("preset", "host", "has"),
    [
        ("ses", "email-smtp.eu-west-1.amazonaws.com", True),
        ("ses", "EMAIL-SMTP.us-gov-west-1.amazonaws.com.", True),
        ("ses", "email-smtp-fips.us-gov-west-1.amazonaws.com", True),
        ("ses", "email-smtp.evil.example.amazonaws.com", False),
        ("ses", "email-smtp.eu-west-1.amazonaws.com.evil.example", False),
        ("ses", "email-smtp.eu-west-1.amazonaws.com\n", False),
        ("zoho", "smtppro.zoho.com.au", True),
        ("zoho", "smtp.zoho.xyz", False),
        ("ovh", "ex5.mail.ovh.net", True),
        ("m365", "smtpXoffice365.com", False),
    ],
)
def test_a_host_is_matched_whole(preset: str, host: str, *, has: bool) -> None:
    assert document()[preset].has_host(host) is has


@pytest.mark.parametrize(
    ("changes", "relay"),
    [
        ({"provider": "sendgrid"}, ("smtp.sendgrid.net", 587, "starttls")),
        ({"provider": "sendgrid", "relay": {"port": 465}}, ("smtp.sendgrid.net", 465, "tls")),
        ({"provider": "sendgrid", "relay": {"security": "tls"}}, ("smtp.sendgrid.net", 465, "tls")),
        (
            {"provider": "sendgrid", "relay": {"host": "smtp.eu.sendgrid.net"}},
            ("smtp.eu.sendgrid.net", 587, "starttls"),
        ),
        ({"provider": "gmail"}, ("smtp.gmail.com", 465, "tls")),
        ({"provider": "microsoft365", "auth": _oauth2()}, ("smtp.office365.com", 587, "starttls")),
        ({"provider": "generic", "relay": {"host": "mail.acme.example"}}, ("mail.acme.example", 587, "starttls")),
        ({"provider": "generic", "relay": {"host": "b.example", "port": 465}}, ("b.example", 465, "tls")),
        (
            {"provider": "generic", "relay": {"host": "c.example", "port": 26, "security": "none"}},
            ("c.example", 26, "none"),
        ),
    ],
)
def test_a_relay_is_what_was_written_and_else_the_preset_s(
    changes: dict[str, Any], relay: tuple[str, int, str]
) -> None:
    assert _relay(_account(_document(**changes))) == relay


def test_what_everybody_has_alike_is_filled_in() -> None:
    password = {"type": "password", "password": "pa55word"}

    assert _account(_document("sendgrid", auth=password)).auth.username == "apikey"
    assert _account(_document("outlook", auth=_oauth2())).auth.oauth2.tenant_id == "consumers"  # type: ignore[union-attr]  # it has OAuth2
    assert _account(_document("m365", auth=_oauth2(tenant_id="acme.example"))).auth.oauth2.tenant_id == "acme.example"  # type: ignore[union-attr]  # as above


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"provider": "nobody"}, "provider"),
        ({"provider": "generic"}, "relay.host"),
        ({"provider": "ses"}, "relay.host"),
        ({"provider": "generic", "relay": {"host": "a.example", "port": 26}}, "relay.security"),
        ({"provider": "generic", "relay": {"host": "a.example", "security": "none"}}, "relay.port"),
        ({"provider": "gmail", "auth": {"type": "password", "password": "pa55word"}}, "auth.username"),
        ({"provider": "gmail", "auth": {"type": "password", "username": "", "password": "pa55word"}}, "auth.username"),
    ],
)
def test_what_no_preset_knows_is_asked_for(changes: dict[str, Any], field: str) -> None:
    with pytest.raises(InvalidSettings) as refused:
        _account(_document(**changes))

    assert [problem.field for problem in refused.value.problems] == [field]
    assert "pa55word" not in refused.value.problems[0].text


@pytest.mark.parametrize(
    ("changes", "fields"),
    [
        ({"provider": "sendgrid", "auth": {"type": "password", "password": "p", "username": "apikey"}}, []),
        ({"provider": "sendgrid", "auth": {"type": "password", "password": "p", "username": "me"}}, ["auth.username"]),
        ({"provider": "sendgrid", "auth": {"type": "none"}}, ["auth.type"]),
        ({"provider": "gmail", "relay": {"host": "smtp.evil.example"}}, ["relay.host"]),
        ({"provider": "gmail", "relay": {"port": 587}}, []),
        ({"provider": "gmail", "relay": {"port": 587, "security": "tls"}}, ["relay.security"]),
        ({"provider": "gmail", "relay": {"port": 587, "security": "none"}}, ["relay.security"]),
        ({"provider": "gmail", "relay": {"port": 2525, "security": "starttls"}}, ["relay.port"]),
        ({"provider": "google", "relay": {"host": "smtp-relay.gmail.com"}, "auth": {"type": "none"}}, []),
        ({"provider": "google", "auth": {"type": "none"}}, ["auth.type"]),
        ({"provider": "gmail", "auth": _oauth2("jwt_bearer")}, ["auth.oauth2.grant"]),
        ({"provider": "outlook", "auth": _oauth2("client_credentials")}, ["auth.oauth2.grant"]),
        ({"provider": "outlook"}, ["auth.type"]),
        ({"provider": "microsoft365", "relay": {"host": "smtp-mail.outlook.com"}}, ["auth.type"]),
        ({"provider": "m365", "relay": {"host": "smtp-hve.office365.com"}}, ["relay.host"]),
        ({"provider": "ses", "relay": {"host": "email-smtp.eu-west-1.amazonaws.com"}}, []),
        ({"provider": "ses", "relay": {"host": "email-smtp.nowhere.amazonaws.com"}}, ["relay.host"]),
        ({"provider": "aliyun_dm", "relay": {"host": "smtpdm-ap-southeast-1.aliyun.com"}}, []),
        ({"provider": "aliyun_dm", "relay": {"port": 80, "security": "starttls"}}, ["relay.port"]),
        ({"provider": "generic", "relay": {"host": "a.example", "port": 26, "security": "none"}}, []),
        ({"provider": "m365", "transport": "graph", "auth": _oauth2()}, []),
        ({"provider": "m365", "transport": "graph"}, ["auth.type"]),
        ({"provider": "m365", "transport": "ses"}, ["transport"]),
        ({"provider": "generic", "relay": {"host": "a.example"}, "transport": "ses"}, ["transport"]),
    ],
)
def test_a_locked_field_with_another_value_is_a_problem(changes: dict[str, Any], fields: list[str]) -> None:
    found = problems(_account(_document(**changes)))

    assert [problem.field for problem in found] == fields
    assert all(problem.text.endswith(".") for problem in found)


@_EACH
def test_a_transport_goes_with_the_providers_that_have_it(preset: Preset) -> None:
    account = _account(_document("m365"))
    taken = {
        transport
        for transport in ("smtp", "graph", "gmail", "ses")
        if not any(
            problem.field == "transport"
            for problem in preset_problems(account.model_copy(update={"transport": transport}), preset)
        )
    }

    assert taken == set(preset.transports)


def test_no_transport_but_smtp_is_there_yet() -> None:
    assert {transport for preset in _PRESETS for transport in preset.transports} > AVAILABLE_TRANSPORTS == {"smtp"}


def test_an_account_that_was_saved_with_a_provider_that_is_gone_has_its_own_limits() -> None:
    account = _account(_document("m365")).model_copy(update={"provider": "gone"})

    assert [problem.field for problem in problems(account)] == ["provider"]
    assert limits_of(account) == account.limits


@pytest.mark.parametrize(
    ("changes", "limits"),
    [
        ({"provider": "m365"}, Limits(connections=2, per_minute=25, per_day=10_000)),
        ({"provider": "microsoft365"}, Limits(connections=2, per_minute=25, per_day=10_000)),
        (
            {"provider": "m365", "limits": {"connections": 3, "per_minute": 30}},
            Limits(connections=3, per_minute=30, per_day=10_000),
        ),
        (
            {"provider": "m365", "limits": {"per_minute": 5, "per_day": 9, "per_month": 70}},
            Limits(connections=2, per_minute=5, per_day=9, per_month=70),
        ),
        ({"provider": "google", "relay": {"host": "smtp-relay.gmail.com"}}, Limits(per_day=10_000)),
        ({"provider": "sendgrid"}, Limits()),
        ({"provider": "generic", "relay": {"host": "a.example"}}, Limits()),
    ],
)
def test_limits_that_were_left_open_are_the_provider_s(changes: dict[str, Any], limits: Limits) -> None:
    assert limits_of(_account(_document(**changes))) == limits


@pytest.mark.parametrize(
    ("changes", "is_read"),
    [
        ({"provider": "m365"}, True),
        ({"provider": "m365", "limits": {"per_minute": 5, "per_day": 9}}, False),
        ({"provider": "generic", "relay": {"host": "mail.acme.example"}}, False),
    ],
)
def test_the_file_is_read_only_where_a_limit_was_left_open(changes: dict[str, Any], *, is_read: bool) -> None:
    script = """if True:
        import sys
        from tocsin.data.presets import limits_of
        from tocsin.model.mail_account import MailAccount
        limits_of(MailAccount.model_validate_json(sys.stdin.read()))
        print("tomllib" in sys.modules)
    """
    account = _account(_document(**changes)).model_dump_json()

    done = subprocess.run([sys.executable, "-c", script], input=account, capture_output=True, text=True, check=True)  # noqa: S603  our own interpreter

    assert done.stdout == f"{is_read}\n"


def test_limits_that_were_left_open_are_kept_open() -> None:
    assert _account(_document("m365")).limits == Limits(connections=2)


@_EACH
def test_a_field_is_locked_or_free(preset: Preset) -> None:
    shown = view(preset)

    assert set(shown["locked"]).isdisjoint(shown["free"])
    assert set(shown["locked"]) == preset.locked
    assert ("relay.host" in shown["free"]) == (preset.id in {"generic", "aliyun_dm"})
    assert ("auth.username" in shown["locked"]) == (preset.username is not None)


@pytest.mark.parametrize(("alias", "preset"), [("microsoft365", "m365"), ("google", "gworkspace")])
def test_a_preset_s_tokens_are_those_of_its_identity_provider(alias: str, preset: str) -> None:
    by_alias = _account(_document(alias, auth=_oauth2(tenant_id="acme.example")))
    by_id = _account(_document(preset, auth=_oauth2(tenant_id="acme.example")))
    secrets = {"client_secret": "s3cret"}

    assert identity_providers.problems(by_id, secrets) == []
    assert identity_providers.identity_provider_for(by_id) == identity_providers.identity_provider_for(by_alias)
