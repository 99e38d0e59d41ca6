"""Verification, test messages and `?validate=true` over HTTP."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin.wiring import now

from tests.functional.deliver.stack import Acme
from tests.functional.deliver.trouble import refused, trouble_with_aws
from tests.functional.settings.conftest import PASSWORD, Desk, oauth2_account, password_account
from tests.relay import Relay, Say

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.stack import Stack
    from tests.functional.http_api import Answer
    from tests.functional.settings.conftest import Json

USER = "ops@acme.example"
ME: Json = {"claims": {"email": "ana@example.org", "email_verified": "true"}}
LOGIN: dict[str, Any] = {"security": "starttls", "mechanisms": ("PLAIN",), "passwords": {USER: PASSWORD}}


@pytest.fixture
def relay() -> Iterator[Relay]:
    """A relay that knows the account's password."""
    with Relay(**LOGIN) as relay:
        yield relay


def _at(relay: Relay, **changes: Any) -> Json:  # noqa: ANN401  (fields of any kind)
    return {
        "relay": {
            "host": relay.host,
            "port": relay.port,
            "security": relay.security,
            "ca_certificate": relay.ca_certificate,
        }
    } | changes


def _with(password: str) -> Json:
    return {"auth": {"type": "password", "username": USER, "password": password}}


def _verify(desk: Desk, account_id: str) -> Answer:
    return desk.ask("POST", f"/{account_id}/verification")


def _outcome(report: Json, name: str) -> str:
    return str(next(step["outcome"] for step in report["steps"] if step["name"] == name))


def _marks(desk: Desk) -> list[Json]:
    return desk.items("redrive#")


def test_a_success_verifies_the_account_tells_of_it_and_lets_go_what_is_parked(
    desk: Desk, relay: Relay, whole_stack: Stack
) -> None:
    account = desk.create(**_at(relay))
    breaker = {"pk": {"S": f"breaker#{desk.project}#{account['id']}"}}
    boto3.client("dynamodb").put_item(TableName="EphemeralTable", Item=breaker | {"version": {"N": "1"}})
    whole_stack.events()

    answer = _verify(desk, account["id"])

    assert (answer.status, answer.json["passed"], answer.json["failed_step"]) == (200, True, None)
    shown = desk.ask("GET", f"/{account['id']}").json
    assert (shown["status"], shown["last_error"]) == ("verified", None)
    assert shown["verified_at"]
    assert len(_marks(desk)) == 1
    assert "Item" not in boto3.client("dynamodb").get_item(TableName="EphemeralTable", Key=breaker)
    told = [event["detail"] for event in whole_stack.events() if event["detail-type"] == "mail_account.verified"]
    assert [one["mail_account_id"] for one in told] == [account["id"]]
    assert relay.mails == []


def test_a_failure_keeps_the_status_and_shows_the_error(desk: Desk, relay: Relay) -> None:
    account = desk.create(**_at(relay))
    assert _verify(desk, account["id"]).json["passed"]
    desk.ask("PATCH", f"/{account['id']}", {"senders": [{"email": USER, "name": "Other"}]})
    with Relay(**LOGIN, script={"auth": Say("535 5.7.8 no")}) as strict:
        other = desk.create(**_at(strict))
        desk.found_out(other["id"], status="verified", verified_at="2026-11-20T00:00:00Z")
        answer = _verify(desk, other["id"])

    assert (answer.status, answer.json["failed_step"]) == (200, "auth")
    assert answer.json["remedy"]
    shown = desk.ask("GET", f"/{other['id']}").json
    assert (shown["status"], shown["verified_at"]) == ("verified", "2026-11-20T00:00:00Z")
    assert (shown["last_error"]["phase"], shown["last_error"]["code"]) == ("auth", 535)
    assert shown["last_error"]["remedy"] == answer.json["remedy"]


