"""What a notebook shows before anyone trusts it: each object and each stored output whole in a real JupyterLab."""

import base64
import inspect
import json
import pkgutil
from importlib import import_module
from pathlib import Path

import pytest
from lab import check_complete, lab
from optional import need_layout

import scalargrad as sg
from scalargrad import Value, draw, mistakes, trace, worksheet

nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
formatters = pytest.importorskip("IPython.core.formatters", reason="the extra `notebook` is not installed")

pytestmark = pytest.mark.browser

NOTEBOOKS = sorted((Path(__file__).parents[2] / "notebooks").glob("*.ipynb"))
FORMATTED = ("mimebundle", "html", "svg", "png", "latex", "markdown", "javascript", "json", "jpeg", "pdf")


def graph(k=1.0):
    x, w = Value(2.0 * k, label="<x> & co"), Value(-3.0, label="w")
    f = (x * w + x).tanh() * x
    f.label = "f"
    f.backward()
    return f


def long_graph():
    y = Value(1.001)
    for _ in range(200):
        y = y * 1.001
    return y


def figure():
    pytest.importorskip("matplotlib", reason="the extra `plot` is not installed")
    return sg.drawing.loss_curve([3.0, 2.0, 1.5])


def objects():
    """What people show, by a name of each."""
    f = graph()
    return {
        "drawing": draw(f), "circuit": draw(f, style="circuit"), "micrograd": draw(f, style="micrograd"),
        "before backward": draw(Value(2.0) * 3.0), "draw_dot": sg.draw_dot(f), "trace": trace(f),
        "long trace": trace(long_graph()), "forward step": trace(f)[2], "backward step": trace(f)[-1],
        "worksheet": worksheet(f), "worksheets": worksheet(f, variants=2),
        "mistake": mistakes.overwriting, "comparison": mistakes.overwriting.show(f),
        "difference": sg.diff(f, graph(1.1)), "explanation": sg.explain(f, wrt=f.parents[1]), "formula": sg.explain(f, wrt=f.parents[1]).latex,
        "check": sg.check_gradients(lambda a, b: (a * b).tanh(), [1.0, 2.0]), "curve": figure(),
        "live graph": sg.live("tanh(w*x + b)", x=2.0), "live network": sg.nn.MLP(2, [3, 1], seed=1).live([[0, 0], [1, 1]], [-1, 1]),
    }  # fmt: skip


@pytest.fixture(scope="module")
def opened(browser, tmp_path_factory):
    """Every notebook, and one of all objects: a function from its name to its outputs."""
    need_layout()
    folder = tmp_path_factory.mktemp("lab")
    (folder / "notebooks").mkdir()
    for path in NOTEBOOKS:
        (folder / "notebooks" / path.name).write_bytes(path.read_bytes())
    cells = []
    for name, thing in objects().items():
        data, metadata = formatters.DisplayFormatter().format(thing)
        output = nbformat.v4.new_output("execute_result", data=_storable(data), metadata=metadata, execution_count=1)
        cells.append(nbformat.v4.new_code_cell(name, outputs=[output], execution_count=1))
    nbformat.write(nbformat.v4.new_notebook(cells=cells), folder / "notebooks" / "objects.ipynb")
    with lab(browser, folder) as show:
        yield show


def _storable(data):
    return {kind: base64.b64encode(x).decode() if isinstance(x, bytes) else x for kind, x in data.items()}


def test_every_object_is_complete(opened):
    shown = opened("objects.ipynb")
    names = list(objects())
    assert len(shown) == len(names)
    for name, output in zip(names, shown, strict=True):
        try:
            check_complete(output)
        except AssertionError as error:
            raise AssertionError(f"{name}: {error}") from error
    drawn = {name for name, output in zip(names, shown, strict=True) if output["images"]}
    assert drawn >= set(names) - {"long trace", "difference", "explanation", "formula", "check"}


@pytest.mark.parametrize("path", NOTEBOOKS, ids=lambda path: path.stem)
def test_every_stored_output_is_complete(opened, path):
    stored = [output for cell in json.loads(path.read_text("utf-8"))["cells"] for output in cell.get("outputs", [])]
    shown = opened(path.name)
    assert bool(shown) == bool(stored)
    for output in shown:
        check_complete(output)


def test_every_class_that_notebooks_show_is_among_the_objects():
    have = {base for thing in objects().values() for base in type(thing).__mro__}
    missing = []
    for module in pkgutil.walk_packages(sg.__path__, "scalargrad."):
        if (
            module.name.rpartition(".")[2] in ("__main__", "jax", "llvm")
            or ".jax." in module.name
            or ".llvm." in module.name
        ):
            continue
        for name, cls in inspect.getmembers(import_module(module.name), inspect.isclass):
            formats = [kind for kind in FORMATTED if f"_repr_{kind}_" in vars(cls)]
            if formats and cls.__module__.startswith("scalargrad.") and cls not in have:
                missing.append(f"{module.name}.{name} ({formats[0]})")
    assert missing == [], "add one to `objects`"
