"""Tests and doctests that add operations leave the op table, and Value, as they found them."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad
from scalargrad import Value, primitive
from scalargrad.table import INFIX, TABLE
from scalargrad.table.making import binary

DOCTEST = """
>>> from scalargrad import Value, primitive
>>> @primitive(partials=lambda x: 3 * x * x)
... def cube_of_a_doctest(x):
...     return x * x * x
>>> Value(2.0).cube_of_a_doctest().data
8.0
"""
TEST = """
from scalargrad import Value, primitive
from scalargrad.table import TABLE

def test_first():
    assert not [name for name in TABLE if name.startswith("cube_of_")]
    primitive(lambda x: x, partials=1.0, name="cube_of_a_test")
    assert "cube_of_a_test" in TABLE
    raise ValueError

def test_second():
    assert not [name for name in (*TABLE, *dir(Value)) if name.startswith("cube_of_")]
"""


def test_whatever_an_item_does_to_the_table_is_undone(pytestconfig):
    before = dict(TABLE), dict(INFIX), dict(vars(Value))
    keeper = pytestconfig.pluginmanager.get_plugin("table_keeper")
    item = keeper.pytest_runtest_protocol()
    next(item)
    primitive(lambda x: x, partials=1.0, name="added_by_a_test")
    binary("add", lambda x, y: x - y, 1.0, -1.0, text="+")
    binary("new_for_a_test", lambda x, y: x - y, 1.0, -1.0, text="<>")
    Value.is_leaf = property(lambda self: False)
    del TABLE["tanh"], Value.sin
    assert (Value(1.0) + 1).data == 0.0
    with pytest.raises(StopIteration):
        item.send(None)
    assert (dict(TABLE), dict(INFIX), dict(vars(Value))) == before
    assert list(TABLE) == list(before[0])
    assert (Value(1.0) + 1).data == 2.0


def test_a_doctest_elsewhere_leaves_nothing_behind(tmp_path):
    """Nor does one outside the folder of conftest.py."""
    here, docs, tests = Path(__file__).parents[1], tmp_path / "docs", tmp_path / "tests"
    docs.mkdir()
    tests.mkdir()
    (tests / "shared").mkdir()
    for name in ("conftest.py", "shared/optional.py"):
        shutil.copy(here / name, tests / name)
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (docs / "a.md").write_text(DOCTEST)
    (tests / "test_b.py").write_text(TEST)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "--doctest-glob=*.md", "docs/a.md", "tests/test_b.py"],
        cwd=tmp_path, capture_output=True, text=True, check=False,
        env=os.environ | {"PYTHONPATH": str(Path(scalargrad.__file__).parents[1])},
    )  # fmt: skip
    assert "1 failed, 2 passed" in done.stdout, done.stdout + done.stderr
