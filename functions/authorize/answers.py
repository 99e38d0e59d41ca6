"""Redirects and pages, with headers that let nobody keep, frame or follow them."""

from __future__ import annotations

from base64 import b64encode
from functools import cache
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING

from aws_lambda_powertools.event_handler import Response
from aws_lambda_powertools.shared.cookies import Cookie, SameSite
from jinja2 import Environment, FileSystemLoader, StrictUndefined

from functions.authorize.words import words_for

if TYPE_CHECKING:
    from jinja2 import Template
    from tocsin.actions.authorize_ticket import Opened
    from tocsin.model.authorization import Result

_UNAVAILABLE = 503
_AGAIN_AFTER_SECONDS = 30
_FOLDER = Path(__file__).with_name("pages")
STYLE = _FOLDER.joinpath("style.css").read_text(encoding="utf-8")
_STYLE_HASH = b64encode(sha256(STYLE.encode()).digest()).decode()
ALWAYS = {
    "Cache-Control": "no-store",
    "Content-Security-Policy": (
        f"default-src 'none'; style-src 'sha256-{_STYLE_HASH}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cross-Origin-Opener-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex, nofollow",
}


def redirect(opened: Opened) -> Response[str]:
    """Send the browser on, with its cookie: over https or to this machine only, out of reach of scripts and others."""
    cookie = Cookie(
        name=opened.cookie_name,
        value=opened.cookie_value,
        path="/",
        secure=True,
        http_only=True,
        same_site=SameSite.LAX_MODE,
        max_age=int(opened.lasting.total_seconds()),
    )
    return Response(status_code=302, headers={**ALWAYS, "Location": opened.location}, cookies=[cookie])


def page(result: Result, *, base_url: str, ticket: str | None) -> Response[str]:
    """The page that says how it ended. `ticket` is what it can be tried again with."""
    words = words_for(result)
    wait = {"Retry-After": str(_AGAIN_AFTER_SECONDS)} if words.status == _UNAVAILABLE else {}
    text = template("result.html.j2").render(
        result=result,
        words=words,
        style=STYLE,
        again=f"{base_url}/authorize/{ticket}" if ticket is not None else None,
        back=f"{base_url}{result.return_path}" if result.return_path is not None else None,
    )
    return Response(
        status_code=words.status, content_type="text/html; charset=utf-8", body=text, headers={**ALWAYS, **wait}
    )


def empty() -> Response[str]:
    """What HEAD gets."""
    return Response(status_code=200, content_type="text/html; charset=utf-8", headers=dict(ALWAYS))


@cache
def template(name: str) -> Template:
    """One of our pages."""
    environment = Environment(
        loader=FileSystemLoader(_FOLDER),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template(name)
