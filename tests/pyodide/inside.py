"""What run.mjs has Pyodide do: copy the tests out of the checkout and run them on the installed wheel."""

import os
import shutil
import sys
from pathlib import Path

import pytest

import scalargrad

assert "site-packages" in scalargrad.__file__, scalargrad.__file__
print(f"Python {sys.version.split()[0]} on {sys.platform}, {scalargrad.__file__}")

HERE = Path("/home/pyodide/outside")
HERE.mkdir()
for name in ("pyproject.toml", "README.md", "LICENSE"):
    shutil.copy(f"/checkout/{name}", HERE)
for name in ("tests", "docs", "notebooks"):
    shutil.copytree(f"/checkout/{name}", HERE / name, ignore=shutil.ignore_patterns("__pycache__", "_build"))
os.chdir(HERE)
int(pytest.main(["-p", "no:cacheprovider", *options]))  # noqa: F821  (run.mjs sets options; the last line is the answer)
