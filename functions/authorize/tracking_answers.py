"""What the addresses of tracked mails answer: a picture that nobody sees, the way on, or why there is none."""

from __future__ import annotations

from base64 import b64decode
from http import HTTPStatus
from urllib.parse import urlsplit

from aws_lambda_powertools.event_handler import Response

from functions.authorize.answers import ALWAYS, STYLE, template

_PIXEL = b64decode("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7")
"""A transparent GIF of one pixel."""


def picture() -> Response[bytes]:
    """The picture of a tracked mail, which webmail may show on its own pages."""
    headers = {**ALWAYS, "Cross-Origin-Resource-Policy": "cross-origin"}
    return Response(status_code=HTTPStatus.OK, content_type="image/gif", body=_PIXEL, headers=headers)


def forward(target: str) -> Response[str]:
    """The way to where a link leads, which is not told where the reader came from."""
    return Response(status_code=HTTPStatus.FOUND, headers={**ALWAYS, "Location": target})


def no_picture() -> Response[str]:
    """There is no such picture."""
    return Response(status_code=HTTPStatus.NOT_FOUND, content_type="text/plain", body="", headers=dict(ALWAYS))


def not_ours() -> Response[str]:
    """The page for a link that we never gave, or too long ago."""
    return _page(
        HTTPStatus.NOT_FOUND,
        "This link leads nowhere",
        "It is not complete, or it is too old. Open the mail it came with and try it there once more.",
    )


def switched_off(target: str) -> Response[str]:
    """The page for a link of a project that no longer counts who follows its links: it still says where it led."""
    return _page(
        HTTPStatus.NOT_FOUND,
        "This link is no longer forwarded",
        "The sender has switched off what it was for. Where it led is still there:",
        target=target,
    )


def try_again() -> Response[str]:
    """The page for a link that cannot be told from a forged one just now."""
    return _page(
        HTTPStatus.SERVICE_UNAVAILABLE,
        "That did not work just now",
        "The link could not be checked. Please try it again in a minute.",
    )


def _page(status: HTTPStatus, heading: str, happened: str, *, target: str | None = None) -> Response[str]:
    text = template("link.html.j2").render(
        style=STYLE,
        heading=heading,
        happened=happened,
        target=target,
        host=urlsplit(target).hostname if target else None,
    )
    return Response(status_code=status, content_type="text/html; charset=utf-8", body=text, headers=dict(ALWAYS))
