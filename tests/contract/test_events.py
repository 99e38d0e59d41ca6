"""The event's samples, its derived schema and the models say the same."""

from __future__ import annotations

import json
from datetime import date, datetime
from hashlib import md5
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from tocsin.errors import InvalidNotification
from tocsin.model.event import check_event
from tocsin.model.notification import CATALOGUE, Notification

from tests.contract.asyncapi import BUS_SCHEMA
from tests.contract.publish import EVENTS, SAMPLES, SCHEMA, derived

type Json = dict[str, Any]

_formats = FormatChecker(formats=())
_REFERENCE: Json = {"bucket": "b", "key": "acme/list", "version_id": "v", "sha256": "0" * 64}
_FILE: Json = {"name": "a.txt", "content_base64": "YQ=="}
_REFERRED: Json = {"name": "a.txt", "ref": _REFERENCE}
_NULLS: Json = dict.fromkeys(("content_type", "inline", "content_id", "content_base64"))
_TEMPLATE_FILES = {"subject.txt.j2", "body.txt.j2", "body.html.j2"}
_DERIVED = derived()


@_formats.checks("date-time", raises=ValueError)
def _is_aware(value: object) -> bool:
    return not isinstance(value, str) or datetime.fromisoformat(value).tzinfo is not None


@_formats.checks("date", raises=ValueError)
def _is_day(value: object) -> bool:
    return not isinstance(value, str) or bool(date.fromisoformat(value))


_VALIDATOR = Draft202012Validator(json.loads(_DERIVED[SCHEMA]), format_checker=_formats)


def _sample(type_: str) -> Json:
    sample: Json = json.loads((SAMPLES / f"{type_}.json").read_text(encoding="utf-8"))
    return sample


def _changed(event: Json, changes: Json) -> Json:
    """The event with what stands at each dotted path replaced; `...` takes it away."""
    for path, value in changes.items():
        *parents, name = path.split(".")
        target: Any = event
        for parent in parents:
            target = target[int(parent) if isinstance(target, list) else parent]
        if value is ...:
            del target[name]
        else:
            target[name] = value
    return event


def _model_takes(event: Json) -> bool:
    try:
        return isinstance(check_event(event), Notification)
    except InvalidNotification:
        return False


@pytest.mark.parametrize("path", _DERIVED, ids=lambda path: path.name)
def test_a_derived_file_is_as_the_models_and_samples_say(path: Any) -> None:  # noqa: ANN401  (a Path)
    assert path.read_text(encoding="utf-8") == _DERIVED[path], "`make publish` writes it"


def test_nothing_else_stands_among_the_derived_files() -> None:
    found = {path for folder in ("api", "schemas", "invoke") for path in (EVENTS / folder).iterdir()}

    assert found - {BUS_SCHEMA} == _DERIVED.keys()


def test_the_schema_is_a_schema() -> None:
    Draft202012Validator.check_schema(json.loads(_DERIVED[SCHEMA]))


def test_every_type_has_a_sample_and_a_template_and_nothing_else_has() -> None:
    templates = {path.name for path in files("tocsin.compose").joinpath("templates").iterdir()}

    assert {path.name for path in SAMPLES.iterdir()} == {f"{type_}.json" for type_ in CATALOGUE}
    assert {name for name in templates if not name.startswith("_")} == CATALOGUE.keys()


@pytest.mark.parametrize("type_", CATALOGUE)
def test_every_type_has_its_three_templates(type_: str) -> None:
    folder = files("tocsin.compose").joinpath("templates", type_)

    assert {path.name for path in folder.iterdir()} == _TEMPLATE_FILES


@pytest.mark.parametrize("type_", CATALOGUE)
def test_every_sample_is_valid_and_of_the_type_that_its_name_says(type_: str) -> None:
    sample = _sample(type_)

    _VALIDATOR.validate(sample)
    assert check_event(sample).type == type_


@pytest.mark.parametrize("type_", CATALOGUE)
def test_every_part_of_an_event_is_described(type_: str) -> None:
    parts = json.loads(_DERIVED[SCHEMA])["$defs"]

    assert parts[CATALOGUE[type_].__name__]["description"]
    assert not [name for name, part in parts.items() if not part.get("description")]


@pytest.mark.parametrize("type_", CATALOGUE)
def test_an_invocation_carries_the_sample_as_sqs_would(type_: str) -> None:
    [record] = json.loads(_DERIVED[EVENTS / "invoke" / f"deliver-{type_}.json"])["Records"]

    assert json.loads(record["body"]) == _sample(type_)
    assert record["md5OfBody"] == md5(record["body"].encode(), usedforsecurity=False).hexdigest()


