"""How the journal's items look in DeliveriesTable: the notification, the lease, and the deliveries."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from hashlib import sha256
from typing import TYPE_CHECKING, Any

from tocsin.model.delivery import Entry, State
from tocsin.model.reply import Phase, Reply
from tocsin.model.retry import expires_at

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from mypy_boto3_dynamodb.type_defs import AttributeValueTypeDef, TransactWriteItemTypeDef

    from tocsin.model.chunk import Chunk
    from tocsin.model.delivery import Change
    from tocsin.model.notification import Notification

    Item = Mapping[str, AttributeValueTypeDef]

NOTIFICATION = "#notification"
LEASE = "#lease"
DUE_SHARDS = 16
_KEY_OCTETS = 1500  # of the 2,048 that a partition key may have
_SUBJECT_CHARACTERS = 512
_REPLY_TEXT_CHARACTERS = 500  # every try adds a line to an item of 400 kB at most


@dataclass(frozen=True, slots=True, kw_only=True)
class Lease:
    """A chunk's lease as it was read: whose, by the fence, and until when, in milliseconds.

    `is_live`: the owner may have been at work just then, so that what was read with it is old at any moment.
    """

    fence: int
    ends_at: int
    is_live: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Ownership:
    """One worker's hold on one chunk. `fence` grows with every owner; `ends_at` outlives the function.

    `found` is the lease that stood there when the chunk was read; None: there was none.
    """

    table: str
    chunk: Chunk
    fence: int
    ends_at: datetime
    ttl: int
    type: str
    correlation: str
    found: Lease | None = None

    def key(self, sort_key: str) -> dict[str, AttributeValueTypeDef]:
        """The primary key of one of the chunk's items."""
        return {"pk": {"S": self.chunk.partition}, "sk": {"S": sort_key}}


def fence_at(now: datetime, *, found: Lease | None = None) -> int:
    """The fencing number of whoever comes at that time, which is above the one that was `found`."""
    return max(int(now.timestamp() * 1_000_000), found.fence + 1 if found is not None else 0)


def pack(event: Mapping[str, Any]) -> bytes:
    """The event, as it is stored."""
    return zlib.compress(json.dumps(event, separators=(",", ":")).encode(), level=6)


def unpack(content: bytes) -> dict[str, Any]:
    """The event that `pack` was given."""
    event: dict[str, Any] = json.loads(zlib.decompress(content))
    return event


def take_lease(owner: Ownership, *, now: datetime, given_back: bool) -> TransactWriteItemTypeDef:
    """Take the chunk, if nobody owned it since it was read; `given_back`: for this one write only.

    A lease that is not given back is due when it ends: the sweep then looks who may have died.
    """
    values: dict[str, AttributeValueTypeDef] = {} if given_back else _values(due(owner.chunk.partition, owner.ends_at))
    condition = "attribute_not_exists(pk)"
    if owner.found is not None:
        condition = "fence = :found_fence AND ends_at = :found_end"
        values |= {":found_fence": {"N": str(owner.found.fence)}, ":found_end": {"N": str(owner.found.ends_at)}}
    in_index = " REMOVE retry_at, due_shard" if given_back else ", retry_at = :retry_at, due_shard = :due_shard"
    return {
        "Update": {
            "TableName": owner.table,
            "Key": owner.key(LEASE),
            "UpdateExpression": f"SET fence = :fence, ends_at = :ends_at, #ttl = :ttl{in_index}",
            "ConditionExpression": condition,
            "ExpressionAttributeNames": {"#ttl": "ttl"},
            "ExpressionAttributeValues": {
                ":fence": {"N": str(owner.fence)},
                ":ends_at": _millis(now if given_back else owner.ends_at),
                ":ttl": {"N": str(owner.ttl)},
                **values,
            },
        }
    }


