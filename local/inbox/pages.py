"""The inbox as HTML. A mail's own text is always escaped; its HTML is only shown in a frame that can do nothing."""

from __future__ import annotations

import re
from base64 import b64encode
from html import escape
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable
    from email.message import EmailMessage

    from local.inbox.mailbox import Mail

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#d5d9e0, #3a4048); --soft: light-dark(#f5f6f8, #1d2126);
  --muted: light-dark(#565e6b, #a4adba); --link: light-dark(#0b57b0, #8ab8ff); }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 72rem; padding: 1.5rem; font: 1rem/1.5 system-ui, sans-serif; }
h1 { font-size: 1.5rem; margin: .5rem 0 1rem; overflow-wrap: anywhere; }
h2 { font-size: 1.1rem; margin: 2rem 0 .5rem; }
a { color: var(--link); }
a:focus-visible { outline: 3px solid var(--link); outline-offset: 2px; }
p { margin: .5rem 0; } .muted { color: var(--muted); }
table { border-collapse: collapse; width: 100%; }
caption { text-align: start; color: var(--muted); padding-bottom: .5rem; }
th, td { text-align: start; vertical-align: top; padding: .5rem .75rem .5rem 0; border-bottom: 1px solid var(--line);
  overflow-wrap: anywhere; }
thead th { font-size: .875rem; color: var(--muted); }
td.time { white-space: nowrap; font-variant-numeric: tabular-nums; }
pre { background: var(--soft); border: 1px solid var(--line); border-radius: .375rem; padding: 1rem; margin: 0;
  white-space: pre-wrap; overflow-wrap: anywhere; font: .875rem/1.5 ui-monospace, monospace; }
iframe { width: 100%; height: 36rem; border: 1px solid var(--line); border-radius: .375rem; background: #fff; }
@media (max-width: 40rem) { thead { position: absolute; clip-path: inset(50%); }
  tr, td { display: block; border: 0; padding: 0; } tr { border-bottom: 1px solid var(--line); padding: .75rem 0; } }
"""


def list_page(mails: Iterable[Mail]) -> str:
    """All mails, the newest first."""
    rows = [_row(mail) for mail in reversed(tuple(mails))]
    body = _table(rows) if rows else "<p>No mail yet. <a href='/'>Look again</a></p>"
    return _page("Inbox", f"<main><h1>Inbox</h1>{body}</main>")


def mail_page(mail: Mail) -> str:
    """One mail: its headers, its text, its HTML in a frame, and where its source is."""
    headers = "".join(
        f"<tr><th scope='row'>{escape(name)}</th><td>{escape(str(value))}</td></tr>"
        for name, value in mail.message.items()
    )
    envelope = f"Envelope: from &lt;{escape(mail.mail_from)}&gt; to &lt;{escape(mail.rcpt_to)}&gt;"
    return _page(
        mail.subject,
        f"""<p><a href="/">Inbox</a></p>
<main>
<h1>{escape(mail.subject) or "(no subject)"}</h1>
<p class="muted">{envelope}. <a href="/mails/{mail.id}/source">Source</a></p>
{_html_section(mail)}
{_text_section(mail)}
{_files_section(mail)}
<h2 id="headers">Headers</h2>
<table aria-labelledby="headers"><tbody>{headers}</tbody></table>
</main>""",
    )


def not_found_page() -> str:
    """Said when there is no such page or mail."""
    return _page("Not found", "<main><h1>Not found</h1><p><a href='/'>Inbox</a></p></main>")


def html_part(mail: Mail) -> str | None:
    """The mail's own HTML, as it came, but with its pictures in it: a frame cannot ask for them by content id."""
    part = mail.message.get_body(("html",))
    if part is None:
        return None
    pictures = {str(picture["Content-ID"]).strip(" <>"): picture for picture in _files(mail) if picture["Content-ID"]}
    return re.sub(
        r'(?<= src=")cid:([^"]+)', lambda match: _data_url(pictures.get(match[1])) or match[0], str(part.get_content())
    )


def _data_url(picture: EmailMessage | None) -> str | None:
    if picture is None or picture.get_content_maintype() != "image":
        return None
    octets = b64encode(picture.get_payload(decode=True)).decode()  # type: ignore[arg-type]  # a picture has no parts
    return f"data:{picture.get_content_type()};base64,{octets}"


def _files(mail: Mail) -> list[EmailMessage]:
    return [part for part in mail.message.walk() if part.get_filename() is not None]


def _files_section(mail: Mail) -> str:
    rows = [
        f"<tr><th scope='row'>{escape(str(file.get_filename()))}</th><td>{escape(file.get_content_type())}</td>"
        f"<td>{len(file.get_payload(decode=True) or b''):,} bytes</td></tr>"
        for file in _files(mail)
    ]
    table = f"<table aria-labelledby='files'><tbody>{''.join(rows)}</tbody></table>"
    return f"<h2 id='files'>Files</h2>{table}" if rows else ""


def _text_section(mail: Mail) -> str:
    part = mail.message.get_body(("plain",))
    if part is None:
        return ""
    return f"<h2 id='text'>Text</h2><pre aria-labelledby='text' tabindex='0'>{escape(str(part.get_content()))}</pre>"


def _html_section(mail: Mail) -> str:
    if html_part(mail) is None:
        return ""
    return (
        f"<h2>HTML</h2><iframe sandbox title='HTML of the mail, without scripts' src='/mails/{mail.id}/html'></iframe>"
    )


def _table(rows: list[str]) -> str:
    head = "<thead><tr><th scope='col'>Received</th><th scope='col'>From</th><th scope='col'>To</th>"
    head += "<th scope='col'>Subject</th></tr></thead>"
    count = f"{len(rows)} mail{'' if len(rows) == 1 else 's'}, newest first. <a href='/'>Look again</a>"
    return f"<table><caption>{count}</caption>{head}<tbody>{''.join(rows)}</tbody></table>"


def _row(mail: Mail) -> str:
    time = mail.received_at
    return (
        f"<tr><td class='time'><time datetime='{time.isoformat()}'>{time:%Y-%m-%d %H:%M:%S} UTC</time></td>"
        f"<td>{escape(str(mail.message.get('From', '')))}</td><td>{escape(mail.rcpt_to)}</td>"
        f"<td><a href='/mails/{mail.id}'>{escape(mail.subject) or '(no subject)'}</a></td></tr>"
    )


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)} - demo inbox</title>"
        "<meta name='viewport' content='width=device-width, initial-scale=1'>"
        f"<link rel='stylesheet' href='/style.css'></head><body>{body}</body></html>"
    )
