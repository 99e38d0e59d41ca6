"""The guides: whole, filled in safely, and with examples that the API takes."""

from __future__ import annotations

import json
import re

import pytest
from tocsin.data import guides, identity_providers, preset_checks, presets
from tocsin.data.guides import PLACEHOLDERS, Guide
from tocsin.model.mail_account_input import MailAccountInput

from tests.identity_provider import CLIENT_ID, service_account
from tests.identity_provider.accounts import NOW, REDIRECT_URI, TENANT, account_of

_EACH = pytest.mark.parametrize("guide", guides.document(), ids=lambda guide: guide.id)
_PLACEHOLDER = re.compile(r"\{\{(\w+)\}\}")
_FENCED = re.compile(r"^( *)```(\w+)\n(.*?)^\1```$", re.DOTALL | re.MULTILINE)
_VALUES = {
    "redirect_uri": REDIRECT_URI,
    "mailbox": "ops@acme.example",
    "tenant_id": TENANT,
    "client_id": "11111111-aaaa-bbbb-cccc-555555555555",
    "object_id": "99999999-aaaa-bbbb-cccc-555555555555",
}


def _one(guide_id: str, **values: str) -> str:
    return next(guide.markdown for guide in guides.guides(values) if guide.id == guide_id)


def _blocks(markdown: str, language: str) -> list[str]:
    return [text for _, kind, text in _FENCED.findall(markdown) if kind == language]


def test_the_guides_are_those_that_are_promised() -> None:
    assert [guide.id for guide in guides.document()] == [
        "amazon-ses",
        "gmail-app-password",
        "gmail-oauth",
        "google-service-account",
        "microsoft-app-only",
        "microsoft-delegated",
        "microsoft-graph",
        "sendgrid-api-key",
    ]


@_EACH
def test_a_guide_is_some_preset_s_and_has_a_title(guide: Guide) -> None:
    assert re.match(rf"# {re.escape(guide.title)}\n\n\S", guide.markdown)
    assert [preset.id for preset in presets.document().values() if guide.id in preset.guides]


@_EACH
def test_placeholders_are_known_and_stand_in_code_only(guide: Guide) -> None:
    assert set(_PLACEHOLDER.findall(guide.markdown)) <= set(PLACEHOLDERS)
    outside = re.sub(r"`[^`\n]+`", "", _FENCED.sub("", guide.markdown))
    assert "{{" not in outside
    assert "```" not in outside


@_EACH
def test_nothing_is_left_between_braces(guide: Guide) -> None:
    for values in ({}, _VALUES):
        assert "{{" not in _one(guide.id, **values)


@pytest.mark.parametrize("guide", ["gmail-oauth", "microsoft-delegated", "microsoft-graph"])
def test_whoever_consents_comes_back_to_this_deployment(guide: str) -> None:
    assert [block.strip() for block in _blocks(_one(guide, **_VALUES), "text")] == [REDIRECT_URI]


def test_the_commands_of_exchange_hold_the_admin_s_own_ids() -> None:
    (commands,) = _blocks(_one("microsoft-app-only", **_VALUES), "powershell")

    assert [line for line in commands.splitlines() if line and not line.startswith("#")] == [
        f"Connect-ExchangeOnline -Organization '{TENANT}'",
        f"New-ServicePrincipal -AppId '{_VALUES['client_id']}' -ObjectId '{_VALUES['object_id']}'",
        f"Add-MailboxPermission -Identity 'ops@acme.example' -User '{_VALUES['object_id']}' -AccessRights FullAccess",
        "Set-CASMailbox -Identity 'ops@acme.example' -SmtpClientAuthenticationDisabled $false",
    ]


def test_an_id_that_is_not_known_is_named() -> None:
    assert "-AppId 'YOUR_CLIENT_ID' -ObjectId 'OBJECT_ID_OF_THE_ENTERPRISE_APPLICATION'" in _one("microsoft-app-only")


@pytest.mark.parametrize(
    "value",
    [
        "x'; Remove-Mailbox -Identity 'ceo@acme.example",
        "x\u2019; Remove-Mailbox",
        "x`",
        "x\nRemove-Mailbox",
        "x\n",
        "$(Remove-Mailbox)",
        "-Confirm",
        "{{tenant_id}}",
        "\\1",
        "<script>alert(1)</script>",
        "x" * 502,
        "",
    ],
)
def test_a_value_that_could_be_more_than_an_id_is_left_out(value: str) -> None:
    assert _one("microsoft-app-only", client_id=value) == _one("microsoft-app-only")


def test_an_account_says_what_it_knows() -> None:
    account = account_of("microsoft365", grant="client_credentials")
    assert guides.values_of(account) == {"mailbox": account.username, "client_id": CLIENT_ID, "tenant_id": TENANT}

    password = account.auth.model_copy(update={"type": "password", "oauth2": None})
    assert guides.values_of(account.model_copy(update={"auth": password})) == {"mailbox": account.username}


@_EACH
def test_the_example_of_a_guide_is_an_account_that_can_be_saved(guide: Guide) -> None:
    for text in _blocks(_one(guide.id, **_VALUES), "json"):
        document = json.loads(text.replace("YYYY-MM-DD", "2027-05-01"))
        if "service_account_key" in text:
            document["auth"]["oauth2"]["service_account_key"] = service_account()
        written = preset_checks.filled(MailAccountInput.of(document))
        account = written.account("acme", "01JD7ZAAAAAAAAAAAAAAAAAAAA", at=NOW)

        assert guide.id in presets.document()[account.provider].guides
        assert preset_checks.problems(account) == []
        if account.auth.oauth2 is not None:
            secret = written.secret(account)
            assert secret is not None
            assert identity_providers.problems(account, secret.reveal()) == []


@pytest.mark.parametrize("guide", ["amazon-ses", "microsoft-graph"])
def test_a_transport_that_is_to_come_is_said_to_be_so(guide: str) -> None:
    assert re.search(r"\*\*[^*]*(not available|does not send)[^*]*yet", " ".join(_one(guide).split()))