@pytest.mark.parametrize(
    ("type_", "changes"),
    [
        pytest.param("incident.created", {"specversion": "0.3"}, id="other-specversion"),
        pytest.param("incident.created", {"specversion": ...}, id="no-specversion"),
        pytest.param("incident.created", {"type": "incident.exploded"}, id="unknown-type"),
        pytest.param("incident.created", {"type": ...}, id="no-type"),
        pytest.param("incident.created", {"id": None}, id="id-null"),
        pytest.param("incident.created", {"id": ""}, id="id-empty"),
        pytest.param("incident.created", {"id": "x" * 257}, id="id-too-long"),
        pytest.param("incident.created", {"source": "x" * 513}, id="source-too-long"),
        pytest.param("incident.created", {"source": "a\nb"}, id="line-end-in-source"),
        pytest.param("incident.created", {"time": "yesterday"}, id="time-is-a-word"),
        pytest.param("incident.created", {"time": "2026-11-21T09:30:00"}, id="time-without-zone"),
        pytest.param("incident.created", {"datacontenttype": "text/xml"}, id="other-content-type"),
        pytest.param("incident.created", {"data": ...}, id="no-data"),
        pytest.param("incident.created", {"data": None}, id="data-null"),
        pytest.param("incident.created", {"data": []}, id="data-is-a-list"),
        pytest.param("incident.created", {"data.project": None}, id="project-null"),
        pytest.param("incident.created", {"data.project.id": "Acme!"}, id="no-project-id"),
        pytest.param("incident.created", {"data.project.id": "_system"}, id="reserved-project-id"),
        pytest.param("incident.created", {"data.project.id": "a" * 64}, id="project-id-too-long"),
        pytest.param("incident.created", {"data.recipients": ...}, id="no-recipients"),
        pytest.param("incident.created", {"data.recipients": None}, id="recipients-null"),
        pytest.param("incident.created", {"data.recipients": []}, id="recipients-empty"),
        pytest.param("incident.created", {"data.recipients": [None]}, id="recipient-null"),
        pytest.param("incident.created", {"data.recipients": [{"name": "Ana"}]}, id="recipient-without-address"),
        pytest.param("incident.created", {"data.recipients": [{"email": ""}]}, id="recipient-with-empty-address"),
        pytest.param("incident.created", {"data.recipients": [{"email": None}]}, id="recipient-with-null-address"),
        pytest.param("incident.created", {"data.recipients": {"email": "a@example.org"}}, id="recipients-no-list"),
        pytest.param("incident.created", {"data.recipients_ref": _REFERENCE}, id="recipients-twice"),
        pytest.param(
            "incident.created",
            {"data.recipients": ..., "data.recipients_ref": _REFERENCE | {"sha256": "0"}},
            id="reference-with-a-short-digest",
        ),
        pytest.param(
            "incident.created", {"data.recipients": None, "data.recipients_ref": {"bucket": "b"}}, id="half-a-reference"
        ),
        pytest.param("incident.created", {"data.incident": ...}, id="no-incident"),
        pytest.param("incident.created", {"data.incident.title": None}, id="title-null"),
        pytest.param("incident.created", {"data.incident.title": ""}, id="title-empty"),
        pytest.param("incident.created", {"data.incident.id": 1042}, id="incident-id-is-a-number"),
        pytest.param("incident.created", {"data.incident.number": "many"}, id="number-is-a-word"),
        pytest.param("incident.created", {"data.incident.kind": "bad"}, id="unknown-kind"),
        pytest.param("incident.created", {"data.incident.resources": "Checkout"}, id="resources-no-list"),
        pytest.param("incident.created", {"data.options.attachments": [{"name": "a"}]}, id="attachment-of-nothing"),
        pytest.param(
            "incident.created", {"data.options.attachments": [_FILE | {"ref": _REFERENCE}]}, id="two-contents"
        ),
        pytest.param(
            "incident.created", {"data.options.attachments": [_FILE | {"name": None}]}, id="file-without-name"
        ),
        pytest.param("incident.created", {"data.options.attachments": [_FILE] * 21}, id="21-files"),
        pytest.param(
            "incident.created", {"data.options.attachments": [_FILE | {"content_type": "a\nb"}]}, id="odd-content-type"
        ),
        pytest.param("incident.created", {"data.options.cc": [{"name": "Cleo"}]}, id="cc-without-address"),
        pytest.param("incident.created", {"data.options.bcc": [{"email": "a@example.org"}] * 21}, id="21-in-bcc"),
        pytest.param("incident.created", {"data.options": []}, id="options-no-object"),
        pytest.param("incident.created", {"data.options.expires_at": "2026-11-21"}, id="expiry-is-a-day"),
        pytest.param("incident.state_changed", {"data.change": ...}, id="no-change"),
        pytest.param("incident.state_changed", {"data.change.state": None}, id="state-null"),
        pytest.param("incident.state_changed", {"data.change.previous_state_seconds": -1}, id="seconds-below-zero"),
        pytest.param("alert.created", {"data.alert": None}, id="alert-null"),
        pytest.param("status_page.incident_created", {"data.status_page": ...}, id="no-status-page"),
        pytest.param("status_page.incident_created", {"data.status_page.id": ""}, id="status-page-id-empty"),
        pytest.param("status_page.incident_state_changed", {"data.change": None}, id="change-null"),
        pytest.param("settings.reauthorization_required", {"data.mail_account": ...}, id="no-mail-account"),
        pytest.param("settings.reauthorization_required", {"data.mail_account.name": None}, id="account-name-null"),
        pytest.param("settings.secret_expiring", {"data.expires_on": None}, id="expires-on-null"),
        pytest.param("settings.secret_expiring", {"data.expires_on": "soon"}, id="expires-on-is-a-word"),
    ],
)
def test_a_bad_event_is_refused_by_schema_and_model(type_: str, changes: Json) -> None:
    event = _changed(_sample(type_), changes)

    assert not _VALIDATOR.is_valid(event)
    assert not _model_takes(event)


