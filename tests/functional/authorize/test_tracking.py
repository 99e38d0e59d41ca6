"""Opens and clicks are counted by our own addresses, which lead on whatever becomes of the counting."""

from __future__ import annotations

import base64
import json
import re
import socket
import time
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import SMTP
from html import unescape
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from tocsin import wiring, wiring_tracking
from tocsin.model.reaction import KEPT_TIMES
from tocsin.model.signed_token import LinkKey
from tocsin.model.tracked_links import LINKS_HOLD, TrackedLinks
from tocsin.model.tracking import Tracking

from functions.authorize.app import lambda_handler as authorize
from tests.functional.deliver.conftest import acme, deliver, stack
from tests.functional.deliver.stack import LOGIN
from tests.functional.deliveries.conftest import ANA, Admin, admin
from tests.functional.http_api import call
from tests.relay import Relay

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.functional.deliver.conftest import Invoke
    from tests.functional.deliver.stack import Acme, Json
    from tests.functional.http_api import Answer

__all__ = ["acme", "admin", "deliver", "stack"]  # fixtures

BASE = "https://tocsin.example"
PAGE, GRAPH = "https://status.acme.example/incidents/1042", "https://graphs.acme.example/?a=1&b=2"
BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
BOTH = {"opens": True, "clicks": True}


