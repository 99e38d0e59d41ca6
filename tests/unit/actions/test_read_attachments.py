"""Files of a notification: read from the event or the bucket, and refused with a reason that names the place only."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any

import pytest
from tocsin.actions.read_attachments import ALL_OCTETS, FILE_OCTETS, read_attachments, with_references
from tocsin.errors import InvalidNotification
from tocsin.model.event import check_event
from tocsin.model.notification import PayloadReference

type Json = dict[str, Any]

PNG = b"\x89PNG\r\n\x1a\n" + bytes(range(256))


@dataclass(slots=True)
class FakePayloads:
    """Objects by key; reading one that is not there is refused."""

    objects: dict[str, bytes] = field(default_factory=dict)
    reads: list[str] = field(default_factory=list)

    def get(self, reference: PayloadReference, project_id: str, *, at_most: int) -> bytes:
        assert reference.key.startswith(f"{project_id}/")
        self.reads.append(reference.key)
        if reference.key not in self.objects:
            raise InvalidNotification("reference_not_found", "there is no such object version")
        if len(self.objects[reference.key]) > at_most:
            raise InvalidNotification("reference_too_large", f"the object is larger than {at_most} bytes")
        return self.objects[reference.key]

    def put(self, project_id: str, name: str, content: bytes) -> PayloadReference:
        self.objects[f"{project_id}/{name}"] = content
        return reference(f"{project_id}/{name}", content)


def reference(key: str, content: bytes) -> PayloadReference:
    return PayloadReference(bucket="payloads", key=key, version_id="1", sha256=sha256(content).hexdigest())


def inlined(content: bytes = b"hello", **more: Any) -> Json:  # noqa: ANN401  (JSON)
    return {"name": "a.txt", "content_base64": b64encode(content).decode()} | more


def event(*attachments: Json) -> Json:
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "/test",
        "type": "incident.created",
        "data": {
            "project": {"id": "acme"},
            "recipients": [{"email": "ana@example.org"}],
            "incident": {"id": "1", "title": "Down"},
            "options": {"attachments": list(attachments)},
        },
    }


def test_files_are_given_as_they_came_with_names_that_are_safe() -> None:
    payloads = FakePayloads({"acme/log": b"line\n"})
    picture = inlined(PNG, name="../chart.png", content_type="image/png", inline=True, content_id="chart")
    by_reference = {"name": "log.txt", "ref": reference("acme/log", b"line\n").model_dump()}

    first, second = read_attachments(check_event(event(picture, by_reference)), payloads)

    assert (first.name, first.content_type, first.content, first.content_id) == ("chart.png", "image/png", PNG, "chart")
    assert (second.name, second.content_type, second.content) == ("log.txt", "application/octet-stream", b"line\n")
    assert second.content_id is None


def test_base64_may_be_cut_into_lines() -> None:
    text = b64encode(PNG).decode()
    wrapped = "\r\n".join(text[at : at + 76] for at in range(0, len(text), 76))

    [file] = read_attachments(check_event(event({"name": "a.bin1", "content_base64": wrapped})), FakePayloads())

    assert file.content == PNG


@pytest.mark.parametrize(
    ("attachments", "reason"),
    [
        pytest.param([inlined(content_base64="a?b=")], "bad_attachment", id="no-base64"),
        pytest.param([inlined(content_base64="YQ=")], "bad_attachment", id="half-padded"),
        pytest.param([inlined(content_base64="é")], "bad_attachment", id="not-ascii"),
        pytest.param([inlined(name="x.exe")], "attachment_refused", id="a-program"),
        pytest.param([inlined(b"MZ")], "attachment_refused", id="a-program-by-its-octets"),
        pytest.param([inlined(content_type="message/rfc822")], "bad_attachment", id="a-message"),
        pytest.param([inlined(content_type="multipart/mixed")], "bad_attachment", id="a-multipart"),
        pytest.param(
            [inlined(inline=True, content_type="image/png")], "bad_attachment", id="inline-without-content-id"
        ),
        pytest.param(
            [inlined(inline=True, content_id="a", content_type="text/html")],
            "bad_attachment",
            id="inline-and-no-picture",
        ),
        pytest.param(
            [inlined(PNG, inline=True, content_id="a", content_type="image/png")] * 2,
            "bad_attachment",
            id="one-id-twice",
        ),
        pytest.param(
            [{"name": "a", "ref": reference("acme/gone", b"").model_dump()}], "reference_not_found", id="not-there"
        ),
    ],
)
def test_what_no_mail_can_carry_is_refused(attachments: list[Json], reason: str) -> None:
    with pytest.raises(InvalidNotification) as refused:
        read_attachments(check_event(event(*attachments)), FakePayloads())

    assert refused.value.reason == reason
    assert refused.value.detail.startswith("data.options.attachments")


@pytest.mark.parametrize(
    ("attachments", "reason"),
    [
        pytest.param([inlined()] * 21, "too_many_attachments", id="21-files"),
        pytest.param([{"name": "a"}], "bad_attachment", id="nothing-in-it"),
        pytest.param([inlined(ref=reference("acme/a", b"").model_dump())], "bad_attachment", id="two-contents"),
        pytest.param([inlined(name="")], "bad_attachment", id="no-name"),
        pytest.param([inlined(name="x" * 256)], "bad_attachment", id="a-name-too-long"),
        pytest.param([inlined(content_type="text")], "bad_attachment", id="no-content-type"),
        pytest.param([inlined(content_type="text/plain\r\nBcc: x")], "bad_attachment", id="line-end-in-content-type"),
        pytest.param([inlined(content_id="a>\r\nBcc: x")], "bad_attachment", id="line-end-in-content-id"),
        pytest.param(["text"], "bad_attachment", id="no-object"),
    ],
)
def test_what_breaks_the_form_is_refused_before_anything_is_read(attachments: list[Json], reason: str) -> None:
    with pytest.raises(InvalidNotification) as refused:
        check_event(event(*attachments))

    assert refused.value.reason == reason


def _stored(*sizes: int) -> tuple[Json, FakePayloads]:
    payloads = FakePayloads({f"acme/{number}": bytes(size) for number, size in enumerate(sizes)})
    files = [
        {"name": f"{number}.dat", "ref": reference(f"acme/{number}", b"").model_dump()} for number in range(len(sizes))
    ]
    return event(*files), payloads


@pytest.mark.parametrize(
    ("sizes", "reason"),
    [
        pytest.param([FILE_OCTETS], None, id="as-large-as-a-file-may-be"),
        pytest.param([FILE_OCTETS + 1], "attachment_too_large", id="one-octet-more"),
        pytest.param([FILE_OCTETS] * 3 + [ALL_OCTETS - 3 * FILE_OCTETS], None, id="as-large-as-all-may-be"),
        pytest.param(
            [FILE_OCTETS] * 3 + [ALL_OCTETS - 3 * FILE_OCTETS + 1, 5],
            "attachments_too_large",
            id="one-octet-more-in-all",
        ),
        pytest.param([1] * 20, None, id="20-files"),
    ],
)
def test_files_have_limits_of_size(sizes: list[int], reason: str | None) -> None:
    document, payloads = _stored(*sizes)
    if reason is None:
        assert [len(file.content) for file in read_attachments(check_event(document), payloads)] == sizes
        return

    with pytest.raises(InvalidNotification) as refused:
        read_attachments(check_event(document), payloads)

    assert refused.value.reason == reason
    assert "acme/4" not in payloads.reads


def test_an_event_that_is_cut_holds_references_to_what_was_stored_once() -> None:
    payloads = FakePayloads()
    document = event(inlined(PNG, name="a.png", content_type="image/png", inline=True, content_id="a"), inlined(b"log"))

    kept = with_references(document, check_event(document), payloads)

    assert "content_base64" not in str(kept)
    assert [*payloads.objects.values()] == [PNG, b"log"]
    before, after = (read_attachments(check_event(one), payloads) for one in (document, kept))
    assert before == after


def test_an_event_with_references_only_is_kept_as_it_is() -> None:
    document, payloads = _stored(1)

    assert with_references(document, check_event(document), payloads) is document
