"""The stack that DeliverFunction sees, made in moto from `template.yaml`, and what a test asks of it."""

from __future__ import annotations

import json
import time
from dataclasses import dataclass, field
from itertools import count
from typing import TYPE_CHECKING, Any

import boto3
from boto3.dynamodb.conditions import Key
from jsonschema import Draft202012Validator
from moto.sqs.models import sqs_backends
from tocsin.model.mail_account import MailAccount

from tests.contract.asyncapi import BUS_SCHEMA
from tests.contract.template import RESOURCES

if TYPE_CHECKING:
    from tests.relay import Relay

_TABLES = ("SettingsTable", "DeliveriesTable", "SuppressionsTable", "EphemeralTable")
_QUEUES = ("NotificationQueue", "BulkQueue", "DeadLetterQueue", "SeenEvents")
_numbers = count(1)
_ON_THE_BUS = Draft202012Validator(json.loads(BUS_SCHEMA.read_text(encoding="utf-8")))

type Json = dict[str, Any]

LOGIN: Json = {"security": "starttls", "mechanisms": ("PLAIN",), "passwords": {"ops": "secret"}}
"""What a relay is told so that a project's account, as `Acme.save` writes it, can log in."""


LINK_KEYS = "tocsin/test/link-keys"
"""The secret whose versions sign our own links."""


def create_table(name: str) -> None:
    """Create a table as the template defines it."""
    properties = RESOURCES[name]["Properties"]
    boto3.client("dynamodb").create_table(
        TableName=name,
        BillingMode=properties["BillingMode"],
        AttributeDefinitions=properties["AttributeDefinitions"],
        KeySchema=properties["KeySchema"],
        **{name: properties[name] for name in ("GlobalSecondaryIndexes",) if name in properties},
    )


def _empty(table: str) -> None:
    boto3.client("dynamodb").delete_table(TableName=table)
    create_table(table)


class Stack:
    """Queues, tables, bus and bucket under their logical ids."""

    def __init__(self) -> None:
        for table in _TABLES:
            create_table(table)
        self.queues = {name: boto3.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in _QUEUES}
        boto3.client("s3").create_bucket(Bucket="payloads")
        boto3.client("s3").put_bucket_versioning(Bucket="payloads", VersioningConfiguration={"Status": "Enabled"})
        boto3.client("secretsmanager").create_secret(Name=LINK_KEYS, SecretString="k" * 64)
        self._create_bus()

    @property
    def environment(self) -> dict[str, str]:
        """What the template gives DeliverFunction."""
        return {
            "SETTINGS_TABLE": "SettingsTable",
            "DELIVERIES_TABLE": "DeliveriesTable",
            "SUPPRESSIONS_TABLE": "SuppressionsTable",
            "EPHEMERAL_TABLE": "EphemeralTable",
            "PAYLOAD_BUCKET": "payloads",
            "NOTIFICATION_QUEUE_ARN": self.arn("NotificationQueue"),
            "NOTIFICATION_QUEUE_URL": self.queues["NotificationQueue"],
            "BULK_QUEUE_ARN": self.arn("BulkQueue"),
            "BULK_QUEUE_URL": self.queues["BulkQueue"],
            "DEAD_LETTER_QUEUE_URL": self.queues["DeadLetterQueue"],
            "EVENT_BUS_NAME": "bus",
            "SECRET_PREFIX": "tocsin/test",
            "SECRET_KEY_ARN": "alias/aws/secretsmanager",
            "LINK_KEYS_SECRET": LINK_KEYS,
            "SECRET_WRITES_PER_SECOND": "40",
            "PUBLIC_BASE_URL": "https://tocsin.example",
            "OIDC_PROJECTS_CLAIM": "tocsin_projects",
            "ALLOWED_PRIVATE_HOSTS": "",
            "RETENTION_DAYS": "30",
            "FUNCTION_TIMEOUT_SECONDS": "60",
        }

    def arn(self, queue: str) -> str:
        """The ARN of a queue."""
        return f"arn:aws:sqs:us-east-1:123456789012:{queue}"

    def messages(self, queue: str) -> list[Json]:
        """Take all visible messages out of a queue; body and `RejectReason`."""
        client, url = boto3.client("sqs"), self.queues[queue]
        taken: list[Json] = []
        while received := client.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            for message in received:
                client.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
                reason: Any = message.get("MessageAttributes", {}).get("RejectReason", {})
                taken.append({"body": message["Body"], "reason": reason.get("StringValue")})
        return taken

    def forget_messages(self) -> None:
        """Take everything out of all queues, what is delayed or in somebody's hands included."""
        for url in self.queues.values():
            boto3.client("sqs").purge_queue(QueueUrl=url)

    def delayed(self, queue: str, project_id: str) -> int:
        """How many messages of a project are in a queue and not visible yet."""
        backend = sqs_backends["123456789012"]["us-east-1"]
        messages = backend.queues[queue]._messages  # noqa: SLF001  (AWS shows nobody what waits)
        waiting = [message for message in messages if message.delayed]
        return sum(f'"{project_id}"' in message.body for message in waiting)

    def pointers(self, project_id: str) -> list[str]:
        """Take all visible messages out of the BulkQueue; those of one project."""
        return [one["body"] for one in self.messages("BulkQueue") if f'"{project_id}"' in one["body"]]

    def events(self) -> list[Json]:
        """The events on the bus since the last time: detail-type and detail, each as its schema promises."""
        events = [json.loads(message["body"]) for message in self.messages("SeenEvents")]
        for event in events:
            _ON_THE_BUS.validate(event)
        return events

    def forget_items(self) -> None:
        """Start with empty tables."""
        for name in _TABLES:
            _empty(name)

    def forget_deliveries(self) -> None:
        """Start a new journal."""
        _empty("DeliveriesTable")

    def _create_bus(self) -> None:
        events = boto3.client("events")
        events.create_event_bus(Name="bus")
        events.put_rule(Name="all", EventBusName="bus", EventPattern=json.dumps({"source": ["tocsin"]}))
        events.put_targets(Rule="all", EventBusName="bus", Targets=[{"Id": "seen", "Arn": self.arn("SeenEvents")}])


