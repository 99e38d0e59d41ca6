"""Routes: which mail accounts carry which family of notifications."""

from __future__ import annotations

from enum import StrEnum


class Route(StrEnum):
    """The four routes of a project."""

    INCIDENT = "incident"
    ALERT = "alert"
    STATUS_PAGE = "status_page"
    SYSTEM = "system"


class FallbackPolicy(StrEnum):
    """Which accounts may carry a notification when the first of its route cannot."""

    NONE = "none"
    PROJECT = "project"  # the further accounts of the same route
    SYSTEM = "system"  # after those, the accounts of the installation's own project