def test_values_are_verified_without_being_saved(desk: Desk, relay: Relay) -> None:
    good = desk.ask("POST", f"/projects/{desk.project}/verification", password_account(**_at(relay)))
    bad = desk.ask("POST", f"/projects/{desk.project}/verification", password_account(**_at(relay), **_with("wrong")))

    assert (good.status, good.json["passed"]) == (200, True)
    assert (bad.status, bad.json["failed_step"]) == (200, "auth")
    assert "wrong" not in bad.body
    assert desk.ask("GET", "").json["items"] == []


def test_a_stored_secret_serves_values_of_the_same_relay_and_user(desk: Desk, relay: Relay) -> None:
    account = desk.create(**_at(relay))
    values = password_account(**_at(relay), name="New name", auth={"type": "password", "username": USER})

    answer = desk.ask("POST", f"/projects/{desk.project}/verification?mail_account_id={account['id']}", values)

    assert (answer.status, answer.json["passed"]) == (200, True)
    assert desk.ask("GET", f"/{account['id']}").json["name"] == account["name"]


@pytest.mark.parametrize("changed", ["port", "security", "host", "user", "mailbox", "proxy"])
def test_a_stored_secret_goes_nowhere_it_was_not_saved_for(desk: Desk, relay: Relay, changed: str) -> None:
    account = desk.create(**_at(relay))
    with Relay(**LOGIN | {"security": "tls" if changed == "security" else "starttls"}) as thief:
        values = password_account(**_at(relay), auth={"type": "password", "username": USER})
        match changed:
            case "port" | "security":
                values |= _at(thief)
            case "host":
                values["relay"]["host"] = "localhost"
            case "user":
                values["auth"]["username"] = "other@acme.example"
            case "mailbox":
                values["mailbox"] = {"host": "127.0.0.1", "port": thief.port, "security": "none"}
            case _:
                values["relay"]["proxy"] = {"host": "127.0.0.1", "port": thief.port}

        answer = desk.ask("POST", f"/projects/{desk.project}/verification?mail_account_id={account['id']}", values)

    assert (answer.status, [one["field"] for one in answer.json["errors"]]) == (422, ["auth.password"])
    assert relay.connections == thief.connections == 0


def test_another_project_s_account_lends_its_secret_to_nobody(desk: Desk, relay: Relay) -> None:
    account = desk.create(**_at(relay))
    other = type(desk)(project=f"{desk.project}-none")
    values = password_account(**_at(relay), auth={"type": "password", "username": USER})

    for path in (
        f"/projects/{other.project}/verification?mail_account_id={account['id']}",
        f"/projects/{other.project}/mail-accounts/{account['id']}/verification",
    ):
        body = values if "?" in path else None
        assert desk.ask("POST", path, body, permissions="*:admin").status == 404
    assert relay.connections == 0


@pytest.mark.parametrize(
    ("path", "body"),
    [("/{id}/verification", None), ("/{id}/test-message", {"to": "a@example.org"}), ("/projects/{p}/verification", {})],
)
def test_a_viewer_asks_no_relay(desk: Desk, relay: Relay, path: str, body: Json | None) -> None:
    account = desk.create(**_at(relay))
    if body == {}:
        body = password_account(**_at(relay))
    target = path.format(id=account["id"], p=desk.project)

    assert desk.ask("POST", target, body, permissions=f"{desk.project}:viewer").status == 403
    assert relay.connections == 0


def test_a_test_message_goes_out_by_the_account_and_answers_with_the_reply(desk: Desk, relay: Relay) -> None:
    account = desk.create(**_at(relay))

    answer = desk.ask("POST", f"/{account['id']}/test-message", {"to": "bob@example.org"})

    assert (answer.status, answer.json["passed"]) == (200, True)
    assert (answer.json["reply"]["phase"], answer.json["reply"]["code"]) == ("data", 250)
    [mail] = relay.mails
    assert b"Subject: [Test] Ops mailbox can send" in mail.content
    assert b"multipart/alternative" in mail.content
    assert "RCPT TO:<bob@example.org>" in relay.commands


