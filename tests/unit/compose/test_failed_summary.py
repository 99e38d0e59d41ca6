"""The summary of a day's failures: how many, why, what to do, and whom it was about."""

from __future__ import annotations

import re
from html import unescape
from typing import Any

import pytest

from tests.unit.compose.mails import Mail, mail_of, minimal_mail, sample

GROUP = {"state": "refused", "mail_account": "Ops", "reason": "550 5.1.1", "remedy": "Take it off.", "count": 2}


def test_reasons_remedies_and_examples_are_shown_in_both_parts() -> None:
    for body in _bodies(mail_of(sample("delivery.failed_summary"))):
        for shown in (
            r"7 mails failed", r"From:?\s+Fri 20 Nov 2026, 06:00 UTC", r"Until:?\s+Sat 21 Nov 2026, 06:00 UTC",
            r"Parked\s+(Mails: )?5\s+(Mail account: )?Ops mailbox\s+(Reason: )?535 5\.7\.139",
            r"550 5\.1\.1: Ask the recipient", r"old\.address@example\.net,\s+status_page\.incident_created",
            r"Refused · Fri 20 Nov 2026, 18:40 UTC\s+(Reason: )?The email account", r"as admin of Acme",
        ):  # fmt: skip
            assert re.search(shown, body), shown


@pytest.mark.parametrize(
    ("failures", "subject"),
    [
        ({"count": 1}, "[Deliveries] 1 mail failed"),
        ({"count": 2, "is_more": False}, "[Deliveries] 2 mails failed"),
        ({"count": 1000, "is_more": True}, "[Deliveries] More than 1000 mails failed"),
    ],
)
def test_the_subject_says_how_many(failures: dict[str, Any], subject: str) -> None:
    mail = _summary(**failures)

    assert mail.message["Subject"] == subject
    assert all("Some of them" not in body for body in _bodies(mail))


def test_a_remedy_is_said_once_and_of_many_groups_and_examples_the_first_are_shown() -> None:
    groups = [GROUP | {"reason": f"550 {number}"} for number in range(30)]
    examples = [{"recipient": f"r{number}@example.org", "state": "expired"} for number in range(30)]

    mail = _summary(count=60, groups=groups, examples=examples)

    assert mail.text.count("Take it off.") == 1
    assert "550 0: Take it off." in mail.text
    assert ("550 19" in mail.text, "550 20" in mail.text) == (True, False)
    assert ("r19@" in mail.text, "r20@" in mail.text) == (True, False)


def test_the_required_attributes_alone_make_a_whole_mail() -> None:
    for body in _bodies(minimal_mail("delivery.failed_summary")):
        assert not re.search(r"None|Undefined|: *$|\(\)", body, re.MULTILINE)


@pytest.mark.parametrize(
    ("waits_for_admin", "subject", "meaning"),
    [
        (True, "[Action required] Ops mailbox is failing", "parked until you act"),
        (False, "[Warning] Ops mailbox is failing", "tried again by itself"),
        (None, "[Warning] Ops mailbox is failing", "tried again by itself"),
    ],
)
def test_admins_read_whether_an_account_comes_back_by_itself(
    waits_for_admin: bool | None,  # noqa: FBT001  (JSON)
    subject: str,
    meaning: str,
) -> None:
    event = sample("settings.breaker_opened")
    event["data"] |= {"waits_for_admin": waits_for_admin, "remedy": None}

    mail = mail_of(event)

    assert mail.message["Subject"] == subject
    for body in _bodies(mail):
        for shown in (meaning, "535 5.7.139", "microsoft365", "Sat 21 Nov 2026, 09:35", "What to do: Open the mail"):
            assert shown in body


def _summary(**failures: Any) -> Mail:  # noqa: ANN401  (JSON)
    event = sample("delivery.failed_summary")
    event["data"]["failures"] = failures
    return mail_of(event)


def _bodies(mail: Mail) -> tuple[str, str]:
    """Give both bodies as they are seen."""
    body = re.sub(r"<br>|</td>|</p>|</div>", "\n", mail.html.partition("<body")[2].partition(">")[2])
    return mail.text, unescape(re.sub(r"<[^>]+>", "", body))
