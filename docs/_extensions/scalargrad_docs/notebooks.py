"""The notebooks of the repository as pages: copied beside the other pages, with the outputs that are stored in them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from scalargrad_docs.links import ROOT, relinked

if TYPE_CHECKING:
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Register the copying."""
    app.connect("builder-inited", _copy)


def _copy(app: Sphinx) -> None:
    """Make docs/notebooks what notebooks/ is; a file that is right already keeps its time, and is not read again."""
    folder = Path(app.srcdir) / "notebooks"
    folder.mkdir(exist_ok=True)
    pages = {path.name: _page(path) for path in sorted((ROOT / "notebooks").glob("*.ipynb"))}
    for path in folder.glob("*.ipynb"):
        if path.name not in pages:
            path.unlink(missing_ok=True)
    for name, text in pages.items():
        copy = folder / name
        if not copy.exists() or copy.read_text(encoding="utf-8") != text:
            half_written = copy.with_suffix(f".{os.getpid()}")  # two builds may run at once
            half_written.write_text(text, encoding="utf-8")
            half_written.replace(copy)


def _page(path: Path) -> str:
    """A notebook with the links that it has as a page."""
    notebook = json.loads(path.read_text(encoding="utf-8"))
    for cell in notebook["cells"]:
        if cell["cell_type"] == "markdown":
            source = cell["source"]
            text = source if isinstance(source, str) else "".join(source)
            cell["source"] = relinked(text, f"notebooks/{path.name}")
    return json.dumps(notebook, ensure_ascii=False)
