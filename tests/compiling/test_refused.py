"""What no replay could do again is refused while a function is recorded: to take numbers out of Values, assign them, draw."""

import copy
import math
from array import array

import pytest
from compiling_helpers import agrees, eager_batch, with_backends

import scalargrad as sg
from scalargrad import BranchError, Value, nn

# -------------------------------------------------------------------- numbers that leave the function

w_outside = Value(0.5, label="w")


def assigns(x):
    w_outside.data = 3.0
    return x


def sweeps(x):
    y = x * x
    y.backward()
    return x.grad * x


@pytest.mark.parametrize(
    ("fn", "message"),
    [
        (lambda x: x * x.data, "took the number out of .* with .data: a replay cannot follow"),
        (lambda x: w_outside.data * x, "took the number out of Value 'w' with .data"),
        (lambda x: x * x.detach(), r"with detach\(\): a replay"),
        (sweeps, r"with backward\(\): a replay"),
        (assigns, "assigned the data of Value 'w': a replay would not do it again"),
        (lambda x: x * float(x), r"float\(\) and math.\* would silently cut .* out of the graph"),
        (lambda x: x * int(x), r"int\(\) would silently cut .* out of the graph: .* scalargrad\.floor\(v\)"),
        (lambda x: x * [1.0, 2.0, 3.0][x], r"cannot be an index, .* Write int\(v\.data\)"),
        (lambda x: x if x else 0.0, "the truth of .* is ambiguous"),
    ],
)
@with_backends
def test_a_number_that_leaves_the_function_is_refused(fn, message, backend):
    for run in (
        lambda: sg.compile(fn, backend=backend)(2.0),
        lambda: sg.compile(fn, backend=backend).value_and_grad([2.0]),
        lambda: sg.compile(fn, backend=backend).values([2.0]),
        lambda: sg.replay(fn, backend=backend)(2.0),
    ):
        with pytest.raises(TypeError, match=message) as caught:
            run()
        if "replay" in str(caught.value):
            assert "test_refused.py:" in str(caught.value)  # the line
    assert w_outside.data == 0.5
    assert (w_outside * 2).data == 1.0  # nothing is refused afterwards


@with_backends
@pytest.mark.parametrize("given", [True, False])
def test_samples_that_hold_what_is_trained_are_refused(given, backend):
    """Their numbers are right, but the gradient by them is no part of a batch's: eager code would have it."""
    w, v, other = Value(2.0, label="w"), Value(3.0), Value(4.0)
    wrap = {
        "a number": lambda x: [1.0, x], "a row": lambda x: [[x, 1.0], [2.0, 3.0]], "a tuple": lambda x: [(1.0, x)],
        "a dict": lambda x: [{"k": 1.0}, {"k": x}], "of two lengths": lambda x: [[1.0], [2.0, x]],
    }  # fmt: skip

    def fn(x):
        numbers = x.values() if isinstance(x, dict) else x if isinstance(x, (list, tuple)) else [x]
        return w * v * sg.sum(list(numbers))

    for batch in wrap.values():
        for bad, message in ((w, "Value 'w', which is trained"), (w * 2.0 + 1.0, "was computed from Value 'w', which")):
            loss = sg.compile(fn, parameters=[w, v] if given else None, backend=backend)
            plain = loss.value_and_grad(batch(4.0))
            with pytest.raises(ValueError, match=message):
                loss.value_and_grad(batch(bad))
            with loss.training(nn.SGD([w, v])) as step, pytest.raises(ValueError, match=message):
                step(batch(bad))
            assert (w.data, v.data) == (2.0, 3.0)
            assert len(loss.values(batch(bad))) == len(batch(bad))  # are numbers, of which nobody asks the gradient
            for good in (4.0, other, other * 1.0, Value(4.0, requires_grad=False), (w * 2.0).detach()):
                assert loss.value_and_grad(batch(good)) == plain


@with_backends
def test_looking_is_allowed_inside_no_grad(backend):
    seen = []

    def fn(x):
        y = x * w_outside
        with sg.no_grad():
            seen.append((y.data, (y * 2).data, y.detach().data, f"{y}", y > 100))
        return y

    assert sg.compile(fn, backend=backend)(4.0) == 2.0
    assert seen == [(2.0, 4.0, 2.0, "Value(data=2.0, grad=0.0)", False)]
    with sg.no_grad():
        assert sg.compile(fn, backend=backend)(4.0) == 2.0


@with_backends
def test_a_comparison_inside_no_grad_is_watched(backend):
    def fn(x):
        with sg.no_grad():
            is_large = x > 1
        return x * 10 if is_large else x

    compiled = sg.compile(fn, backend=backend)
    assert compiled(2.0) == 20.0
    with pytest.raises(BranchError):
        compiled(0.5)


def looks_and_uses(x):
    with sg.no_grad():
        y = x * 2
    return y * x


def looks_and_compares(x):
    with sg.no_grad():
        y = x * 2
    return x if y > 1 else x * 5


def looks_and_returns(x):
    with sg.no_grad():
        return [x, x * 2]


