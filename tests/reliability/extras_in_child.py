"""What each extra is for, tried where no more than that extra is installed; what is found is written to said.json.

    python -I tests/reliability/extras_in_child.py plot

Run in an empty folder. The functions of USES are called by the extras' names; each uses the extra as people do and returns
what it saw. ASKS has what a user asks for, by the extra that it needs: where that is missing, the error is kept.
"""

import io
import json
import os
import re
import subprocess
import sys
from contextlib import redirect_stderr
from importlib import import_module, metadata
from importlib.util import find_spec
from pathlib import Path

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.backends import best

ROOT = Path(__file__).resolve().parents[2]
PNG = b"\x89PNG"


def program(*arguments):
    """What a module of this Python prints when it is run."""
    done = subprocess.run(
        [sys.executable, *map(str, arguments)], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
        encoding="utf-8", env={**os.environ, "PYTHONIOENCODING": "utf-8"}, check=False,
    )  # fmt: skip
    assert done.returncode == 0, f"{arguments}\n{done.stdout[-4000:]}"
    return done.stdout


def trained(progress=False):
    """A small network after some epochs: model, points, targets, history, and what was written to standard error."""
    X, y = nn.moons(20, seed=1, labels=(-1, 1))
    model = nn.MLP(2, [4, 1], seed=1)
    with redirect_stderr(io.StringIO()) as written:
        history = nn.fit(model, X, y, loss="hinge", lr=0.3, epochs=20, progress=progress)
    return model, X, y, history, written.getvalue()


def f(x, y):
    return sg.tanh(x * y) + sg.exp(x)


def neuron():
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    out = (x * w).tanh()
    out.backward()
    return out


def notebook(*cells):
    """A notebook of these cells, run in a fresh kernel: what each shows, by its type."""
    import nbformat
    from nbclient import NotebookClient

    made = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    NotebookClient(made, timeout=120, kernel_name="python3").execute()
    return [[output.get("data", {}) for output in cell.outputs] for cell in made.cells]


# -------------------------------------------------------------------- what each extra is for


def use_none():
    """What is shown otherwise instead of failing."""
    lines = trained(progress=True)[-1].splitlines()
    assert [line.partition(": loss ")[0] for line in lines] == [f"epoch {i}/20" for i in (1, *range(2, 21, 2))], lines
    said = program("-I", "-m", "scalargrad", "demo")
    assert "not drawn: decision-boundary.png, loss.png: plots need matplotlib (the extra `plot`)" in said, said
    assert "neuron.html" in Path("scalargrad-demo", "index.html").read_text("utf-8")
    html = sg.live("x*y", x=2.0, y=3.0)._repr_mimebundle_()["text/html"]
    assert "pip install &quot;scalargrad-autograd[live]&quot;" in html
    return "training is told in lines, the demo names the two pictures it leaves out, `live` shows a still picture"


def use_plot():
    model, X, y, history, _ = trained()
    sg.decision_boundary(model, X, y).savefig("boundary.png")
    sg.loss_curve(history).savefig("loss.png")
    for name in ("boundary.png", "loss.png"):
        assert Path(name).read_bytes().startswith(PNG)
    return "a decision boundary and a loss curve as PNG"


def use_train():
    written = trained(progress=True)[-1]
    assert re.search(r"100%\|[█#]+\| 20/20 .*epoch/s, loss", written), written
    return "`fit` with a bar"


def use_demo():
    said = program("-I", "-m", "scalargrad", "demo")
    assert "100%" in re.search(r"training accuracy (\S+)", said)[1], said
    assert re.search(r"100%\|.*\| 100/100 ", said), said
    folder = Path("scalargrad-demo")
    page = (folder / "index.html").read_text("utf-8")
    files = ["decision-boundary.png", "loss.png", "neuron.html"]
    if "not drawn: " in said:  # SVG then, for want of a layout engine, as Python 3.10 has none of its own
        assert sys.version_info < (3, 11), said
        assert ".png" not in re.search("not drawn: (.*)", said)[1], said
    else:
        files += ["network.svg", "neuron.svg"]
    for name in files:
        assert (folder / name).stat().st_size > 4000, name
        assert name in page
    return f"`python -m scalargrad demo` with a bar, and {len(files) + 1} files"


