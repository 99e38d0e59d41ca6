"""What an edit of a mail account comes to: what is kept of its secret and its grant, and what must be found out anew.

A stored secret is kept only where it was saved for: with another relay, user, proxy, mailbox or identity provider, all
of it is dropped. A grant is dropped with that, and wherever another consent is wanted.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tocsin.model.credential import AccountSecret
from tocsin.model.grant import GrantState, GrantType
from tocsin.model.problem import Problem

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping
    from datetime import datetime

    from pydantic import SecretStr

    from tocsin.model.mail_account import MailAccount
    from tocsin.model.mail_account_input import MailAccountInput

_OF_OAUTH2 = frozenset({"client_secret", "client_certificate", "service_account_key", "refresh_token"})
_TOKENS = ("access_token", "access_token_expires_at", "refresh_token")
_CONSENTED = ("scopes", "extra_parameters", "authorization_url", "userinfo_url")
_ELSEWHERE = (
    "A stored password is used only with the relay, user, proxy and mailbox that it was saved for: give it anew."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class AccountChange:
    """An account before and after an edit.

    `to_store` None: what is stored stays as it is. `known` are the secrets that it will have, as far as they were read.
    `secrets_changed` names those that were given or taken away.
    """

    before: MailAccount
    after: MailAccount
    to_store: AccountSecret | None
    known: AccountSecret | None
    secrets_changed: tuple[str, ...]
    problems: tuple[Problem, ...]


def change_of(
    before: MailAccount, written: MailAccountInput, stored: Callable[[], AccountSecret | None], *, at: datetime
) -> AccountChange:
    """The account as `written`, in its next version. `stored` reads its secret; None: there is none to be read."""
    edit = _Edit(
        before=before,
        settings=written.account(before.project_id, before.id, at=at),
        given=written.secrets(),
        cleared=written.cleared(),
        at=at,
    )
    found = stored() if before.credential_version is not None and edit.reads_secret else None
    to_store = edit.secret(found) if edit.rewrites_secret else None
    return AccountChange(
        before=before,
        after=edit.after(to_store),
        to_store=to_store,
        known=to_store or found,
        secrets_changed=edit.secrets_changed,
        problems=tuple(edit.problems(to_store)),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class _Edit:
    before: MailAccount
    settings: MailAccount
    given: Mapping[str, SecretStr]
    cleared: frozenset[str]
    at: datetime

    @property
    def reads_secret(self) -> bool:
        """OAuth2 settings are checked together with their secrets."""
        return self.rewrites_secret or self.settings.auth.oauth2 is not None

    @property
    def rewrites_secret(self) -> bool:
        has_one = self.before.credential_version is not None
        wants_one = bool(self.given) or self.settings.auth.type == "oauth2"
        return bool(self.secrets_changed) or (self._drops_grant and has_one) or (wants_one and not has_one)

    @property
    def secrets_changed(self) -> tuple[str, ...]:
        gone = self.before.secrets_set.keys() - self.given.keys()
        dropped = {name for name in gone if name in self.cleared or not self._keeps(name)}
        return tuple(sorted(self.given.keys() | dropped))

    def secret(self, stored: AccountSecret | None) -> AccountSecret:
        """What is to be stored: with the version of the grant that was reached, as Secrets Manager knows it."""
        kept = self._kept(stored)
        if stored is not None and not self._drops_grant and self.settings.auth.oauth2 is not None:
            kept |= {name: value for name in _TOKENS if (value := getattr(stored, name)) is not None}
            if stored.account_version == self.before.version and stored.grant_version == self._grant_version:
                kept["account_version"] = self.settings.version
        return AccountSecret.model_validate(
            {
                **kept,
                **self.given,
                "saved_for": self.settings.secret_binding,
                "grant_version": max(self._grant_version, stored.grant_version if stored is not None else 0),
            }
        )

    def after(self, to_store: AccountSecret | None) -> MailAccount:
        """The account in its next version, with what is still known of it."""
        kept = {
            name: since
            for name, since in self.before.secrets_set.items()
            if to_store is None or (name not in self.given and getattr(to_store, name) is not None)
        }
        found_out: dict[str, Any] = {
            "status": self.before.status,
            "verified_at": self.before.verified_at,
            "last_error": self.before.last_error,
        }
        if self._is_news:
            found_out = {"status": "not_verified", "verified_at": None, "last_error": None}
        return self.settings.model_copy(
            update=found_out
            | {
                "version": self.before.version + 1,
                "secrets_set": kept | dict.fromkeys(self.given, self.at),
                "credential_version": self.before.credential_version,
                "grant": self._grant(),
            }
        )

    def problems(self, to_store: AccountSecret | None) -> Iterator[Problem]:
        """What is missing: the schema cannot know whether a password is stored."""
        if self.settings.auth.type != "password":
            return
        has_one = self.before.auth.type == "password" and self.before.credential_version is not None
        stays = has_one and "password" not in self.cleared
        if (to_store is None and not stays) or (to_store is not None and to_store.password is None):
            text = "Type password needs a password." if self._is_bound_alike or not has_one else _ELSEWHERE
            yield Problem(field="auth.password", text=text)

    def _kept(self, stored: AccountSecret | None) -> dict[str, Any]:
        """The stored secrets that stay."""
        if stored is None or not self.before.may_use(stored):
            return {}
        names = {*_OF_OAUTH2, "password", "proxy_password"} - self.cleared - self.given.keys()
        return {name: value for name in names if self._keeps(name) and (value := getattr(stored, name)) is not None}

    def _keeps(self, name: str) -> bool:
        """Whether a stored secret of this name may stay: it was saved for this account, and has its place there."""
        if not self._is_bound_alike:
            return False
        if name == "proxy_password":
            return self.settings.relay.proxy is not None
        if name == "password":
            return self.settings.auth.type == "password"
        if name == "refresh_token" and (self._has_other_grant or (self._drops_grant and self._is_by_browser)):
            return False
        return self.settings.auth.oauth2 is not None

    @property
    def _grant_version(self) -> int:
        return self.before.grant.version if self.before.grant is not None else 0

    @property
    def _is_bound_alike(self) -> bool:
        return self.settings.secret_binding == self.before.secret_binding

    @property
    def _has_other_grant(self) -> bool:
        before, after = self.before.auth, self.settings.auth
        return before.type != after.type or (
            before.oauth2 is not None and after.oauth2 is not None and before.oauth2.grant != after.oauth2.grant
        )

    @property
    def _wants_other_consent(self) -> bool:
        """Whether other scopes are asked for, or in another way; each transport has scopes of its own."""
        before, after = self.before.auth.oauth2, self.settings.auth.oauth2
        if before is None or after is None:
            return before is not after
        if self.before.transport != self.settings.transport:
            return True
        return any(getattr(before, name) != getattr(after, name) for name in _CONSENTED)

    @property
    def _is_by_browser(self) -> bool:
        """Whether a refresh token is what somebody's consent gave, and not what an admin wrote."""
        oauth2 = self.settings.auth.oauth2
        return oauth2 is not None and oauth2.grant is GrantType.AUTHORIZATION_CODE

    @property
    def _drops_grant(self) -> bool:
        """A new client secret renews what somebody consented to; all else that is new begins anew."""
        if not self._is_bound_alike or self._has_other_grant or self._wants_other_consent:
            return True
        fresh = {"refresh_token"} if self._is_by_browser else _OF_OAUTH2
        return not fresh.isdisjoint(self.given.keys() | self.cleared)

    @property
    def _is_news(self) -> bool:
        return bool(self.secrets_changed) or self._drops_grant

    def _grant(self) -> GrantState | None:
        """What is known of the grant; of one that is dropped only which warnings were given."""
        before = self.before.grant
        if before is None or self.settings.auth.oauth2 is None:
            return None
        if self._drops_grant:
            return GrantState(warned_days=before.warned_days, warned_end=before.warned_end)
        return before.model_copy(update={"retry_at": None, "failures": 0}) if self._is_news else before
