"""A sample of each type's data, every field filled: what custom templates are tried out with."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files
from typing import Any

_FILE = "samples.json"


def sample_of(type_: str) -> dict[str, Any]:
    """The data of a sample event, without recipients and options.

    Raises:
        KeyError: the type is not known.
    """
    sample: dict[str, Any] = json.loads(_samples()[type_])
    return sample


@cache
def _samples() -> dict[str, str]:
    """Each sample as text, so that whoever is given one may change it."""
    samples = json.loads(files(__package__).joinpath(_FILE).read_text(encoding="utf-8"))
    return {type_: json.dumps(sample) for type_, sample in samples.items()}
