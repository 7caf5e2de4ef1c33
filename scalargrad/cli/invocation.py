"""How this command was called, so that the commands it prints work in the same shell."""

from __future__ import annotations

import os
import shlex
import subprocess
import sys
from pathlib import Path


def called_as() -> str:
    """What to type instead of `scalargrad` in the shell that this process was started from.

    `scalargrad` itself if that was typed; `uv run scalargrad` under uv, which finds it in an environment that the shell
    does not know; else the interpreter as it was typed, with `-m scalargrad`.
    """
    started = Path(sys.argv[0]) if sys.argv else Path()
    if started.stem == "scalargrad" and started.suffix in ("", ".exe"):
        if os.environ.get("UV_RUN_RECURSION_DEPTH"):
            return "uv run scalargrad"
        on_path = any(_same(Path(folder) / started.name, started) for folder in os.get_exec_path())
        return "scalargrad" if on_path else quoted(_from_here(started))
    return f"{quoted(sys.orig_argv[0] if sys.orig_argv else sys.executable)} -m scalargrad"


def quoted(text: str) -> str:
    """A word as the shell of this system takes it."""
    return subprocess.list2cmdline([text]) if sys.platform == "win32" else shlex.quote(text)


def _same(one: Path, other: Path) -> bool:
    try:
        return one.samefile(other)
    except OSError:
        return False


def _from_here(path: Path) -> str:
    """The path from the current folder where it lies below it, as it was probably typed."""
    try:
        return str(path.absolute().relative_to(Path.cwd()))
    except (ValueError, OSError):
        return str(path)
