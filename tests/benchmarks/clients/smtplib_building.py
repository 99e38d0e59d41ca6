"""Jinja2, `EmailMessage` and `smtplib`: each mail rendered, built and sent over one kept connection."""

from __future__ import annotations

from dataclasses import dataclass
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP as SMTP_POLICY
from typing import TYPE_CHECKING

from jinja2 import Environment

from tests.benchmarks.clients.job import read_job, tell, timed
from tests.benchmarks.clients.smtplib_kept import connected

if TYPE_CHECKING:
    from smtplib import SMTP

    from jinja2 import Template


def main() -> None:
    """Do the job on standard input."""
    job = read_job()
    assert job.letter is not None
    writer = _Writer(
        mail_from=job.mail_from,
        letter=job.letter,
        text=Environment(autoescape=False).from_string(job.letter["text"]),  # noqa: S701  (plain text)
        html=Environment(autoescape=True).from_string(job.letter["html"]),
    )
    with connected(job) as smtp:
        writer.send(smtp, range(job.warm_up))
        tell(timed(lambda: writer.send(smtp, range(job.warm_up, job.warm_up + job.mails))))


@dataclass(frozen=True, slots=True, kw_only=True)
class _Writer:
    """The templates, compiled once, and what all mails have in common."""

    mail_from: str
    letter: dict[str, str]
    text: Template
    html: Template

    def send(self, smtp: SMTP, numbers: range) -> None:
        """Build and send a mail to each of the recipients."""
        for number in numbers:
            rcpt_to = f"reader{number}@example.org"
            smtp.sendmail(self.mail_from, [rcpt_to], self._build(number, rcpt_to))

    def _build(self, number: int, rcpt_to: str) -> bytes:
        values = {name: f"{self.letter[name]}{number:032x}" for name in ("unsubscribe_url", "manage_url")}
        message = EmailMessage(policy=SMTP_POLICY)
        message["From"] = Address(self.letter["from_name"], addr_spec=self.mail_from)
        message["To"] = Address(f"Reáder {number}", addr_spec=rcpt_to)
        message["Subject"] = self.letter["subject"]
        message["Message-ID"] = f"<{number}@acme.example>"
        message["In-Reply-To"] = message["References"] = self.letter["thread_root"]
        message["Auto-Submitted"] = "auto-generated"
        message["X-Auto-Response-Suppress"] = "All"
        message["List-Unsubscribe"] = f"<{values['unsubscribe_url']}>"
        message["List-Unsubscribe-Post"] = "List-Unsubscribe=One-Click"
        message.set_content(self.text.render(values), cte="quoted-printable")
        message.add_alternative(self.html.render(values), subtype="html", cte="quoted-printable")
        return message.as_bytes()


if __name__ == "__main__":
    main()
