"""When a client secret ends, as its account's admins are told."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone

import pytest
from tocsin.compose.expiry import secret_expiry
from tocsin.compose.reader import Reader, reading

AT = datetime(2026, 11, 21, 9, 29, 40, tzinfo=UTC)


@pytest.mark.parametrize(
    ("on", "told_at", "written"),
    [
        (date(2026, 12, 21), AT, "expires in 30 days"),
        (date(2026, 11, 23), AT, "expires in 2 days"),
        (date(2026, 11, 22), AT, "expires tomorrow"),
        (date(2026, 11, 21), AT, "expires today"),
        (date(2026, 11, 20), AT, "expired on Fri 20 Nov 2026"),
        (date(2026, 11, 28), None, "expires on Sat 28 Nov 2026"),
        (date(2026, 11, 22), datetime(2026, 11, 21, 23, 59, tzinfo=timezone(timedelta(hours=-12))), "expires tomorrow"),
        (date.max, datetime.min.replace(tzinfo=timezone(timedelta(hours=14))), "expires in 3652058 days"),
    ],
)
def test_an_end_is_counted_in_days_from_when_it_was_told(on: date, told_at: datetime | None, written: str) -> None:
    assert secret_expiry("Ops", on, told_at) == f"The client secret of Ops {written}"


@pytest.mark.parametrize(
    ("locale", "days", "written"),
    [
        ("de", 1, "Das Client-Secret von Ops läuft morgen ab"),
        ("de", 7, "Das Client-Secret von Ops läuft in 7 Tagen ab"),
        ("fr", 1, "Le secret client de Ops expire demain"),
        ("es", -1, "El secreto de cliente de Ops caducó el vie, 20 nov 2026"),
        ("ja", 7, "Ops のクライアントシークレットはあと 7 日で期限切れになります"),
    ],
)
def test_an_end_is_told_in_the_language_of_the_reader(locale: str, days: int, written: str) -> None:
    with reading(Reader(locale=locale)):
        assert secret_expiry("Ops", AT.date() + timedelta(days=days), AT) == written
