"""Mails in their readers' languages."""

from __future__ import annotations

import re
import subprocess
import sys
from html import unescape
from typing import Any

import pytest
from markupsafe import Markup
from tocsin.compose.environment import build_environment
from tocsin.compose.reader import LANGUAGES, Reader, known_locale, reading
from tocsin.compose.translate import gettext, ngettext
from tocsin.compose.words import listed, role_word, word
from tocsin.model.notification import CATALOGUE

from tests.unit.compose.mails import Mail, mail_of, sample

ADVISING = {
    "settings.reauthorization_required": "Open the mail account and authorize it again.",
    "settings.breaker_opened": "Open the mail account and verify it: that shows at which step it fails.",
    "settings.secret_expiring": "Make a new client secret at the identity provider and save it in the mail account.",
    "delivery.failed_summary": "These mails wait for a change of the mail account or of the project's settings,"
    " and then go at once.",
}
REMEDIES = {
    "settings.reauthorization_required": sample("settings.reauthorization_required")["data"]["remedy"],
    "settings.breaker_opened": sample("settings.breaker_opened")["data"]["remedy"],
    "settings.secret_expiring": sample("settings.secret_expiring")["data"]["remedy"],
    "delivery.failed_summary": sample("delivery.failed_summary")["data"]["failures"]["groups"][0]["remedy"],
}
OTHERS = [language for language in LANGUAGES if language != "en"]


@pytest.mark.parametrize(
    ("tag", "locale"),
    [
        ("de", "de"),
        ("DE-at", "de_AT"),
        ("pt_BR", "pt_BR"),
        ("en-US", "en_US"),
        ("zh-Hant-TW", "zh"),
        ("zh_CN", "zh"),
        ("fr-419", "fr"),
        ("ja.UTF-8", "ja"),
        *((unknown, "en") for unknown in (None, "", "ar", "it-IT", "deutsch", "\x00", "é", "../de", "x" * 1000)),
    ],
)
def test_a_locale_is_a_known_language_with_its_region_or_english(tag: str | None, locale: str) -> None:
    assert known_locale(tag) == locale


@pytest.mark.parametrize("event_type", CATALOGUE)
@pytest.mark.parametrize("language", OTHERS)
def test_every_mail_says_in_each_language_what_the_english_one_says(event_type: str, language: str) -> None:
    english, other = (_sample_for(event_type, locale) for locale in ("en", language))

    assert f'<html lang="{language}" dir="ltr"' in other.html
    assert re.findall(r'href="([^"]*)"', other.html) == re.findall(r'href="([^"]*)"', english.html)
    assert other.html.count("<tr>") == english.html.count("<tr>")
    assert _last_line(other) != _last_line(english)
    assert not re.search(r"%\(|None|Undefined", other.text)


def test_a_reader_of_an_unknown_language_gets_english() -> None:
    assert _sample_for("incident.created", "ar").html == _sample_for("incident.created", "en").html


def test_subject_body_and_role_are_in_the_language_of_the_reader() -> None:
    mail = _sample_for("incident.state_changed", "de-AT")

    assert mail.message["Subject"] == "[Störung #1042] Checkout is down"
    assert mail.message["Thread-Topic"] == mail.message["Subject"]
    assert mail.text.startswith("Störung #1042 ist jetzt: Behoben\n======")
    assert "Bestätigt, 2 Std. 5 Min. lang" in mail.text
    assert "Sa., 21. Nov. 2026, 12:35 (Europe/Madrid, UTC+1) · von Ana Pérez" in mail.text
    assert "als verantwortliche Person bei Acme" in mail.text


def test_a_value_in_a_translation_is_escaped_and_neither_markup_nor_a_place() -> None:
    template = build_environment().overlay(autoescape=False).from_string('{{ _("by %(name)s", name=name) }}')
    escaping = build_environment().overlay(autoescape=True).from_string('{{ _("by %(name)s", name=name) }}')

    with reading(Reader(locale="es")):
        assert template.render(name="<b>%(name)s") == "por <b>%(name)s"
        assert escaping.render(name="<b>%(name)s") == "por &lt;b&gt;%(name)s"
        assert escaping.render(name=Markup("<b>")) == "por <b>"


@pytest.mark.parametrize(
    ("locale", "count", "text"),
    [
        ("en", 1, "The client secret of A expires in 1 day"),
        ("en", 2, "The client secret of A expires in 2 days"),
        ("es", 1, "El secreto de cliente de A caduca en 1 día"),
        ("es", 2, "El secreto de cliente de A caduca en 2 días"),
        ("zh", 2, "A 的客户端密钥将在 2 天后到期"),
    ],
)
def test_a_count_has_its_plural(locale: str, count: int, text: str) -> None:
    one, many = (f"The client secret of %(name)s expires in %(count)s {days}" for days in ("day", "days"))

    with reading(Reader(locale=locale)):
        assert ngettext(one, many, count, name="A") == text