def test_a_test_message_is_sent_once_under_its_key(desk: Desk, relay: Relay) -> None:
    account = desk.create(**_at(relay))
    key = {"headers": {"idempotency-key": "k"}}

    answers = [desk.ask("POST", f"/{account['id']}/test-message", {"to": "b@example.org"}, **key) for _ in "12"]

    assert answers[0].json == answers[1].json
    assert len(relay.mails) == 1


@pytest.mark.parametrize("to", ["nobody", "a@b\r\nRCPT TO:<c@d.example>", "", None, 7, "a@b.example,c@d.example"])
def test_a_test_message_to_no_address_is_refused(desk: Desk, relay: Relay, to: object) -> None:
    account = desk.create(**_at(relay))

    assert desk.ask("POST", f"/{account['id']}/test-message", {"to": to}).status == 422
    assert relay.connections == 0


def _take_all_turns(desk: Desk) -> None:
    """Have as many relays asked as a project may in a minute, whichever is the next."""
    minute = int(now().timestamp()) // 60
    for number in (minute, minute + 1):
        boto3.client("dynamodb").put_item(
            TableName="EphemeralTable",
            Item={"pk": {"S": f"verifications#{desk.project}#{number}"}, "taken": {"N": "30"}},
        )


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/{id}/verification"),
        ("POST", "/projects/{project}/verification"),
        ("POST", "/projects/{project}/verification?mail_account_id={id}"),
        ("POST", "/{id}/test-message"),
        ("POST", "?validate=true"),
        ("PUT", "/{id}?validate=true"),
        ("PATCH", "/{id}?validate=true"),
    ],
)
def test_a_project_has_relays_asked_so_often_a_minute_and_no_more(
    desk: Desk, relay: Relay, method: str, path: str
) -> None:
    target = path.format(id=desk.create(**_at(relay))["id"], project=desk.project)
    body = {"to": "ana@example.org"} if "test-message" in path else password_account(**_at(relay))
    body = {} if target.endswith("/verification") and "/projects" not in target else body
    _take_all_turns(desk)

    answer = desk.ask(method, target, body or None, headers={"if-match": "*"})

    assert (answer.status, answer.headers["retry-after"]) == (429, "60")
    assert relay.connections == 0
    assert len(desk.ask("GET", "").json["items"]) == 1


def test_turns_are_counted_by_project_and_saving_takes_none(desk: Desk, relay: Relay) -> None:
    account = desk.create(**_at(relay))
    other = Desk(Acme().id)
    _take_all_turns(other)

    assert [_verify(desk, account["id"]).status for _ in range(3)] == [200] * 3
    items = boto3.client("dynamodb").scan(TableName="EphemeralTable")["Items"]
    own = [item for item in items if item["pk"]["S"].startswith(f"verifications#{desk.project}#")]
    assert sum(int(item["taken"]["N"]) for item in own) == 3


def test_what_verifies_is_saved_as_verified(desk: Desk, relay: Relay, whole_stack: Stack) -> None:
    whole_stack.events()
    answer = desk.ask("POST", "?validate=true", password_account(**_at(relay)))

    assert (answer.status, answer.json["status"]) == (201, "verified")
    assert answer.json["verified_at"]
    assert desk.ask("GET", f"/{answer.json['id']}").json["status"] == "verified"
    assert "mail_account.verified" in {event["detail-type"] for event in whole_stack.events()}


def test_what_is_saved_is_told_though_its_breaker_cannot_be_reset(desk: Desk, relay: Relay) -> None:
    with trouble_with_aws(refused("ThrottlingException"), at=lambda call: call.name == "DeleteItem"):
        answer = desk.ask("POST", "?validate=true", password_account(**_at(relay)))

    assert (answer.status, desk.ask("GET", "").json["items"]) == (201, [answer.json])


