"""`@primitive(lowered=...)`: an op of a user's own on every backend, with the derivatives of its own partials."""

from importlib import import_module

import pytest
from compiling_helpers import needs_llvm, with_backends

import scalargrad as sg
from scalargrad import Value, check_op, exp, nn, primitive, sigmoid, sign, step, where
from scalargrad.compiling import backends
from scalargrad.compiling.lowering import PRIMITIVE, simplified, value_lowered
from scalargrad.compiling.tape import INPUT, SOURCES, Tape, name_of
from scalargrad.ops import BUILT_IN
from scalargrad.table.making import unary


@pytest.fixture(params=["python", pytest.param("llvm", marks=needs_llvm), "jax", "auto"])
def backend(request):
    if request.param == "jax":
        pytest.importorskip("jax")
    return request.param


def make_swish():
    """Written with scalargrad's functions itself."""

    @primitive(partials=lambda x, z: sigmoid(x) + z * sigmoid(-x), lowered=True)
    def swish_of_a_test(x):
        return x / (1 + exp(-x))

    return swish_of_a_test


def make_huber():
    """Written with if; its formula uses where, and another op of a user's."""
    half = primitive(lambda x: x / 2, partials=0.5, lowered=lambda x: 0.5 * x, name="half_of_a_test")

    @primitive(
        partials=[
            lambda x, d: where(step(d - abs(x)), x, d * sign(x)),
            lambda x, d: where(step(d - abs(x)), 0.0, abs(x) - d),
        ],
        kinks=lambda x, d: abs(x) > d,
        domain=[(-4.0, 4.0), (0.5, 2.0)],
        lowered=lambda x, d: where(step(d - abs(x)), half(x * x), d * (abs(x) - half(d))),
        name="huber_of_a_test",
    )
    def huber(x, d):
        return x * x / 2 if abs(x) < d else d * (abs(x) - d / 2)

    return huber


def make_volume():
    partials = [lambda u, v, w: v * w, lambda u, v, w: u * w, lambda u, v, w: u * v]
    return primitive(
        lambda u, v, w: u * v * w, partials=partials, lowered=lambda u, v, w: u * v * w, name="volume_of_a_test"
    )


def test_values_and_derivatives_on_every_backend(backend):
    swish, volume = make_swish(), make_volume()
    wrong = primitive(lambda x: x * x, partials=lambda x: 7.0, lowered=True, name="square_of_a_test")

    def f(v):
        return swish(v[0]) * volume(v[0], v[1], 0.5) + swish(v[1])

    xs = [0.7, -1.2]
    assert sg.compile(f, backend=backend)(xs) == pytest.approx(f(xs))
    assert sg.compile(sg.grad(f), backend=backend)(xs) == pytest.approx(sg.grad(f)(xs))
    assert sg.compile(sg.hessian(f), backend=backend)(xs)[0] == pytest.approx(sg.hessian(f)(xs)[0])
    assert sg.compile(sg.grad(wrong), backend=backend)(3.0) == 7.0  # by its own partials


def test_both_sides_of_a_choice(backend):
    huber = make_huber()
    compiled = sg.compile(sg.value_and_grad(huber), backend=backend)
    for x in (0.3, 3.0, -3.0):
        expected = sg.value_and_grad(huber)(x, 1.0)
        assert compiled(x, 1.0) == pytest.approx(expected)


def test_recorded_and_replayed(backend):
    swish = make_swish()
    x = Value(2.0, label="x")
    program = sg.record(swish(x) * 2, inputs=[x], backend=backend)
    assert program.forward([0.5]) == pytest.approx(2 * swish(0.5))
    assert program.backward()["x"] == pytest.approx(2 * sg.grad(swish)(0.5))


X, Y = [[0.1 * i, 1.0 - 0.2 * i] for i in range(9)], [0.05 * i for i in range(9)]


def network():
    """A network with the op for its activation, and the loss of a sample."""
    model = nn.MLP(2, [3, 1], activation=make_swish(), seed=1)
    return model, lambda x, y: (model(x) - y) ** 2


def eager_mean(loss):
    total = sum((loss(x, y) for x, y in zip(X, Y, strict=True)), Value(0.0)) / len(X)
    total.backward()
    return total.data


def test_batches(backend):
    model, loss = network()
    found, grads = sg.compile(loss, parameters=model.parameters(), backend=backend).value_and_grad(X, Y)
    assert found == pytest.approx(eager_mean(loss))
    assert list(grads) == pytest.approx([p.grad for p in model.parameters()])