@pytest.mark.parametrize(
    ("text", "german"),
    [("resolved", "Behoben"), ("IN_PROGRESS", "In Arbeit"), ("sev 1", "Sev 1"), ("waiting for Ben", "Waiting for Ben")],
)
def test_well_known_states_are_translated_and_others_shown_as_they_came(text: str, german: str) -> None:
    with reading(Reader(locale="de")):
        assert word(text) == german


@pytest.mark.parametrize("language", OTHERS)
def test_a_digest_calls_critical_what_badges_call_so(language: str) -> None:
    with reading(Reader(locale=language)):
        stem = (word("critical") or "")[:5].casefold()

    assert stem in _sample_for("delivery.digest", language).text.casefold()


def test_japanese_does_not_say_that_who_did_something_is_in_charge() -> None:
    mail = _sample_for("incident.state_changed", "ja")

    assert "Ana Pérez による" in mail.text
    assert "担当" not in mail.text


@pytest.mark.parametrize("event_type", ADVISING)
@pytest.mark.parametrize("language", OTHERS)
def test_before_a_remedy_which_is_english_its_gist_is_told_in_the_reader_s_language(
    event_type: str, language: str
) -> None:
    mail = _sample_for(event_type, language)

    with reading(Reader(locale=language)):
        gist, lead = gettext(ADVISING[event_type]), gettext("In detail (in English):")
    for body in (mail.text, unescape(mail.html)):
        assert body.index(gist) < body.index(lead) < body.index(REMEDIES[event_type])


@pytest.mark.parametrize("event_type", ADVISING)
def test_who_reads_english_needs_no_gist(event_type: str) -> None:
    text = _sample_for(event_type, "en").text

    assert ADVISING[event_type] not in text
    assert "in English" not in text
    assert REMEDIES[event_type] in text


@pytest.mark.parametrize(
    ("role", "said"), [("admin", "administrateur"), ("on-call engineer", "on-call engineer"), ("owner", "responsable")]
)
def test_french_names_a_role_of_any_kind_without_an_article(role: str, said: str) -> None:
    event = sample("incident.created")
    event["data"]["recipients"][0] |= {"locale": "fr", "role": role}

    mail = mail_of(event)

    for body in (mail.text, mail.html):
        assert f"Vous recevez ce message de Acme (rôle\N{NO-BREAK SPACE}: {said})." in body


@pytest.mark.parametrize(
    ("event_type", "label"),
    [
        pytest.param("incident.state_changed", "Auparavant", id="fact"),
        pytest.param("incident.state_changed", "Voir l\N{RIGHT SINGLE QUOTATION MARK}incident", id="button"),
        pytest.param("alert_episode.item_added", "  Gravité", id="cell"),
        pytest.param("status_page.incident_created", "Se désabonner", id="way-out"),
        pytest.param("status_page.incident_created", "Gérer vos notifications", id="subscription"),
    ],
)
def test_french_sets_a_colon_apart(event_type: str, label: str) -> None:
    lines = _sample_for(event_type, "fr").text.splitlines()

    apart = [line.startswith(f"{label}\N{NO-BREAK SPACE}: ") for line in lines if line.startswith(label)]
    assert apart
    assert all(apart)


def test_names_are_listed_as_the_language_does() -> None:
    assert listed(["A", "B"]) == "A, B"
    with reading(Reader(locale="ja")):
        assert listed(["A", "B"]) == "A、B"
    assert listed([]) is listed(None) is None


def test_a_role_of_the_publisher_s_own_stays_as_it_is() -> None:
    assert role_word("release captain", "de") == "release captain"


def test_the_reader_is_forgotten_afterwards() -> None:
    with reading(Reader(locale="de")):
        assert gettext("Unsubscribe") == "Abbestellen"

    assert gettext("Unsubscribe") == "Unsubscribe"


def test_right_to_left_languages_would_run_right_to_left() -> None:
    assert (Reader(locale="he").direction, Reader(locale="de").direction) == ("rtl", "ltr")


@pytest.mark.parametrize(("locale", "loaded"), [("en", 0), ("de", 2)])
def test_only_mails_in_other_languages_load_babel_and_gettext(locale: str, loaded: int) -> None:
    program = (
        "import sys; from tests.unit.compose.mails import mail_of, sample; event = sample('incident.created'); "
        f"event['data']['recipients'][0]['locale'] = '{locale}'; before = set(sys.modules); mail_of(event); "
        "sys.exit(len({'babel', 'tocsin.compose.local_times'} & set(sys.modules)))"
    )

    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == loaded  # noqa: S603  (our own)


def _sample_for(event_type: str, locale: str) -> Mail:
    event: dict[str, Any] = sample(event_type)
    event["data"]["recipients"][0]["locale"] = locale
    return mail_of(event)


def _last_line(mail: Mail) -> str:
    return mail.text.partition("\n----\n")[2]
