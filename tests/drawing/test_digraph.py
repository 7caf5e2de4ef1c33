"""`draw_dot` gives what micrograd's notebooks expect, a graphviz.Digraph, with labels as safe as everywhere."""

import builtins
import shutil
import subprocess
import sys

import pytest
from drawing_helpers import HOSTILE

import scalargrad as sg
from scalargrad import Value, draw_dot
from scalargrad.drawing import engines

graphviz = pytest.importorskip("graphviz", reason="the package graphviz is not installed")
needs_dot = pytest.mark.skipif(not shutil.which("dot"), reason="Graphviz is not installed on this system")


def neuron():
    x, w = Value(2.0, label="x"), Value(-3.0, label="w")
    y = (x * w + 1.0).tanh()
    y.backward()
    return y


def test_it_is_a_digraph():
    dot = draw_dot(neuron())
    assert isinstance(dot, graphviz.Digraph)
    assert (dot.format, dot.graph_attr["rankdir"]) == ("svg", "LR")
    assert r"x|data\ 2.0000|grad" in dot.source
    assert dot.source.count("->") == dot.drawing.dot.count("->")
    assert draw_dot(neuron(), format="png", rankdir="TB").graph_attr == {"rankdir": "TB"}
    assert "rankdir=TB" in draw_dot(neuron(), rankdir="TB").source
    assert str(dot) == dot.source


@needs_dot
def test_it_renders_as_in_the_notebooks(tmp_path):
    written = draw_dot(neuron()).render(tmp_path / "gout")
    assert written == str(tmp_path / "gout.svg")
    assert "data 2.0000" in (tmp_path / "gout.svg").read_text()
    assert (tmp_path / "gout").read_text() == draw_dot(neuron()).source
    assert draw_dot(neuron(), format="png").pipe().startswith(b"\x89PNG")
    dot = draw_dot(neuron())
    dot.node("mine", label="added by hand")
    dot.attr(rankdir="TB")
    assert "added by hand" in dot._repr_mimebundle_()["image/svg+xml"]


def test_jupyter_shows_it_without_the_systems_graphviz(monkeypatch):
    dot = draw_dot(neuron())
    assert dot._repr_mimebundle_() == dot.drawing._repr_mimebundle_()
    monkeypatch.setattr(engines, "_has_wasi", lambda: False)
    monkeypatch.setattr(engines.shutil, "which", lambda _: None)
    assert "tanh" in draw_dot(neuron())._repr_mimebundle_()["text/plain"]
    assert dot.copy().source == dot.source


@needs_dot
def test_hostile_labels_are_as_safe_as_in_the_drawing(tmp_path):
    for text in HOSTILE:
        dot = draw_dot(Value(1.0, label=text) * 2)
        plain = [
            subprocess.run(
                [shutil.which("dot"), "-Tplain"], input=source.encode(), capture_output=True, check=True
            ).stdout
            for source in (dot.source, dot.drawing.dot)
        ]
        assert plain[0] == plain[1]


def test_the_package_is_imported_when_a_digraph_is_drawn_and_not_before():
    code = (
        "import sys, scalargrad as sg; y = sg.Value(1.0) * 2; sg.draw(y).dot; a = 'graphviz' in sys.modules; "
        "sg.draw_dot(y); print(a, 'graphviz' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["False", "True"]


def test_without_the_package_the_message_says_what_to_install(monkeypatch):
    real = builtins.__import__

    def without(name, *args):
        if name == "graphviz":
            raise ImportError("No module named 'graphviz'")
        return real(name, *args)

    monkeypatch.delitem(sys.modules, "scalargrad.drawing.digraph", raising=False)
    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(ImportError, match=r"pip install graphviz.*draw\(root, style='micrograd'\)"):
        draw_dot(neuron())
    assert sg.draw(neuron(), style="micrograd").text
