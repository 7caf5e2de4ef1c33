"""A page shown in the browser: what `show()` of pictures, steps and Values does."""

from __future__ import annotations

import os
import sys
import tempfile
import webbrowser
from pathlib import Path


def show_page(page: str) -> Path:
    """Write the page to a new file in the system's folder for temporary files, open it, and return its path.

    The file outlives the program, as the browser may read it later; the system empties that folder. Where there is no
    display, or no browser opens, standard output says where the file is.

    Raises:
        OSError: if the file cannot be written.
    """
    path = _written(page)
    if not _opened(path):
        sys.stdout.write(f"no browser could be opened from here; the page is {path}\n")
    return path


def open_by_file(page: str) -> bool:
    """Open a page that leads to another, whose address is nobody else's business: only its owner can read the file.

    Returns:
        Whether a browser was told to open it; if not, the file is gone again.
    """
    path = _written(page)
    if _opened(path):
        return True
    path.unlink()
    return False


def _written(page: str) -> Path:
    handle, name = tempfile.mkstemp(prefix="scalargrad-", suffix=".html")
    with open(handle, "w", encoding="utf-8") as file:
        file.write(page)
    return Path(name)


def _opened(path: Path) -> bool:
    """Whether a browser was told to open it. Without a display one in the terminal would stop the program."""
    windowed = sys.platform in ("win32", "darwin")
    windowed = windowed or any(os.environ.get(name) for name in ("DISPLAY", "WAYLAND_DISPLAY", "BROWSER"))
    try:
        return windowed and webbrowser.open(path.as_uri())
    except (webbrowser.Error, OSError):
        return False