def test_what_does_not_verify_is_not_saved_and_answered_with_its_report(desk: Desk, relay: Relay) -> None:
    answer = desk.ask("POST", "?validate=true", password_account(**_at(relay), **_with("wrong")))

    assert (answer.status, answer.headers["content-type"]) == (422, "application/problem+json")
    assert answer.json["report"]["failed_step"] == "auth"
    assert answer.json["remedy"] == answer.json["report"]["remedy"]
    assert desk.ask("GET", "").json["items"] == []


@pytest.mark.parametrize("method", ["PUT", "PATCH"])
def test_a_change_that_does_not_verify_is_not_saved(desk: Desk, relay: Relay, method: str) -> None:
    account = desk.create(**_at(relay))
    wanted = _with("wrong") | {"name": "New"}
    body = password_account(**_at(relay)) | wanted if method == "PUT" else wanted

    answer = desk.ask(method, f"/{account['id']}?validate=true", body, headers={"if-match": "*"})

    assert (answer.status, answer.json["report"]["failed_step"]) == (422, "auth")
    assert desk.ask("GET", f"/{account['id']}").json == account
    assert desk.secret(account["id"])["password"] == PASSWORD


@pytest.mark.parametrize("patch", [{"name": "New"}, {}, _with(PASSWORD)], ids=["name", "nothing", "password"])
def test_a_change_that_verifies_is_saved_with_the_secret_that_is_stored(desk: Desk, relay: Relay, patch: Json) -> None:
    account = desk.create(**_at(relay))

    answer = desk.ask("PATCH", f"/{account['id']}?validate=true", patch)

    assert (answer.status, answer.json["status"]) == (200, "verified"), answer.body
    assert len(_marks(desk)) == 1
    assert _verify(desk, account["id"]).json["passed"]


def test_validation_by_mail_to_me_saves_what_was_accepted(desk: Desk, relay: Relay) -> None:
    answer = desk.ask("POST", "?validate=true&test_to=me", password_account(**_at(relay)), **ME)

    assert answer.status == 201
    assert "RCPT TO:<ana@example.org>" in relay.commands
    assert len(relay.mails) == 1


def test_validation_by_mail_saves_nothing_that_was_refused(desk: Desk) -> None:
    with Relay(**LOGIN, script={"content": Say("554 5.7.1 spam")}) as relay:
        answer = desk.ask("POST", "?validate=true&test_to=me", password_account(**_at(relay)), **ME)

    assert (answer.status, answer.json["report"]["failed_step"]) == (422, "data")
    assert desk.ask("GET", "").json["items"] == []


@pytest.mark.parametrize(
    "claims",
    [
        {},
        {"email": "ana@example.org"},
        {"email": "ana@example.org", "email_verified": "false"},
        {"email_verified": "true"},
        {"email": "no address", "email_verified": "true"},
        {"email": "a@b.example\r\nBcc: c@d.example", "email_verified": "true"},
    ],
)
def test_who_has_no_verified_address_is_told_what_to_do(desk: Desk, relay: Relay, claims: Json) -> None:
    answer = desk.ask("POST", "?validate=true&test_to=me", password_account(**_at(relay)), claims=claims)

    assert answer.status == 409
    assert "email_verified" in answer.json["remedy"]
    assert relay.connections == 0


@pytest.mark.parametrize("query", ["test_to=me", "validate=true&test_to=bob@example.org", "validate=maybe"])
def test_a_query_that_cannot_be_meant_so_is_refused(desk: Desk, relay: Relay, query: str) -> None:
    assert desk.ask("POST", f"?{query}", password_account(**_at(relay)), **ME).status == 422
    assert relay.connections == 0


def test_an_account_that_waits_for_consent_says_so(desk: Desk) -> None:
    answer = desk.ask("POST", "?validate=true", oauth2_account("authorization_code"))

    assert answer.status == 422
    assert answer.json["report"]["passed"] is False
    assert "s3cret" not in answer.body