@with_backends
@pytest.mark.parametrize("fn", [looks_and_uses, looks_and_compares, looks_and_returns])
def test_what_was_computed_inside_no_grad_must_not_come_out(fn, backend):
    message = (
        r"a number computed inside no_grad\(\) went into the result or a comparison.*\n  at .*: (y = x|return \[x)"
    )
    for run in (sg.compile(fn, backend=backend), sg.compile(fn, backend=backend).values):
        with pytest.raises(TypeError, match=message):
            run(2.0 if isinstance(run, sg.compiling.Compiled) else [2.0])


@with_backends
def test_the_package_itself_may_look(backend):
    model = nn.Sequential(nn.MLP(2, [3], activation="relu", seed=1), nn.BatchNorm(3), nn.MLP(3, [2], seed=2))
    model.eval()
    compiled = sg.compile(lambda x, y: nn.cross_entropy(model(x), 1) + 0.1 * nn.l2_penalty(model), backend=backend)
    batch = [[1.0, 2.0], [0.5, -1.0]], [0.0, 1.0]
    found = compiled.value_and_grad(*batch)
    agrees(
        found,
        eager_batch(
            lambda x, y: nn.cross_entropy(model(x), 1) + 0.1 * nn.l2_penalty(model), batch, compiled.parameters
        ),
    )
    assert sg.compile(lambda x: print(x) or (f"{x:.2f}" and x * 2), backend=backend)(1.0) == 2.0
    assert sg.compile(lambda x: sg.trace(x * 2) and x, backend=backend)(1.0) == 1.0


@with_backends
def test_layers_that_change_from_call_to_call_are_refused(backend):
    for layer, x in ((nn.Dropout(0.5, seed=1), [1.0, 2.0]), (nn.BatchNorm(2), [[1.0, 2.0], [3.0, 4.0]])):
        with pytest.raises(ValueError, match=r"cannot be compiled in training"):
            sg.compile(lambda v, layer=layer: layer(v), backend=backend)(x)


# -------------------------------------------------------------------- what gives plain numbers


@with_backends
def test_calls_that_give_plain_numbers_are_refused(backend):
    w = Value(2.0)
    loss = sg.compile(lambda x: x * w, backend=backend)
    program = sg.record(w * 3, backend=backend)
    program.forward()
    numbers, gradient = array("d", [1.0]), array("d", [0.0])
    bound = loss.bind(numbers, parameters=[w], out=gradient)
    result = array("d", [0.0])

    def row(v):
        return v[0] * w

    of_a_row, without_leaves = (
        sg.compile(fn, backend=backend).bind(numbers, result) for fn in (row, lambda v: v[0] * 2.0)
    )
    step = loss.training(nn.SGD([w], lr=0.0))
    calls = {
        "value_and_grad of the compiled <lambda>": lambda: loss.value_and_grad([1.0])[0],
        "values of the compiled <lambda>": lambda: loss.values([1.0])[0],
        r"program.forward\(\)": program.forward,
        r"program.backward\(\)": lambda: program.backward()["v1"],
        r"program.value_and_grad\(\)": lambda: program.value_and_grad()[0],
        "what bind of the compiled <lambda> gave": bound,
        r"what program.bind\(\) gave": program.bind(gradient),
        "what bind of the compiled row gave": lambda: of_a_row() or result[0],
        r"what bind of the compiled \<lambda> gave": lambda: without_leaves() or result[0],
        "a training step": lambda: step([1.0]),
        "predict": lambda: nn.predict(lambda row: row[0] * w, [[1.0]])[0],
    }
    for message, call in calls.items():
        with pytest.raises(
            TypeError, match=f"{message} gives plain numbers, which a replay of the function that calls it"
        ):
            sg.compile(lambda x, call=call: x * call(), backend=backend)(1.0)
        call()
        with sg.no_grad():
            call()


@with_backends
def test_the_accuracy_of_a_sample_is_watched(backend):
    fn = lambda x, y: nn.accuracy([x], [1.0]) + y * 0.0  # noqa: E731
    xs, ys = [1.0, -1.0, 2.0], [0.0, 0.0, 0.0]
    with pytest.raises(BranchError):
        sg.compile(fn, backend=backend).values(xs, ys)
    assert sg.compile(fn, backend=backend, branches="record").values(xs, ys) == [1.0, 0.0, 1.0]


@with_backends
def test_gradients_as_a_graph_may_be_used(backend):
    w = Value(2.0)

    def fn(x):
        (w * x * w * x).backward(create_graph=True)
        slope, w.grad = w.grad, 0.0
        return slope + sg.vjp(lambda t: t**3, x)[1](1.0)[0] + sg.jvp(lambda t: t**2, (x,), (1.0,))[1]

    compiled = sg.compile(fn, backend=backend)
    for x in (1.0, 2.0, -3.0):
        assert compiled(x) == 4 * x * x + 3 * x * x + 2 * x
    assert math.isfinite(w.grad)


def test_copies_of_what_was_computed_are_followed_and_copies_of_leaves_refused():
    compiled = sg.compile(lambda x: copy.copy(x * 2) + abs(+x), backend="python")
    assert [compiled(x) for x in (1.0, 5.0)] == [3.0, 15.0]
    for fn in (lambda x: copy.copy(x) * 2, lambda x: copy.deepcopy(x * 2), lambda x: copy.deepcopy(w_outside) * x):
        with pytest.raises(TypeError, match=r"with (deep)?copy: a replay cannot follow"):
            sg.compile(fn, backend="python")(1.0)
