"""The wasm backend: modules give the numbers of the eager engine to the last bit, at one point and in both lanes.

In Pyodide they run as they do for everyone, elsewhere in wasmtime.
"""

import math
import sys

import pytest
from compiling_helpers import agrees, all_same, eager, eager_batch, points, random_function, same, same_sign
from primitive_cases import SPECIAL, differing, operands_of
from sizes import size
from wasm_helpers import in_wasm  # noqa: F401  (a fixture)

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling import wasm
from scalargrad.compiling.lowering import PRIMITIVE
from scalargrad.compiling.samples import Samples
from scalargrad.compiling.tape import INPUT, PARAMETER
from scalargrad.compiling.wasm import straight
from scalargrad.table import HARD, TABLE

in_pyodide = pytest.mark.skipif(sys.platform != "emscripten", reason="Python does not run in a browser")


# -------------------------------------------------------------------- every op


@pytest.mark.usefixtures("in_wasm")
@pytest.mark.parametrize("name", sorted(PRIMITIVE))
def test_every_primitive_on_hard_points(name):
    cases = operands_of(name)[:-1]  # an odd number of them leaves a lane empty
    n = len(cases[0])
    code = [*((INPUT, i) for i in range(n)), (name, *range(n))]
    run = wasm.single(code, [n])
    assert differing(name, cases, [run((), xs)[0] for xs in cases]) == []
    for some in (cases, cases[1:]):
        batch = wasm.BatchRunner(code, [(n, None)], [n], [n])
        assert differing(name, some, batch.run([Samples(some, "cases")], len(some), (), False)[1][0]) == []
    still = [*((PARAMETER, i) for i in range(n)), (name, *range(n))]
    once = wasm.BatchRunner(still, [(None, n)], [n], [1])
    found = [once.run([Samples([1.0, 2.0, 3.0], "x")], 3, xs, False)[1][0] for xs in cases[::7]]
    assert differing(name, cases[::7], [row[2] for row in found]) == []


def hard_operands(op):
    """Operands of a row: hard ones for each alone, and at its kinks and beside them."""
    n = op.arity or (len(op.arguments) or 3)
    usual = [0.5 if 0.5 in domain else 1.5 for domain in op.domains(n)]
    numbers = [*SPECIAL, *(x + d for x in (-1.0, 0.0, 1.0) for d in (-1e-9, 1e-9))]
    found = [[*usual[:i], x, *usual[i + 1 :]] for i in range(n) for x in numbers]
    return found + [[x] * n for x in numbers]


@pytest.mark.usefixtures("in_wasm")
@pytest.mark.parametrize("name", sorted(TABLE))
@pytest.mark.filterwarnings("ignore:.*the gradient is nan")
def test_every_row_has_the_eager_value_and_gradient(name):
    """Where eager code raises, and compiled code follows IEEE arithmetic, there is nothing to compare."""
    op, compared = TABLE[name], 0

    def of(xs):
        if op.has_index:
            return op.function(xs[1:], xs[0])
        if op.pair is not None:
            return op.function(xs, [2.0, -0.5, 1.0][: len(xs)])
        return op.function(*xs) if op.arity is not None or op.arguments else op.function(xs)

    compiled = sg.compile(sg.value_and_grad(of), backend="wasm")
    for xs in hard_operands(op):
        if op.has_index:
            xs = [1.0, *xs]
        leaves = [Value(x) for x in xs]
        try:
            root = of(leaves)
            root.backward()
            found = compiled(xs)
        except (*HARD, IndexError):
            continue
        value, gradient = found
        assert same_sign(value, root.data), (xs, value, root.data)
        assert all(map(same, gradient, (x.grad for x in leaves))), (xs, gradient, [x.grad for x in leaves])
        compared += 1
    assert compared > 15


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
@pytest.mark.parametrize("optimizer", [nn.SGD, nn.Adam])
@pytest.mark.parametrize("activation", ["relu", "tanh"])
def test_training_in_memory_is_that_of_python(optimizer, activation):
    X, y = nn.moons(31, noise=0.1, seed=1, labels=(-1, 1))
    found = {}
    for backend in ("wasm", "python"):
        model = nn.MLP(2, [5, 4, 1], activation=activation, seed=3)
        loss = sg.compile(
            lambda x, t, model=model: nn.hinge(model(x), t), parameters=model.parameters(), backend=backend
        )
        with loss.training(optimizer(model.parameters(), lr=0.05)) as step:
            losses = [step(X, y) for _ in range(20)]
            losses += [step(X[:7], y[:7]) for _ in range(5)]
        found[backend] = [*losses, *(p.data for p in model.parameters()), *(p.grad for p in model.parameters())]
    assert found["wasm"] == pytest.approx(found["python"], rel=1e-9, abs=1e-12)


@in_pyodide
def test_modules_go_when_their_functions_go():
    """A hundred thousand of them would not fit: the browser keeps none that nobody has."""
    import gc

    from scalargrad.compiling.wasm import library

    for k in range(100):
        sg.compile(lambda x, k=k: x * k + k, backend="wasm")(1.0)
    gc.collect()
    assert library._compiled.cache_info().currsize <= 64
