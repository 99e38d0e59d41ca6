"""Mails by a project's own templates, and by the built-in ones where these fail; and the looks of a status page."""

from __future__ import annotations

import email.policy
import json
from collections import Counter
from email import message_from_bytes
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from tocsin import wiring
from tocsin.adapters import template_items
from tocsin.model.custom_template import CustomTemplate, Scope

from tests.functional.deliver.stack import LOGIN, Acme
from tests.relay import Relay
from tests.unit.model.examples import NOW

if TYPE_CHECKING:
    from collections.abc import Iterator
    from email.message import EmailMessage

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Json

TYPE, PAGE_TYPE = "incident.created", "status_page.incident_created"


def _save_template(acme: Acme, type_: str = TYPE, *, page: str | None = None, **parts: Any) -> None:  # noqa: ANN401  (the parts)
    """Write a template as the settings API would, but that nothing is tried out."""
    scope = Scope(type=type_, status_page_id=page)
    template = CustomTemplate(project_id=acme.id, scope=scope, version=1, updated_at=NOW, updated_by="admin-1", **parts)
    item: Any = template_items.key_of(acme.id, template.name) | template_items.write_template(template)
    boto3.client("dynamodb").put_item(TableName="SettingsTable", Item=item)


def _last_error(acme: Acme) -> Json | None:
    key: Any = template_items.key_of(acme.id, TYPE)
    item = boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=key)["Item"]
    return json.loads(item["last_error"]["S"]) if "last_error" in item else None


def _page_event(acme: Acme, page: str) -> Json:
    event = acme.event("ana@example.org", type=PAGE_TYPE)
    event["data"]["status_page"] = {"id": page, "name": "Acme Status"}
    event["data"]["recipients"][0] |= {"unsubscribe_url": "https://status.example.org/u/1"}
    return event


def _mails(relay: Relay) -> list[EmailMessage]:
    return [message_from_bytes(mail.content, policy=email.policy.default) for mail in relay.mails]


def _part(mail: EmailMessage, subtype: str) -> str:
    part = mail.get_body((subtype,))
    assert part is not None
    return str(part.get_content())


def test_each_recipient_gets_a_mail_of_his_own_by_the_project_s_template(acme: Acme, deliver: Invoke) -> None:
    event = acme.event("ana@example.org", "bo@example.org")
    for person, name in zip(event["data"]["recipients"], ("Ana <b>", "Bo"), strict=True):
        person["name"] = name
    event["data"]["incident"]["title"] = "{{ 7 * 7 }} <i>\r\nBcc: x@example.org"
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        _save_template(
            acme,
            subject="{{ incident.title }} for us",
            text="Dear {{ recipient.name }}: {{ incident.title }}",
            html="<p>Dear {{ recipient.name }}: {{ incident.title }}</p>",
        )

        assert deliver(event) == []

    mails = {str(mail["To"].addresses[0].addr_spec): mail for mail in _mails(relay)}
    title = "{{ 7 * 7 }} <i> Bcc: x@example.org"
    assert {mail["Subject"] for mail in mails.values()} == {f"{title} for us"}
    assert all(mail["Bcc"] is None for mail in mails.values())
    assert _part(mails["ana@example.org"], "plain").startswith(f"Dear Ana <b>: {title}")
    assert "Dear Ana &lt;b&gt;: {{ 7 * 7 }} &lt;i&gt;" in _part(mails["ana@example.org"], "html")
    assert _part(mails["bo@example.org"], "plain").startswith(f"Dear Bo: {title}")


@pytest.fixture
def calls(acme: Acme) -> Iterator[Counter[str]]:
    """The calls to DynamoDB, by operation."""
    del acme
    seen: Counter[str] = Counter()

    def see(model: Any, **_: object) -> None:  # noqa: ANN401  (botocore's model of the operation)
        seen[model.name] += 1

    wiring.client("dynamodb").meta.events.register("before-call", see)
    yield seen
    wiring.client("dynamodb").meta.events.unregister("before-call", see)


def test_a_template_costs_no_call_more(acme: Acme, deliver: Invoke, calls: Counter[str]) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(acme.event("ana@example.org"))
        calls.clear()
        deliver(acme.event("bo@example.org"))
        without = Counter(calls)
        _save_template(acme, subject="Ours")
        calls.clear()
        deliver(acme.event("cy@example.org"))

    assert calls == without
    assert [mail["Subject"] == "Ours" for mail in _mails(relay)] == [False, False, True]


