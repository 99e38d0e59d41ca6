"""What runs when it is opened goes along with no mail, however it is dressed."""

from __future__ import annotations

import pytest
from tocsin.data.refused_files import why_refused
from tocsin.model.attachment import AttachedFile
from tocsin.model.file_name import clean_file_name

PLAIN = b"12:01 all is well\n"


def _why(name: str, content_type: str = "application/octet-stream", content: bytes = PLAIN) -> str | None:
    return why_refused(AttachedFile(name=clean_file_name(name), content_type=content_type, content=content))


@pytest.mark.parametrize(
    "name",
    [
        "setup.exe",
        "SETUP.EXE",
        "invoice.pdf.exe",
        "invoice.exe.pdf",
        "setup.exe.",
        "setup.exe ...  ",
        "photo_\u202egpj.exe",
        "setup.e\u200bxe",
        "setup.\uff45\uff58\uff45",
        "run.sh",
        "logo.scr",
        "macro.vbs",
        "macro.js",
        "shop.com",
        "disk.iso",
        "../x/setup.exe",
        ".exe",
        "report.lnk",
    ],
)
def test_a_program_is_known_by_its_name(name: str) -> None:
    assert _why(name) == "the extension is that of a program"


@pytest.mark.parametrize(
    "extension",
    [
        *(
            "appinstaller",
            "application",
            "appref-ms",
            "diagcab",
            "diagcfg",
            "diagpkg",
            "esd",
            "ex",
            "iqy",
            "lib",
            "mpkg",
        ),
        *("msh1xml", "msu", "pkg", "printerexport", "ps1xml", "ps2xml", "psd1", "pyz", "rdp", "search-ms"),
        *(
            "searchconnector-ms",
            "shs",
            "slk",
            "theme",
            "themepack",
            "udl",
            "vbp",
            "vsto",
            "webpnp",
            "wim",
            "wll",
            "xnk",
        ),
    ],
)
def test_what_opens_a_program_is_one(extension: str) -> None:
    assert _why(f"minutes.{extension}") == "the extension is that of a program"


@pytest.mark.parametrize(
    "content_type", ["application/x-msdownload", "APPLICATION/X-MSDownload", "text/javascript; charset=utf-8"]
)
def test_a_program_is_known_by_its_content_type(content_type: str) -> None:
    assert _why("file.dat", content_type) == "the content type is that of a program"


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"MZ\x90\x00", "a program for Windows"),
        (b"\x7fELF\x02", "a program for Linux"),
        (b"#!/bin/sh\n", "a script"),
        (b"\xcf\xfa\xed\xfe", "a program for macOS"),
        (b"xar!\x00\x1c", "a package for macOS"),
        (b"MSCF\x00\x00", "a package for Windows"),
        (b"MSWIM\x00\x00", "a disk image"),
        (b"\xca\xfe\xba\xbe", "a program for several processors, or for Java"),
    ],
)
def test_a_program_is_known_by_its_first_octets(content: bytes, kind: str) -> None:
    assert _why("notes.txt", "text/plain", content) == f"the content is that of {kind}"


@pytest.mark.parametrize(
    ("name", "content_type", "content"),
    [
        ("log.txt", "text/plain", PLAIN),
        ("empty.txt", "text/plain", b""),
        ("shop.example.com.csv", "text/csv", PLAIN),
        ("bundle.js.map", "application/json", b"{}"),
        ("my.application.pdf", "application/pdf", b"%PDF-1.7"),
        ("programs.zip", "application/zip", b"PK\x03\x04 setup.exe"),
        ("chart.png", "image/png", b"\x89PNG\r\n\x1a\n"),
        ("report.tar.gz", "application/gzip", b"\x1f\x8b\x08"),
        ("minutes.docx", "application/vnd.openxmlformats-officedocument.wordprocessingml.document", b"PK\x03\x04"),
    ],
)
def test_ordinary_files_go_along(name: str, content_type: str, content: bytes) -> None:
    assert _why(name, content_type, content) is None
