"""Programs that look ahead are told from people's programs, by what a request says of itself."""

from __future__ import annotations

import pytest

from functions.authorize.machines import is_machine

BROWSER = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"


@pytest.mark.parametrize(
    ("method", "headers"),
    [
        ("HEAD", {"user-agent": BROWSER}),
        ("GET", {}),
        ("GET", {"user-agent": " "}),
        ("GET", {"user-agent": "Mozilla/5.0"}),
        ("GET", {"user-agent": "Mozilla/5.0 (compatible; Googlebot/2.1)"}),
        ("GET", {"user-agent": "Slackbot-LinkExpanding 1.0"}),
        ("GET", {"user-agent": "WhatsApp/2.23"}),
        ("GET", {"user-agent": "python-requests/2.32"}),
        ("GET", {"user-agent": BROWSER, "sec-purpose": "prefetch;prerender"}),
        ("GET", {"user-agent": BROWSER, "x-purpose": "preview"}),
    ],
)
def test_programs_that_look_ahead_are_known(method: str, headers: dict[str, str]) -> None:
    assert is_machine(method, headers)


@pytest.mark.parametrize(
    "agent",
    [
        BROWSER,
        "Mozilla/5.0 (Linux; Android 13; CUBOT X70) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0 Mobile",
        "Mozilla/5.0 (Windows NT 5.1; rv:11.0) Gecko Firefox/11.0 (via ggpht.com GoogleImageProxy)",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/15E148",
        "Mozilla/4.0 (compatible; MSIE 7.0; Windows NT 10.0; Microsoft Outlook 16.0.18227; ms-office; MSOffice 16)",
        "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Thunderbird/140.0",
        "YahooMailProxy; https://help.yahoo.com/kb/yahoo-mail-proxy-SLN28749.html",
    ],
)
def test_people_s_programs_are_people(agent: str) -> None:
    assert not is_machine("GET", {"user-agent": agent, "purpose": "", "accept": "image/webp"})
