"""Front, engine and identity provider together make an HTTP API as API Gateway does."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pytest
import requests

from local.engine_process import running_engine
from local.identity_provider.running import PROJECTS_CLAIM
from local.ports import HOST
from local.surroundings import Surroundings, running_surroundings
from tests.local.echo import deploy_echo

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.local

SECONDS = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class Echo:
    """The API, and what is around it."""

    surroundings: Surroundings

    def get(self, path: str, **headers: str) -> requests.Response:
        """The public route's answer."""
        return requests.get(self.surroundings.front.url + path, headers=headers, timeout=SECONDS)

    def post(self, **headers: str) -> requests.Response:
        """The private route's answer."""
        url = f"{self.surroundings.front.url}/private"
        return requests.post(url, json={"a": "b"}, headers=headers, timeout=SECONDS)


@pytest.fixture(scope="module")
def echo(built: None, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Echo]:  # noqa: ARG001  (wanted first)
    folder = tmp_path_factory.mktemp("echo")
    with running_engine(folder / "engine") as engine, running_surroundings(folder) as surroundings:
        surroundings.front.lead_to(deploy_echo(engine, surroundings.identity_provider))
        yield Echo(surroundings=surroundings)


def test_functions_get_the_events_of_api_gateway(echo: Echo) -> None:
    front = echo.surroundings.front
    event = echo.get("/public/a%20b?c=d%2Fe", Cookie="one=1; __Host-two=2", Origin="https://example.org").json()

    assert event["rawPath"] == "/public/a b"
    assert event["pathParameters"] == {"what": "a b"}
    assert event["rawQueryString"] == "c=d%2Fe"
    assert event["cookies"] == ["one=1", "__Host-two=2"]
    headers = event["headers"]
    assert "cookie" not in headers
    assert (headers["host"], headers["origin"]) == (f"localhost:{front.port}", "https://example.org")
    assert {name: headers[name] for name in headers if name.startswith("x-forwarded-")} == {
        "x-forwarded-for": HOST,
        "x-forwarded-host": f"localhost:{front.port}",
        "x-forwarded-port": str(front.port),
        "x-forwarded-proto": "http",
    }


def test_a_function_may_set_several_cookies(echo: Echo) -> None:
    response = echo.get("/public/a")

    assert response.raw.headers.getlist("Set-Cookie") == ["first=1; Path=/", "second=2; Path=/"]
    assert not [name for name in response.headers if name.lower().startswith("access-control-")]


def test_a_function_may_answer_without_a_body(echo: Echo) -> None:
    response = echo.get("/public/nothing")

    assert (response.status_code, response.content) == (200, b"")


def test_an_admin_is_known_by_the_token(echo: Echo) -> None:
    token = echo.surroundings.identity_provider.admin_token(["acme:admin", "other:viewer"])

    event: dict[str, Any] = echo.post(Authorization=f"Bearer {token}").json()

    assert event["body"] == '{"a": "b"}'
    assert event["requestContext"]["authorizer"]["jwt"]["claims"][PROJECTS_CLAIM] == "[acme:admin other:viewer]"


@pytest.mark.parametrize("kind", ["none", "forged", "for mail"])
def test_nobody_else_is_let_in(echo: Echo, kind: str) -> None:
    identity_provider = echo.surroundings.identity_provider
    good = identity_provider.admin_token()
    header = {
        "none": "",
        "forged": f"Bearer {good[:-8]}AAAAAAAA",
        "for mail": f"Bearer {identity_provider.provider.tokens.access_token(client_id='c', scopes=[])}",
    }[kind]

    assert echo.post(**({"Authorization": header} if header else {})).status_code == 401
