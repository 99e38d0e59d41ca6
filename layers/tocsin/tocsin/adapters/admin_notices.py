"""What a project's admins are told of their mail accounts and deliveries: notifications that we publish ourselves."""

from __future__ import annotations

from datetime import UTC, datetime, time, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from botocore.exceptions import BotoCoreError, ClientError

from tocsin.adapters.queues import body_of
from tocsin.model.day_of_failures import SUMMARY_TYPE

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_sqs import SQSClient

    from tocsin.model.mail_account import MailAccount
    from tocsin.model.project import Project, ProjectSettings

_SOURCE = "/tocsin"
_USEFUL_LIFE = timedelta(days=2)  # it is said once, so it waits for a relay longer than others do
_ERROR_CHARACTERS = 500


class SettingsStore(Protocol):
    """Where projects are kept."""

    def project(self, project_id: str) -> ProjectSettings | None:
        """The project's settings; None where there is no such project."""
        ...


class AdminNotices:
    """Puts notices on NotificationQueue. What was not sent is told to `on_failure`, by its reason, and never raised.

    The same fact always makes the same event, so that telling it twice mails it once.
    """

    def __init__(
        self,
        client: Callable[[], SQSClient],
        notification_queue_url: str,
        settings: SettingsStore,
        *,
        on_failure: Callable[[str, int], None],
    ) -> None:
        self._client = client
        self._url = notification_queue_url
        self._settings = settings
        self._on_failure = on_failure

    def grant_lost(self, account: MailAccount) -> None:
        """Tell the admins that the account needs a new authorization; once for each version of its credential."""
        lost, error = account.credential_version or account.version, account.last_error
        self._tell(
            account,
            "reauthorization_required",
            id_=f"{account.id}/{lost}",
            at=error.at if error is not None else None,
            facts={"error": error.text[:_ERROR_CHARACTERS], "remedy": error.remedy} if error is not None else {},
        )

    def breaker_opened(self, account: MailAccount, *, waits_for_admin: bool) -> None:
        """Tell the admins that the account fails and is left alone.

        Once a day for each thing that is to be done about it; anew once an admin changed the account. A project without
        admins still has the account's status, and the event on the bus.
        """
        error = account.last_error
        if error is None:
            return
        self._tell(
            account,
            "breaker_opened",
            id_=f"{account.id}/{account.version}/{error.remedy_id}/{error.at.astimezone(UTC).date()}",
            at=error.at,
            facts={
                "waits_for_admin": waits_for_admin,
                "error": error.text[:_ERROR_CHARACTERS],
                "remedy": error.remedy,
            },
            needs_admins=False,
        )

    def secret_expiring(self, account: MailAccount, days: int) -> None:
        """Tell the admins that the account's client secret ends in `days` days, counted from today."""
        ends_on = account.auth.oauth2.client_secret_expires_on if account.auth.oauth2 is not None else None
        if ends_on is None:
            return
        self._tell(
            account,
            "secret_expiring",
            id_=f"{account.id}/{ends_on}/{days}",
            at=datetime.combine(ends_on - timedelta(days=days), time(), UTC),
            facts={"expires_on": ends_on.isoformat()},
        )

    def failed_summary(self, project: Project, failures: dict[str, Any], *, due_at: datetime) -> None:
        """Tell the admins what failed in the day before `due_at`; once, however often it is told.

        Raises:
            ClientError, BotoCoreError: it is not told.
        """
        name = f"failed_summary/{due_at.date()}"
        event = _envelope(project, SUMMARY_TYPE, id_=name, subject=name, at=due_at, data={"failures": failures})
        self._send(event, project.project_id)

    def _tell(
        self,
        account: MailAccount,
        what: str,
        *,
        id_: str,
        at: datetime | None,
        facts: dict[str, str | bool],
        needs_admins: bool = True,
    ) -> None:
        try:
            found = self._settings.project(account.project_id)
            if found is None or not found.project.admins:
                if needs_admins:
                    self._on_failure("no_admins", 1)
                return
            self._send(_event(account, found.project, what, id_=id_, at=at, facts=facts), account.project_id)
        except (ClientError, BotoCoreError, ValueError) as error:  # ValueError: settings that cannot be read
            self._on_failure(type(error).__name__, 1)

    def _send(self, event: dict[str, Any], project_id: str) -> None:
        self._client().send_message(QueueUrl=self._url, MessageBody=body_of(event), MessageGroupId=project_id)


def _event(
    account: MailAccount, project: Project, what: str, *, id_: str, at: datetime | None, facts: dict[str, str | bool]
) -> dict[str, Any]:
    named = {"id": account.id, "name": account.name or account.id, "provider": account.provider}
    return _envelope(
        project,
        f"settings.{what}",
        id_=f"{what}/{id_}",
        subject=f"mail_account/{account.id}",
        at=at,
        data={"mail_account": named, **facts},
    )


def _envelope(
    project: Project, event_type: str, *, id_: str, subject: str, at: datetime | None, data: dict[str, Any]
) -> dict[str, Any]:
    """The CloudEvent (DESIGN 4.1), to all admins."""
    return {
        "specversion": "1.0",
        "id": id_,
        "source": _SOURCE,
        "type": event_type,
        "time": at.isoformat() if at is not None else None,
        "subject": subject,
        "datacontenttype": "application/json",
        "data": {
            "project": {"id": project.project_id, "name": project.name},
            "recipients": [{"email": admin.email, "name": admin.name, "role": "admin"} for admin in project.admins],
            **data,
            "options": {"expires_at": (at + _USEFUL_LIFE).isoformat() if at is not None else None},
        },
    }
