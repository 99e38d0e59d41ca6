"""JSON Merge Patch (RFC 7396) of a mail account, whose secrets are not in the document that is patched."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from tocsin.model.mail_account_input import SECRETS, MailAccountInput

if TYPE_CHECKING:
    from tocsin.model.mail_account import MailAccount

_SECRETS = frozenset(SECRETS.values())
_NOT_WRITTEN = {
    "project_id",
    "id",
    "version",
    "secrets_set",
    "credential_version",
    "status",
    "grant",
    "verified_at",
    "last_error",
}


def patched(account: MailAccount, patch: Mapping[str, Any]) -> MailAccountInput:
    """What an admin would have written who wrote all of it.

    Null takes a member away, and so gives it its default; of a secret it says that it is to be taken away.

    Raises:
        InvalidSettings: that is no mail account.
    """
    return MailAccountInput.of(merged(as_written(account), patch))


def as_written(account: MailAccount) -> dict[str, Any]:
    """The account as an admin would write it, without its secrets."""
    document = account.model_dump(mode="json", exclude=_NOT_WRITTEN)
    document["senders"] = [
        _sender(sender) | {"default": kept is account.default_sender}
        for sender, kept in zip(document["senders"], account.senders, strict=True)
    ]
    document["use_for"] = sorted(document["use_for"])
    return document


def merged(target: Mapping[str, Any], patch: Mapping[str, Any], *, path: tuple[str, ...] = ()) -> dict[str, Any]:
    """The target, which is at `path` of the document, with the patch, by the rules of RFC 7396 section 2."""
    result = dict(target)
    for name, value in patch.items():
        if value is None and (*path, name) not in _SECRETS:
            result.pop(name, None)
        elif isinstance(value, Mapping):
            inner = result.get(name)
            result[name] = merged(inner if isinstance(inner, Mapping) else {}, value, path=(*path, name))
        else:
            result[name] = value
    return result


def _sender(sender: Mapping[str, Any]) -> dict[str, Any]:
    written = {name: value for name, value in sender.items() if name != "signature_html"}
    return written | {"signature": sender["signature_html"] or sender["signature"]}
