"""The AsyncAPI 3 document: the queue that publishers write to, and the bus that we publish on."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tocsin.model.notification import CATALOGUE

type Json = dict[str, Any]

_EVENTS = Path(__file__).parents[2] / "events"
BUS_SCHEMA = _EVENTS / "schemas" / "bus.schema.json"


def document() -> Json:
    """The document; the schemas that it refers to are published beside it."""
    return {
        "asyncapi": "3.0.0",
        "info": {
            "title": "Tocsin",
            "version": "1.0.0",
            "description": "Notification events in, by SQS; what became of them out, by EventBridge.",
            "license": {"name": "Apache-2.0"},
        },
        "defaultContentType": "application/json",
        "servers": {
            "queue": {"host": "sqs.{region}.amazonaws.com", "protocol": "sqs", "variables": {"region": {}}},
            "bus": {"host": "events.{region}.amazonaws.com", "protocol": "eventbridge", "variables": {"region": {}}},
        },
        "channels": {"notifications": _notifications(), "bus": _bus()},
        "operations": {
            "deliver": {
                "action": "receive",
                "summary": "Deliver a notification to its recipients.",
                "channel": {"$ref": "#/channels/notifications"},
            },
            "tell": {
                "action": "send",
                "summary": "Tell what became of deliveries and mail accounts.",
                "channel": {"$ref": "#/channels/bus"},
            },
        },
    }


def detail_types() -> list[str]:
    """The events on the bus, by their detail-type."""
    schema: Json = json.loads(BUS_SCHEMA.read_text(encoding="utf-8"))
    types: list[str] = schema["properties"]["detail-type"]["enum"]
    return types


def _notifications() -> Json:
    return {
        "address": "{NotificationQueueUrl}",
        "title": "NotificationQueue",
        "description": "One CloudEvent a message, at most 1,000,000 bytes. Set MessageGroupId to the project's id: one "
        "project's storm then holds up no other's.",
        "parameters": {"NotificationQueueUrl": {"description": "The stack's output of that name."}},
        "servers": [{"$ref": "#/servers/queue"}],
        "messages": {type_: _notification(type_) for type_ in CATALOGUE},
    }


def _notification(type_: str) -> Json:
    sample = json.loads((_EVENTS / "notifications" / f"{type_}.json").read_text(encoding="utf-8"))
    return {
        "name": type_,
        "title": type_,
        "contentType": "application/cloudevents+json",
        "payload": {"$ref": "../schemas/notification.schema.json"},
        "examples": [{"name": type_, "payload": sample}],
    }


def _bus() -> Json:
    return {
        "address": "{EventBusName}",
        "title": "EventBus",
        "description": "EventBridge events of the source `tocsin`; nothing in Tocsin depends on a subscriber.",
        "parameters": {"EventBusName": {"description": "The stack's output of that name."}},
        "servers": [{"$ref": "#/servers/bus"}],
        "messages": {
            name: {"name": name, "title": name, "payload": {"$ref": "../schemas/bus.schema.json"}}
            for name in detail_types()
        },
    }
