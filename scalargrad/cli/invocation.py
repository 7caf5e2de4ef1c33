"""How this command was called, so that the commands it prints work in the same shell."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
from pathlib import Path


def called_as() -> str:
    """What to type instead of `scalargrad` in the shell that this process was started from.

    `scalargrad` itself if that was typed; `uv run scalargrad` under uv, which finds it in an environment that the shell
    does not know; else the interpreter as it was typed, with `-m scalargrad`.
    """
    if started := _script():
        if os.environ.get("UV_RUN_RECURSION_DEPTH"):
            return "uv run scalargrad"
        on_path = any(_same(Path(folder) / started.name, started) for folder in os.get_exec_path())
        return "scalargrad" if on_path else quoted(_from_here(started))
    return f"{python_as()} -m scalargrad"


def python_as() -> str:
    """What to type for the interpreter of this process in the shell that it was started from.

    As it was typed; behind the script `scalargrad`, `python` if the shell finds this one by that name, else its path.
    """
    if not _script():
        return quoted(sys.orig_argv[0] if sys.orig_argv else sys.executable)
    here, found = Path(sys.executable), shutil.which("python")
    # Two environments' interpreters may be links to one file, so the folders decide.
    return "python" if found and Path(found).parent == here.parent else quoted(_from_here(here))


def _script() -> Path | None:
    """The script `scalargrad`, if that is what runs."""
    started = Path(sys.argv[0]) if sys.argv else Path()
    return started if started.stem == "scalargrad" and started.suffix in ("", ".exe") else None


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