@with_backends  # those with memory of their own
def test_training(backend):
    (model, loss), (expected, eager) = network(), network()
    optimizer, other = nn.SGD(model.parameters(), lr=0.1), nn.SGD(expected.parameters(), lr=0.1)
    with sg.compile(loss, parameters=model.parameters(), backend=backend).training(optimizer) as training:
        for _ in range(3):
            other.zero_grad()
            assert training(X, Y) == pytest.approx(eager_mean(eager))
            other.step()
    assert [p.data for p in model.parameters()] == pytest.approx([p.data for p in expected.parameters()])


# -------------------------------------------------------------------- what is refused, and what is checked


@pytest.mark.parametrize("backend", [pytest.param("llvm", marks=needs_llvm), "jax"])
def test_an_op_without_it_is_refused_with_what_to_do(backend):
    plain = primitive(lambda x: x, partials=1.0, name="plain_of_a_test")
    with pytest.raises(ValueError, match=r"cannot compute plain_of_a_test, which .* or give it lowered="):
        sg.compile(plain, backend=backend)(1.0)
    around = primitive(lambda x: x, partials=1.0, lowered=lambda x: plain(x), name="around_of_a_test")
    with pytest.raises(ValueError, match="cannot compute plain_of_a_test"):
        sg.compile(around, backend=backend)(1.0)
    assert sg.compile(around, backend="python")(2.0) == 2.0


def test_what_leads_to_itself_is_refused():
    circular = primitive(lambda x: x, partials=1.0, lowered=lambda x: circular(x), name="circular_of_a_test")
    with pytest.raises(ValueError, match="circular_of_a_test: what lowered= says uses circular_of_a_test itself"):
        sg.compile(circular, backend="python")(1.0)


def test_what_is_no_formula_is_refused():
    with pytest.raises(TypeError, match="lowered of odd must be a function of its arguments, or True .*, not str"):
        primitive(lambda x: x, partials=1.0, lowered="x", name="odd")
    with pytest.raises(ValueError, match="lowered of odd takes 2 arguments; it must take 1, as odd does"):
        primitive(lambda x: x, partials=1.0, lowered=lambda x, y: x, name="odd")


def test_check_op_compares_the_formula_with_the_value():
    assert check_op(make_swish(), examples=20)
    assert check_op(make_huber(), examples=20)
    branching = primitive(
        lambda x: x if x > 0 else 0.0,
        partials=lambda x: step(x),
        kinks=lambda x: x > 0,
        lowered=True,
        name="gate_of_a_test",
    )
    with pytest.raises(AssertionError, match=r"gate_of_a_test\(.*\) is 0.0, but -.* by its lowered form"):
        check_op(branching, examples=20)


@pytest.mark.parametrize("backend", ["python", "llvm", "wasm", "jax"])
def test_every_backend_knows_every_primitive(backend):
    if backend == "jax":
        pytest.importorskip("jax")
    assert not list(backends.loaded(backend).unknown_primitives())


@pytest.mark.parametrize("backend", [pytest.param("llvm", marks=needs_llvm), "jax"])
def test_a_row_that_a_backend_has_no_instruction_for_is_named_with_the_line_that_is_missing(backend, monkeypatch):
    if backend == "jax":
        pytest.importorskip("jax")
    softsign = unary("softsign", lambda x: x / (1 + abs(x)), lambda x, y, z: 1 / (1 + abs(x)) ** 2)
    primitives = import_module(f"scalargrad.compiling.{backend}.primitives")
    monkeypatch.setattr(primitives, "PRIMITIVE", primitives.PRIMITIVE | {name_of(softsign.op)})
    caches = [backends.loaded, *([primitives._primitives] if backend == "jax" else [])]
    for cache in caches:
        cache.cache_clear()
    missing = (
        f"softsign has no lowered form and the {backend} backend has no instruction for it: "
        r"add lower\(softsign, ...\) in ops.py"
    )
    try:
        with pytest.raises(ValueError, match=missing):
            sg.compile(lambda x: x * x, backend=backend)(1.0)
        assert sg.compile(softsign, backend="python")(1.0) == 0.5
    finally:
        monkeypatch.undo()
        for cache in caches:
            cache.cache_clear()


def test_every_row_is_a_primitive_or_comes_down_to_primitives():
    for op in BUILT_IN:
        n = op.arity or len(op.arguments) or 5
        tape = Tape(simplify=False)
        code, _ = simplified(tape.code, [tape.emit(name_of(op), *[tape.source(INPUT, i) for i in range(n)])])
        assert {name for name, *_ in code.code} <= PRIMITIVE | SOURCES
        assert (value_lowered(op, [0.5] * n) is None) == (op.lowered is None)
