"""What all suites share: the bounded and the long form of property tests, and which tests stay in one process."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

_HERE = Path(__file__).parent
_WITH_ONE_STACK = ("local", "browser")  # every test of the folder needs it, and it takes long to make

settings.register_profile("bounded", max_examples=50, deadline=None)
settings.register_profile("full", max_examples=1000, deadline=None)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add `--full`."""
    parser.addoption("--full", action="store_true", help="the long form of every bounded suite")


def pytest_configure(config: pytest.Config) -> None:
    """Load the profile that was asked for."""
    settings.load_profile("full" if config.getoption("--full") else "bounded")


@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep together what shares fixtures, where processes share the tests: a file, or the folders that have a stack."""
    for item in items:
        place = item.path.relative_to(_HERE)
        group = place.parts[0] if place.parts[0] in _WITH_ONE_STACK else place.as_posix()
        item.add_marker(pytest.mark.xdist_group(group))
