"""The marker of these tests, and what they import from here."""

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).parent
collect_ignore = [path.name for path in HERE.glob("*.py") if not path.name.startswith("test_")]

sys.path.insert(0, str(HERE))


def pytest_collection_modifyitems(items):
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.reliability)


@pytest.fixture(scope="session")
def wheel(tmp_path_factory):
    """The wheel of this checkout, without the C code."""
    from environments import ROOT, build

    return build(ROOT, tmp_path_factory.mktemp("wheel"), "wheel")
