"""Templates, stylesheet, translations and the catalogue's page say the same, and no mail is too large."""

from __future__ import annotations

import json
import re
from typing import TYPE_CHECKING

import pytest
from tocsin.compose.styles import CLASSES, STYLES, TEMPLATES
from tocsin.model.notification import CATALOGUE

from tests.contract import catalogue_page, sizes_page, translations
from tests.contract.catalogue_page import CATALOGUE_PAGE
from tests.contract.catalogue_rows import ROWS
from tests.contract.sizes_page import LARGEST, SIZES_PAGE
from tests.contract.styles import inline_styles

if TYPE_CHECKING:
    from pathlib import Path

_CATALOGUES = translations.catalogues()
_FILES = translations.sources(_CATALOGUES) | translations.compiled(_CATALOGUES)


@pytest.mark.parametrize("language", translations.TRANSLATED)
def test_every_text_is_translated(language: str) -> None:
    missing = [message.id for message in _CATALOGUES[language] if message.id and not translations.is_whole(message)]

    assert not missing, "`python -m tests.contract.translations FILE` adds them (docs/mails.md)"


@pytest.mark.parametrize("language", translations.TRANSLATED)
def test_a_translation_has_the_places_of_its_text(language: str) -> None:
    for message in _CATALOGUES[language]:
        texts = message.string if isinstance(message.string, tuple | list) else (message.string,)
        source = message.id if isinstance(message.id, str) else message.id[-1]
        if message.id:
            for text in texts:
                assert _places(str(text)) == _places(source), text


@pytest.mark.parametrize("path", _FILES, ids=lambda path: "/".join(path.parts[-3:]))
def test_a_catalogue_is_as_the_templates_say(path: Path) -> None:
    assert path.read_bytes() == _FILES[path], "`make publish` writes it"


def test_the_inline_styles_are_those_of_the_stylesheet() -> None:
    assert json.loads(STYLES.read_text(encoding="utf-8")) == inline_styles(), "`make publish` writes them"


def test_every_class_is_one_that_gets_its_style() -> None:
    for path in TEMPLATES.rglob("*.html.j2"):
        source = path.read_text(encoding="utf-8")
        assert source.count("class=") == len(CLASSES.findall(source)), path


def test_the_page_of_the_catalogue_is_as_the_samples_say() -> None:
    assert CATALOGUE_PAGE.read_text(encoding="utf-8") == catalogue_page.page(), "`make publish` writes it"


def test_the_page_names_every_type_once() -> None:
    named = [type_ for row in ROWS for type_ in row.types]

    assert len(named) == len(set(named))
    assert set(CATALOGUE) == set(named)


def test_the_page_of_sizes_is_as_the_samples_say() -> None:
    assert SIZES_PAGE.read_text(encoding="utf-8") == sizes_page.page(), "`make publish` writes it"


@pytest.mark.parametrize("type_", CATALOGUE)
def test_no_mail_is_larger_than_30_kb(type_: str) -> None:
    measured = sizes_page.sizes(type_)

    assert max(measured.text, measured.html, *measured.messages.values()) <= LARGEST


def _places(text: str) -> set[str]:
    return set(re.findall(r"%(?:\(\w+\)s|%|.)", text))
