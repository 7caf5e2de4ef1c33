"""Archives of this checkout, and fresh virtual environments to install them in."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "scalargrad"
needs_checkout = pytest.mark.skipif(not PACKAGE.is_dir(), reason="archives are built from a checkout, and this is none")


def run(*command, **options):
    """What a program prints; if it fails, the end of that is in the error."""
    done = subprocess.run(
        list(map(str, command)), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, encoding="utf-8", errors="replace",
        check=False, **options,
    )  # fmt: skip
    assert done.returncode == 0, f"{command}\n{done.stdout[-8000:]}"
    return done.stdout


def build(source, folder, target, **settings):
    """The archive that hatchling makes of a folder with a pyproject.toml; without the C code if nothing else is said."""
    pytest.importorskip("hatchling", reason="the extra `test` is not installed")
    settings = {**os.environ, **(settings or {"SCALARGRAD_PURE": "1"})}
    run(sys.executable, "-m", "hatchling", "build", "-t", target, "-d", folder, cwd=source, env=settings)
    (archive,) = folder.iterdir()
    return archive


def clean():
    """The environment of a program that is to see neither this checkout nor the settings of these tests."""
    ours = ("SCALARGRAD", "PYTHON", "PYTEST", "COVERAGE", "VIRTUAL_ENV", "TOX")
    return {name: value for name, value in os.environ.items() if not name.startswith(ours)}


def environment(folder):
    """The Python of a fresh virtual environment with nothing in it."""
    run(sys.executable, "-m", "venv", "--without-pip", folder)
    return folder / ("Scripts/python.exe" if os.name == "nt" else "bin/python")


def pip(python, *arguments):
    """What this environment's pip prints when it works on another one."""
    return run(sys.executable, "-m", "pip", "--python", python, *arguments, env=clean())


def install(python, *arguments):
    pip(python, "install", "-q", *arguments)
