"""The marker of these tests, what they import from here, and where they leave what they found."""

import json
import os
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


@pytest.fixture
def figure(request):
    """figure(what, found): one line for docs/reliability.md, said after the assertions that it rests on."""

    def figure(what: str, found: str) -> None:
        print(f"{what}: {found}")
        if path := os.environ.get("SCALARGRAD_FIGURES"):
            line = json.dumps({"test": request.node.originalname, "what": what, "found": found})
            with open(path, "a", encoding="utf-8") as file:  # one short write of an appending file is not torn apart
                file.write(line + "\n")

    return figure
