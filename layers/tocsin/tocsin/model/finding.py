"""What we find out about a mail account, where somebody else found something out meanwhile."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

_LOST = "reauthorization_required"
_FOUND_OUT = ("status", "grant", "verified_at", "last_error", "credential_version")


def rebased(before: MailAccount, after: MailAccount, current: MailAccount) -> MailAccount | None:
    """`current` with what was found out from `before` to `after`; None: what stands there is the better knowledge.

    It is where an admin edited the account or its credential is another one, where the grant was lost meanwhile and
    this is no new credential, and where both say something of the grant. Else the later word counts, field by field; a
    new credential is the later word about a loss, too.
    """
    if (current.version, current.credential_version) != (before.version, before.credential_version):
        return None
    changed = {name: getattr(after, name) for name in _FOUND_OUT if getattr(after, name) != getattr(before, name)}
    if _is_lost_since(before, current):
        if "credential_version" not in changed:
            return None
        changed |= {"status": after.status, "last_error": after.last_error}
    if "grant" in changed and current.grant != before.grant:
        return None
    return current.model_copy(update=changed)


def _is_lost_since(before: MailAccount, current: MailAccount) -> bool:
    return current.status == _LOST != before.status
