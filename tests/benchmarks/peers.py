"""The peers that clients are measured beside: found, or installed under `.tools/`, or told to be missing."""

from __future__ import annotations

import json
import shutil
import subprocess
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_TOOLS = Path(".tools").absolute()
_NODEMAILER = Path(__file__).parent / "nodemailer"


class MissingPeer(Exception):
    """A peer that is not here and cannot be installed; the text says why."""


@cache
def smtp_source() -> Path:
    """Postfix's `smtp-source`: the system's, or Debian's package unpacked, so that nothing is set up or started.

    Raises:
        MissingPeer: there is none.
    """
    installed = shutil.which("smtp-source", path="/usr/sbin:/usr/bin")
    program = Path(installed) if installed else _unpacked(_TOOLS / "postfix") / "usr" / "sbin" / "smtp-source"
    usage = subprocess.run([program], env=library_path(program), capture_output=True, text=True, check=False)  # noqa: S603  (the program that was found)
    if "usage" not in usage.stderr:
        raise MissingPeer(f"smtp-source: {usage.stderr.strip()}")
    return program


def library_path(program: Path) -> Mapping[str, str]:
    """The environment in which `smtp-source` finds the libraries that were unpacked beside it."""
    return {"LD_LIBRARY_PATH": str(program.parent.parent / "lib" / "postfix")}


@cache
def aiosmtplib_python() -> Path:
    """The interpreter of the environment that holds what `local/requirements/bench.txt` pins.

    Raises:
        MissingPeer: there is none.
    """
    _run("aiosmtplib", ["make", "--silent", ".tools/bench/.made"])
    return _TOOLS / "bench" / "bin" / "python"


@cache
def nodemailer_folder() -> Path:
    """A folder that holds our clients in JavaScript, with nodemailer and Handlebars as their lock file pins them.

    Raises:
        MissingPeer: there is none.
    """
    if shutil.which("node") is None:
        raise MissingPeer("nodemailer: there is no node")
    folder = _TOOLS / "nodemailer"
    shutil.copytree(_NODEMAILER, folder, dirs_exist_ok=True)
    made, lock = folder / ".made", folder / "package-lock.json"
    if not made.exists() or made.stat().st_mtime < lock.stat().st_mtime:
        _run("nodemailer", ["npm", "ci", "--ignore-scripts", "--omit=optional", "--engine-strict"], folder=folder)
        made.touch()
    return folder


def version_of(package: str) -> str:
    """The version of nodemailer or Handlebars that is pinned."""
    pinned: str = json.loads((_NODEMAILER / "package.json").read_text(encoding="utf-8"))["dependencies"][package]
    return pinned


def _unpacked(folder: Path) -> Path:
    if not (folder / "usr").exists():
        folder.mkdir(parents=True, exist_ok=True)
        _run("smtp-source", ["apt-get", "download", "-qq", "postfix"], folder=folder)
        (package,) = folder.glob("postfix_*.deb")
        _run("smtp-source", ["dpkg-deb", "--extract", package.name, "."], folder=folder)
    return folder


def _run(peer: str, command: Sequence[str], *, folder: Path = Path()) -> None:
    try:
        subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True)  # noqa: S603  (as written above)
    except FileNotFoundError as error:
        raise MissingPeer(f"{peer}: there is no {command[0]}") from error
    except subprocess.CalledProcessError as error:
        raise MissingPeer(f"{peer}: {' '.join(command)} failed: {error.stderr.strip()}") from error
