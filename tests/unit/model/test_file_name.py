"""Names of files as they are shown and judged: whatever a publisher wrote, no path, nothing unseen, and never empty."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tocsin.model.file_name import ascii_file_name, clean_file_name, extensions

NASTY = st.text(min_size=1, max_size=255) | st.text(
    "ab./\\:\"'<>|?* \t\r\n\x00\x85\u202e\u200bé漢😀%;=&", min_size=1, max_size=255
)


@pytest.mark.parametrize(
    ("written", "clean"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "passwd"),
        ("C:\\Users\\ana\\report.pdf", "report.pdf"),
        ("folder/", "folder"),
        ("a\r\nBcc: eve@example.org.txt", "a Bcc_ eve@example.org.txt"),
        ("photo_\u202egpj.exe", "photo_gpj.exe"),
        ("setup.exe. . ", "setup.exe"),
        ("setup.e\u200bxe", "setup.exe"),
        ("report.txt\x00.exe", "report.txt.exe"),
        ('say "hi"?.txt', "say _hi__.txt"),
        ("Übersicht \u2013 März.csv", "Übersicht \u2013 März.csv"),
        ("a\u0308.txt", "ä.txt"),
        (" . ", "attachment"),
        ("\u202e", "attachment"),
        ("x" * 300 + ".txt", "x" * 146 + ".txt"),
    ],
)
def test_a_name_is_the_last_part_of_a_path_without_what_cannot_be_seen(written: str, clean: str) -> None:
    assert clean_file_name(written) == clean


@given(written=NASTY)
def test_whatever_is_written_the_name_is_harmless_and_stays_as_it_is(written: str) -> None:
    name = clean_file_name(written)

    assert 0 < len(name) <= 150
    assert not set(name) & set('/\\:"<>|?*')
    assert all(unicodedata.category(character)[0] != "C" for character in name)
    assert name == name.strip() == name.rstrip(".")
    assert clean_file_name(name) == name
    assert ascii_file_name(name).isascii()


@pytest.mark.parametrize(
    ("name", "found"),
    [
        ("invoice.pdf.EXE", ("pdf", "exe")),
        ("setup.\uff45\uff58\uff45", ("exe",)),
        ("setup\uff0eexe", ("exe",)),
        ("setup.exe .txt", ("exe", "txt")),
        ("noextension", ()),
        (".exe", ("exe",)),
    ],
)
def test_extensions_are_compared_as_programs_compare_them(name: str, found: tuple[str, ...]) -> None:
    assert extensions(clean_file_name(name)) == found


@pytest.mark.parametrize(
    ("name", "readable"),
    [
        ("März 2026.csv", "Marz 2026.csv"),
        ("報告.pdf", "attachment.pdf"),
        ("報告", "attachment"),
        ("a;b.txt", "a_b.txt"),
    ],
)
def test_every_name_can_be_said_in_ascii(name: str, readable: str) -> None:
    assert ascii_file_name(name) == readable
