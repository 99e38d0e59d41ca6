"""The AsyncAPI document names what publishers may send and what subscribers may get, and refers to what is there."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from jsonschema import Draft202012Validator
from tocsin.model.delivery import State
from tocsin.model.notification import CATALOGUE
from tocsin.model.reply import Phase

from tests.contract.asyncapi import BUS_SCHEMA, detail_types, document
from tests.contract.publish import ASYNCAPI

if TYPE_CHECKING:
    from collections.abc import Iterator

type Json = dict[str, Any]

_DOCUMENT = document()
_SCHEMA: Json = json.loads(BUS_SCHEMA.read_text(encoding="utf-8"))


def _references(part: object) -> Iterator[str]:
    if isinstance(part, dict):
        yield from (value for name, value in part.items() if name == "$ref")
        for value in part.values():
            yield from _references(value)
    elif isinstance(part, list):
        for value in part:
            yield from _references(value)


def _inside(reference: str, whole: Json) -> Any:  # noqa: ANN401  (whatever stands there)
    found: Any = whole
    for name in reference.removeprefix("#/").split("/"):
        found = found[name]
    return found


def test_every_type_of_the_catalogue_may_be_published_with_its_sample() -> None:
    messages = _DOCUMENT["channels"]["notifications"]["messages"]

    assert set(messages) == set(CATALOGUE)
    assert all(message["examples"][0]["payload"]["type"] == type_ for type_, message in messages.items())


@pytest.mark.parametrize("reference", sorted(set(_references(_DOCUMENT))))
def test_whatever_is_referred_to_is_there(reference: str) -> None:
    if reference.startswith("#/"):
        assert _inside(reference, _DOCUMENT)
    else:
        assert (ASYNCAPI.parent / reference).resolve().is_file()


def test_the_bus_tells_of_every_state_that_a_delivery_comes_to_rest_in() -> None:
    told = {name.removeprefix("delivery.") for name in detail_types() if name.startswith("delivery.")}

    assert told == {state.value for state in State} - {State.SUBMITTING.value}
    assert set(_SCHEMA["$defs"]["Delivery"]["properties"]["state"]["enum"]) == told
    assert set(_SCHEMA["$defs"]["Reply"]["properties"]["phase"]["enum"]) == {phase.value for phase in Phase}


def test_the_schema_of_the_bus_is_one() -> None:
    Draft202012Validator.check_schema(_SCHEMA)


@pytest.mark.parametrize(
    "event",
    [
        {"source": "tocsin", "detail-type": "delivery.accepted", "detail": {}},
        {"source": "tocsin", "detail-type": "mail_account.verified", "detail": {"schema_version": 1}},
        {"source": "other", "detail-type": "mailbox.message_received", "detail": {}},
        {"source": "tocsin", "detail-type": "delivery.lost", "detail": {}},
    ],
)
def test_what_is_no_event_of_ours_is_told_apart(event: Json) -> None:
    assert not Draft202012Validator(_SCHEMA).is_valid(event)
