"""Whose mail it is, to the eye."""

from __future__ import annotations

import pytest
from tocsin.model.branding import Branding, Look

from tests.unit.compose.mails import minimal_mail, sample_mail


def test_a_project_s_logo_colours_and_footer_are_on_its_mails() -> None:
    branding = Branding(
        logo_url="https://acme.example/l.png", color="#FFD400", background_color="#eeeeee", footer="Acme GmbH\nBerlin"
    )

    mail = minimal_mail(url="https://acme.example/7", look=Look(branding=branding, project_name="Acme"))

    assert 'src="https://acme.example/l.png"' in mail.html
    assert 'alt="Acme"' in mail.html
    assert 'bgcolor="#ffd400"' in mail.html
    assert "color:#000000;" in mail.html.partition('<td class="primary"')[2].partition("</td>")[0], "dark upon yellow"
    assert "background-color:#eeeeee" in mail.html
    assert "Acme GmbH<br>Berlin" in mail.html
    assert "Acme GmbH\nBerlin" in mail.text


@pytest.mark.parametrize("color", [None, "red", "#12", "#12345g", "#123456;}", "url(x)"])
def test_what_is_no_colour_counts_as_absent(color: str | None) -> None:
    branding = Branding(color=color, background_color=color, logo_url="javascript:alert(1)")

    assert minimal_mail(look=Look(branding=branding)).html == minimal_mail().html


def test_a_status_page_s_own_name_logo_and_footer_come_first() -> None:
    branding = Branding(logo_url="https://acme.example/l.png", footer="Of the project")

    mail = sample_mail("status_page.incident_created", look=Look(branding=branding, project_name="Other"))

    assert 'src="https://status.example.org/logo.png"' in mail.html
    assert "Marktplatz 1" in mail.html
    assert not any(other in mail.html + mail.text for other in ("acme.example/l.png", "Of the project", "Other"))


@pytest.mark.parametrize(
    ("color", "text"), [("#175cd3", "#ffffff"), ("#000000", "#ffffff"), ("#ffffff", "#000000"), ("#22c55e", "#000000")]
)
def test_the_button_s_text_has_contrast(color: str, text: str) -> None:
    html = minimal_mail(url="https://x.example", look=Look(branding=Branding(color=color))).html

    assert f'color:{text};" href="https://x.example"' in html
