"""What custom templates are looked up by, and how a status page looks beside its project."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from tocsin.model.branding import Branding, SubjectStyle
from tocsin.model.custom_template import is_template_name, template_names
from tocsin.model.event import check_event
from tocsin.model.project import Project, StatusPageSettings

from tests.unit.model.examples import event

if TYPE_CHECKING:
    from tocsin.model.notification import Notification

TYPE = "status_page.subscribed"


def _of_page(page_id: str) -> Notification:
    data: dict[str, Any] = {
        "project": {"id": "acme"},
        "recipients": [{"email": "ana@example.org"}],
        "status_page": {"id": page_id},
    }
    return check_event(event() | {"type": TYPE, "data": data})


def test_a_type_without_a_status_page_has_one_template() -> None:
    assert template_names(check_event(event())) == ("incident.created",)


@pytest.mark.parametrize("page_id", ["public", "01JD7Z", "a/b:c@d", "x" * 200])
def test_a_status_page_s_template_goes_before_that_of_its_type(page_id: str) -> None:
    names = template_names(_of_page(page_id))

    assert names == (f"{TYPE}#{page_id}", TYPE)
    assert all(map(is_template_name, names))


@pytest.mark.parametrize("page_id", ["a#b", "a b", "é", "a\n", "x" * 201])
def test_a_status_page_whose_id_is_no_name_has_the_template_of_its_type(page_id: str) -> None:
    assert template_names(_of_page(page_id)) == (TYPE,)
    assert not is_template_name(f"{TYPE}#{page_id}")


@pytest.mark.parametrize(
    "name", ["", "incident", "incident.", "a.b#", "Incident.created", "incident.created\n", "a.b.c"]
)
def test_what_is_no_type_is_no_name(name: str) -> None:
    assert not is_template_name(name)


def test_a_status_page_looks_like_its_project_but_for_what_it_says_itself() -> None:
    project = Project(
        project_id="acme",
        version=1,
        name="Acme",
        subject_style=SubjectStyle.STABLE,
        branding=Branding(color="#111111", footer="Of all"),
        status_pages={"public": StatusPageSettings(branding=Branding(color="#222222"), sender="status@acme.example")},
    )

    page, other, none = (project.look(one) for one in ("public", "other", None))

    assert page.branding == Branding(color="#222222", footer="Of all")
    assert (page.project_name, page.subject_style) == ("Acme", SubjectStyle.STABLE)
    assert other == none
    assert none.branding == project.branding
    assert [project.sender_of(one) for one in ("public", "other", None)] == ["status@acme.example", None, None]