def hold_lease(owner: Ownership) -> TransactWriteItemTypeDef:
    """Ask that the chunk is still this owner's."""
    return {
        "ConditionCheck": {
            "TableName": owner.table,
            "Key": owner.key(LEASE),
            "ConditionExpression": "fence = :fence",
            "ExpressionAttributeValues": {":fence": {"N": str(owner.fence)}},
        }
    }


def give_lease_back(owner: Ownership) -> TransactWriteItemTypeDef:
    """Let the next owner take the chunk at once."""
    return {
        "Update": {
            "TableName": owner.table,
            "Key": owner.key(LEASE),
            "UpdateExpression": "SET ends_at = :past REMOVE retry_at, due_shard",
            "ConditionExpression": "fence = :fence",
            "ExpressionAttributeValues": {":fence": {"N": str(owner.fence)}, ":past": {"N": "0"}},
        }
    }


def put_notification(owner: Ownership, item: Item) -> TransactWriteItemTypeDef:
    """Store the notification, unless one with its key is stored."""
    return {
        "Put": {
            "TableName": owner.table,
            "Item": item,
            "ConditionExpression": "attribute_not_exists(pk)",
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def change_delivery(owner: Ownership, change: Change, *, now: datetime) -> TransactWriteItemTypeDef:
    """Write one change, if the delivery is still in the state that it leaves.

    A submission is answered by its owner, or by a younger one that found it left from a crash.
    """
    expression = _expression(owner, change, now)
    condition = "attribute_not_exists(pk)"
    if change.before.stored:
        condition = "#state = :before"
        expression.values[":before"] = {"S": change.before.state.value}
        if change.before.state is State.SUBMITTING and change.state is not State.SUBMITTING:
            condition += " AND #fence <= :fence"
    return {
        "Update": {
            "TableName": owner.table,
            "Key": owner.key(change.before.recipient),
            "UpdateExpression": str(expression),
            "ConditionExpression": condition,
            "ExpressionAttributeNames": expression.names,
            "ExpressionAttributeValues": expression.values,
            "ReturnValuesOnConditionCheckFailure": "ALL_OLD",
        }
    }


def is_written(owner: Ownership, change: Change, item: Item) -> bool:
    """Whether what stands there is this owner's change: it was written, and the answer to that was lost."""
    written: Item = {"state": {"S": change.state.value}, "attempt": {"N": str(change.attempt)}}
    if item.get("fence") != {"N": str(owner.fence)} or not _says(item, written):
        return False
    lines = item["log"]["L"] if "log" in item else []
    return change.state is State.SUBMITTING or (bool(lines) and _says(lines[-1]["M"], written))


def read_lease(item: Item, now: datetime) -> Lease:
    """What a chunk's lease item says at `now`."""
    ends_at = int(item["ends_at"]["N"])
    return Lease(fence=int(item["fence"]["N"]), ends_at=ends_at, is_live=ends_at > int(now.timestamp() * 1000))


def read_entry(item: Item) -> Entry:
    """What a delivery's item says."""
    retry_at, state = item.get("retry_at"), State(item["state"]["S"])
    return Entry(
        recipient=item["sk"]["S"],
        state=state,
        attempt=int(item["attempt"]["N"]),
        message_id=item["message_id"]["S"],
        retry_at=datetime.fromisoformat(retry_at["S"]) if retry_at is not None else None,
        resubmitted=bool(item.get("resubmitted", {}).get("BOOL", False)),
        revived_at=datetime.fromisoformat(item["revived_at"]["S"]) if "revived_at" in item else None,
        is_held="held_for" in item,
        is_left=state is State.SUBMITTING,
        was_begun="was_begun" in item,
    )


def notification_attributes(chunk: Chunk, notification: Notification, *, received_at: datetime, ttl: int) -> Item:
    """The item of a notification, without the event's body."""
    # Not before it came: the first hours of the publisher's calendar exist in no other.
    expiry = max(expires_at(notification, received_at=received_at), received_at)
    item: Item = {
        "pk": {"S": chunk.partition},
        "sk": {"S": NOTIFICATION},
        "source": {"S": notification.source},
        "id": {"S": notification.id},
        "type": {"S": notification.type},
        "received_at": {"S": timestamp(received_at)},
        "expires_at": {"S": timestamp(expiry)},
        "ttl": {"N": str(ttl)},
    }
    subject = (notification.subject or "")[:_SUBJECT_CHARACTERS]
    return {**item, "subject": {"S": subject}} if subject else item


def due(name: str, at: datetime) -> dict[str, AttributeValueTypeDef]:
    """The attributes by which the index `due` finds an item; `name` spreads the items over its shards."""
    shard = zlib.crc32(name.encode()) % DUE_SHARDS
    return {"retry_at": {"S": timestamp(at)}, "due_shard": {"N": str(shard)}}


def parked_account(project_id: str, mail_account_id: str | None) -> str:
    """The key by which the index `parked` finds what is parked for an account, or for want of one."""
    return f"{project_id}#{mail_account_id or 'none'}"


def hour_key(project_id: str, timestamp: str) -> str:
    """The key by which the index `by_hour` finds what was first written in the hour of `timestamp`."""
    return f"{project_id}#{timestamp[:13]}"


def recipient_key(project_id: str, recipient: str) -> str:
    """The key by which the index `by_recipient` finds what went to a canonical recipient."""
    return f"{project_id}#{recipient}"


def correlation_key(project_id: str, correlation: str) -> str:
    """The key by which the index `by_correlation` finds what was about one object, as `incident/1042`."""
    octets = correlation.encode()
    known = correlation if len(octets) <= _KEY_OCTETS else f"sha256:{sha256(octets).hexdigest()}"
    return f"{project_id}#{known}"


def timestamp(moment: datetime) -> str:
    """The moment as text that sorts by time."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


class _Expression:
    """Collects the parts of one update expression."""

    def __init__(self) -> None:
        self.sets: list[str] = []
        self.removes: list[str] = []
        self.names: dict[str, str] = {}
        self.values: dict[str, AttributeValueTypeDef] = {}

    def set(self, name: str, value: AttributeValueTypeDef) -> None:
        self.names[f"#{name}"] = name
        self.values[f":{name}"] = value
        self.sets.append(f"#{name} = :{name}")

    def remove(self, name: str) -> None:
        self.names[f"#{name}"] = name
        self.removes.append(f"#{name}")

    def __str__(self) -> str:
        removes = f" REMOVE {', '.join(self.removes)}" if self.removes else ""
        return f"SET {', '.join(self.sets)}{removes}"


def _expression(owner: Ownership, change: Change, now: datetime) -> _Expression:
    expression = _Expression()
    expression.set("state", {"S": change.state.value})
    expression.set("attempt", {"N": str(change.attempt)})
    expression.set("fence", {"N": str(owner.fence)})
    expression.set("updated_at", {"S": timestamp(now)})
    if change.after.resubmitted:
        expression.set("resubmitted", {"BOOL": True})
    if change.after.was_begun and change.attempt == 0:  # of others, the attempts say so
        expression.set("was_begun", {"BOOL": True})
    if change.mail_account_id is not None:
        expression.set("mail_account_id", {"S": change.mail_account_id})
    elif change.state is State.PARKED and change.before.stored:
        expression.remove("mail_account_id")  # it is parked for want of one, whichever tried it before
    if not change.before.stored:
        _identity(expression, owner, change, now)
    _indexes(expression, owner, change)
    _hold(expression, change, now)
    lines = [_left(change, now)] if change.before.is_left else []
    if change.state is not State.SUBMITTING:
        lines.append(_answer(change, now))
    if lines:
        _log(expression, lines)
    return expression


def _identity(expression: _Expression, owner: Ownership, change: Change, now: datetime) -> None:
    project_id, recipient = owner.chunk.project_id, change.before.recipient
    expression.set("message_id", {"S": change.before.message_id})
    expression.set("recipient", {"S": recipient})
    expression.set("type", {"S": owner.type})
    expression.set("created_at", {"S": timestamp(now)})
    expression.set("ttl", {"N": str(owner.ttl)})
    expression.set("project_hour", {"S": hour_key(project_id, timestamp(now))})
    expression.set("project_recipient", {"S": recipient_key(project_id, recipient)})
    expression.set("project_correlation", {"S": correlation_key(project_id, owner.correlation)})


def _indexes(expression: _Expression, owner: Ownership, change: Change) -> None:
    if change.retry_at is not None:
        for name, value in due(change.before.recipient, change.retry_at).items():
            expression.set(name, value)
    elif change.before.stored:
        expression.remove("retry_at")
        expression.remove("due_shard")
    if change.state is State.PARKED:
        expression.set("parked_account", {"S": parked_account(owner.chunk.project_id, change.mail_account_id)})
    elif change.before.stored:
        expression.remove("parked_account")


def _hold(expression: _Expression, change: Change, now: datetime) -> None:
    """The index `held` finds what waits for a digest by the digest's group, in the order in which it was held."""
    if change.hold is not None:
        expression.set("held_for", {"S": change.hold.group})
        expression.set("held_at", {"S": timestamp(now)})
        expression.set("held", {"S": json.dumps(change.hold.line, separators=(",", ":"))})
    elif change.before.is_held:
        for name in ("held_for", "held_at", "held"):
            expression.remove(name)


def _left(change: Change, now: datetime) -> dict[str, AttributeValueTypeDef]:
    """What the worker that died did not write."""
    return {
        **_line(State.UNKNOWN, change.before.attempt, now),
        "reply": {"M": _reply(Reply(phase=Phase.AFTER_DATA, code=None, text="left_in_flight"))},
        "remedy_id": {"S": "left-in-flight"},
    }


def _line(state: State, attempt: int, now: datetime) -> dict[str, AttributeValueTypeDef]:
    return {"at": {"S": timestamp(now)}, "state": {"S": state.value}, "attempt": {"N": str(attempt)}}


def _answer(change: Change, now: datetime) -> dict[str, AttributeValueTypeDef]:
    line = _line(change.state, change.attempt, now)
    if change.mail_account_id is not None:
        line["mail_account_id"] = {"S": change.mail_account_id}
    if change.instead_of is not None:
        line["instead_of"] = {
            "M": {
                "mail_account_id": {"S": change.instead_of.mail_account_id},
                "reason": {"S": change.instead_of.reason[:_REPLY_TEXT_CHARACTERS]},
            }
        }
    if change.reply is not None:
        line["reply"] = {"M": _reply(change.reply)}
    if change.verdict is not None:
        line["remedy_id"] = {"S": change.verdict.remedy_id}
    return line


def _log(expression: _Expression, lines: Sequence[Item]) -> None:
    expression.names["#log"] = "log"
    expression.values[":none"] = {"L": []}
    expression.values[":lines"] = {"L": [{"M": line} for line in lines]}
    expression.sets.append("#log = list_append(if_not_exists(#log, :none), :lines)")


def _reply(reply: Reply) -> dict[str, AttributeValueTypeDef]:
    written: dict[str, AttributeValueTypeDef] = {
        "phase": {"S": reply.phase.value},
        "text": {"S": reply.text[:_REPLY_TEXT_CHARACTERS]},
    }
    if reply.code is not None:
        written["code"] = {"N": str(reply.code)}
    if reply.enhanced is not None:
        written["enhanced"] = {"S": reply.enhanced}
    return written


def _says(item: Item, attributes: Item) -> bool:
    return all(item.get(name) == value for name, value in attributes.items())


def _values(attributes: Item) -> dict[str, AttributeValueTypeDef]:
    return {f":{name}": value for name, value in attributes.items()}


def _millis(moment: datetime) -> AttributeValueTypeDef:
    return {"N": str(int(moment.timestamp() * 1000))}
