"""Links between files of the repository as links between pages of the site.

Pages and notebooks are read on code hosts too, so they link to files: `../docs/performance.md` from a notebook,
`../scalargrad/ops.py` from a page. What the site has is linked there; what it has not is named without a link.
"""

from __future__ import annotations

import json
import os
import re
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

DOCS = Path(__file__).parents[2]
ROOT = DOCS.parent
WRITTEN_LATER = {"performance"}
"""Pages that a program writes; a checkout may be without them."""
SOURCES = {"scalargrad/engine.py", "scalargrad/ops.py"}
"""Files of the package that the site shows, on one page."""
_CELL = re.compile(r"#(cell|lec)-[\w-]+")
"""What the id of a notebook's cell looks like; a link to one that is not there leads to the notebook."""
_LINK = re.compile(r"(?<!!)\[([^\]\[]*)\]\((\.\./[^)\s#]*|[\w./-]+\.(?:md|ipynb|py))(#[^)\s]*)?\)")


def setup(app: Sphinx) -> None:
    """Register the reader."""
    app.connect("source-read", _read)


def relinked(text: str, file: str) -> str:
    """The Markdown of a file of the repository, with the links that it has as a page.

    Args:
        text: the Markdown.
        file: where it stands, from the top of the repository, as `notebooks/01-a-value.ipynb`.

    >>> relinked("[fast](../docs/compiling.md), [next](02.ipynb), [license](../LICENSE)", "notebooks/01.ipynb")
    '[fast](../compiling.md), [next](02.ipynb), license'
    """
    page = _page_of(file)

    def link(found: re.Match[str]) -> str:
        shown, target, anchor = found[1], found[2], found[3] or ""
        path = os.path.normpath(PurePosixPath(file).parent / target).replace(os.sep, "/")
        other = _page_of(path)
        if _CELL.fullmatch(anchor) and anchor[1:] not in _cells(path):
            anchor = ""
        if other is None or (PurePosixPath(other).stem in WRITTEN_LATER and not (DOCS / other).exists()):
            return shown
        return f"[{shown}]({os.path.relpath(other, PurePosixPath(page or '').parent).replace(os.sep, '/')}{anchor})"

    return _LINK.sub(link, text)


@cache
def _cells(file: str) -> frozenset[str]:
    path = ROOT / file
    if path.suffix != ".ipynb" or not path.exists():
        return frozenset()
    return frozenset(cell["id"] for cell in json.loads(path.read_text(encoding="utf-8"))["cells"])


def _page_of(file: str) -> str | None:
    """A file's place in the site, from its top; None if it has none."""
    if file in ("README.md", "docs"):
        return "index.md"
    if file == "notebooks":
        return "notebooks.md"
    if file in SOURCES:
        return "reference/source.rst"
    if file.startswith("notebooks/"):
        return file
    return file.removeprefix("docs/") if file.startswith("docs/") else None


def _read(app: Sphinx, name: str, content: list[str]) -> None:
    path = app.env.doc2path(name)
    if path.suffix == ".md":
        content[0] = relinked(content[0], f"docs/{app.env.doc2path(name, base=False)}")
        for page in WRITTEN_LATER:
            if not (DOCS / f"{page}.md").exists():
                content[0] = re.sub(rf"(?m)^{page}\n", "", content[0])
