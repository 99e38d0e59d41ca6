"""The title of a thread's first mail is kept once, beside what is written anyway, and only where it makes a subject."""

from __future__ import annotations

from typing import Any

import pytest
from tocsin.actions.keep_title import KeepTitle
from tocsin.model.branding import SubjectStyle, ThreadTitle
from tocsin.model.event import check_event
from tocsin.model.shared_item import SharedItem
from tocsin.model.thread import TITLE_KEPT, title_key

from tests.unit.compose.mails import sample
from tests.unit.model.examples import NOW


def _keep(
    type_: str = "incident.created",
    *,
    style: SubjectStyle | None = None,
    items: dict[str, SharedItem] | None = None,
    writes: bool = True,
    **changes: Any,  # noqa: ANN401  (JSON)
) -> KeepTitle:
    event = sample(type_)
    event["subject"] = "incident/1042"
    event["data"]["project"]["id"] = "acme"
    event["data"].get("incident", {}).update(changes)
    return KeepTitle(
        notification=check_event(event),
        style=style,
        items={} if items is None else items,
        writes=writes,
        clock=lambda: NOW,
    )


def _standing(**document: object) -> dict[str, SharedItem]:
    [key] = _keep().keys()
    return {key: SharedItem(key=key, version=1, document=document)}


def test_the_first_mail_s_title_is_written_and_makes_no_difference_to_that_mail() -> None:
    first = _keep(title="Checkout is down", first_title=None)

    [item] = first.claim()

    kept = {"title": "Checkout is down", "number": 1042}
    assert (first.title(), item.document, item.version) == (None, kept, 1)
    assert item.forgotten_at == NOW + TITLE_KEPT


def test_later_mails_have_it_and_write_nothing() -> None:
    later = _keep(items=_standing(title="Checkout is down", number=7), title="Checkout is slow")

    assert (later.title(), later.claim()) == (ThreadTitle(title="Checkout is down", number=7), [])


@pytest.mark.parametrize(
    ("document", "number"),
    [
        pytest.param({"number": None}, None, id="first-mail-had-none"),
        pytest.param({"number": "7"}, None, id="no-number"),
        pytest.param({}, 1042, id="written-when-none-was-kept"),
    ],
)
def test_a_number_stays_as_absent_or_present_as_it_was(document: dict[str, Any], number: int | None) -> None:
    later = _keep(items=_standing(title="Down", **document))

    assert later.title() == ThreadTitle(title="Down", number=number)


def test_all_mails_of_a_run_have_the_same_though_it_is_written_meanwhile() -> None:
    items: dict[str, SharedItem] = {}
    run = _keep(items=items)
    assert run.title() is None

    items.update(_standing(title="Another"))

    assert (run.title(), run.claim()) == (None, [])


def test_what_stands_there_and_is_no_title_is_written_over() -> None:
    [item] = _keep(items=_standing(title=7), first_title="Down").claim()

    assert (item.document, item.version) == ({"title": "Down", "number": 1042}, 2)


def test_only_one_chunk_of_a_large_notification_writes() -> None:
    assert _keep(writes=False).claim() == []
    assert [*_keep(writes=False).keys()]


@pytest.mark.parametrize(
    ("type_", "style", "is_kept"),
    [
        ("incident.created", None, True),
        ("incident.created", SubjectStyle.DESCRIPTIVE, False),
        ("status_page.incident_created", None, False),
        ("status_page.incident_created", SubjectStyle.STABLE, True),
        ("status_page.subscribed", SubjectStyle.STABLE, False),  # of no thread
        ("settings.test_message", None, False),
    ],
)
def test_it_is_kept_where_the_thread_keeps_its_subject(
    type_: str, style: SubjectStyle | None, *, is_kept: bool
) -> None:
    keep = _keep(type_, style=style)

    assert (bool([*keep.keys()]), bool(keep.claim())) == (is_kept, is_kept)


def test_what_subscribers_are_told_has_a_title_of_its_own_on_each_page() -> None:
    stable = SubjectStyle.STABLE
    internal, public = _keep(style=stable), _keep("status_page.incident_created", style=stable)
    other = sample("status_page.incident_created") | {"subject": "incident/1042"}
    other["data"]["project"]["id"] = "acme"
    other["data"]["status_page"]["id"] = "other"

    keys = [*internal.keys(), *public.keys(), title_key(check_event(other))]

    assert len(set(keys)) == 3
    assert all(key.startswith("thread#acme#") for key in keys)


def test_all_types_of_a_family_share_the_title_of_their_thread() -> None:
    assert [*_keep("incident.created").keys()] == [*_keep("incident.state_changed").keys()]