@pytest.mark.parametrize(
    ("type_", "changes"),
    [
        pytest.param("incident.created", {"time": None, "subject": None, "datacontenttype": None}, id="envelope-nulls"),
        pytest.param("incident.created", {"time": ..., "subject": ..., "datacontenttype": ...}, id="envelope-least"),
        pytest.param("incident.created", {"traceparent": "00-1", "data.extra": {"a": 1}}, id="unknown-attributes"),
        pytest.param("incident.created", {"data.incident.runbook": ["x"]}, id="unknown-attribute-of-a-part"),
        pytest.param("incident.created", {"data.alert": {"anything": 1}}, id="another-familys-object"),
        pytest.param("incident.created", {"data.options": None}, id="options-null"),
        pytest.param("incident.created", {"data.options": ...}, id="no-options"),
        pytest.param("incident.created", {"data.options": {}}, id="options-empty"),
        pytest.param("incident.created", {"data.options.attachments": None}, id="attachments-null"),
        pytest.param("incident.created", {"data.options.attachments": [_FILE | {"ref": None}]}, id="file"),
        pytest.param("incident.created", {"data.options.attachments": [_REFERRED | _NULLS]}, id="file-by-reference"),
        pytest.param("incident.created", {"data.options.cc": None, "data.options.calendar": None}, id="copies-null"),
        pytest.param("incident.created", {"data.options.cc": [{"email": "no address", "name": None}]}, id="cc"),
        pytest.param("incident.created", {"data.recipients_ref": None}, id="reference-null-beside-recipients"),
        pytest.param(
            "incident.created",
            {"data.recipients": None, "data.recipients_ref": _REFERENCE},
            id="recipients-null-beside-a-reference",
        ),
        pytest.param("incident.created", {"data.recipients": ..., "data.recipients_ref": _REFERENCE}, id="reference"),
        pytest.param("incident.created", {"data.recipients": [{"email": "no address"}]}, id="an-address-that-is-none"),
        pytest.param(
            "incident.created",
            {"data.recipients": [{"email": "a@example.org", "name": None, "role": None, "locale": None}]},
            id="recipient-nulls",
        ),
        pytest.param(
            "incident.created",
            {
                "data.incident": dict.fromkeys(("number", "kind", "state", "url", "resources", "declared_at"))
                | {"id": "1", "title": "Down"}
            },
            id="incident-nulls",
        ),
        pytest.param(
            "incident.created", {"data.incident.title": "a\r\nBcc: b\x00{{ 1 }}<b>"}, id="title-full-of-tricks"
        ),
        pytest.param("incident.created", {"time": "2026-11-21T10:30:00.123456+01:00"}, id="time-with-offset"),
        pytest.param("incident.state_changed", {"data.change": {"state": "resolved"}}, id="change-least"),
        pytest.param("incident.state_changed", {"data.change.previous_state": None}, id="previous-state-null"),
        pytest.param("status_page.incident_created", {"data.status_page": {"id": "1"}}, id="status-page-least"),
        pytest.param("status_page.incident_created", {"data.status_page.time_zones": None}, id="time-zones-null"),
        pytest.param("alert.state_changed", {"data.alert": {"id": "1", "title": "Slow"}}, id="alert-least"),
        pytest.param(
            "settings.reauthorization_required",
            {"data.mail_account": {"id": "1", "name": "Ops"}, "data.error": None, "data.remedy": ..., "data.url": None},
            id="account-least",
        ),
    ],
)
def test_an_odd_event_is_valid_by_schema_and_model(type_: str, changes: Json) -> None:
    event = _changed(_sample(type_), changes)

    _VALIDATOR.validate(event)
    assert _model_takes(event)


@pytest.mark.parametrize("type_", CATALOGUE)
def test_whatever_may_be_absent_may_be_null(type_: str) -> None:
    event = _sample(type_)
    for name, part in event["data"].items():
        model: Any = CATALOGUE[type_].model_fields[name].annotation
        if isinstance(part, dict):
            optional = {field for field, info in model.model_fields.items() if not info.is_required()}
            event["data"][name] = part | dict.fromkeys(optional)

    _VALIDATOR.validate(event)
    assert _model_takes(event)
