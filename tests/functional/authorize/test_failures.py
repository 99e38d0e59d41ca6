"""The redirect as it goes wrong: a page with the remedy, and nothing stored."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qsl, urlsplit

import boto3
import pytest
from tocsin.model.authorization import fingerprint

from tests.functional.authorize.redirect import SCOPE, TOKEN, Browser
from tests.identity_provider import USER, Close, Flood, Say
from tests.identity_provider.provider import id_token
from tests.relay import Say as RelaySays

if TYPE_CHECKING:
    from tests.functional.authorize.conftest import Begin
    from tests.functional.authorize.redirect import Redirect
    from tests.relay import Relay


def _change_kept(redirect: Redirect, **changes: Any) -> None:  # noqa: ANN401  (fields of any kind)
    """Write into the authorization what the passing of time, or a crash, would leave there."""
    key = {"pk": {"S": f"authorization#{fingerprint(redirect.state)}"}}
    client = boto3.client("dynamodb")
    document = json.loads(client.get_item(TableName="EphemeralTable", Key=key)["Item"]["document"]["S"]) | changes
    client.update_item(
        TableName="EphemeralTable",
        Key=key,
        UpdateExpression="SET document = :document, step = :step",
        ExpressionAttributeValues={":document": {"S": json.dumps(document)}, ":step": {"S": document["step"]}},
    )


def _ago(**time: float) -> str:
    return (datetime.now(UTC) - timedelta(**time)).isoformat()


@pytest.mark.parametrize(
    ("error", "description", "status", "words"),
    [
        ("access_denied", "The user said no", 403, "Start again and accept what is asked"),
        ("access_denied", "AADSTS50105: The user is not assigned to a role", 403, "AADSTS50105"),
        ("invalid_request", "AADSTS50011: The redirect URI does not match", 400, "redirect"),
        ("invalid_scope", "", 400, "Leave the scopes empty"),
        ("unauthorized_client", "", 400, "redirect URI"),
        ("temporarily_unavailable", "", 400, "Try again in a few minutes"),
        ("something_new", "Frobnicate the widget", 400, "Frobnicate the widget"),
        ("server_error", "<script>alert(1)</script>", 400, "&lt;script&gt;"),
    ],
)
def test_the_provider_s_own_error_gets_a_page_with_its_remedy(
    begin: Begin, error: str, description: str, status: int, words: str
) -> None:
    redirect = begin()

    page = redirect.browser.open(redirect.failed(error, description))

    assert page.status == status
    assert words in page.body
    assert error in page.body
    assert "<script" not in page.body
    assert not redirect.has_grant
    assert redirect.provider.requests("token") == []


@pytest.mark.parametrize(
    ("told", "status", "words"),
    [
        ({"scope": "profile"}, 403, "The mail permission is missing"),
        ({"user": "eve@acme.example"}, 403, "Another user signed in"),
        ({"script": {"token": Say(over={"refresh_token": None})}}, 400, "The permission would not last"),
        ({"script": {"token": Say(400, {"error": "invalid_grant"})}}, 400, "refused the exchange"),
        ({"script": {"token": Say(401, {"error": "invalid_client"})}}, 400, "refused the exchange"),
        (
            {"script": {"token": Say(302, headers={"Location": "https://evil.example/"})}},
            503,
            "could not be completed just now",
        ),
        ({"script": {"token": Say(200, "<html>Sign in</html>")}}, 503, "could not be completed just now"),
        ({"script": {"token": Say(500)}}, 503, "could not be completed just now"),
        ({"script": {"token": Say(429)}}, 503, "could not be completed just now"),
        ({"script": {"token": Flood()}}, 503, "could not be completed just now"),
        ({"script": {"token": Close()}}, 503, "could not be completed just now"),
        ({"script": {"userinfo": Say(500)}, "scope": SCOPE}, 503, "could not be completed just now"),
        ({"script": {"userinfo": Say(401)}, "scope": SCOPE}, 403, "Nobody said who signed in"),
        ({"script": {"userinfo": Say(403)}, "scope": SCOPE}, 403, "Nobody said who signed in"),
        ({"script": {"userinfo": Say(200, {"sub": "1"})}, "scope": SCOPE}, 403, "Nobody said who signed in"),
        (
            {"script": {"token": Say(over={"id_token": id_token({"sub": "1"})}), "userinfo": Say(404)}},
            403,
            "Nobody said who signed in",
        ),
        (
            {"script": {"userinfo": Say(200, {"email": USER, "email_verified": False})}, "scope": SCOPE},
            403,
            "Nobody said who signed in",
        ),
    ],
    ids=[
        "scope-unticked",
        "other-user",
        "no-refresh-token",
        "invalid-grant",
        "invalid-client",
        "redirected",
        "html",
        "500",
        "429",
        "10-MB",
        "nothing",
        "userinfo-500",
        "userinfo-401",
        "userinfo-403",
        "userinfo-without-the-claim",
        "id-token-without-the-claim",
        "address-not-verified",
    ],
)
def test_what_the_code_does_not_give_is_said_and_nothing_is_stored(
    begin: Begin, told: dict[str, Any], status: int, words: str
) -> None:
    redirect = begin(**told)

    page = redirect.complete()

    assert (page.status, words in page.body) == (status, True), page.body
    assert "What to do" in page.body
    assert not redirect.has_grant
    assert redirect.account()["status"] == "not_verified"


@pytest.mark.parametrize(
    "over", [{"expires_in": None}, {"expires_in": "3600"}, {"expires_in": "soon"}], ids=["missing", "text", "no-number"]
)
def test_an_odd_lifetime_of_the_token_does_not_stop_the_redirect(begin: Begin, over: dict[str, Any]) -> None:
    redirect = begin(script={"token": Say(over={"access_token": TOKEN, **over})})

    assert redirect.complete().status == 200
    assert redirect.account()["status"] == "verified"


def test_the_user_who_signed_in_is_compared_without_regard_to_case(begin: Begin) -> None:
    assert "Connected" in begin(user=USER.upper()).complete().body


def test_who_was_not_named_may_start_again_and_is_told_who_is_expected(begin: Begin) -> None:
    page = begin(script={"userinfo": Say(403)}, scope=SCOPE).complete()

    assert USER in page.body
    assert "Try again" in page.body


def test_where_no_provider_could_name_the_user_the_login_at_the_relay_is_the_proof(begin: Begin) -> None:
    redirect = begin(names_users=False)

    assert "Connected and verified" in redirect.complete().body
    assert redirect.account()["grant"]["identity"] is None
    assert redirect.provider.requests("userinfo") == []


def test_where_no_provider_could_name_the_user_a_refused_login_verifies_nothing(begin: Begin, relay: Relay) -> None:
    relay._script = {"auth": RelaySays("535 5.7.8 the token is of another user")}  # noqa: SLF001  (told after it was started)
    redirect = begin(names_users=False)

    assert "Connected, but the login failed" in redirect.complete().body
    assert redirect.account()["status"] == "not_verified"


@pytest.mark.parametrize(
    "query", ["", "state=", "state=forged&code=1", "code=1", "state=a&state=b", "error=access_denied"]
)
def test_a_forged_or_missing_state_leads_nowhere(begin: Begin, query: str) -> None:
    redirect = begin()
    redirect.consented()

    page = redirect.browser.open(f"/oauth/callback?{query}")

    assert page.status == 400
    assert "does not belong to your browser" in page.body


def test_a_state_lasts_ten_minutes(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()
    _change_kept(redirect, expires_at=_ago(seconds=1))

    page = redirect.browser.open(url)

    assert page.status == 410
    assert redirect.provider.requests("token") == []


def test_a_ticket_lasts_ten_minutes(begin: Begin) -> None:
    redirect = begin()
    url = redirect.ticket()
    key = {"pk": {"S": f"ticket#{fingerprint(url.rpartition('/')[2])}"}}
    client = boto3.client("dynamodb")
    document = json.loads(client.get_item(TableName="EphemeralTable", Key=key)["Item"]["document"]["S"])
    client.update_item(
        TableName="EphemeralTable",
        Key=key,
        UpdateExpression="SET document = :document",
        ExpressionAttributeValues={":document": {"S": json.dumps(document | {"expires_at": _ago(seconds=1)})}},
    )

    assert redirect.browser.open(url).status == 404


@pytest.mark.parametrize("ticket", ["unknown", "a" * 3000, "%00", "..%2f"])
def test_a_ticket_that_is_none_gets_a_page(ticket: str, begin: Begin) -> None:
    begin()

    assert Browser().open(f"/authorize/{ticket}").status in {400, 404}


@pytest.mark.parametrize(
    ("ago", "status", "words"),
    [
        ({"seconds": 5}, 409, "It is being completed"),
        ({"minutes": 5}, 500, "It was interrupted"),
    ],
    ids=["just-now", "long-ago"],
)
def test_a_callback_that_another_call_has_taken_exchanges_nothing(
    begin: Begin, ago: dict[str, float], status: int, words: str
) -> None:
    redirect = begin()
    url = redirect.consented()
    _change_kept(redirect, step="begun", begun_at=_ago(**ago))

    page = redirect.browser.open(url)

    assert (page.status, words in page.body) == (status, True)
    assert redirect.provider.requests("token") == []


def test_two_callbacks_at_once_make_one_exchange(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()

    with ThreadPoolExecutor(4) as pool:
        pages = list(pool.map(lambda _: redirect.browser.open(url), range(4)))

    assert len(redirect.provider.requests("token")) == 1
    assert {page.status for page in pages} <= {200, 409}
    assert redirect.browser.open(url).status == 200


def test_a_code_that_comes_twice_under_two_states_is_refused_by_the_provider(begin: Begin) -> None:
    redirect = begin()
    first = redirect.consented()
    second = redirect.consented()
    code = dict(parse_qsl(urlsplit(first).query))["code"]
    state = dict(parse_qsl(urlsplit(second).query))["state"]
    redirect.browser.open(first)
    stored = redirect.secret()

    page = redirect.browser.open(f"/oauth/callback?code={code}&state={state}")

    assert page.status == 400
    assert redirect.secret() == stored


@pytest.mark.parametrize("when", ["before-it-is-opened", "during-the-redirect"])
@pytest.mark.parametrize(("change", "status"), [("edit", 409), ("delete", 410)])
def test_an_account_that_changes_meanwhile_is_not_connected(begin: Begin, when: str, change: str, status: int) -> None:
    redirect = begin()
    url = redirect.ticket() if when == "before-it-is-opened" else redirect.consented()
    getattr(redirect, change)()

    page = redirect.browser.open(url)

    assert page.status == status
    assert redirect.provider.requests("token") == []
    assert change == "delete" or not redirect.has_grant


@pytest.mark.parametrize(
    ("says", "remedy_id"),
    [
        ("535 5.7.3 Authentication unsuccessful", "microsoft-token-refused"),
        ("454 4.7.0 Temporary authentication failure", None),
    ],
)
def test_a_relay_that_refuses_the_login_is_quoted_with_the_remedy(
    begin: Begin, relay: Relay, says: str, remedy_id: str | None
) -> None:
    relay._script = {"auth": RelaySays(says)}  # noqa: SLF001  (told after it was started)
    redirect = begin()

    page = redirect.complete()

    account = redirect.account()
    assert page.status == 200
    assert "Connected, but the login failed" in page.body
    assert says[4:] in page.body
    assert account["last_error"]["remedy"] in page.body.replace("&#39;", "'")
    assert account["status"] == "not_verified"
    assert remedy_id is None or account["last_error"]["remedy_id"] == remedy_id
    assert redirect.secret()["access_token"] == TOKEN
    assert SCOPE in account["grant"]["scopes"]


def test_a_secret_that_is_gone_is_said(begin: Begin) -> None:
    redirect = begin()
    url = redirect.consented()
    boto3.client("secretsmanager").delete_secret(
        SecretId=f"tocsin/test/{redirect.project_id}/{redirect.account_id}", ForceDeleteWithoutRecovery=True
    )

    page = redirect.browser.open(url)

    assert page.status == 409
    assert "secret is missing" in page.body


def test_a_lifetime_of_nothing_is_not_believed(begin: Begin) -> None:
    redirect = begin(script={"token": Say(over={"access_token": TOKEN, "expires_in": 0})})

    assert redirect.complete().status == 200
    grant = json.loads(redirect.item()["state"]["S"])["grant"]
    assert datetime.fromisoformat(grant["access_token_expires_at"]) > datetime.now(UTC) + timedelta(minutes=5)
    assert redirect.account()["status"] == "verified"


def test_a_token_that_ends_before_it_is_verified_is_left_to_the_schedule(begin: Begin) -> None:
    redirect = begin(extra={"access_token": TOKEN, "expires_in": 1e-6})

    page = redirect.complete()

    assert "Connected, but the login failed" in page.body
    assert len(redirect.provider.requests("token")) == 1
    assert redirect.account()["status"] == "not_verified"
    assert "refresh_at" in redirect.item()


class _DeletedAtLogin(dict[str, str]):
    """The tokens of a relay that is asked for them just when the account is deleted."""

    def __init__(self, redirect: Redirect) -> None:
        super().__init__({USER: TOKEN})
        self._redirect = redirect

    def get(self, username: str, default: Any = None) -> Any:  # noqa: ANN401  (as a mapping's)
        assert self._redirect.secret()["access_token"] == TOKEN  # it was stored before
        self._redirect.delete()
        return super().get(username, default)


def test_an_account_that_is_deleted_between_storing_and_verifying_stays_deleted(begin: Begin, relay: Relay) -> None:
    redirect = begin()
    relay._tokens = _DeletedAtLogin(redirect)  # noqa: SLF001  (told after it was started)

    page = redirect.complete()

    key = {"project_id": {"S": redirect.project_id}, "sk": {"S": f"mail-account#{redirect.account_id}"}}
    assert page.status == 410
    assert "Item" not in boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=key)
