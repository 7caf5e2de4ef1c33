"""Every notebook runs in a fresh kernel and gives the outputs that are stored in it."""

import base64
import re
from pathlib import Path

import pytest
from sizes import has_full_size, only_long

nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
nbclient = pytest.importorskip("nbclient", reason="the extra `notebook` is not installed")

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))


def shown(cell):
    """What a reader sees of a cell's outputs; of a picture its texts, since two layout engines differ in coordinates."""
    seen = []
    for output in cell.get("outputs", []):
        if output.output_type == "stream":
            if seen and seen[-1][0] == output.name:  # one print may arrive in several pieces
                seen[-1] = (output.name, seen[-1][1] + output.text)
            else:
                seen.append((output.name, output.text))
        elif output.output_type == "error":
            seen.append(("error", output.ename, output.evalue))
        else:
            for kind, content in sorted(output.data.items()):
                if kind == "image/svg+xml":
                    content = svg_texts(content)
                elif kind == "image/png":  # matplotlib draws a little differently from one version to the next
                    content = "a picture"
                elif kind == "text/html":
                    content = html_texts(content)
                seen.append((kind, content))
    return seen


def svg_texts(svg):
    return sorted(re.findall(r"<text[^>]*>(.*?)</text>", svg, re.DOTALL))


def html_texts(html):
    """The page without its scripts, ids and styles, every picture by its texts."""
    html = re.sub(r"<(script|style)\b.*?</\1>", "", html, flags=re.DOTALL)
    html = re.sub(r'\b(id|for|aria-\w+|data-scalargrad)="[^"]*"', "", html)
    html = re.sub(r"<svg\b.*?</svg>", lambda match: repr(svg_texts(match[0])), html, flags=re.DOTALL)
    embedded = r"data:image/svg\+xml;base64,([A-Za-z0-9+/=]*)"
    return re.sub(embedded, lambda match: repr(svg_texts(base64.b64decode(match[1]).decode())), html)


TRAIN_FOR_LONG = ("04-layers-by-hand", "09a-neurons-to-networks", "09b-training-a-network", "11-digits")


def parameter(path):
    return pytest.param(path, marks=[has_full_size, only_long] if path.stem in TRAIN_FOR_LONG else (), id=path.stem)


@pytest.mark.parametrize("path", [parameter(path) for path in NOTEBOOKS])
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::RuntimeWarning", "ignore::ResourceWarning")
def test_stored_outputs_are_what_running_gives(path, tmp_path):
    stored = nbformat.read(path, as_version=4)
    fresh = nbformat.read(path, as_version=4)
    options = {"kernel_name": "python3", "resources": {"metadata": {"path": str(tmp_path)}}}
    nbclient.NotebookClient(fresh, timeout=60, **options).execute()
    for i, (old, new) in enumerate(zip(stored.cells, fresh.cells, strict=True)):
        assert shown(old) == shown(new), f"cell {i}:\n{old.source}"
    assert any(cell.get("outputs") for cell in stored.cells)


def test_there_are_notebooks():
    assert NOTEBOOKS