@dataclass(slots=True)
class Reader:
    """A recipient with a mail of the project's, and all that is known of the delivery."""

    acme: Acme
    admin: Admin
    html: str = ""
    text: str = ""

    @property
    def picture(self) -> str:
        """The address of the picture."""
        [url] = re.findall(rf'src="({BASE}/t/[^"]+)"', self.html)
        return str(url)

    @property
    def links(self) -> list[str]:
        """The addresses of tracked links."""
        return [unescape(url) for url in re.findall(rf'href="({BASE}/l/[^"]+)"', self.html)]

    def open(self, url: str, *, method: str = "GET", agent: str = BROWSER, **headers: str) -> Answer:
        """Ask for one of our addresses."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return call(authorize, method, url.removeprefix(BASE), headers={"User-Agent": agent, **named})

    def told(self) -> Json:
        """What the API tells of the delivery."""
        return self.admin.story(ANA)

    def counts(self) -> tuple[int, int, int, int]:
        """Opens and clicks of people, then of machines."""
        story = self.told()
        return story["opens"], story["clicks"], story["machine_opens"], story["machine_clicks"]


@pytest.fixture
def reader(acme: Acme, deliver: Invoke, admin: Admin) -> Iterator[Reader]:
    """Ana, who has a mail of a project that counts both; it was accepted a minute ago."""
    acme.project = {"tracking": BOTH}
    wiring_tracking.follow.cache_clear()  # settings are remembered for ten seconds
    with Relay(**LOGIN) as relay:
        acme.save(relay)
        deliver(_event(acme))
        [mail] = relay.mails
    message = message_from_bytes(mail.content, policy=SMTP)
    text, html = (part.get_content() for part in message.iter_parts())
    _accepted_at(acme, datetime.now(UTC) - timedelta(minutes=1))
    yield Reader(acme=acme, admin=admin, html=html, text=text)
    wiring_tracking.follow.cache_clear()


def _event(acme: Acme) -> Json:
    event = acme.event(ANA)
    event["data"]["incident"] |= {
        "description": f"See [the graph]({GRAPH}).",
        "url": PAGE,
        "acknowledge_url": "https://status.acme.example/acknowledge/once",
    }
    return event


def _accepted_at(acme: Acme, moment: datetime) -> None:
    [delivery] = acme.deliveries().values()
    boto3.client("dynamodb").update_item(
        TableName="DeliveriesTable",
        Key={"pk": {"S": delivery["pk"]}, "sk": {"S": delivery["sk"]}},
        UpdateExpression="SET #log[0].#at = :at",
        ExpressionAttributeNames={"#log": "log", "#at": "at"},
        ExpressionAttributeValues={":at": {"S": moment.isoformat()}},
    )


def test_an_open_is_a_picture_that_nobody_keeps_and_counts_once_each(reader: Reader) -> None:
    answer = reader.open(reader.picture)
    reader.open(reader.picture)

    assert (answer.status, answer.headers["content-type"], answer.headers["cache-control"]) == (
        200,
        "image/gif",
        "no-store",
    )
    assert base64.b64decode(answer.body).startswith(b"GIF89a")
    assert not answer.cookies
    assert reader.counts() == (2, 0, 0, 0)
    opened_at = datetime.fromisoformat(reader.told()["opened_at"])
    assert datetime.now(UTC) - opened_at < timedelta(minutes=1)


def test_a_click_leads_where_the_link_led_and_tells_nobody_where_from(reader: Reader) -> None:
    answers = [reader.open(link) for link in reader.links]

    assert {PAGE, GRAPH} == {answer.headers["location"] for answer in answers}
    assert {answer.status for answer in answers} == {302}
    assert {answer.headers["referrer-policy"] for answer in answers} == {"no-referrer"}
    assert {answer.headers["cache-control"] for answer in answers} == {"no-store"}
    assert not any(answer.cookies for answer in answers)
    assert reader.counts() == (0, len(answers), 0, 0)
    assert reader.told()["clicked_at"]


def test_links_that_do_something_and_the_text_part_are_left_alone(reader: Reader) -> None:
    assert 'href="https://status.acme.example/acknowledge/once"' in reader.html
    assert BASE not in reader.text
    assert PAGE in reader.text


def test_nothing_of_who_opened_is_kept(reader: Reader) -> None:
    reader.open(reader.links[0], agent=f"{BROWSER} known-by-this", X_Forwarded_For="203.0.113.9")

    items = boto3.client("dynamodb").scan(TableName="DeliveriesTable")["Items"]
    [item] = [item for item in items if item["sk"]["S"] == "#reactions"]
    assert set(item) == {"pk", "sk", "ttl", "clicks", "click_times"}
    assert "203.0.113.9" not in json.dumps(items, default=str)
    assert "known-by-this" not in json.dumps(items, default=str)


def test_machines_are_led_on_and_counted_apart(reader: Reader) -> None:
    answers = [reader.open(url, agent="Googlebot/2.1") for url in (reader.picture, reader.links[0])]
    answers += [reader.open(url, method="HEAD") for url in (reader.picture, reader.links[0])]

    assert [answer.status for answer in answers] == [200, 302, 200, 302]
    assert reader.counts() == (0, 0, 2, 2)
    assert (reader.told()["opened_at"], reader.told()["clicked_at"]) == (None, None)


def test_a_head_request_is_answered_without_a_body(reader: Reader) -> None:
    answers = [reader.open(url, method="HEAD") for url in (reader.picture, reader.links[0], f"{BASE}/l/none")]

    assert [(answer.status, answer.body) for answer in answers] == [(200, ""), (302, ""), (404, "")]


def test_what_happens_at_the_moment_of_delivery_was_a_scanner(reader: Reader) -> None:
    reader.open(reader.picture)
    reader.open(reader.links[0])

    _accepted_at(reader.acme, datetime.now(UTC))

    assert reader.counts() == (0, 0, 1, 1)


def test_times_are_kept_of_the_first_and_the_rest_is_counted(reader: Reader) -> None:
    for _ in range(KEPT_TIMES + 3):
        assert reader.open(reader.links[0]).status == 302

    items = boto3.client("dynamodb").scan(TableName="DeliveriesTable")["Items"]
    [item] = [item for item in items if item["sk"]["S"] == "#reactions"]
    assert len(item["click_times"]["L"]) == KEPT_TIMES
    assert reader.counts() == (0, KEPT_TIMES + 3, 0, 0)


def test_when_it_is_switched_off_nothing_answers_or_is_counted_and_people_still_find_their_page(
    reader: Reader,
) -> None:
    reader.acme.project = {}
    reader.acme._save_project()  # noqa: SLF001  (what `save` does beside its account)

    picture, *links = (reader.open(url) for url in (reader.picture, *reader.links))

    assert (picture.status, picture.body) == (404, "")
    assert {link.status for link in links} == {404}
    assert not any("location" in link.headers for link in links)
    assert {target for target in (PAGE, GRAPH) if any(_leads_to(link, target) for link in links)} == {PAGE, GRAPH}
    assert reader.counts() == (0, 0, 0, 0)


def _leads_to(answer: Answer, target: str) -> bool:
    return target in map(unescape, re.findall(r'href="([^"]*)"', answer.body))


def test_a_project_that_is_gone_counts_nothing(reader: Reader) -> None:
    key = {"project_id": {"S": reader.acme.id}, "sk": {"S": "project"}}
    boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)

    assert [reader.open(url).status for url in (reader.picture, reader.links[0])] == [404, 404]


def test_each_is_counted_only_where_it_is_wanted(reader: Reader) -> None:
    reader.acme.project = {"tracking": {"opens": True, "clicks": False}}
    reader.acme._save_project()  # noqa: SLF001  (as above)

    assert [reader.open(url).status for url in (reader.picture, reader.links[0])] == [200, 404]


@pytest.mark.parametrize("path", ["/t/", "/l/"])
@pytest.mark.parametrize("token", ["x", "A" * 200, "A" * 9000, "..%2F..", "javascript:alert(1)"])
@pytest.mark.usefixtures("whole_stack")
def test_what_is_no_token_of_ours_leads_nowhere(path: str, token: str) -> None:
    answer = call(authorize, "GET", f"{path}{token}")

    assert (answer.status, "location" in answer.headers) == (404, False)


def _links(reader: Reader, *, key: bytes = b"k" * 64, since: datetime | None = None) -> TrackedLinks:
    return TrackedLinks(
        tracking=Tracking(**BOTH),
        base_url=BASE,
        key=LinkKey(key),
        project_id=reader.acme.id,
        delivery_id=reader.told()["delivery_id"],
        since=since or datetime.now(UTC),
    )


def test_a_token_is_for_one_purpose_one_target_and_one_key(reader: Reader) -> None:
    good = _links(reader).link("https://evil.example/")
    forged = _links(reader, key=b"x" * 64).link("https://evil.example/")
    swapped = [good.replace("/l/", "/t/"), reader.picture.replace("/t/", "/l/")]
    unsubscribed = good.replace("/l/", "/unsubscribe/")

    assert reader.open(good).headers["location"] == "https://evil.example/"  # the key is what keeps strangers out
    for url in (forged, *swapped, good[:-1], f"{good}A", unsubscribed):
        answer = reader.open(url)
        assert "location" not in answer.headers
        assert answer.status in {400, 404}


@pytest.mark.parametrize(
    ("age", "status", "counted"),
    [(timedelta(days=29), 302, 1), (timedelta(days=31), 302, 0), (LINKS_HOLD + timedelta(days=1), 404, 0)],
    ids=["while-it-is-known", "when-the-delivery-is-forgotten", "too-old"],
)
def test_a_link_leads_on_for_longer_than_it_is_counted(
    reader: Reader, age: timedelta, status: int, counted: int
) -> None:
    link = _links(reader, since=datetime.now(UTC) - age).link(PAGE)

    assert reader.open(link).status == status
    assert reader.counts() == (0, counted, 0, 0)


@pytest.mark.parametrize("operation", ["GetItem", "UpdateItem"])
def test_a_table_in_trouble_never_breaks_the_way_on(
    reader: Reader, operation: str, caplog: pytest.LogCaptureFixture
) -> None:
    asked: list[str] = []

    def fail(model: Any, **_: object) -> None:  # noqa: ANN401  (botocore's model of the operation)
        asked.append(model.name)
        raise EndpointConnectionError(endpoint_url="https://dynamodb.example")

    events = wiring_tracking.dynamodb().meta.events
    events.register(f"before-call.dynamodb.{operation}", fail)
    answers = [reader.open(url) for url in (reader.picture, reader.links[0])]
    events.unregister(f"before-call.dynamodb.{operation}", fail)

    assert [answer.status for answer in answers] == [200, 302]
    assert asked == [operation, operation]
    lines = [vars(record) for record in caplog.records if record.message == "reaction_not_counted"]
    assert [(line["reaction"], line["project_id"]) for line in lines] == [
        ("open", reader.acme.id),
        ("click", reader.acme.id),
    ]
    assert ANA not in repr(lines)


def test_a_table_that_does_not_answer_keeps_nobody_waiting_for_long(
    reader: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    link = reader.links[0]
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setenv("AWS_ENDPOINT_URL_DYNAMODB", f"http://127.0.0.1:{silent.getsockname()[1]}")
        _forget_clients()
        began = time.monotonic()
        answer = reader.open(link)
        waited = time.monotonic() - began
    monkeypatch.delenv("AWS_ENDPOINT_URL_DYNAMODB")
    _forget_clients()

    assert (answer.status, answer.headers["location"]) in {(302, PAGE), (302, GRAPH)}
    assert 0.5 < waited < 5


def test_without_a_key_a_link_is_not_believed_and_asked_to_be_tried_again(reader: Reader) -> None:
    def fail(**_: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://secretsmanager.example")

    events = wiring.client("secretsmanager").meta.events
    wiring.link_keys.cache_clear()
    _forget_clients()
    events.register("before-call.secrets-manager.GetSecretValue", fail)
    answers = [reader.open(url) for url in (reader.picture, reader.links[0])]
    events.unregister("before-call.secrets-manager.GetSecretValue", fail)

    assert [answer.status for answer in answers] == [404, 503]
    assert "location" not in answers[1].headers
    assert reader.open(reader.links[0]).status == 302


def _forget_clients() -> None:
    wiring_tracking.dynamodb.cache_clear()
    wiring_tracking.follow.cache_clear()
