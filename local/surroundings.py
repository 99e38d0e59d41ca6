"""What the stack has around it on this machine: an inbox, an identity provider, and the front of its API."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from local.front import running as front_process
from local.front.running import Front, running_front
from local.identity_provider import running as identity_provider_process
from local.identity_provider.running import (
    API_AUDIENCE,
    PROJECTS_CLAIM,
    IdentityProvider,
    running_identity_provider,
)
from local.inbox import running as inbox_process
from local.inbox.running import Inbox, running_inbox
from local.inbox.server import answer_at_once
from local.ports import usable_port

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator
    from pathlib import Path

    from local.inbox.mailbox import Mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """All of them, running."""

    inbox: Inbox
    identity_provider: IdentityProvider
    front: Front

    def parameters(self, *, allowed: Iterable[str] = ()) -> dict[str, str]:
        """The parameters of template.yaml that let the stack use them, and the `host:port`s in `allowed`."""
        private_hosts = [self.inbox.address, self.identity_provider.address, *allowed]
        return {
            "AllowedPrivateHosts": ",".join(private_hosts),
            "OidcIssuer": self.identity_provider.issuer,
            "OidcAudience": API_AUDIENCE,
            "OidcProjectsClaim": PROJECTS_CLAIM,
            "PublicBaseUrl": self.front.url,
            # Each is a process: more of them than a laptop has cores wait for one another, and for the connections.
            "NotificationConcurrency": "4",
            "BulkConcurrency": "4",
        }


@contextmanager
def running_surroundings(
    folder: Path,
    *,
    on_usual_ports: bool = False,
    before_answer: Callable[[Mail], Awaitable[None]] = answer_at_once,
) -> Iterator[Surroundings]:
    """Run them until the block ends. On the usual ports, where they are free, addresses stay from run to run."""

    def port(usual: int) -> int:
        return usable_port(usual if on_usual_ports else 0)

    with (
        running_front(port=port(front_process.PREFERRED_PORT)) as front,
        running_identity_provider(
            [front.redirect_uri],
            port=port(identity_provider_process.PREFERRED_PORT),
        ) as identity_provider,
        running_inbox(
            folder / "inbox",
            smtp_port=port(inbox_process.PREFERRED_SMTP_PORT),
            web_port=port(inbox_process.PREFERRED_WEB_PORT),
            is_valid_token=identity_provider.lets_send,
            before_answer=before_answer,
        ) as inbox,
    ):
        yield Surroundings(inbox=inbox, identity_provider=identity_provider, front=front)
