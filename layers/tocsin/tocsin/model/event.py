"""From the body of an SQS message to a checked notification, or the reason why it is none."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING, Any, NoReturn

from pydantic import ValidationError

from tocsin.errors import InvalidNotification
from tocsin.model.notification import CATALOGUE, Envelope, Notification
from tocsin.model.project import PROJECT_ID_PATTERN

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from pydantic_core import ErrorDetails

    from tocsin.model.notification import Recipient

EVENT_BYTES = 1_000_000
_ENVELOPES_DEEP = 3  # EventBridge -> SNS -> SQS is the deepest chain that AWS builds
_DETAIL_CHARACTERS = 256
_PLACE_CHARACTERS = 200


def read_event(body: str) -> dict[str, Any]:
    """The CloudEvent in `body`, taken out of an EventBridge or SNS envelope.

    Raises:
        InvalidNotification: larger than 1,000,000 bytes, not JSON, or not an object.
    """
    if len(body) > EVENT_BYTES or len(body.encode(errors="surrogatepass")) > EVENT_BYTES:
        raise InvalidNotification("too_large", f"the event is larger than {EVENT_BYTES} bytes")
    event = _object(body)
    for _ in range(_ENVELOPES_DEEP):
        inner = _unwrapped(event)
        if inner is None:
            break
        event = inner
    return event


def check_text(event: dict[str, Any]) -> None:
    """Refuse halves of surrogate pairs, which JSON can write and nothing behind us can store or send.

    Raises:
        InvalidNotification: there is one; names the place.
    """
    try:
        json.dumps(event, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        place = _printable(next(_halves(event)))[:_PLACE_CHARACTERS]
        raise InvalidNotification("not_unicode", f"{place}: it holds one half of a surrogate pair") from None


def check_event(event: dict[str, Any]) -> Notification:
    """The notification that `event` holds.

    Raises:
        InvalidNotification: the envelope, the type or the data breaks DESIGN 4.1; names the place, never a value.
    """
    try:
        envelope = Envelope.model_validate(event)
    except ValidationError as error:
        raise InvalidNotification(*_first_problem(error, "invalid_envelope")) from None
    data_model = CATALOGUE.get(envelope.type)
    if data_model is None:
        raise InvalidNotification("unknown_type", "the type is not in the catalogue")
    try:
        data = data_model.model_validate(envelope.data)
    except ValidationError as error:
        raise InvalidNotification(*_first_problem(error, "invalid_data", "data")) from None
    notification = Notification(
        source=envelope.source,
        id=envelope.id,
        type=envelope.type,
        time=envelope.time,
        subject=envelope.subject,
        data=data,
    )
    if data.options.cc or data.options.bcc:
        from tocsin.model.copies import check_copies  # noqa: PLC0415  (few events have any)

        check_copies(notification)
    return notification


def with_recipients(event: dict[str, Any], recipients: Sequence[Recipient], *, number: int = 0) -> dict[str, Any]:
    """The same event for these recipients only, named in the event itself.

    Copies are of the first recipient's mail: only the chunk with `number` 0 has them.
    """
    return _to(event, [recipient.model_dump(exclude_none=True) for recipient in recipients], number=number)


def as_first_told(event: dict[str, Any], first: dict[str, Any], *, number: int) -> dict[str, Any]:
    """The event of the chunk with `number`, with all but its recipients as `first`, that of the first chunk, has it."""
    return _to(first, event["data"]["recipients"], number=number)


def _to(event: dict[str, Any], recipients: Sequence[dict[str, Any]], *, number: int) -> dict[str, Any]:
    data = {name: value for name, value in event["data"].items() if name != "recipients_ref"}
    if number > 0 and isinstance(data.get("options"), dict):
        data["options"] = {name: value for name, value in data["options"].items() if name not in {"cc", "bcc"}}
    return event | {"data": data | {"recipients": recipients}}


def project_id_of(event: dict[str, Any] | None) -> str | None:
    """The project that a rejected event names, if it names one that could exist."""
    try:
        project_id = event["data"]["project"]["id"] if event is not None else None
    except (LookupError, TypeError):
        return None
    return project_id if isinstance(project_id, str) and re.fullmatch(PROJECT_ID_PATTERN, project_id) else None


def _object(text: str) -> dict[str, Any]:
    try:
        value = json.loads(text, parse_constant=_no_json)
    except (ValueError, RecursionError):
        raise InvalidNotification("not_json", "the body is not JSON") from None
    if not isinstance(value, dict):
        raise InvalidNotification("not_an_object", "the body is not a JSON object")
    return value


def _no_json(constant: str) -> NoReturn:
    raise ValueError(f"{constant} is Python's, not JSON's")


def _unwrapped(event: dict[str, Any]) -> dict[str, Any] | None:
    if event.get("Type") == "Notification" and isinstance(event.get("Message"), str):  # SNS
        return _object(event["Message"])
    if "detail-type" in event and isinstance(event.get("detail"), dict):  # EventBridge
        return dict(event["detail"])
    return None


_REASONS = {
    "specversion": "wrong_specversion",
    "recipients": "no_recipients",
}
_TOO_MANY = {
    "recipients": "too_many_recipients",
    "attachments": "too_many_attachments",
    "cc": "too_many_copies",
    "bcc": "too_many_copies",
}
_ATTACHMENT = "data.options.attachments."


def _first_problem(error: ValidationError, reason: str, *prefix: str) -> tuple[str, str]:
    problem = error.errors(include_url=False, include_context=False, include_input=False)[0]
    place = ".".join((*prefix, *_path(problem)))
    field = place.rpartition(".")[2]
    if problem["type"] == "too_long":
        reason = _TOO_MANY.get(field, reason)
    elif problem["type"] == "too_short" or place == "specversion":
        reason = _REASONS.get(field, reason)
    elif place.startswith(_ATTACHMENT):
        reason = "bad_attachment"
    return reason, _printable(f"{place or 'event'}: {problem['msg']}")[:_DETAIL_CHARACTERS]


def _printable(text: str) -> str:
    return "".join(c if " " <= c <= "~" else "?" for c in text)


def _halves(event: dict[str, Any]) -> Iterator[str]:
    """The places of texts that are no Unicode; without recursion, since JSON may be nested deep."""
    waiting: list[tuple[str, Any]] = [("", event)]
    while waiting:
        place, value = waiting.pop()
        match value:
            case str() if not _is_unicode(value):
                yield place
            case dict():
                for name, part in value.items():
                    inner = f"{place}.{name}" if place else name
                    waiting += [(inner, name), (inner, part)]
            case list():
                waiting += [(f"{place}.{number}", part) for number, part in enumerate(value)]


def _is_unicode(text: str) -> bool:
    return text.encode(errors="ignore") == text.encode(errors="surrogatepass")


def _path(problem: ErrorDetails) -> tuple[str, ...]:
    return tuple(str(part) for part in problem["loc"])
