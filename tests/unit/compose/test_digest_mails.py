"""A digest says how much was held back, of what, and how each thread stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.compose.mails import Mail, mail_of, sample

_CLIPPED_AT = 102_000


def _mail(locale: str = "en", *, threads: int | list[dict[str, Any]] = 3, **digest: Any) -> Mail:  # noqa: ANN401  (JSON)
    event = sample("delivery.digest")
    event["data"]["recipients"] = [{"email": "ana@example.org", "locale": locale, "time_zone": "Europe/Berlin"}]
    shown = threads if isinstance(threads, list) else event["data"]["digest"]["threads"][:threads]
    event["data"]["digest"] |= {"threads": shown, **digest}
    return mail_of(event)


@pytest.mark.parametrize(
    ("digest", "subject"),
    [
        pytest.param({}, "[Digest] 483 notifications in 10 min", id="many-of-some"),
        pytest.param({"count": 5000, "thread_count": 5000}, "[Digest] 5,000 alerts in 10 min", id="one-of-each"),
        pytest.param(
            {"count": 5000, "thread_count": 5000, "family": "incident"},
            "[Digest] 5,000 incidents in 10 min",
            id="one-of-each-incident",
        ),
        pytest.param(
            {"count": 5000, "thread_count": 5000, "family": None},
            "[Digest] 5,000 notifications in 10 min",
            id="one-of-each-of-several-families",
        ),
        pytest.param(
            {"threads": 1, "count": 37, "thread_count": 1},
            "[Digest] 37 notifications about [Alert #7781] p99 latency of search over 2 s",
            id="of-one",
        ),
        pytest.param(
            {"threads": 1, "count": 1, "thread_count": 1},
            "[Digest] 1 notification about [Alert #7781] p99 latency of search over 2 s",
            id="a-single-one",
        ),
        pytest.param(
            {"began_at": "2026-11-21T09:39:41Z"}, "[Digest] 483 notifications in 1 min", id="all-at-the-same-moment"
        ),
    ],
)
def test_the_subject_says_how_much_was_held_back_and_of_what(digest: dict[str, Any], subject: str) -> None:
    assert _mail(**digest).message["Subject"] == subject


@pytest.mark.parametrize(
    ("locale", "subject"),
    [("de", "[Sammelmail] 4.983 Benachrichtigungen in 10 Min."), ("ja", "[まとめ] 10 分で 4,983 件の通知")],
)
def test_the_subject_is_in_the_readers_language(locale: str, subject: str) -> None:
    assert _mail(locale, count=4983).message["Subject"] == subject


def test_each_thread_has_a_row_with_its_number_of_notifications_its_state_its_times_and_its_link() -> None:
    mail = _mail()

    assert (
        "- [Alert #7781] p99 latency of search over 2 s\n"
        "  https://console.example.org/acme/alerts/7781\n"
        "  Count: 37\n  State: Resolved\n  Time: 10:30 – 10:38\n"  # noqa: RUF001  (as it is printed)
    ) in mail.text
    assert "Time: 10:39\n" in mail.text  # the only one of its thread
    assert '<a class="link"' in mail.html
    assert 'href="https://console.example.org/acme/alerts/7790"' in mail.html


def test_what_has_no_row_is_counted() -> None:
    assert "and 438 more" in _mail().text
    assert "more" not in _mail(thread_count=3).text.partition("Time")[2]


def test_a_time_of_another_day_says_so() -> None:
    threads = sample("delivery.digest")["data"]["digest"]["threads"][:1]
    threads[0]["first_at"] = "2026-11-20T09:30:00Z"

    assert "Time: Fri 20 Nov 2026, 10:30 (Europe/Berlin, UTC+1) – 10:38" in _mail(threads=threads).text  # noqa: RUF001  (as above)


def test_the_longest_digest_is_not_clipped() -> None:
    thread = sample("delivery.digest")["data"]["digest"]["threads"][0]
    longest = thread | {"title": "wide " * 40, "state": "w" * 60, "url": f"https://example.org/{'p' * 300}"}

    mail = _mail(threads=[longest] * 50, thread_count=5000)

    assert len(mail.html.encode()) < _CLIPPED_AT