@pytest.mark.parametrize(
    ("parts", "part", "reason"),
    [
        ({"subject": "{{ incident.titel }}"}, "subject", "titel"),
        ({"text": "ok", "html": "{% for a in incident.title %}{% endfor %}"}, "html", "no list"),
        ({"html": "{% include 'x' %}"}, "html", "include"),
        ({"text": "{{"}, "text", "nexpected"),
    ],
    ids=["undefined", "misused", "forbidden", "no-jinja"],
)
def test_a_broken_template_gives_way_to_the_built_in_one_and_is_told_of(
    acme: Acme,
    deliver: Invoke,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    parts: dict[str, str],
    part: str,
    reason: str,
) -> None:
    people = [f"p{number}@example.org" for number in range(3)]
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        _save_template(acme, **parts)

        assert deliver(acme.event(*people)) == []

    assert set(acme.states().values()) == {"accepted"}
    assert all("Checkout is down" in mail["Subject"] for mail in _mails(relay))
    assert all("New incident" in _part(mail, body) for mail in _mails(relay) for body in ("plain", "html"))
    error = _last_error(acme)
    assert error is not None
    assert (error["part"], reason in error["reason"]) == (part, True)
    [logged] = [record for record in caplog.records if record.message == "custom_template_failed"]
    ids = {"project_id": acme.id, "template": TYPE, "template_version": "1", "part": part}
    assert vars(logged).items() >= ids.items()
    assert '"CustomTemplateFailed":[1.0]' in capsys.readouterr().out.replace(" ", "")


def test_one_that_fails_for_some_gives_way_for_all_who_come_after(acme: Acme, deliver: Invoke) -> None:
    event = acme.event(*(f"p{number}@example.org" for number in range(3)))
    for person, locale in zip(event["data"]["recipients"], ("en", "de", "en"), strict=True):
        person["locale"] = locale
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        _save_template(acme, text="Ours{% if reader.language == 'de' %}{{ 1 / 0 }}{% endif %}")

        assert deliver(event) == []

    assert ["Ours" in _part(mail, "plain") for mail in _mails(relay)] == [True, False, False]
    error = _last_error(acme)
    assert error is not None
    assert error["reason"] == "it fails: ZeroDivisionError"


def test_a_template_that_goes_on_failing_is_written_of_once_in_ten_minutes(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        _save_template(acme, subject="{{ nope }}")
        deliver(acme.event("ana@example.org"))
        first = _last_error(acme)
        deliver(acme.event("bo@example.org"))

    assert first is not None
    assert _last_error(acme) == first


def test_a_status_page_s_template_goes_before_that_of_all_pages(acme: Acme, deliver: Invoke) -> None:
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        _save_template(acme, PAGE_TYPE, subject="All pages", html="<p>Hello</p>")
        _save_template(acme, PAGE_TYPE, page="public", subject="One page")

        deliver(_page_event(acme, "public"), _page_event(acme, "other"), _page_event(acme, "page with # and space"))

    mails = _mails(relay)
    assert sorted(mail["Subject"] for mail in mails) == ["All pages", "All pages", "One page"]
    assert all("https://status.example.org/u/1" in _part(mail, "html") for mail in mails)


def test_a_status_page_has_looks_and_a_sender_of_its_own(acme: Acme, deliver: Invoke) -> None:
    acme.changes = {
        "senders": [{"name": "Ops", "email": "ops@acme.example"}, {"name": "Status", "email": "status@acme.example"}]
    }
    acme.project = {
        "branding": {"color": "#111111", "footer": "Of all"},
        "status_pages": {"public": {"branding": {"color": "#222222"}, "sender": "status@acme.example"}},
    }
    with Relay(**LOGIN) as relay:
        acme.save(relay)

        deliver(_page_event(acme, "public"))
        deliver(_page_event(acme, "other"))

    public, other = _mails(relay)
    assert [str(mail["From"].addresses[0].addr_spec) for mail in (public, other)] == [
        "status@acme.example",
        "ops@acme.example",
    ]
    assert "#222222" in _part(public, "html")
    assert "#111111" in _part(other, "html")
    assert all("Of all" in _part(mail, "plain") for mail in (public, other))
