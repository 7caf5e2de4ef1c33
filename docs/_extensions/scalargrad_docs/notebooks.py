"""The notebooks of the repository as pages: copied beside the other pages, with the outputs that are stored in them.

Each cell can be linked to by its id: `../notebooks/04-layers-by-hand.ipynb#cell-12`.
"""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalargrad_docs.links import ROOT, relinked

if TYPE_CHECKING:
    from docutils import nodes
    from sphinx.application import Sphinx


def setup(app: Sphinx) -> None:
    """Register the copying, and the places of cells."""
    app.connect("builder-inited", _copy)
    app.connect("doctree-read", _name_cells)


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
            cell["source"] = _with_place(relinked(text, f"notebooks/{path.name}"), cell["id"])
    return json.dumps(notebook, ensure_ascii=False)


def _with_place(text: str, cell: str) -> str:
    """A Markdown cell that can be linked to; a heading stays in front, as a page begins with its title."""
    place = f'<div class="cell-place" id="{cell}"></div>'
    first, _, rest = text.partition("\n")
    return f"{first}\n\n{place}\n\n{rest.lstrip()}" if first.startswith("#") else f"{place}\n\n{text}"


def _name_cells(app: Sphinx, doctree: nodes.document) -> None:
    """Give code cells their ids, and tell the parser of links about those of all cells."""
    name = app.env.docname
    if not name.startswith("notebooks/"):
        return
    cells = json.loads((Path(app.srcdir) / f"{name}.ipynb").read_text(encoding="utf-8"))["cells"]
    ids = [cell["id"] for cell in cells]
    for node in doctree.findall(lambda node: "cell_index" in getattr(node, "attributes", ())):
        _identify(node, ids)
    places = app.env.metadata[name].setdefault("myst_slugs", {})
    for cell in ids:
        places.setdefault(cell, (0, cell, ""))


def _identify(node: Any, ids: list[str]) -> None:
    cell = ids[node["cell_index"]]
    if node.get("nb_element") == "cell_code" and cell not in node["ids"]:
        node["ids"].append(cell)
