"""The samples that custom templates are tried out with: those of the events, without what is each event's own."""

from __future__ import annotations

import json
from importlib.resources import files
from pathlib import Path
from typing import Any

from tocsin.model.notification import CATALOGUE

TEMPLATE_SAMPLES = Path(str(files("tocsin.data"))) / "samples.json"

_EVENTS = Path(__file__).parents[2] / "events" / "notifications"
_OWN = frozenset({"project", "recipients", "options"})


def template_samples() -> dict[str, Any]:
    """The data of each type's sample."""
    return {type_: _data(type_) for type_ in CATALOGUE}


def _data(type_: str) -> dict[str, Any]:
    event = json.loads((_EVENTS / f"{type_}.json").read_text(encoding="utf-8"))
    return {name: part for name, part in event["data"].items() if name not in _OWN}
