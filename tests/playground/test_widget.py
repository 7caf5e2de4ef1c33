"""The playground in a notebook: in a real JupyterLab a widget that Python answers; a notebook without its Python shows the stepper, trusted or not, and no error; without the extra it says what to install."""

import json
import re
import sys

import pytest
from lab import LAB, command, lab_page, open_notebook
from optional import need_layout

import scalargrad as sg
from scalargrad import Value, live, nn
from scalargrad.playground import widget
from scalargrad.playground.assets import stylesheet
from scalargrad.words.texts import number_text

XOR = [[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1]
CELLS = (
    "import scalargrad as sg",
    "sg.live('tanh(w*x + b)*x', x=(-5, 5, 1), w=0.5, b=0.1)",
    "sg.nn.MLP(2, [3, 1], seed=1).live([[0, 0], [0, 1], [1, 0], [1, 1]], [-1, 1, 1, -1])",
)
# Of each output that can be seen: how high it is, its text, whether there is a live view and whether a stepper or a picture.
SEEN = """() => [...document.querySelectorAll('.jp-Notebook .jp-OutputArea-child')].filter(e => e.offsetHeight > 12).map(e => ({
  text: e.innerText, live: e.querySelectorAll('.lv-widget').length,
  stepper: [...e.querySelectorAll('.sg-trace')].filter(s => s.shadowRoot || s.querySelector('.sg-button')).length,
  images: [...e.querySelectorAll('img')].filter(i => i.offsetHeight > 50).length,
}))"""
CARDS = """() => [...document.querySelectorAll('.lv-graph .lv-view g.node')].map(g => [...g.querySelectorAll('text')].map(t => t.textContent))"""


@pytest.fixture(scope="module")
def notebook(browser, tmp_path_factory):
    """(page, path): JupyterLab with a notebook of both views, run, and its file."""
    need_layout()
    if sys.executable == LAB:
        pytest.importorskip("anywidget", reason="the extra `live` is not installed")
    nbformat = pytest.importorskip("nbformat", reason="the extra `notebook` is not installed")
    folder = tmp_path_factory.mktemp("lab")
    path = folder / "notebooks" / "live.ipynb"
    path.parent.mkdir()
    cells = [nbformat.v4.new_code_cell(source) for source in CELLS]
    nbformat.write(nbformat.v4.new_notebook(cells=cells), path)
    with lab_page(browser, folder, reduced_motion="reduce") as page:
        open_notebook(page, path.name, kernel=True)
        command(page, "notebook:run-all-cells")
        page.wait_for_selector(".lv-graph .lv-view svg")
        page.wait_for_selector(".nw-live svg, .lv-widget canvas")
        # JupyterLab takes cells out of the page that are scrolled out of sight, as the first is once the second has run.
        page.evaluate("() => document.querySelectorAll('.jp-WindowedPanel-outer').forEach(e => { e.scrollTop = 0; })")
        page.wait_for_selector("input[type=range][aria-label='w']", state="attached")
        yield page, path


def seen(page):
    return page.evaluate(SEEN)


@pytest.mark.browser
def test_in_jupyterlab_a_slider_moves_the_graph_and_every_number_is_the_engines(notebook):
    page, _ = notebook
    for w in (-3.21, 0.0, 4.5):
        page.locator("input[type=range][aria-label='w']").evaluate(
            "(e, number) => { e.value = number; e.dispatchEvent(new Event('input', { bubbles: true })); }", str(w)
        )
        w_, x, b = Value(w), Value(1.0), Value(0.1)
        root = (w_ * x + b).tanh() * x
        root.backward()
        wanted = [[number_text(v.data), "grad " + number_text(v.grad)] for v in sg.topological_order(root)]
        page.wait_for_function(f"text => ({CARDS})().at(-1).at(-2) === text", arg=wanted[-1][0])
        assert [card[-2:] for card in page.evaluate(CARDS)] == wanted


@pytest.mark.browser
def test_of_the_two_outputs_of_a_cell_the_widget_is_seen(notebook):
    page, _ = notebook
    assert [(one["live"], one["stepper"]) for one in seen(page)] == [(1, 0), (1, 0)]


@pytest.mark.browser
def test_keys_on_the_graph_are_the_graphs_and_not_the_notebooks(notebook):
    page, _ = notebook
    page.locator(".lv-graph").focus()
    for key in ("Home", "0", "0", "d", "d", "x", "ArrowRight"):
        page.keyboard.press(key)
    page.wait_for_function("() => document.querySelector('.lv-graph .sg-number').textContent.startsWith('2 / ')")
    assert page.locator(".jp-Dialog").count() == 0
    assert page.locator(".jp-Notebook .jp-CodeCell").count() == len(CELLS)
    page.keyboard.press("End")


@pytest.mark.browser
@pytest.mark.parametrize("trusted", [True, False], ids=["trusted", "not trusted"])
@pytest.mark.parametrize("kernel", [True, False], ids=["with a new kernel", "without a kernel"])
def test_a_notebook_that_is_opened_again_shows_the_stepper_and_no_error(notebook, trusted, kernel):
    page, path = notebook
    if page.locator(".lv-widget").count():
        command(page, "docmanager:save")
        command(page, "application:close-all")
        page.evaluate("() => jupyterapp.serviceManager.sessions.shutdownAll()")
    saved = path.read_text(encoding="utf-8")
    assert "widgets" not in json.loads(saved)["metadata"]
    if not trusted:  # changed outside of Jupyter
        path.with_name("other.ipynb").write_text(saved.replace("-5, 5, 1", "-5, 5, 1.0"), encoding="utf-8")
    open_notebook(page, path.name if trusted else "other.ipynb", kernel=kernel)
    page.wait_for_function(f"() => ({SEEN})().length >= 2")
    page.wait_for_timeout(1500)  # what JupyterLab says of widgets that it does not know comes late
    graph, network = seen(page)
    assert graph["live"] == network["live"] == 0
    assert graph["stepper"] == trusted
    assert trusted or graph["images"] == 1
    assert network["images"] == 1
    assert not re.search("rror|oading", graph["text"] + network["text"])
    command(page, "application:close-all")


def test_without_the_extra_there_is_the_stepper_and_what_to_install(monkeypatch):
    need_layout()
    monkeypatch.setattr(widget, "find_spec", lambda name: None)
    made = live("x*y", x=2.0, y=3.0)
    with pytest.raises(NotImplementedError):
        made._ipython_display_()
    bundle = made._repr_mimebundle_()
    assert set(bundle) == {"text/html", "text/plain"}
    assert 'class="sg-trace"' in bundle["text/html"]
    assert "pip install &quot;scalargrad-autograd[live]&quot;" in bundle["text/html"]
    with pytest.raises(ImportError, match=r"scalargrad-autograd\[live\]"):
        made.widget()


def test_what_is_still_is_the_beginning_of_each_view():
    need_layout()
    shown = live("x*y", x=2.0, y=3.0)._repr_mimebundle_()["text/html"]
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    f = x * y
    f.label = "f"
    for step in sg.trace(f):
        assert step.text in shown
    model = nn.MLP(2, [3, 1], seed=1)
    assert model.draw()._repr_mimebundle_()["text/html"] in model.live(*XOR)._repr_mimebundle_()["text/html"]
    assert "domain error" in live("log(x)", x=(-5, -1, -3))._repr_mimebundle_()["text/html"]


def test_hostile_names_are_text_in_the_still_output():
    hostile = Value(2.0, label="<script>alert(1)</script><img src=x onerror=alert(1)>")
    shown = live(hostile * 2.0)._repr_mimebundle_()["text/html"]
    assert "<script>alert" not in shown
    assert "<img src=x" not in shown


def test_the_widgets_module_is_the_pages_modules():
    text = widget.script()
    assert "import " not in re.sub(r"(//.*|\"[^\"]*\"|`[^`]*`)", "", text)
    assert text.count("export default") == 1
    for name in ("export function graphView", "function networkView", "export function comm"):
        assert text.count(name) == 1


def test_the_stylesheet_touches_nothing_else_of_a_notebook():
    rules = re.sub(r"/\*.*?\*/|@keyframes[^{]*\{(?:[^{}]*\{[^}]*\})*[^}]*\}", "", stylesheet(), flags=re.DOTALL)
    for selectors in re.findall(r"([^{}]+)\{", rules):
        if not selectors.strip().startswith("@"):
            for selector in selectors.split(","):
                assert re.search(r"[.](sg|lv|nw)-|#stepper", selector), selector


def test_a_widget_has_a_session_of_its_own():
    pytest.importorskip("anywidget", reason="the extra `live` is not installed")
    made, sent = live("x*y", x=2.0, y=3.0), []
    one, other = made.widget(), made.widget()
    for each in (one, other):
        each.send = sent.append
        each._answer(each, {"id": 1, "do": "open"}, [])
    one._answer(one, {"id": 2, "do": "set", "inputs": {"x": 5}}, [])
    one._answer(one, ["no", "message"], [])
    other._answer(other, {"id": 3, "do": "set", "inputs": {"y": 4}}, [])
    assert sent[2]["frame"]["gradients"] == ["grad 3", "grad 5", "grad 1"]
    assert sent[3]["error"]
    assert sent[4]["frame"]["gradients"] == ["grad 4", "grad 2", "grad 1"]
