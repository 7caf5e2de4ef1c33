"""Compiled where it can be: the C code is compiled for the Pythons whose objects it reads, and without doing harm.

For another Python, of 32 bits, without CPython's objects or without its lock, nothing is compiled. Whatever the
environment's CFLAGS ask for, sums and products keep their roundings. A module in use is replaced, not written over.
"""

import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

import scalargrad
from scalargrad.in_c import building

PACKAGE = Path(scalargrad.__file__).parent
needs_compiler = pytest.mark.skipif(
    not shutil.which("cc") or not importlib.util.find_spec("setuptools") or not building.objects_are_known(),
    reason="needs a C compiler, setuptools, and a Python for which the engine is compiled",
)
BITS = """
import hashlib, random, sys
import scalargrad as sg
rng, bits = random.Random(1), hashlib.sha256()
for _ in range(300):
    xs = [sg.Value(rng.uniform(-3, 3)) for _ in range(4)]
    out = sg.dot(xs, xs[1:] + xs[:1]) * xs[0] + (xs[1] * xs[2] + xs[3]).gelu() - xs[0].sigmoid() / (xs[1] * xs[1] + 1e-9)
    out.backward()
    bits.update(repr((out.data, [x.grad for x in xs])).encode())
print(sg.engine_in_c, bits.hexdigest())
"""


@pytest.mark.parametrize(
    ("where", "name", "other"),
    [("sys.implementation", "name", "pypy"), ("sys", "maxsize", 2**31 - 1), ("sys", "platform", "emscripten")],
)
def test_for_another_python_nothing_is_compiled(where, name, other, monkeypatch):
    owner = sys.implementation if where == "sys.implementation" else sys
    monkeypatch.setattr(owner, name, other)
    assert not building.objects_are_known()


def test_without_the_lock_nothing_is_compiled(monkeypatch):
    monkeypatch.setattr(building.sysconfig, "get_config_var", {"Py_GIL_DISABLED": 1}.get)
    assert not building.objects_are_known()


def copied(folder):
    """The package in a folder of its own, without what is compiled there."""
    shutil.copytree(PACKAGE, folder / "scalargrad", ignore=shutil.ignore_patterns("__pycache__", "*.so", "*.pyd"))
    return folder


def bits(root):
    """Which engine runs there, and the numbers of some graphs."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("SCALARGRAD")}
    command = [sys.executable, "-c", BITS]
    done = subprocess.run(
        command,
        cwd=root,
        env={**environment, "PYTHONPATH": str(root)},
        capture_output=True,
        encoding="utf-8",
        check=True,
    )
    return done.stdout.split()


@needs_compiler
def test_the_environments_flags_change_no_bit(tmp_path, monkeypatch):
    root = copied(tmp_path)
    kind, pure = bits(root)
    assert kind == "False"
    monkeypatch.setenv("CFLAGS", "-Ofast -ffast-math -march=native" if os.name != "nt" else "")
    assert building.compiled(root, root / "scalargrad" / "in_c")
    assert bits(root) == ["True", pure]


@needs_compiler
@pytest.mark.skipif(os.name == "nt", reason="Windows refuses to replace a module that is in use")
def test_a_module_in_use_is_replaced_not_written_over(tmp_path):
    root = copied(tmp_path)
    folder = root / "scalargrad" / "in_c"
    first = building.compiled(root, folder)
    with first.open("rb") as in_use:
        before = in_use.read(64)
        assert building.compiled(root, folder) == first
        assert os.fstat(in_use.fileno()).st_ino != first.stat().st_ino
        assert in_use.seek(0) == 0
        assert in_use.read(64) == before
    assert sorted(path.name for path in folder.iterdir() if "_engine" in path.name) == [first.name]


@needs_compiler
def test_code_that_does_not_compile_leaves_the_package_as_it_is(tmp_path, capfd):
    root = copied(tmp_path)
    source = root / "scalargrad" / "in_c" / "engine.c"
    source.write_text("#error no\n" + source.read_text(encoding="utf-8"), encoding="utf-8")
    assert building.compiled(root, source.parent) is None
    capfd.readouterr()
    assert bits(root)[0] == "False"