def use_notebook():
    drawn, still = notebook(
        "from scalargrad import Value, live\n(Value(2.0, label='x') * 3.0).draw()", "live('x*y', x=2.0, y=3.0)"
    )
    assert "text/plain" in drawn[-1]
    assert sys.version_info < (3, 11) or "data:image/svg+xml" in drawn[-1]["text/html"], drawn
    if not find_spec("anywidget"):
        assert "scalargrad-autograd[live]" in still[-1]["text/html"]
    return "a notebook that draws, run in a kernel"


def use_browser():
    from playwright.sync_api import sync_playwright

    sg.trace(neuron()).save("walk.html")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=os.environ["CHROMIUM"], args=["--no-sandbox"])
        page = browser.new_page()
        page.goto(Path("walk.html").resolve().as_uri())
        before = page.inner_text("body")
        page.keyboard.press("ArrowRight")
        after = page.inner_text("body")
        browser.close()
    assert "tanh" in before
    assert before != after
    return "a stepper's page in Chromium, a step onward by its key"


def use_live():
    widget, sent = sg.live("x*y", x=2.0, y=3.0).widget(), []
    assert "export default" in widget.get_state()["_esm"]
    widget.send = sent.append
    widget._handle_custom_msg({"id": 1, "do": "open"}, [])
    widget._handle_custom_msg({"id": 2, "do": "set", "inputs": {"x": 5}}, [])
    assert sent[1]["frame"]["gradients"] == ["grad 3", "grad 5", "grad 1"]
    return "a widget that answers its page"


def use_lab():
    use_notebook()
    (shown,) = notebook("from scalargrad import live\nlive('x*y', x=2.0, y=3.0)")
    assert any("application/vnd.jupyter.widget-view+json" in data for data in shown), shown
    extensions = program("-m", "jupyter", "labextension", "list")
    assert re.search(r"anywidget v\S+ .*enabled.*OK", extensions), extensions
    version = program("-m", "jupyter", "lab", "--version").strip()
    return f"JupyterLab {version} with anywidget enabled, a widget in the output of a notebook"


def compiled(backend):
    """A compiled gradient at another point than the recorded one is the eager engine's."""
    slopes = sg.grad(lambda v: f(*v))
    again = sg.compile(slopes, backend=backend)
    again([2.0, 1.0])
    found, exact = again([0.5, -1.25]), slopes([0.5, -1.25])
    assert all(abs(a - b) < 1e-12 for a, b in zip(found, exact, strict=True)), (found, exact)


def use_fast():
    compiled("llvm")
    assert best() == "llvm"
    return "machine code by LLVM, which is then the choice of `auto`"


def use_jax():
    import jax

    compiled("jax")
    made = sg.record(neuron()).to_jax()
    assert callable(made)
    return f"a graph compiled by JAX {jax.__version__}"


def use_test():
    check_op()
    Path("test_it.py").write_text(
        "from hypothesis import given\nfrom scalargrad.strategies import expressions\n"
        "import mpmath, numpy, micrograd.engine\n\n\n@given(expressions(inputs=2))\ndef test_it(expression):\n"
        "    root, leaves = expression.graph()\n    root.backward()\n",
        encoding="utf-8",
    )
    said = program("-m", "pytest", "-q", "-n", "2", "test_it.py")
    assert "1 passed" in said, said
    return "`check_op`, and a property test of drawn expressions by pytest in two processes"


SNIPPET = '''\
"""Typed as a user would."""

from scalargrad import Value, nn

x = Value(2.0, label="x")
y: Value = (x * 3.0).tanh()
y.backward()
slope: float = x.grad
model = nn.MLP(2, [4, 1], seed=1)
count: int = len(model.parameters())
'''


def use_lint():
    good, bad = Path("good.py"), Path("bad.py")
    good.write_text(SNIPPET, encoding="utf-8")
    bad.write_text(SNIPPET.replace("slope: float", "slope: str"), encoding="utf-8")
    assert "Success" in program("-m", "mypy", "--strict", good)
    found = subprocess.run(
        [sys.executable, "-m", "mypy", "--strict", bad], capture_output=True, text=True, check=False
    ).stdout
    assert re.search(r'bad\.py:\d+: error: .*"float".*"str"', found), found
    program("-m", "ruff", "check", "--select", "E,F,I,D1", good)
    program("-m", "ruff", "format", "--check", good)
    return "mypy knows the types of the installed package, ruff is content"


def use_docs():
    options = ("-W", "-q", "-b", "html", "-d", "doctrees")
    program("-m", "sphinx", *options, ROOT / "docs", "site")
    pages = list(Path("site").rglob("*.html"))
    assert len(pages) > 100, pages
    return f"the documentation built without a warning, {len(pages)} pages"


