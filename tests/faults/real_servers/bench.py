"""One real server between our submission and a sink of ours."""

from __future__ import annotations

import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tocsin.adapters.egress import Egress
from tocsin.adapters.pipelining_trust import PipeliningTrust
from tocsin.adapters.submission import Submission
from tocsin.model.credential import Credential
from tocsin.model.mail_account import Auth, MailAccount, Sender
from tocsin.model.mail_account import Relay as RelaySettings

from tests.faults.passage import Passage
from tests.faults.real_servers.server import HOST, PASSWORD, USERNAME
from tests.local.waiting import wait_until
from tests.relay import Relay, authority

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from tocsin.model.envelope import MailObject
    from tocsin.model.reply import Reply

    from tests.faults.death import Death
    from tests.faults.real_servers.mails import Case
    from tests.faults.real_servers.server import RealServer
    from tests.relay import Action, ReceivedMail

_ALL_WITHIN_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """What the server said of each mail, and what came to the sink."""

    replies: Sequence[Reply]
    arrived: Sequence[ReceivedMail]


@dataclass(frozen=True, slots=True, kw_only=True)
class Bench:
    """Our submission, the passage, the server and the sink, in this order; `script` is the sink's."""

    server: RealServer
    passage: Passage
    sink: Relay
    script: dict[str, Action | Sequence[Action | None]]

    def lead(self, death: Death | None = None) -> None:
        """Open the passage, until the death if there is one; it counts anew."""
        self.passage.lead_to(self.server.port, death, on_cut=lambda: None)

    def submission(self, trust: PipeliningTrust) -> Submission:
        """A submission that is yet to be opened."""
        credential = Credential(version="1", username=USERNAME, password=PASSWORD)
        egress = Egress(f"{HOST}:{self.passage.port}")
        return Submission(self.account, credential, egress=egress, trust=trust)

    def trust(self, *, pipelined: bool) -> PipeliningTrust:
        """Whether the server is trusted with pipelining: else it is spoken to in lock-step."""
        trust = PipeliningTrust()
        if not pipelined:
            trust.lose(self.account)
        return trust

    def submit(self, cases: Iterable[Case], *, trust: PipeliningTrust) -> Submitted:
        """Submit these in a session of their own; whatever the server took is at the sink then."""
        before = len(self.sink.mails)
        with self.submission(trust) as submission:
            replies = self.replies(submission, cases)
        self.passage.settle()
        wait_until(self._is_settled, "that the server has passed on all it took")
        return Submitted(replies=replies, arrived=self.sink.mails[before:])

    def replies(self, submission: Submission, cases: Iterable[Case]) -> list[Reply]:
        """The replies to these in this session."""
        return list(submission.submit(self._mails(cases), deadline=time.monotonic() + _ALL_WITHIN_SECONDS))

    @property
    def account(self) -> MailAccount:
        """The account that the mails go through."""
        settings = {
            "host": HOST,
            "port": self.passage.port,
            "security": self.server.security,
            "ca_certificate": authority().pem,
        }
        return MailAccount(
            project_id="acme",
            id="01JD7Z",
            version=1,
            name="Ops",
            relay=RelaySettings.model_validate(settings),
            auth=Auth(type="password", username=USERNAME),
            senders=(Sender(email="ops@acme.example"),),
        )

    def _is_settled(self) -> bool:
        return self.server.is_idle() and not (self.server.is_proxy and self.sink.is_talking)

    def _mails(self, cases: Iterable[Case]) -> Iterator[MailObject]:
        for case in cases:
            if self.server.is_proxy:
                self.script.update(case.script)
            yield case.mail


@contextmanager
def running_bench(run: Callable[[int], AbstractContextManager[RealServer]]) -> Iterator[Bench]:
    """A bench with the server that `run` starts, which is told the sink's port."""
    script: dict[str, Action | Sequence[Action | None]] = {}
    with Relay(script=script) as sink, run(sink.port) as server, Passage() as passage:
        yield Bench(server=server, passage=passage, sink=sink, script=script)
