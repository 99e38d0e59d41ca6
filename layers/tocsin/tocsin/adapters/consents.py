"""Consents: grants that somebody gave in a browser, remembered in the transaction that stores them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime

    from tocsin.adapters.audit_items import Audit
    from tocsin.adapters.grant_store import GrantStore
    from tocsin.model.audit import AuditEntry
    from tocsin.model.mail_account import MailAccount


class Consents:
    """Writes accounts as a consent makes them."""

    def __init__(self, grants: GrantStore, audit: Audit) -> None:
        self._grants = grants
        self._audit = audit

    def store(self, before: MailAccount, after: MailAccount, *, refresh_at: datetime | None, entry: AuditEntry) -> None:
        """Write the account and who consented, if neither its settings nor its credential changed since.

        Raises:
            AccountChanged: it was edited, renewed or deleted meanwhile; nothing was written.
            TransientError: the table is too busy (`ServiceBusy`: it may be written).
        """
        self._grants.update(before, after, refresh_at=refresh_at, beside=[self._audit.recording(entry)])