def use_lite():
    Path("contents").mkdir()
    Path("empty").mkdir()
    lesson = ROOT / "notebooks" / "01-a-value.ipynb"
    Path("contents", lesson.name).write_bytes(lesson.read_bytes())
    program(
        "-m", "jupyter", "lite", "build", "--no-sourcemaps", "--apps", "lab", "--lite-dir", "empty",
        "--contents", Path("contents").resolve(), "--output-dir", "made",
    )  # fmt: skip
    assert Path("made", "files", lesson.name).is_file()
    assert list(Path("made").rglob("pyodide-kernel-extension")), os.listdir("made")
    return "a JupyterLite with a lesson and the Pyodide kernel"


PEERS = {"autograd": "HIPS autograd", "casadi": "CasADi", "heyoka": "heyoka", "jax": "JAX", "micrograd": "micrograd"}


def use_bench():
    said = program(ROOT / "tests" / "benchmarks" / "compiled.py", "--only", "W1", "--rounds", "1")
    for module, name in PEERS.items():
        assert (name in said) == bool(find_spec(module)), said
    assert "numpy by hand" in said, said
    there = [name for module, name in PEERS.items() if find_spec(module)]
    return f"one turn of the moons benchmark beside {', '.join(there)}"


def use_torch():
    import torch

    x = torch.tensor([0.5, -1.25], dtype=torch.float64, requires_grad=True)
    (torch.tanh(x[0] * x[1]) + torch.exp(x[0])).backward()
    mine = sg.grad(f, argnums=(0, 1))(0.5, -1.25)
    assert all(abs(a - b) < 1e-12 for a, b in zip(mine, x.grad.tolist(), strict=True))
    return f"a gradient beside that of PyTorch {torch.__version__}"


def use_mutation():
    from mutmut import Context, list_mutations, mutate

    source = "def f(x):\n    return x + 1\n"
    (first, *_) = list_mutations(Context(source=source, filename="f.py"))
    changed, count = mutate(Context(source=source, filename="f.py", mutation_id=first))
    assert count == 1
    assert changed != source
    return "a function changed as the runs of mutants change them"


USES = {name.removeprefix("use_"): function for name, function in globals().items() if name.startswith("use_")}

# -------------------------------------------------------------------- what asks for one


def check_op():
    assert sg.check_op(sg.tanh, examples=10)


ASKS = {
    "plot": ("matplotlib", lambda: sg.decision_boundary(*trained()[:3]), lambda: sg.loss_curve(trained()[3])),
    "live": ("anywidget", lambda: sg.live("x*y", x=2.0, y=3.0).widget()),
    "fast": ("llvmlite", lambda: compiled("llvm")),
    "jax": ("jax", lambda: compiled("jax"), lambda: sg.record(neuron()).to_jax()),
    "test": ("hypothesis", check_op, lambda: import_module("scalargrad.strategies")),
}


def errors():
    """What each of ASKS that needs what is not installed fails with; the others must work."""
    found = {}
    for extra, (module, *asked) in ASKS.items():
        for ask in asked:
            if find_spec(module):
                ask()
                continue
            try:
                ask()
            except ImportError as error:
                found.setdefault(extra, []).append(str(error))
            else:
                raise AssertionError(f"{module} is not installed, and nothing failed that needs the extra {extra}")
    return found


def imported(extra):
    """The packages that the extra names and that are made for this Python, each imported."""
    places = metadata.packages_distributions()
    names = []
    for line in metadata.requires("scalargrad-autograd"):
        name = re.match(r"[\w.-]+", line)[0]
        if re.search(rf"extra == ['\"]{extra}['\"]", line) and name != "scalargrad-autograd" and there(name):
            modules = [module for module, owners in places.items() if same(name) in map(same, owners)]
            modules = [module for module in modules if not module.startswith("_") and find_spec(module)]
            assert modules, name
            for module in modules:
                import_module(module)
            names.append(name)
    return names


def there(name):
    try:
        return metadata.distribution(name)
    except metadata.PackageNotFoundError:
        return None


def same(name):
    """The name of a distribution as it is compared."""
    return re.sub(r"[-_.]+", "-", name).lower()


if __name__ == "__main__":
    asked = sys.argv[1]
    said = {"packages": imported(asked), "found": USES[asked](), "errors": errors()}
    Path("said.json").write_text(json.dumps(said), encoding="utf-8")
