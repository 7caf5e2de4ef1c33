"""What holds for every test: the op table is put back after it, and what needs a missing module is skipped.

Hypothesis tries the same examples on every machine by default; `--hypothesis-profile=random` explores.
"""

import json
import os
import shutil
import sys
import tempfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, Phase, settings

TESTS = Path(__file__).parent
# Run by hand, or inside Pyodide, or imported by the tests; some need more than is installed.
collect_ignore = [str(path) for path in TESTS.rglob("*.py") if not path.name.startswith("test_")]

sys.path.insert(0, str(TESTS / "shared"))
pytest.register_assert_rewrite("rows", "traces", "verdicts")

import optional  # noqa: E402  (in shared)

from scalargrad import Value  # noqa: E402
from scalargrad.table import INFIX, TABLE  # noqa: E402

# Whether drawing is too slow is a matter of the machine, and of what else it does.
settings.register_profile(
    "default",
    derandomize=True,
    deadline=None,
    suppress_health_check=[HealthCheck.filter_too_much, HealthCheck.too_slow],
)
settings.register_profile("random", deadline=None, print_blob=True, max_examples=500)
# To learn only that a test fails, as mutants.py does, the simplest example is not needed.
settings.register_profile("mutants", parent=settings.get_profile("default"), phases=(Phase.explicit, Phase.generate))
settings.load_profile("default")


class TableKeeper:
    """Puts back, after each test and doctest, what it changed in the op table: rows, operators, methods of Value."""

    @pytest.hookimpl(wrapper=True)
    def pytest_runtest_protocol(self):
        rows, operators, methods = dict(TABLE), dict(INFIX), dict(vars(Value))
        try:
            return (yield)
        finally:
            for now, before in ((TABLE, rows), (INFIX, operators)):
                if now != before:
                    now.clear()
                    now.update(before)
            for name in {**vars(Value), **methods}:
                if name not in methods:
                    delattr(Value, name)
                elif vars(Value).get(name) is not methods[name]:
                    setattr(Value, name, methods[name])


def pytest_configure(config):
    """Plugins of their own see the doctests of package and docs too, which lie outside this folder."""
    if "SCALARGRAD_CACHE" not in os.environ:  # one for all processes of this run, and none of the user's
        config.machine_code = os.environ["SCALARGRAD_CACHE"] = tempfile.mkdtemp(prefix="scalargrad-tests-")
    config.pluginmanager.register(TableKeeper(), "table_keeper")
    config.pluginmanager.register(optional, "optional")


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; a test that asks for it is skipped where there is none."""
    from drawing_helpers import chromium

    with chromium() as opened:
        yield opened


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


def pytest_unconfigure(config):
    """The machine code of this run goes."""
    if hasattr(config, "machine_code"):
        shutil.rmtree(config.machine_code, ignore_errors=True)
        del os.environ["SCALARGRAD_CACHE"]
