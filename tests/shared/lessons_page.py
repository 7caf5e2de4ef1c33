"""docs/notebooks.md, the page of the lessons, and its small pictures: `python tests/shared/lessons_page.py` writes them.

Title, minutes and prerequisites are those in a notebook's first cell, the picture is one of its stored outputs.
"""

import base64
import io
import json
import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "notebooks.md"
PICTURES = ROOT / "docs" / "pictures" / "lessons"
WIDTH, HEIGHT = 300, 180

ABOUT = {
    "00a": "An engine from nothing: nudging, the chain rule, Values that remember, and the order in which to go back.",
    "00b": "Neurons, layers and a network of your own Values, and the loop in which it learns. Then the real engine.",
    "01": "What a Value is, what a gradient says, and how a neuron learns from it.",
    "02": "Watch `backward()` go, edge by edge, and do it by hand.",
    "03": "Gates with `forward` and `backward`, wired to the circuits of the slides.",
    "04": "Layers for whole batches, written out in matrices, and what the lecture notes say about them.",
    "05": "All derivatives of several outputs at once, and derivatives of derivatives.",
    "06": "Three ways to add an operation of your own.",
    "07": "How to find out whether a gradient is right, and which rule is wrong.",
    "08": "What a training step costs, and how the graph becomes a program.",
    "09a": "Activations, layers, and what networks can do that no single neuron could.",
    "09b": "Learning rates, batches, optimizers and regularization, tried out.",
    "10": "How to say how wrong an answer is: SVM, softmax, least squares.",
    "11": "A network reads handwritten digits.",
    "12a": "A gallery of engines that are wrong, and how one sees it.",
    "12b": "What goes wrong in a training loop, and how one sees it.",
    "13": "A language model of single numbers: what attention does, and what it has learned of names.",
    "14a": "Convolution, pooling and AlexNet's other layers, as scalars; filters that were learned, and what they see.",
    "14b": "A Neural Turing Machine learns to write down what it hears, and to find it again.",
}
SHOWN = {
    "00a": "cell-09",
    "00b": "columns",
    "01": "cell-16",
    "02": "docs/pictures/stepper.png",
    "03": "cell-19",
    "04": "cell-40",
    "05": "cell-19",
    "08": "network",
    "09a": "heat",
    "09b": "lec-optimizers",
    "10": "cell-21",
    "12b": "cell-81",
    "13": "learned",
    "14a": "maps",
    "14b": "machine-runs",
}
"""The cell whose picture stands for a lesson, or a picture of the docs; of the others the first that there is."""

TOP = """\
# Lessons

Notebooks, to be read here or run in Jupyter, where the exercises mark your answers. **They begin with
[0a, build the engine](../notebooks/00a-build-the-engine.ipynb)**, in which you write the whole thing yourself. Each
takes a class hour at most.

<div class="lessons">

| | lesson | minutes |
|---|---|---|
"""
BOTTOM = """
</div>

In a checkout, this opens them (the package called `scalargrad` on PyPI is by other people: do not install it beside):

    python3 -m venv .venv && .venv/bin/pip install -q -e ".[notebook,demo]" jupyterlab && .venv/bin/jupyter lab notebooks

- **No Python here?** Some of them [run in the browser](classroom.md).
- **In a hurry?** [1](../notebooks/01-a-value.ipynb) and [2](../notebooks/02-backpropagation-step-by-step.ipynb) are
  backpropagation; everything after them can be read in any order that its first cell allows.
- **Exercises** are asked all through a lesson: replace `...`, run the cell, and it says what is right and where to look
  again. `hint("01.twice")` helps, `solution("01.twice")` shows one way, `exercises("01")` lists a lesson's questions.
- **Pictures that step** answer to the arrow keys when you have clicked into them.
- **With a lecture's notes in hand**: [each of their points, with its cell](lectures/index.md).

```{toctree}
:glob:
:hidden:
:maxdepth: 1

notebooks/*
```
"""


def lessons():
    """Of each notebook: its file, its number, its cells."""
    for path in sorted((ROOT / "notebooks").glob("*.ipynb")):
        yield path, path.stem.partition("-")[0], json.loads(path.read_text(encoding="utf-8"))["cells"]


def text_of(cell):
    return "".join(cell["source"])


def page():
    """The page's text."""
    rows = []
    for path, number, cells in lessons():
        first = text_of(cells[0])
        title = first.partition("\n")[0].removeprefix("# ")
        minutes = re.search(r"(?m)^\*\*Minutes:\*\* (\d+)", first)
        picture = next(PICTURES.glob(f"{number}.*"), None)
        shown = f"![a picture of the lesson](pictures/lessons/{picture.name})" if picture else ""
        about = ABOUT.get(number, first.split("\n\n")[1].partition(". ")[0])
        link = f"[{title}](../notebooks/{path.name})"
        rows.append(f"| {shown} | **{link}**<br>{about} | {minutes[1] if minutes else ''} |\n")
    return TOP + "".join(rows) + BOTTOM


def picture(number, cells, browser):
    """A small picture of a lesson as a PNG, or None; stored outputs are made anew too rarely to compare them."""
    chosen = SHOWN.get(number)
    if chosen and "/" in chosen:
        return small((ROOT / chosen).read_bytes())
    for cell in cells:
        for output in cell.get("outputs", ()) if chosen in (None, cell["id"]) else ():
            data = {
                kind: "".join(text) for kind, text in output.get("data", {}).items() if isinstance(text, (str, list))
            }
            html = data.get("text/html", "")
            drawn = re.search(r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]+)", html)
            if drawn and "sg-trace" not in html:
                return small(photograph(base64.b64decode(drawn[1]).decode(), browser))
            if "image/png" in data:
                return small(base64.b64decode(data["image/png"]))
    return None


def photograph(svg, browser):
    page = browser.new_page(device_scale_factor=2)
    page.set_content(svg)
    shot = page.locator("svg").first.screenshot()
    page.close()
    return shot


def small(data):
    from PIL import Image

    image = Image.open(io.BytesIO(data)).convert("RGB")
    image.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    file = io.BytesIO()
    image.quantize(64).save(file, "png", optimize=True)
    return file.getvalue()


def write():
    """The pictures, for which a browser is needed, and the page."""
    from drawing_helpers import chromium

    PICTURES.mkdir(parents=True, exist_ok=True)
    for old in PICTURES.iterdir():
        old.unlink()
    with chromium() as browser:
        for _, number, cells in lessons():
            found = picture(number, cells, browser)
            if found:
                (PICTURES / f"{number}.png").write_bytes(found)
            else:
                print("no picture of", number)
    PAGE.write_text(page(), encoding="utf-8")


if __name__ == "__main__":
    write()
