"""A thread's title is the one that its subject is made of."""

from __future__ import annotations

import pytest
from tocsin.model.branding import Look, SubjectStyle
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE
from tocsin.model.thread import own_title

from tests.unit.compose.mails import SENDER, sample
from tests.unit.compose.naive import rendered


@pytest.mark.parametrize("event_type", CATALOGUE)
def test_a_title_is_known_of_exactly_those_threads_that_have_a_subject(event_type: str) -> None:
    notification = check_event(sample(event_type))
    assert notification.data.recipients

    topic = rendered(notification, notification.data.recipients[0], sender=SENDER).topic
    title = own_title(notification)

    assert (title is None) == (topic is None)
    assert title is None or (topic or "").endswith(title.title)


@pytest.mark.parametrize("event_type", ["incident.created", "status_page.incident_created"])
def test_a_title_that_was_remembered_makes_the_same_subject(event_type: str) -> None:
    notification = check_event(sample(event_type))
    assert notification.data.recipients
    recipient = notification.data.recipients[0]

    subjects = {
        rendered(
            notification,
            recipient,
            sender=SENDER,
            look=Look(subject_style=SubjectStyle.STABLE, thread_title=title),
        ).subject
        for title in (None, own_title(notification))
    }

    assert len(subjects) == 1
