"""The demonstration: every sample is published, and seen to arrive."""

from __future__ import annotations

import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.arrivals import Arrival, arrivals
from local.demo import create_demo_project
from local.samples import publish, read_samples

if TYPE_CHECKING:
    from local.engine_process import Engine
    from local.inbox.running import Inbox
    from local.report import Progress
    from local.samples import Sample
    from local.stack import Stack

ARRIVED_WITHIN_SECONDS = 300
POLL_SECONDS = 0.5


@dataclass(frozen=True, slots=True, kw_only=True)
class Demonstration:
    """What it needs: the engine to watch, the stack to publish to, the inbox to look into."""

    engine: Engine
    stack: Stack
    inbox: Inbox
    progress: Progress

    def run(self) -> tuple[Arrival, ...]:
        """Set up the demo project, publish, wait; what became of each recipient.

        Raises:
            EngineFailed: the engine died meanwhile.
        """
        create_demo_project(self.stack, self.inbox)
        samples = read_samples()
        publish(samples, self.stack)
        self.progress.say(f"published {len(samples)} samples")
        return self._wait_for(samples)

    def _wait_for(self, samples: tuple[Sample, ...]) -> tuple[Arrival, ...]:
        give_up_at = time.monotonic() + ARRIVED_WITHIN_SECONDS
        said = 0
        while True:
            self.engine.check()
            found = arrivals(*samples, stack=self.stack, mailbox=self.inbox.mailbox)
            arrived = sum(arrival.is_good for arrival in found)
            if arrived > said:
                self.progress.say(f"{arrived} of {len(found)} mails arrived")
                said = arrived
            if not any(arrival.is_open for arrival in found) or time.monotonic() > give_up_at:
                return found
            time.sleep(POLL_SECONDS)
