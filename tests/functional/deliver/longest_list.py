"""A program that cuts the longest list, with AWS left out, and prints what it took: seconds of CPU, peak of memory.

`python -m tests.functional.deliver.longest_list` prints JSON.
"""

from __future__ import annotations

import io
import json
import time
from datetime import UTC, datetime, timedelta
from hashlib import sha256
from pathlib import Path
from typing import Any, cast

from tocsin import wiring
from tocsin.actions.delivery_run import TimeLeft
from tocsin.actions.receive import Receive
from tocsin.adapters.journal import Journals, Tables
from tocsin.adapters.payload_store import PayloadStore
from tocsin.adapters.queues import BulkQueue
from tocsin.adapters.transactions import Transactions

_RECIPIENTS = 100_000
_SERVICES = ("dynamodb", "s3", "sqs")
_TIME_LEFT = TimeLeft(seconds=lambda: 60.0, monotonic=time.monotonic, function_timeout=60.0)

type Json = dict[str, Any]


class _Aws:
    """Takes everything, and has the list and any project."""

    def __init__(self, content: bytes) -> None:
        self._content = content
        self.exceptions = wiring.client("dynamodb").exceptions

    def get_object(self, **_: object) -> Json:
        return {"Body": io.BytesIO(self._content)}

    def transact_write_items(self, **_: object) -> Json:
        return {}

    def batch_write_item(self, **_: object) -> Json:
        return {"UnprocessedItems": {}}

    def send_message_batch(self, **_: object) -> Json:
        return {}

    def project(self, _: str) -> str:
        return "any"

    @property
    def settings(self) -> _Aws:
        return self


def main() -> None:
    """Cut, and tell."""
    for service in _SERVICES:  # they take memory, too
        wiring.client(service)
    content = "".join(map(_line, range(_RECIPIENTS))).encode()
    event = _event(content)
    begun = time.process_time()
    outcome = _receive(_Aws(content)).notification(json.dumps(event), seen_before=False, time_left=_TIME_LEFT)
    seconds = time.process_time() - begun
    took = {"chunks": outcome.chunks, "octets": len(content), "cpu_seconds": seconds, "peak_octets": _peak_octets()}
    print(json.dumps(took))  # noqa: T201  (its answer)


def _peak_octets() -> int:
    """The most that was resident since the program began (proc(5)): ru_maxrss also counts who started it."""
    status = dict(line.split(":", 1) for line in Path("/proc/self/status").read_text(encoding="ascii").splitlines())
    return int(status["VmHWM"].removesuffix("kB")) * 1024


def _receive(aws: _Aws) -> Receive:
    anything = cast("Any", aws)
    payloads = PayloadStore(lambda: anything, "payloads")
    return Receive(
        deliver=anything,
        journals=Journals(
            anything,
            Tables(deliveries="D", ephemeral="E"),
            transactions=Transactions(anything, pause=time.sleep),
            payloads=payloads,
            lease=timedelta(seconds=65),
            retention=timedelta(days=30),
            clock=_now,
        ),
        payloads=payloads,
        bulk_queue=BulkQueue(lambda: anything, "bulk", clock=_now),
        dead_letters=anything,
        bus=anything,
        clock=_now,
    )


def _event(content: bytes) -> Json:
    reference = {"bucket": "payloads", "key": "acme/list", "version_id": "1", "sha256": sha256(content).hexdigest()}
    incident = {"id": "1", "title": "Checkout is down", "description": "Nobody can pay. " * 250}
    return {
        "specversion": "1.0",
        "id": "1",
        "source": "/tests",
        "type": "incident.created",
        "subject": "incident/1",
        "data": {"project": {"id": "acme"}, "recipients_ref": reference, "incident": incident},
    }


def _line(number: int) -> str:
    unsubscribe_url = f"https://status.acme.example/unsubscribe/{sha256(str(number).encode()).hexdigest()[:40]}"
    recipient = {
        "email": f"subscriber-{number}@customers-of-acme.example",
        "name": f"Subscriber Number {number} of Acme",
    }
    more = {"locale": "en", "time_zone": "Europe/Madrid", "unsubscribe_url": unsubscribe_url}
    return json.dumps(recipient | more) + "\n"


def _now() -> datetime:
    return datetime.now(UTC)


if __name__ == "__main__":
    main()
