"""What admins are told goes on the queue as an event like any other; nothing of it can fail its caller."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, cast

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError
from tocsin.adapters.admin_notices import AdminNotices
from tocsin.model.event import check_event, check_text
from tocsin.model.notifications.failed_summary import DeliveryFailedSummary
from tocsin.model.notifications.settings import BreakerOpened, ReauthorizationRequired, SecretExpiring

from tests.unit.model.examples import NOW, account, settings

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient
    from tocsin.model.mail_account import MailAccount
    from tocsin.model.notification import Notification
    from tocsin.model.project import ProjectSettings

type Json = dict[str, Any]

ADMINS: list[Json] = [{"email": "carla@example.org", "name": "Carla"}, {"email": "dan@example.org"}]
ERROR: Json = {
    "at": NOW,
    "phase": "token",
    "code": 400,
    "text": "invalid_grant",
    "remedy_id": "revoked",
    "remedy": "Authorize the account again.",
}


ACME = settings(name="Acme", admins=ADMINS)


@dataclass(slots=True)
class FakeQueue:
    """A queue that keeps what it is given, or fails so."""

    failure: Exception | None = None
    messages: list[Json] = field(default_factory=list)

    def send_message(self, *, QueueUrl: str, MessageBody: str, MessageGroupId: str) -> Json:  # noqa: N803  (the service's names)
        if self.failure is not None:
            raise self.failure
        self.messages.append({"url": QueueUrl, "body": MessageBody, "group": MessageGroupId})
        return {}

    @property
    def notifications(self) -> list[Notification]:
        events = [json.loads(message["body"]) for message in self.messages]
        for event in events:
            check_text(event)
        return [check_event(event) for event in events]


@dataclass(slots=True)
class FakeSettings:
    """One project, or none, or a failure."""

    found: ProjectSettings | Exception | None

    def project(self, project_id: str) -> ProjectSettings | None:
        assert project_id == "acme"
        if isinstance(self.found, Exception):
            raise self.found
        return self.found


def _notices(
    queue: FakeQueue, found: ProjectSettings | Exception | None = ACME
) -> tuple[AdminNotices, list[tuple[str, int]]]:
    failures: list[tuple[str, int]] = []
    notices = AdminNotices(
        lambda: cast("SQSClient", queue),
        "https://sqs.example/NotificationQueue",
        FakeSettings(found),
        on_failure=lambda reason, count: failures.append((reason, count)),
    )
    return notices, failures


def _mailbox(*, ends_on: date | None = date(2026, 11, 28), **changes: Any) -> MailAccount:  # noqa: ANN401  (JSON)
    oauth2 = {"grant": "client_credentials", "client_id": "c", "client_secret_expires_on": ends_on}
    return account(auth={"type": "oauth2", "username": "ops", "oauth2": oauth2}, provider="microsoft365", **changes)


def test_a_lost_grant_is_told_to_every_admin() -> None:
    queue = FakeQueue()
    notices, failures = _notices(queue)

    notices.grant_lost(_mailbox(last_error=ERROR))

    [message], [told] = queue.messages, queue.notifications
    assert failures == []
    assert (message["url"], message["group"]) == ("https://sqs.example/NotificationQueue", "acme")
    assert (told.type, told.source, told.time) == ("settings.reauthorization_required", "/tocsin", NOW)
    assert told.correlation == told.data.correlation == "mail_account/first"
    assert isinstance(told.data, ReauthorizationRequired)
    assert (told.data.error, told.data.remedy) == ("invalid_grant", "Authorize the account again.")
    assert (told.data.mail_account.name, told.data.mail_account.provider) == ("Ops mailbox", "microsoft365")
    assert told.data.project.name == "Acme"
    assert [(to.email, to.name, to.role) for to in told.data.recipients or ()] == [
        ("carla@example.org", "Carla", "admin"),
        ("dan@example.org", None, "admin"),
    ]


@pytest.mark.parametrize("waits_for_admin", [True, False])
def test_an_account_that_is_left_alone_is_told_of_with_what_to_do(*, waits_for_admin: bool) -> None:
    queue = FakeQueue()
    notices, failures = _notices(queue)

    notices.breaker_opened(account(last_error=ERROR), waits_for_admin=waits_for_admin)

    [told] = queue.notifications
    assert failures == []
    assert (told.type, told.time, told.correlation) == ("settings.breaker_opened", NOW, "mail_account/first")
    assert isinstance(told.data, BreakerOpened)
    assert told.data.waits_for_admin is waits_for_admin
    assert (told.data.error, told.data.remedy) == ("invalid_grant", "Authorize the account again.")


@pytest.mark.parametrize(
    ("change", "is_news"),
    [
        ({}, False),
        ({"last_error": ERROR | {"at": NOW + timedelta(hours=3), "text": "invalid_grant, again"}}, False),
        ({"last_error": ERROR | {"at": NOW + timedelta(days=1)}}, True),
        ({"last_error": ERROR | {"remedy_id": "expired"}}, True),
        ({"version": 2}, True),
        ({"id_": "second"}, True),
    ],
)
def test_an_account_that_fails_and_recovers_all_day_is_told_of_once_for_each_remedy(
    change: Json, *, is_news: bool
) -> None:
    queue = FakeQueue()
    changes: Json = {"last_error": ERROR} | change
    notices, _ = _notices(queue)

    notices.breaker_opened(account(last_error=ERROR), waits_for_admin=False)
    notices.breaker_opened(account(**changes), waits_for_admin=False)

    first, second = queue.notifications
    assert (first.id != second.id) is is_news


@pytest.mark.parametrize("days", [30, 7, 1, 0, -3])
def test_an_ending_secret_is_told_as_of_today(days: int) -> None:
    queue = FakeQueue()
    notices, failures = _notices(queue)

    notices.secret_expiring(_mailbox(), days)

    [told] = queue.notifications
    assert failures == []
    assert told.type == "settings.secret_expiring"
    assert isinstance(told.data, SecretExpiring)
    assert told.time is not None
    assert (told.data.expires_on - told.time.date()).days == days
    assert told.data.options.expires_at is not None
    assert (told.data.options.expires_at - told.time).days == 2


@pytest.mark.parametrize(
    ("first", "second", "same"),
    [
        pytest.param({}, {}, True, id="again"),
        pytest.param({"version": 1}, {"version": 2}, True, id="settings-edited"),
        pytest.param({}, {"credential_version": "v2"}, False, id="lost-once-more"),
        pytest.param({}, {"id_": "second"}, False, id="another-account"),
        pytest.param({"credential_version": None}, {"credential_version": None}, True, id="without-a-secret"),
        pytest.param(
            {"credential_version": None},
            {"credential_version": None, "version": 2},
            False,
            id="without-a-secret-edited",
        ),
    ],
)
def test_a_lost_grant_is_one_notification_for_each_version_of_the_credential(
    first: Json, second: Json, *, same: bool
) -> None:
    queue = FakeQueue()
    notices, _ = _notices(queue)

    notices.grant_lost(_mailbox(**first))
    notices.grant_lost(_mailbox(**second))

    assert (len({told.id for told in queue.notifications}) == 1) is same


def test_an_ending_secret_is_one_notification_for_each_warning() -> None:
    queue = FakeQueue()
    notices, _ = _notices(queue)

    for ends_on, days in ((date(2026, 11, 28), 7), (date(2026, 11, 28), 7), (date(2026, 11, 28), 1)):
        notices.secret_expiring(_mailbox(ends_on=ends_on), days)
    notices.secret_expiring(_mailbox(ends_on=date(2027, 11, 28)), 7)

    assert len({told.id for told in queue.notifications}) == 3
    assert queue.messages[0] == queue.messages[1]


@pytest.mark.parametrize(
    "changes",
    [
        pytest.param({"last_error": None}, id="no-error-known"),
        pytest.param({"name": ""}, id="no-name"),
        pytest.param({"last_error": ERROR | {"text": "x" * 1_000_000}}, id="huge-answer"),
        pytest.param({"last_error": ERROR | {"text": "\x00\r\n\ud800"}}, id="answer-of-controls"),
    ],
)
def test_whatever_an_account_holds_makes_a_valid_event(changes: Json) -> None:
    queue = FakeQueue()
    notices, failures = _notices(queue)

    notices.grant_lost(_mailbox(**changes))

    assert failures == []
    assert len(queue.notifications) == 1
    assert len(queue.messages[0]["body"]) < 5_000


def test_a_secret_without_an_end_is_nothing_to_tell() -> None:
    queue = FakeQueue()
    notices, failures = _notices(queue)

    notices.secret_expiring(_mailbox(ends_on=None), 7)
    notices.secret_expiring(account(), 7)

    assert (queue.messages, failures) == ([], [])


def test_a_day_of_failures_is_told_once_whatever_was_counted() -> None:
    queue = FakeQueue()
    notices, _ = _notices(queue)

    for count in (7, 8):
        notices.failed_summary(ACME.project, {"count": count}, due_at=NOW)

    first, second = queue.notifications
    assert (first.type, first.time, first.id) == ("delivery.failed_summary", NOW, "failed_summary/2026-11-21")
    assert first.id == second.id
    assert isinstance(first.data, DeliveryFailedSummary)
    assert first.data.failures.count == 7
    assert [to.email for to in first.data.recipients or ()] == ["carla@example.org", "dan@example.org"]


def test_a_summary_that_was_not_told_says_so() -> None:
    notices, failures = _notices(FakeQueue(EndpointConnectionError(endpoint_url="https://sqs.example")))

    with pytest.raises(EndpointConnectionError):
        notices.failed_summary(ACME.project, {"count": 7}, due_at=NOW)

    assert failures == []


@pytest.mark.parametrize("found", [settings(), None], ids=["no-admins", "no-project"])
def test_who_has_no_admins_need_not_be_told_of_an_account_that_fails(found: ProjectSettings | None) -> None:
    queue = FakeQueue()
    notices, failures = _notices(queue, found)

    notices.breaker_opened(account(last_error=ERROR), waits_for_admin=True)
    notices.breaker_opened(account(), waits_for_admin=True)

    assert (queue.messages, failures) == ([], [])


@pytest.mark.parametrize(
    ("failure", "found", "reason"),
    [
        pytest.param(None, settings(), "no_admins", id="no-admins"),
        pytest.param(None, None, "no_admins", id="no-project"),
        pytest.param(None, ValueError("broken"), "ValueError", id="settings-that-are-none"),
        pytest.param(
            None, ClientError({"Error": {"Code": "Throttling"}}, "Query"), "ClientError", id="settings-not-read"
        ),
        pytest.param(
            ClientError({"Error": {"Code": "AccessDenied"}}, "SendMessage"),
            ACME,
            "ClientError",
            id="refused",
        ),
        pytest.param(
            EndpointConnectionError(endpoint_url="https://sqs.example"),
            ACME,
            "EndpointConnectionError",
            id="out-of-reach",
        ),
    ],
)
def test_what_cannot_be_told_is_counted_and_never_raised(
    failure: Exception | None, found: ProjectSettings | Exception | None, reason: str
) -> None:
    queue = FakeQueue(failure)
    notices, failures = _notices(queue, found)

    notices.grant_lost(_mailbox())
    notices.secret_expiring(_mailbox(), 7)

    assert queue.messages == []
    assert failures == [(reason, 1)] * 2
