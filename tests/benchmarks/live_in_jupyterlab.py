"""The playground's widget while a slider of a graph of 32 nodes is dragged, in JupyterLab in Chromium.

`python tests/benchmarks/live_in_jupyterlab.py` needs the extra `lab`. Counted are the frames of the screen and the
pictures that came back; quote the most of several turns: the kernel, JupyterLab's server and the page share the machine.
"""

import sys
import tempfile
from pathlib import Path

import nbformat
from live import DRAG, EXPRESSION, INPUTS, SECONDS, TURNS

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from drawing_helpers import chromium
from lab import command, lab_page, open_notebook


def main():
    with tempfile.TemporaryDirectory() as temporary:
        path = Path(temporary, "notebooks", "live.ipynb")
        path.parent.mkdir()
        cell = nbformat.v4.new_code_cell(f"import scalargrad as sg\nsg.live({EXPRESSION!r}, **{INPUTS!r})")
        nbformat.write(nbformat.v4.new_notebook(cells=[cell]), path)
        with chromium() as browser, lab_page(browser, Path(temporary)) as page:
            open_notebook(page, path.name, kernel=True)
            command(page, "notebook:run-all-cells")
            page.wait_for_selector(".lv-graph .lv-view svg")
            page.evaluate("() => { window.times = []; }")  # of answers over HTTP, of which there are none here
            for _ in range(TURNS):
                found = page.evaluate(DRAG, {"name": "x1", "seconds": SECONDS})
                print(f"screen {found['screen']:.0f} frames/s, pictures {found['pictures']:.0f} /s")


if __name__ == "__main__":
    main()
