"""What arrived: every mail as a file, and in memory for the pages and the tests."""

from __future__ import annotations

import shutil
import threading
from dataclasses import dataclass
from email import message_from_bytes, policy
from email.utils import format_datetime
from functools import cached_property
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime
    from email.message import EmailMessage
    from pathlib import Path


@dataclass(frozen=True, kw_only=True)
class Mail:
    """One message as it was handed over for one recipient. `content` is what came after DATA, octet for octet."""

    id: str
    mail_from: str
    rcpt_to: str
    received_at: datetime
    content: bytes

    @cached_property
    def message(self) -> EmailMessage:
        """The message, parsed."""
        return message_from_bytes(self.content, policy=policy.default)

    @property
    def message_id(self) -> str:
        """The Message-ID, angle brackets included."""
        return str(self.message.get("Message-ID", "")).strip()

    @property
    def subject(self) -> str:
        """The subject as people see it."""
        return str(self.message.get("Subject", ""))

    @property
    def file(self) -> bytes:
        """What the file holds: the trace fields a final delivery adds (RFC 5321 section 4.4), then the content."""
        trace = (
            f"Return-Path: <{self.mail_from}>\r\n"
            f"Delivered-To: {self.rcpt_to}\r\n"
            f"Received: by demo-inbox with ESMTPSA id {self.id}; {format_datetime(self.received_at)}\r\n"
        )
        return trace.encode() + self.content


class Mailbox:
    """All mails, oldest first. Safe to use from several threads."""

    def __init__(self, folder: Path) -> None:
        """Start empty: what an earlier run kept in `folder` is deleted."""
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(mode=0o700, parents=True)
        self._folder = folder
        self._mails: dict[str, Mail] = {}
        self._lock = threading.Lock()

    def keep(self, *, mail_from: str, rcpt_to: str, received_at: datetime, content: bytes) -> Mail:
        """Store one mail, and return it."""
        with self._lock:
            number = f"{len(self._mails) + 1:05}"
            mail = Mail(id=number, mail_from=mail_from, rcpt_to=rcpt_to, received_at=received_at, content=content)
            (self._folder / f"{number}.eml").write_bytes(mail.file)
            self._mails[number] = mail
        return mail

    def mails(self) -> tuple[Mail, ...]:
        """Every mail, oldest first."""
        with self._lock:
            return tuple(self._mails.values())

    def mail(self, number: str) -> Mail | None:
        """The mail with this id."""
        with self._lock:
            return self._mails.get(number)
