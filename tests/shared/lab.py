"""A real JupyterLab in a real Chromium that trusts no notebook, as it does not trust one that was just downloaded."""

import json
import os
import re
import subprocess
import sys
import time
from contextlib import contextmanager
from html.parser import HTMLParser
from importlib.util import find_spec
from pathlib import Path

import pytest

import scalargrad

LAB = os.environ.get("SCALARGRAD_LAB_PYTHON", sys.executable)
"""The Python that has JupyterLab: this one with the extra `lab`."""

# Opens a notebook without a kernel. Of each output: what the file gives, and what the reader gets.
OPEN = """async path => {
  const widget = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook',
    kernelPreference: {shouldStart: false, canStart: false, autoStartDefault: false}});
  await widget.context.ready;
  await widget.revealed;
  const found = [];
  for (const cell of widget.content.widgets) {
    if (!cell.outputArea) continue;
    await cell.ready;
    for (let i = 0; i < cell.outputArea.model.length; i++) {
      const model = cell.outputArea.model.get(i);
      let node = null;
      for (let tries = 0; tries < 100 && !(node && (node.childElementCount || node.textContent)); tries++) {
        const panel = cell.outputArea.widgets[i];
        node = panel && panel.node.querySelector('.jp-OutputArea-output');
        if (!(node && (node.childElementCount || node.textContent))) await new Promise(go => setTimeout(go, 50));
      }
      const images = [...node.querySelectorAll('img')];
      await Promise.all(images.map(image => image.decode().catch(() => 0)));
      found.push({
        type: model.type, data: JSON.parse(JSON.stringify(model.data)), trusted: model.trusted,
        mime: node.dataset.mimeType || '', text: node.textContent,
        images: images.map(image => image.naturalWidth), alts: images.map(image => image.alt),
        tables: node.querySelectorAll('tr').length,
        clipped: images.filter(image => image.getBoundingClientRect().right > node.getBoundingClientRect().right + 1
          && node.scrollWidth <= node.clientWidth + 1).length });
    }
  }
  await jupyterapp.commands.execute('application:close-all');
  return found;
}"""


# Opens a notebook and leaves it open, with a new kernel or with none.
KEEP_OPEN = """async ({path, kernel}) => {
  const widget = await jupyterapp.commands.execute('docmanager:open', {path, factory: 'Notebook', kernelPreference:
    {shouldStart: kernel, canStart: kernel, autoStartDefault: kernel, name: kernel ? 'python3' : undefined}});
  await widget.context.ready;
  await widget.revealed;
  if (kernel) {
    await widget.sessionContext.ready;
    await widget.sessionContext.session.kernel.info;
  }
}"""


def open_notebook(page, path, *, kernel):
    """Open a notebook in JupyterLab, with a new kernel or none."""
    page.evaluate(KEEP_OPEN, {"path": path, "kernel": kernel})


def command(page, name):
    """Have JupyterLab do one of its commands, and wait for its end."""
    page.evaluate("name => jupyterapp.commands.execute(name).then(() => true)", name)


@contextmanager
def lab(browser, folder):
    """A function that opens a notebook of folder/notebooks and returns its outputs."""
    with lab_page(browser, folder) as page:
        yield lambda path: page.evaluate(OPEN, path)


@contextmanager
def lab_page(browser, folder, **options):
    """A page that shows JupyterLab for folder/notebooks, whose kernels import scalargrad from where it is here.

    Args:
        browser: opens it.
        folder: its settings are in there, too.
        **options: of the page's context.
    """
    if sys.executable == LAB and find_spec("jupyterlab") is None:
        pytest.skip("the extra `lab` is not installed")
    settings = folder / "settings" / "@jupyterlab" / "notebook-extension"
    settings.mkdir(parents=True)
    # Cells far below are shown without scrolling there.
    (settings / "tracker.jupyterlab-settings").write_text('{"windowingMode": "none"}', encoding="utf-8")
    places = {f"JUPYTER_{name}_DIR": str(folder / name.lower()) for name in ("CONFIG", "DATA", "RUNTIME")}
    places |= {"JUPYTERLAB_SETTINGS_DIR": str(folder / "settings"), "JUPYTERLAB_WORKSPACES_DIR": str(folder / "ws")}
    places |= {"PYTHONPATH": str(Path(scalargrad.__file__).parents[1])}
    arguments = (
        "--no-browser --allow-root --ServerApp.ip=127.0.0.1 --ServerApp.port=0 --IdentityProvider.token= --LabApp.news_url= "
        "--LabApp.expose_app_in_browser=True --LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate"
    )
    with (folder / "lab.txt").open("w", encoding="utf-8") as log:
        server = subprocess.Popen(
            [LAB, "-m", "jupyterlab", *arguments.split(), f"--ServerApp.root_dir={folder / 'notebooks'}"],
            cwd=folder, env=os.environ | places | {"HOME": str(folder)}, stdout=log, stderr=log,
        )  # fmt: skip
    try:
        page = browser.new_page(**{"viewport": {"width": 1366, "height": 900}, **options})
        page.set_default_timeout(120_000)
        page.goto(f"{_address(server, folder)}lab")
        page.wait_for_function("() => window.jupyterapp")
        page.evaluate("() => jupyterapp.restored.then(() => true)")
        yield page
        page.close()
    finally:
        server.terminate()
        server.wait(30)


def _address(server, folder):
    for _ in range(1200):
        for written in (folder / "runtime").glob("jpserver-*.json"):
            try:
                return json.loads(written.read_text(encoding="utf-8"))["url"]
            except (ValueError, KeyError):  # half written
                pass
        assert server.poll() is None, (folder / "lab.txt").read_text(encoding="utf-8")[-2000:]
        time.sleep(0.1)
    raise TimeoutError((folder / "lab.txt").read_text(encoding="utf-8")[-2000:])


class Words(HTMLParser):
    """The words, images and rows of tables that a piece of HTML means to show."""

    def __init__(self, html):
        super().__init__(convert_charrefs=True)
        self.text, self.alts, self.rows, self._hidden = "", [], 0, ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag, attributes):
        if tag in ("script", "style"):
            self._hidden = tag
        self.rows += tag == "tr"
        if tag == "img":
            self.alts.append(dict(attributes).get("alt", ""))

    def handle_endtag(self, tag):
        if tag == self._hidden:
            self._hidden = ""

    def handle_data(self, data):
        if not self._hidden:
            self.text += data


def check_complete(shown):
    """Check that an output that came through is what its author meant.

    Args:
        shown: an item of what `lab` returns.
    """
    data = shown["data"]
    assert not shown["trusted"]
    assert shown["clipped"] == 0
    if set(data) <= {"text/plain"} or shown["type"] in ("stream", "error"):
        assert not re.match(r"<(Drawing|trace|step|worksheet|comparison|difference|mistake) ", "".join(shown["text"]))
        return
    assert shown["mime"] not in ("", "text/plain"), f"only the text is left of {sorted(data)}"
    assert all(width > 0 for width in shown["images"])
    if shown["mime"] == "text/html":
        meant = Words("".join(data["text/html"]))
        assert "".join(shown["text"].split()) == "".join(meant.text.split())
        assert shown["alts"] == meant.alts
        assert all(len(alt) > 10 for alt in meant.alts)
        assert shown["tables"] == meant.rows
    if shown["mime"].startswith("image/"):
        assert shown["images"]
