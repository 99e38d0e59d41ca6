"""Entity tags of settings (RFC 9110 section 8.8.3): `"<version>-<what we found out>"`.

The version is what an admin saved. What we found out since, such as a renewed token, makes another representation,
and so another tag; it is nobody's edit, so `If-Match` does not lose by it.
"""

from __future__ import annotations

import hashlib

_ANY = "*"
_DIGITS = 12


def tag_of(version: int, found_out: str = "") -> str:
    """The strong tag of a version, as `found_out` shows it now."""
    if not found_out:
        return f'"{version}"'
    return f'"{version}-{hashlib.sha256(found_out.encode()).hexdigest()[:_DIGITS]}"'


def allows(if_match: str, version: int) -> bool:
    """Whether `If-Match` names this version, however it was represented."""
    if if_match.strip() == _ANY:
        return True
    return any(_version_in(one.strip()) == str(version) for one in if_match.split(","))


def names(field: str, tag: str, *, weakly: bool = False) -> bool:
    """Whether a field of tags holds this one; `weakly` by the weak comparison (RFC 9110 section 8.8.3.2)."""
    if field.strip() == _ANY:
        return True
    listed = (one.strip() for one in field.split(","))
    return tag in {one.removeprefix("W/") if weakly else one for one in listed}


def _version_in(tag: str) -> str | None:
    """None: it is weak, or no tag of ours."""
    if not (tag.startswith('"') and tag.endswith('"')):
        return None
    return tag.strip('"').partition("-")[0]
