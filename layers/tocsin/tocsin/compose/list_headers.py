"""What the mails of a status page's list say of it, to mailbox providers and to programs that sort mail."""

from __future__ import annotations

import re
from hashlib import sha256
from typing import TYPE_CHECKING

from tocsin.compose.headers import phrase_header, token_header
from tocsin.model.subscribers import listed_page

if TYPE_CHECKING:
    from tocsin.model.notification import Notification

_LABEL = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?", re.ASCII)
_LABEL_DIGITS = 32
_SENDER_ID = "tocsin"  # what stands last in all of our Feedback-IDs: 5 to 15 characters, as Gmail wants it


def list_headers(notification: Notification, *, host: str, utf8: bool) -> list[str]:
    """Make List-Id (RFC 2919), Precedence and Feedback-ID; none where the notification goes to no list.

    `host` is ours: no other list can have such an id. Nothing here is of one recipient.
    """
    page = listed_page(notification)
    if page is None:
        return []
    label, project_id = _label(page.id), notification.project_id
    return [
        phrase_header("List-Id", page.name, f"<{label}.{project_id}.{host}>", utf8=utf8),
        token_header("Precedence", "bulk"),
        token_header("Feedback-ID", f"{label}:{project_id}:{notification.type}:{_SENDER_ID}"),
    ]


def _label(page_id: str) -> str:
    """Give the id where it can be part of a name that is compared without regard to case, else what stands for it."""
    return page_id if _LABEL.fullmatch(page_id) else sha256(page_id.encode()).hexdigest()[:_LABEL_DIGITS]
