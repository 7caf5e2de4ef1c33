"""C written by hand, compiled at run time with gcc and called through ctypes."""

from __future__ import annotations

import atexit
import ctypes
import functools
import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Any

from .harness import MissingError

HERE = Path(__file__).parent
FLAGS = ["-O3", "-march=native", "-ffast-math", "-shared", "-fPIC"]


@functools.lru_cache(None)
def _folder() -> Path:
    """A folder for the compiled files, deleted at the end of the process."""
    folder = tempfile.mkdtemp(prefix="benchmark-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return Path(folder)


@functools.lru_cache(None)
def compiled(source: str, *defines: str) -> Any:
    """Compile a file beside this one and return it as a ctypes library.

    Raises:
        MissingError: if there is no gcc, or it does not understand the source.
    """
    gcc = shutil.which("gcc")
    if gcc is None:
        raise MissingError("gcc is not installed")
    library = _folder() / ("-".join([Path(source).stem, *defines]) + ".so")
    command = [gcc, *FLAGS, *(f"-D{name}" for name in defines), "-o", str(library), str(HERE / source), "-lm"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        raise MissingError(f"gcc failed: {done.stderr.strip().splitlines()[0]}")
    return ctypes.CDLL(str(library))


def version() -> str:
    """The first line of `gcc --version`, or an empty string."""
    gcc = shutil.which("gcc")
    if gcc is None:
        return ""
    shown = subprocess.run([gcc, "--version"], capture_output=True, text=True, check=False)
    return shown.stdout.splitlines()[0]


def pointer(array: Any) -> Any:
    """The address of a numpy array of doubles."""
    return array.ctypes.data_as(ctypes.POINTER(ctypes.c_double))
