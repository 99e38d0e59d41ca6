"""What went wrong at an identity provider, judged once where the answer is known."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tocsin.errors import PermanentError, TransientError

if TYPE_CHECKING:
    from tocsin.model.remedy import Verdict
    from tocsin.model.reply import Reply


class TokenEndpointFailed(TransientError):
    """The identity provider cannot answer now: the grant is as good as before."""

    def __init__(self, reply: Reply, verdict: Verdict) -> None:
        super().__init__(f"token endpoint: {verdict.remedy_id}")
        self.reply = reply
        self.verdict = verdict


class GrantRefused(PermanentError):
    """The identity provider refuses the grant or the client; only an admin can help."""

    def __init__(self, reply: Reply, verdict: Verdict) -> None:
        super().__init__(f"token endpoint: {verdict.remedy_id}")
        self.reply = reply
        self.verdict = verdict