@dataclass(slots=True)
class Acme:
    """A project of a test's own, its one mail account, and its events."""

    id: str = field(default_factory=lambda: f"acme-{next(_numbers)}")
    account_id: str = "01JD7Z0000000000000000ACME"
    changes: Json = field(default_factory=dict)
    project: Json = field(default_factory=dict)
    secret: Json = field(default_factory=dict)
    found_out: Json = field(default_factory=dict)

    def save(self, relay: Relay | None, *, port: int = 1, password: str | None = "secret") -> None:  # noqa: S107  (the relay's)
        """Write project, mail account and secret; `changes` and `secret` are laid over the account's own.

        `found_out` is what the account's state says, and makes a grant due at once.
        """
        document = self._account(relay, port) | self.changes
        item: Json = {
            "project_id": {"S": self.id},
            "sk": {"S": f"mail-account#{self.account_id}"},
            "version": {"N": "1"},
            "document": {"S": json.dumps(document)},
        }
        if password is not None:
            item["credential_version"] = {"S": self._secret(document, password)}
        if self.found_out:
            item |= {"state": {"S": json.dumps(self.found_out)}, "due_shard": {"N": "3"}}
            item["refresh_at"] = {"S": "2026-01-01T00:00:00Z"}
        boto3.client("dynamodb").put_item(TableName="SettingsTable", Item=item)
        self._save_project()

    def delete(self) -> None:
        """Delete the project and its account, as an admin does who no longer wants them."""
        from tocsin import wiring  # noqa: PLC0415  (after the stack is there)

        for sort_key in ("project", f"mail-account#{self.account_id}"):
            key = {"project_id": {"S": self.id}, "sk": {"S": sort_key}}
            boto3.client("dynamodb").delete_item(TableName="SettingsTable", Key=key)
        wiring.settings_store.cache_clear()
        wiring.receive.cache_clear()

    def move_to(self, relay: Relay) -> None:
        """Point the account at another relay, as a settings change that forgets the secret would."""
        self.change(relay=self.relay(relay))

    def change(self, **changes: Any) -> None:  # noqa: ANN401  (JSON)
        """Write the account's document anew, as an admin does who changes this of it."""
        key = {"project_id": {"S": self.id}, "sk": {"S": f"mail-account#{self.account_id}"}}
        client = boto3.client("dynamodb")
        document = json.loads(client.get_item(TableName="SettingsTable", Key=key)["Item"]["document"]["S"])
        self._write_account(document=json.dumps(document | changes))

    def relay(self, relay: Relay | None, *, port: int = 1, timeout_seconds: int = 1) -> Json:
        """The account's relay as its document says it."""
        return {
            "host": "127.0.0.1",
            "port": relay.port if relay is not None else port,
            "security": "starttls",
            "timeout_seconds": timeout_seconds,
            "ca_certificate": relay.ca_certificate if relay is not None else None,
        }

    def add_account(self, relay: Relay, account_id: str, policy: str) -> None:
        """Put a second account behind the first on the incident route, under this fall-back policy."""
        first, self.account_id = self.account_id, account_id
        routes = {"incident": [first, account_id]}
        self.changes, self.project = {}, {"routes": routes, "fallback_policy": policy}
        self.save(relay)

    def pointer(self) -> str:
        """The BulkQueue's message for the project's only chunk."""
        project_id, key, number = self._partition().split("#")
        return json.dumps({"project_id": project_id, "notification_key": key, "number": int(number)})

    def overwrite(self, recipient: str, **attributes: str) -> None:
        """Write attributes of a delivery as no function would: what a crash or the passing of time leaves."""
        self._overwrite(recipient, {name: {"S": value} for name, value in attributes.items()})

    def own_chunk(self) -> None:
        """Let another worker own the project's only chunk for the next minute."""
        ends_at = int((time.time() + 60) * 1000)
        self._overwrite("#lease", {"ends_at": {"N": str(ends_at)}, "fence": {"N": str(2**60)}})

    def end_leases(self) -> None:
        """Let time pass until nobody owns a chunk of the project."""
        for item in self._items():
            if item["sk"]["S"] == "#lease":
                boto3.client("dynamodb").update_item(
                    TableName="DeliveriesTable",
                    Key={name: item[name] for name in ("pk", "sk")},
                    UpdateExpression="SET ends_at = :past",
                    ExpressionAttributeValues={":past": {"N": "0"}},
                )

    def let_breaker_try(self) -> None:
        """Let time pass until the account's circuit breaker, if it is open, lets somebody try."""
        client, key = boto3.client("dynamodb"), {"pk": {"S": f"breaker#{self.id}#{self.account_id}"}}
        item = client.get_item(TableName="EphemeralTable", Key=key).get("Item")
        document = json.loads(item["document"]["S"]) if item is not None else {}
        pauses = document.keys() & {"open_until", "next_login_at"}
        if item is not None and pauses:
            document |= dict.fromkeys(pauses, "2026-01-01T00:00:00Z")
            client.put_item(TableName="EphemeralTable", Item=item | {"document": {"S": json.dumps(document)}})

    def suppress(self, address: str) -> None:
        """Suppress an address."""
        item = {"project_id": {"S": self.id}, "address": {"S": address}}
        boto3.client("dynamodb").put_item(TableName="SuppressionsTable", Item=item)

    def event(self, *recipients: str, type: str = "incident.created", **changes: Any) -> Json:  # noqa: A002, ANN401
        """A notification event of this project."""
        number = next(_numbers)
        people = [{"email": recipient} for recipient in recipients or ("ana@example.org",)]
        return {
            "specversion": "1.0",
            "id": f"event-{number}",
            "source": "/tests",
            "type": type,
            "time": "2026-11-21T09:30:00Z",
            "subject": f"incident/{number}",
            "data": {
                "project": {"id": self.id, "name": "Acme"},
                "recipients": people,
                "incident": {"id": str(number), "number": number, "title": "Checkout is down"},
                "alert": {"id": str(number), "title": "Checkout is slow"},
            },
        } | changes

    def deliveries(self) -> dict[str, Json]:
        """The journal's deliveries of this project, by recipient, as plain values."""
        return {
            item["sk"]["S"]: {name: plain(value) for name, value in item.items()}
            for item in self._items()
            if not item["sk"]["S"].startswith("#")
        }

    def every_delivery(self) -> list[Json]:
        """The journal's deliveries of this project, however many a recipient has, as plain values."""
        items = [item for item in self._items() if not item["sk"]["S"].startswith("#")]
        return [{name: plain(value) for name, value in item.items()} for item in items]

    def account(self) -> Json:
        """The mail account's item: its state, as plain values, beside its other attributes."""
        key = {"project_id": {"S": self.id}, "sk": {"S": f"mail-account#{self.account_id}"}}
        item = boto3.client("dynamodb").get_item(TableName="SettingsTable", Key=key)["Item"]
        values = {name: plain(value) for name, value in item.items()}
        return values | {"state": json.loads(values.get("state", "{}"))}

    def marks(self) -> list[tuple[str, str]]:
        """What is marked to go again: of which account, and from when on."""
        condition = Key("project_id").eq(self.id) & Key("sk").begins_with("redrive#")
        answer = boto3.resource("dynamodb").Table("SettingsTable").query(KeyConditionExpression=condition)
        return [(str(item["account"]), str(item["since"])) for item in answer["Items"]]

    def change_password(self, password: str) -> None:
        """Write another version of the account's secret, as an admin does who enters a new password."""
        stored = self.stored_secret()
        secret = {name: value for name, value in stored.items() if name != "version"} | {"password": password}
        written = boto3.client("secretsmanager").put_secret_value(
            SecretId=f"tocsin/test/{self.id}/{self.account_id}", SecretString=json.dumps(secret)
        )
        self._write_account(credential_version=written["VersionId"])

    def let_token_lapse(self) -> None:
        """Let time pass until the access token is over, and the grant due."""
        past = "2026-01-01T00:00:00Z"
        state = self.account()["state"]
        state["grant"] |= {"access_token_expires_at": past, "renewed_at": past}
        self._write_account(state=json.dumps(state), refresh_at=past)

    def forget_renewal(self) -> None:
        """Leave the account as a function does that dies after it stored new tokens and before it said so."""
        name = f"tocsin/test/{self.id}/{self.account_id}"
        versions = boto3.client("secretsmanager").list_secret_version_ids(SecretId=name)["Versions"]
        [first] = [one["VersionId"] for one in versions if "AWSCURRENT" not in one["VersionStages"]]
        self._write_account(state=json.dumps(self.found_out), credential_version=first)

    def _write_account(self, **attributes: str) -> None:
        boto3.client("dynamodb").update_item(
            TableName="SettingsTable",
            Key={"project_id": {"S": self.id}, "sk": {"S": f"mail-account#{self.account_id}"}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in attributes),
            ExpressionAttributeNames={f"#{name}": name for name in attributes},
            ExpressionAttributeValues={f":{name}": {"S": value} for name, value in attributes.items()},
        )

    def stored_secret(self) -> Json:
        """The newest version of the account's secret."""
        stored = boto3.client("secretsmanager").get_secret_value(SecretId=f"tocsin/test/{self.id}/{self.account_id}")
        secret: Json = json.loads(stored["SecretString"])
        return secret | {"version": stored["VersionId"]}

    def states(self) -> dict[str, str]:
        """The state of each delivery."""
        return {recipient: delivery["state"] for recipient, delivery in self.deliveries().items()}

    def _items(self) -> list[Json]:
        pages = boto3.client("dynamodb").get_paginator("scan").paginate(TableName="DeliveriesTable")
        return [item for page in pages for item in page["Items"] if item["pk"]["S"].startswith(f"{self.id}#")]

    def _partition(self) -> str:
        [partition] = {item["pk"]["S"] for item in self._items()}
        return str(partition)

    def _overwrite(self, sort_key: str, values: Json) -> None:
        boto3.client("dynamodb").update_item(
            TableName="DeliveriesTable",
            Key={"pk": {"S": self._partition()}, "sk": {"S": sort_key}},
            UpdateExpression="SET " + ", ".join(f"#{name} = :{name}" for name in values),
            ExpressionAttributeNames={f"#{name}": name for name in values},
            ExpressionAttributeValues={f":{name}": value for name, value in values.items()},
        )

    def _account(self, relay: Relay | None, port: int) -> Json:
        return {
            "name": "Ops mailbox",
            "relay": self.relay(relay, port=port),
            "auth": {"type": "password", "username": "ops"},
            "senders": [{"name": "Acme Ops", "email": "ops@acme.example"}],
        }

    def _secret(self, document: Json, password: str) -> str:
        account = MailAccount.model_validate(document | {"project_id": self.id, "id": self.account_id, "version": 1})
        saved_for = account.secret_binding.model_dump()
        secret = {"saved_for": saved_for, "password": password, "access_token": password} | self.secret
        created = boto3.client("secretsmanager").create_secret(
            Name=f"tocsin/test/{self.id}/{self.account_id}", SecretString=json.dumps(secret)
        )
        return created["VersionId"]

    def _save_project(self) -> None:
        routes = {name: [self.account_id] for name in ("incident", "alert", "status_page")}
        document = {"name": "Acme", "routes": routes} | self.project
        boto3.client("dynamodb").put_item(
            TableName="SettingsTable",
            Item={
                "project_id": {"S": self.id},
                "sk": {"S": "project"},
                "version": {"N": "1"},
                "document": {"S": json.dumps(document)},
            },
        )


def plain(value: Any) -> Any:  # noqa: ANN401  (DynamoDB's JSON holds anything)
    """A DynamoDB value as Python has it."""
    match value:
        case {"M": fields}:
            return {name: plain(field) for name, field in fields.items()}
        case {"L": parts}:
            return [plain(part) for part in parts]
        case {"N": number}:
            return int(number)
        case _:
            return next(iter(value.values()))
