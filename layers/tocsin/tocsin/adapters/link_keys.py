"""The keys that our own links are signed with: one secret, whose newest two versions are good."""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from tocsin.adapters.secret_errors import SECRETS_MANAGER_ERRORS, error_of
from tocsin.errors import SecretUnavailable
from tocsin.model.signed_token import LinkKey, key_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from mypy_boto3_secretsmanager import SecretsManagerClient

_MAX_AGE_SECONDS = 600.0
_READ_AGAIN_AFTER_SECONDS = 30.0  # for a key that came since: whoever makes up links costs us no more calls than that
_SHORTEST_OCTETS = 32
_STAGES = ("AWSCURRENT", "AWSPREVIOUS")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Kept:
    """One version as it was read; `key` None: there was none that is a key."""

    key: LinkKey | None
    read_at: float


class LinkKeys:
    """The keys, kept in memory for ten minutes.

    Secrets Manager itself keeps the version before the newest: whoever puts another value makes the old one previous.
    """

    def __init__(
        self, client: Callable[[], SecretsManagerClient], secret: str, *, monotonic: Callable[[], float]
    ) -> None:
        self._client = client
        self._secret = secret
        self._monotonic = monotonic
        self._kept: dict[str, _Kept] = {}
        self._lock = Lock()

    def current(self) -> LinkKey:
        """The key to sign with.

        Raises:
            SecretUnavailable: the secret is missing, not ours to read, or no key.
            TransientError: Secrets Manager cannot answer now.
        """
        key = self._key(_STAGES[0], max_age=_MAX_AGE_SECONDS)
        if key is None:
            raise SecretUnavailable("the secret of link keys holds none")
        return key

    def for_token(self, token: str) -> tuple[LinkKey, ...]:
        """The keys that `token` may be signed with, to read it by: the one that it names, where we have it.

        Raises:
            BadToken: it is no token.
            SecretUnavailable, TransientError: as for `current`.
        """
        named = key_id(token)
        self.current()
        for max_age in (_MAX_AGE_SECONDS, _READ_AGAIN_AFTER_SECONDS):
            for stage in _STAGES:
                key = self._key(stage, max_age=max_age)
                if key is not None and key.id == named:
                    return (key,)
        return ()

    def _key(self, stage: str, *, max_age: float) -> LinkKey | None:
        with self._lock:  # one reads, and those who wait need not
            kept, now = self._kept.get(stage), self._monotonic()
            if kept is None or now - kept.read_at >= (max_age if kept.key else _READ_AGAIN_AFTER_SECONDS):
                kept = self._kept[stage] = _Kept(key=self._read(stage), read_at=now)
            return kept.key

    def _read(self, stage: str) -> LinkKey | None:
        try:
            text = self._client().get_secret_value(SecretId=self._secret, VersionStage=stage).get("SecretString", "")
        except SECRETS_MANAGER_ERRORS as error:
            ours = error_of(error)
            if isinstance(ours, SecretUnavailable):
                return None
            raise ours from None
        return LinkKey(text.encode()) if len(text.encode()) >= _SHORTEST_OCTETS else None
