"""What `make build` left in `.aws-sam/build`, and the sources it was made of."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import yaml

if TYPE_CHECKING:
    from tests.contract.template import Json

ROOT = Path(__file__).parents[2]
BUILD = ROOT / ".aws-sam/build"
LAYERS = ("DependenciesLayer", "TocsinLayer")


def built_template() -> Json:
    """The template that `sam build` wrote."""
    path = BUILD / "template.yaml"
    if not path.exists():
        message = "these tests look at what `make build` makes: run it first"
        raise FileNotFoundError(message)
    template: Json = yaml.safe_load(path.read_text(encoding="utf-8"))  # sam wrote the intrinsic functions out
    return template


def files(folder: Path) -> set[str]:
    """Every file below `folder`, as its path from there, but what Python compiled by the way."""
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }
