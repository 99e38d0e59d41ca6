"""Read the files that go along with a notification, and refuse what no mail carries."""

from __future__ import annotations

import binascii
from hashlib import sha256
from typing import TYPE_CHECKING, Any, Protocol

from tocsin.data.refused_files import why_refused
from tocsin.errors import InvalidNotification
from tocsin.model.attachment import AttachedFile
from tocsin.model.file_name import clean_file_name

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tocsin.model.notification import Notification, PayloadReference
    from tocsin.model.notifications.parts import Attachment

FILE_OCTETS = 3 * 1024**2
ALL_OCTETS = 10 * 1024**2
_PICTURES = frozenset({"image/gif", "image/jpeg", "image/png", "image/webp"})
_NEVER_IN_BASE64 = ("message/", "multipart/")  # RFC 2046 section 5
_ANYTHING = "application/octet-stream"
_WHITE_SPACE = str.maketrans("", "", " \t\r\n")


class Payloads(Protocol):
    """The stack's PayloadBucket."""

    def get(self, reference: PayloadReference, project_id: str, *, at_most: int) -> bytes:
        """The octets that `reference` names.

        Raises:
            InvalidNotification: not ours, not there, more than `at_most`, or not what its digest says.
        """
        ...

    def put(self, project_id: str, name: str, content: bytes) -> PayloadReference:
        """Store octets under the project's own prefix."""
        ...


def read_attachments(notification: Notification, payloads: Payloads) -> tuple[AttachedFile, ...]:
    """The files, in order. What is referred to is read here, one file after another.

    Raises:
        InvalidNotification: a file is too large, is one that computers run, or cannot be read or shown.
    """
    files: list[AttachedFile] = []
    room = ALL_OCTETS
    for number, attachment in enumerate(notification.data.options.attachments):
        try:
            files.append(_file(attachment, payloads, notification.project_id))
        except InvalidNotification as rejection:
            raise InvalidNotification(rejection.reason, f"{_place(number)}: {rejection.detail}") from None
        room -= len(files[-1].content)
        if room < 0:
            raise InvalidNotification("attachments_too_large", f"{_place(number)}: more than {ALL_OCTETS} bytes in all")
    _check_content_ids(files)
    return tuple(files)


def with_references(event: dict[str, Any], notification: Notification, payloads: Payloads) -> dict[str, Any]:
    """The same event, its attachments by reference only: their octets are stored once, whatever goes out of them."""
    given = notification.data.options.attachments
    if all(attachment.content_base64 is None for attachment in given):
        return event
    data = event["data"]
    attachments = [_by_reference(attachment, payloads, notification.project_id) for attachment in given]
    return event | {"data": data | {"options": data["options"] | {"attachments": attachments}}}


def _by_reference(attachment: Attachment, payloads: Payloads, project_id: str) -> dict[str, Any]:
    if attachment.content_base64 is not None:
        content = _decoded(attachment.content_base64)
        reference = payloads.put(project_id, f"attachments/{sha256(content).hexdigest()}", content)
        attachment = attachment.model_copy(update={"content_base64": None, "ref": reference})
    return attachment.model_dump(exclude_none=True)


def _file(attachment: Attachment, payloads: Payloads, project_id: str) -> AttachedFile:
    content = _content(attachment, payloads, project_id)
    if len(content) > FILE_OCTETS:
        raise InvalidNotification("attachment_too_large", f"the file is larger than {FILE_OCTETS} bytes")
    file = AttachedFile(
        name=clean_file_name(attachment.name),
        content_type=attachment.content_type or _ANYTHING,
        content=content,
        content_id=attachment.content_id if attachment.inline else None,
    )
    for reason, detail in _objections(attachment, file):
        raise InvalidNotification(reason, detail)
    return file


def _content(attachment: Attachment, payloads: Payloads, project_id: str) -> bytes:
    if attachment.ref is None:
        return _decoded(attachment.content_base64 or "")
    try:
        return payloads.get(attachment.ref, project_id, at_most=FILE_OCTETS)
    except InvalidNotification as rejection:
        if rejection.reason != "reference_too_large":
            raise
        raise InvalidNotification("attachment_too_large", rejection.detail) from None


def _decoded(text: str) -> bytes:
    try:
        return binascii.a2b_base64(text.translate(_WHITE_SPACE).encode("ascii"), strict_mode=True)
    except (binascii.Error, UnicodeEncodeError):
        raise InvalidNotification("bad_attachment", "content_base64 is no base64 (RFC 4648 section 4)") from None


def _objections(attachment: Attachment, file: AttachedFile) -> Iterator[tuple[str, str]]:
    """Tell what is wrong, the worst first."""
    media_type = file.content_type.partition(";")[0].lower()
    if refusal := why_refused(file):
        yield "attachment_refused", refusal
    if media_type.startswith(_NEVER_IN_BASE64):
        yield "bad_attachment", "content_type: messages and multiparts cannot go along as files"
    if attachment.inline and file.content_id is None:
        yield "bad_attachment", "content_id: a file that is inline needs one"
    if attachment.inline and media_type not in _PICTURES:
        yield "bad_attachment", "content_type: only PNG, JPEG, GIF and WebP pictures are shown inline"


def _check_content_ids(files: Sequence[AttachedFile]) -> None:
    known = [file.content_id for file in files if file.content_id is not None]
    if len(set(known)) < len(known):
        raise InvalidNotification("bad_attachment", "data.options.attachments: two files have the same content_id")


def _place(number: int) -> str:
    return f"data.options.attachments.{number}"
