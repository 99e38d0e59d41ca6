"""The provider's pages: plain HTML, every value escaped."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING

from local.identity_provider.registrations import MAIL_SCOPE, SCOPES

if TYPE_CHECKING:
    from collections.abc import Iterable

    from local.identity_provider.authorization import Consent
    from local.identity_provider.registrations import User

STYLE = """
:root { color-scheme: light dark; --line: light-dark(#c9ced6, #444b55); --muted: light-dark(#565e6b, #a4adba);
  --accent: light-dark(#0b57b0, #8ab8ff); --on-accent: light-dark(#fff, #10151c); --card: light-dark(#fff, #1a1e24); }
* { box-sizing: border-box; }
body { margin: 0; padding: 2rem 1rem; font: 1rem/1.5 system-ui, sans-serif; background: light-dark(#f3f5f8, #101317); }
main { margin: 0 auto; max-width: 30rem; padding: 2rem; background: var(--card); border: 1px solid var(--line);
  border-radius: .75rem; }
.provider { margin: 0 0 1rem; color: var(--muted); font-size: .875rem; }
h1 { font-size: 1.375rem; line-height: 1.3; margin: 0 0 .5rem; text-wrap: balance; }
p { margin: .5rem 0; overflow-wrap: anywhere; }
fieldset { margin: 1.5rem 0 0; padding: 0; border: 0; }
legend { padding: 0; font-weight: 600; }
label, li { display: flex; gap: .75rem; align-items: baseline; padding: .5rem 0; border-bottom: 1px solid var(--line); }
li label { flex: 1; padding: 0; border: 0; }
ul { list-style: none; margin: 0; padding: 0; }
small { display: block; color: var(--muted); overflow-wrap: anywhere; }
input { flex: none; width: 1.1rem; height: 1.1rem; margin: 0; translate: 0 .15rem; accent-color: var(--accent); }
.dot { flex: none; width: 1.1rem; text-align: center; color: var(--muted); }
.buttons { display: flex; flex-wrap: wrap; gap: .75rem; margin-top: 1.5rem; }
button { flex: 1 1 8rem; min-height: 2.75rem; font: inherit; font-weight: 600; border-radius: .5rem; cursor: pointer;
  border: 1px solid var(--accent); background: transparent; color: var(--accent); }
button[value=allow] { background: var(--accent); color: var(--on-accent); }
:focus-visible { outline: 3px solid var(--accent); outline-offset: 2px; }
"""


def consent_page(consent: Consent, *, client_id: str, users: Iterable[User]) -> str:
    """Who are you, and what may the application do?"""
    return _page(
        "Allow access",
        f"""<h1>{escape(client_id)} asks for access to your account</h1>
<form method="post" action="/authorize">
<input type="hidden" name="consent" value="{escape(consent.id)}">
<fieldset><legend>Continue as</legend>{_users(tuple(users), consent.request.login_hint)}</fieldset>
<fieldset><legend>It will be able to</legend>{_scopes(consent.request.scopes)}</fieldset>
<div class="buttons"><button name="decision" value="allow">Allow</button>
<button name="decision" value="deny">Deny</button></div>
</form>""",
    )


def stopped_page(reason: str) -> str:
    """Said when nobody can be sent back."""
    return _page("Stopped", f"<h1>This cannot go on</h1><p>{escape(reason)}</p>")


def home_page() -> str:
    """What this server is, for those who look."""
    return _page(
        "Demo identity provider",
        "<h1>Demo identity provider</h1><p>It signs in the two users of the demo without a password. An application "
        "sends you here when it asks for access.</p>"
        "<p><a href='/.well-known/openid-configuration'>Its endpoints</a></p>",
    )


def _users(users: tuple[User, ...], login_hint: str | None) -> str:
    known = any(user.username == login_hint for user in users)
    chosen = login_hint if known else users[0].username
    return "".join(
        f"""<label><input type="radio" name="username" value="{escape(user.username)}"
{" checked" if user.username == chosen else ""}><span>{escape(user.name)}<small>{escape(user.username)}</small></span>
</label>"""
        for user in users
    )


def _scopes(scopes: Iterable[str]) -> str:
    """Mail is the person's choice, as at providers with granular consent; the rest comes with signing in."""
    rows = []
    for scope in scopes:
        text = f"<span>{escape(SCOPES[scope])}<small>{escape(scope)}</small></span>"
        if scope == MAIL_SCOPE:
            box = f'<input type="checkbox" name="scope" value="{escape(scope)}" checked>'
            rows.append(f"<li><label>{box}{text}</label></li>")
        else:
            rows.append(f'<li><span class="dot" aria-hidden="true">&bull;</span>{text}</li>')
    return f"<ul>{''.join(rows)}</ul>"


def _page(title: str, body: str) -> str:
    return (
        f"<!doctype html><html lang='en'><head><meta charset='utf-8'><title>{escape(title)} - demo identity "
        "provider</title><meta name='viewport' content='width=device-width, initial-scale=1'>"
        "<link rel='stylesheet' href='/style.css'></head><body><main>"
        f"<p class='provider'>Demo identity provider</p>{body}</main></body></html>"
    )
