"""The wasm backend: modules give the numbers of the eager engine to the last bit, at one point and in both lanes.

Natively they run in wasmtime, and every op in Pyodide, too, where that is to be had.
"""

import json
import math
import sys
from pathlib import Path

import compiled_cases
import pytest
from compiled_cases import differing_from_eager, differing_in_each_form
from compiling_helpers import agrees, all_same, eager, eager_batch, points, random_function
from pyodide_here import answer_in_pyodide
from sizes import size
from wasm_helpers import in_wasm  # noqa: F401  (a fixture)

import scalargrad as sg
from scalargrad import Value
from scalargrad.compiling import wasm
from scalargrad.compiling.llvm import straight
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.table import TABLE

in_pyodide = pytest.mark.skipif(sys.platform != "emscripten", reason="Python does not run in a browser")


# -------------------------------------------------------------------- every op


@pytest.mark.usefixtures("in_wasm")
@pytest.mark.parametrize("name", sorted(PRIMITIVE))
def test_every_primitive_on_hard_points(name):
    assert differing_in_each_form(wasm, name) == []


@pytest.mark.usefixtures("in_wasm")
@pytest.mark.parametrize("name", sorted(TABLE))
@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
def test_every_row_has_the_eager_value_and_gradient(name):
    found, compared = differing_from_eager("wasm", name)
    assert found == []
    assert compared > 15


IN_PYODIDE = """
import json, warnings
from array import array
from scalargrad.compiling import wasm
from scalargrad.compiling.lowering import PRIMITIVE

warnings.simplefilter("ignore")
counts = {}
for name in sorted(PRIMITIVE):
    assert differing_in_each_form(wasm, name) == [], name
for name in sorted(TABLE):
    found, counts[name] = differing_from_eager("wasm", name)
    assert found == [], (name, found[:3])
into = array("d", [9.0] * 4)
four, pairs = (wasm.reader(n, width, into.buffer_info()[0]) for n, width in ((4, None), (2, 2)))
for numbers in ([1.5, -0.0, 7, 0], [2**30 - 1, 1 - 2**30, -1, 5e-324]):
    assert four(numbers) and into.tolist() == numbers and math.copysign(1.0, into[1]) < 0
    assert pairs([numbers[2:], numbers[:2]]) and into.tolist() == numbers[2:] + numbers[:2]
for odd in (True, None, 2**30, -(2**62), "1", [1.0], Value(1.0), float("nan")):
    assert four([1.0, odd, 1.0, 1.0]) is pairs([[0.0, 1.0], [1.0, odd]]) is isinstance(odd, float)
for other in ([], [1.0] * 3, [1.0] * 5, (1.0,) * 4, array("d", [1.0] * 4), [[1.0, 2.0], [3.0]], [[1.0, 2.0], (3.0, 4.0)]):
    assert not four(other) and not pairs(other)

try:
    wasm.library.loaded(b"no module")
except ValueError as error:
    assert "the browser does not compile this program, a module of 9 bytes" in str(error), error
else:
    raise AssertionError("it was loaded")

trainings = [(optimizer, activation) for optimizer in ("SGD", "Adam") for activation in ("relu", "tanh")]
json.dumps([counts, [[trained(backend, *how) for backend in ("wasm", "python")] for how in trainings]])
"""


def test_every_op_and_training_in_pyodide(tmp_path):
    """With the browser's WebAssembly, and the C library of the Python that it is compared with."""
    code = Path(compiled_cases.__file__).read_text(encoding="utf-8")
    counts, trainings = json.loads(answer_in_pyodide(tmp_path, code + IN_PYODIDE))
    assert counts.keys() == TABLE.keys()
    assert min(counts.values()) > 15
    for found, expected in trainings:
        assert found == pytest.approx(expected, rel=1e-9, abs=1e-12)


# -------------------------------------------------------------------- programs


@pytest.mark.usefixtures("in_wasm")
@pytest.mark.parametrize("piece", [1, 7, 250])
def test_random_programs(monkeypatch, piece):
    """Also cut into functions: what crosses goes through memory."""
    monkeypatch.setattr(straight, "PIECE", piece)
    compared = 0
    for seed in range(piece, piece + size(12, 60)):
        f = random_function(20_000 + seed)
        start, *others = points(seed, 3, 4)
        compiled = sg.compile(sg.value_and_grad(lambda v, f=f: f(*v)), backend="wasm")
        compiled(start)
        for xs in others:
            expected = eager(f, xs)
            if all(map(math.isfinite, expected)):
                value, gradient = compiled(xs)
                all_same([value, *gradient], expected)
                compared += 1
        w = Value(0.5)
        for n in (1, 2, 3):
            batch = points(seed + n, 2, n)
            penalized = lambda v, f=f, w=w: f(w, *v) + w * w  # noqa: E731
            loss = sg.compile(penalized, parameters=[w], backend="wasm")
            agrees(loss.value_and_grad(batch), eager_batch(penalized, (batch,), [w]))
            all_same(loss.values(batch), [penalized(v).data for v in batch])
    assert compared > 20


@pytest.mark.usefixtures("in_wasm")
def test_a_long_program():
    """60 000 instructions: no function of a module may be as long."""
    x = Value(0.5)

    def chain(v):
        z = v
        for i in range(size(6_000, 20_000)):
            z = sg.sin(z) * 1.5 + v if i % 3 else z * 0.5 - v
        return z

    compiled = sg.compile(sg.value_and_grad(chain), backend="wasm")
    compiled(0.25)
    root = chain(x)
    root.backward()
    assert compiled(0.5) == (root.data, x.grad)


@pytest.mark.usefixtures("in_wasm")
def test_what_only_python_can_compute_is_refused_in_words():
    @sg.primitive(partials=lambda x: 1.0)
    def odd_for_wasm(x):
        return x + 1.0

    with pytest.raises(ValueError, match="the wasm backend cannot compute odd_for_wasm, .*backend='python'"):
        sg.compile(lambda x: odd_for_wasm(x), backend="wasm")(1.0)
    assert sg.compile(lambda x: odd_for_wasm(x))(1.0) == 2.0


@pytest.mark.skipif(sys.platform == "emscripten", reason="Python runs in a browser")
def test_outside_of_a_browser_it_is_refused_in_words():
    with pytest.raises(ValueError, match="in Pyodide, and this Python runs in none: choose backend='auto'"):
        sg.compile(lambda x: x * x, backend="wasm")(1.0)


# -------------------------------------------------------------------- in Pyodide alone


@in_pyodide
def test_it_is_what_auto_chooses():
    loss = sg.compile(lambda x, y: (x - y) ** 2)
    loss.values([1.0], [2.0])
    from scalargrad.compiling.backends import best

    assert best() == "wasm"


@in_pyodide
def test_modules_go_when_their_functions_go():
    """A hundred thousand of them would not fit: the browser keeps none that nobody has."""
    import gc

    from scalargrad.compiling.wasm import library

    for k in range(100):
        sg.compile(lambda x, k=k: x * k + k, backend="wasm")(1.0)
    gc.collect()
    assert library._compiled.cache_info().currsize <= 64
