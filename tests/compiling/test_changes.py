"""What changes after a function was recorded is noticed: leaves frozen, trained again or hooked; trainings that share them."""

import gc
import weakref
from array import array

import pytest
from compiling_helpers import needs_llvm, with_backends

import scalargrad as sg
from scalargrad import Value, nn


@with_backends
@pytest.mark.parametrize("given", [True, False])
def test_gradients_are_those_of_what_requires_grad_now(given, backend):
    a, b, c = Value(2.0), Value(3.0), Value(5.0, requires_grad=False)

    def fn(x):
        return a * x[0] + b * c * x[1]

    loss = sg.compile(fn, backend=backend, parameters=[a, b, c] if given else None)
    X, of = [[7.0, 11.0]], {a: 7.0, b: 55.0, c: 33.0}
    for frozen in ([c], [a, c], [a, b, c], [], [b], [c]):
        for leaf in (a, b, c):
            leaf.requires_grad = leaf not in frozen
        trained = [leaf for leaf in (a, b, c) if leaf not in frozen]
        for _ in range(2):
            assert loss.value_and_grad(X) == (179.0, [of[leaf] for leaf in trained])
            assert loss.parameters == trained
            assert loss.values(X) == [179.0]


@with_backends
def test_gradients_of_another_structure_are_too(backend):
    a, b = Value(2.0), Value(3.0)
    loss = sg.compile(lambda x: a * x[0] if len(x) == 1 else b * x[0] * x[1], backend=backend)
    assert loss.value_and_grad([[5.0]]) == (10.0, [5.0])
    assert loss.value_and_grad([[5.0, 7.0]]) == (105.0, [0.0, 35.0])
    a.requires_grad = False
    assert loss.value_and_grad([[5.0, 7.0]]) == (105.0, [35.0])
    assert loss.value_and_grad([[5.0]]) == (10.0, [0.0])
    assert loss.parameters == [b]


@with_backends
def test_a_training_begun_later_trains_what_requires_grad_then(backend):
    a, b = Value(2.0), Value(3.0)
    loss = sg.compile(lambda x: (a + b) * x, backend=backend)
    for frozen, expected in ((None, (1.0, 2.0)), (a, (1.0, 1.0)), (b, (0.0, 1.0))):
        for leaf in (a, b):
            leaf.requires_grad = leaf is not frozen
        with loss.training(nn.SGD([a, b], lr=1.0)) as step:
            step([1.0])
        assert (a.data, b.data) == expected


@with_backends
def test_a_replay_has_the_gradients_of_what_requires_grad_now(backend):
    a, b = Value(2.0), Value(3.0, requires_grad=False)
    loss = sg.replay(lambda: a * b, backend=backend)
    for trains_a, trains_b in ((True, False), (True, True), (False, True), (True, True)):
        a.requires_grad, b.requires_grad = trains_a, trains_b
        a.grad = b.grad = 0.0
        loss().backward()
        assert (a.grad, b.grad) == (3.0 * trains_a, 2.0 * trains_b)


@with_backends
def test_hooks_of_leaves_run_in_a_replay_and_are_refused_in_a_batch(backend):
    a = Value(2.0)
    replay, loss = sg.replay(lambda: a * 3, backend=backend), sg.compile(lambda x: a * x, backend=backend)
    replay()
    assert loss.value_and_grad([1.0]) == (2.0, [1.0])
    handle = a.register_hook(lambda gradient: gradient * 10)
    replay().backward()
    assert a.grad == 30.0
    for refused in (lambda: loss.value_and_grad([1.0]), lambda: loss.training(nn.SGD([a]))([1.0])):
        with pytest.raises(ValueError, match="hooks run Python on its gradient: remove them first"):
            refused()
    handle.remove()
    assert loss.value_and_grad([1.0]) == (2.0, [1.0])


# -------------------------------------------------------------------- trainings that share parameters


def losses(backend):
    """A generator g and a critic c, each of whose losses reads what the other trains."""
    g, c = Value(0.5), Value(-1.0)
    made = sg.compile(lambda x: (g * x - c) ** 2, parameters=[g], backend=backend)
    judged = sg.compile(lambda x: (c * x + g * c) ** 2, parameters=[c], backend=backend)
    return g, c, made, judged


def trained(rounds, backend, at_once):
    """What two optimizers reach that take turns; the second round goes back and forth."""
    g, c, made, judged = losses(backend)
    optimizers = nn.SGD([g], lr=0.05, momentum=0.5), nn.Adam([c], lr=0.05)
    found = []
    if at_once:
        with made.training(optimizers[0]) as first, judged.training(optimizers[1]) as second:
            for turn, x in rounds:
                found.append((first, second)[turn]([x, 2.0]))
    else:
        for turn, x in rounds:
            with (made, judged)[turn].training(optimizers[turn]) as step:
                found.append(step([x, 2.0]))
    return [*found, g.data, c.data, g.grad, c.grad, optimizers[0]._states, optimizers[1]._states]


ROUNDS = [(0, 1.0), (1, 1.0), (0, 0.5), (0, 2.0), (1, 0.5), (1, -1.0), (1, 1.0), (0, 3.0)]


@with_backends
def test_trainings_see_each_others_steps(backend):
    assert trained(ROUNDS, backend, at_once=True) == trained(ROUNDS, backend, at_once=False)


class WithAStepOfItsOwn(nn.SGD):
    """Is no more than SGD, but a compiled step cannot know."""

    def step(self):
        super().step()


@with_backends
@pytest.mark.parametrize("on_values", ["made", "judged", "both", "by their optimizers"])
def test_trainings_on_values_and_in_memory_see_each_others_steps(on_values, backend):
    """A loss that records its branches, and an optimizer with a step of its own, leave their numbers in the Values."""
    results = []
    for alone in (True, False):
        g, c, b = Value(0.5), Value(-1.0), Value(0.25)

        def made(x, g=g, c=c, b=b):
            return (g * x - c) ** 2 if not (x > 1.5) else (g - x * b) ** 2  # b only here

        def judged(x, g=g, c=c):
            return (c * x + g * c) ** 2 if not (x > 2.5) else g * c * x

        both = [
            sg.compile(fn, parameters=wrt, backend=backend, branches="record")
            if on_values in (name, "both", "by their optimizers") else
            sg.compile(lambda x, fn=fn: fn(x * 0.1), parameters=wrt, backend=backend)
            for name, fn, wrt in (("made", made, [g, b]), ("judged", judged, [c]))
        ]  # fmt: skip
        third = sg.compile(lambda x, b=b, g=g: (b * x - g) ** 2, parameters=[b], backend=backend)
        kind = WithAStepOfItsOwn if on_values == "by their optimizers" else nn.SGD
        optimizers = kind([g, b], lr=0.05, momentum=0.5), nn.Adam([c], lr=0.05), nn.SGD([b], lr=0.1)
        trainings = [loss.training(one) for loss, one in zip([*both, third], optimizers, strict=True)]
        found = []
        for turn, x in [(2, 1.0), (0, 1.0), (2, 0.5), *ROUNDS, (2, 1.0), (0, 2.0), (2, 3.0), (1, 3.0), (0, 1.0)]:
            found.append(trainings[turn]([x]))
            if alone:
                trainings[turn].write_back()
        for one in trainings:
            one.write_back()
        found += [g.data, c.data, b.data, *(x for one in optimizers for state in one._states for x in state)]
        results.append(found)
    assert results[0] == pytest.approx(results[1], rel=1e-12)


@with_backends
@pytest.mark.parametrize("same_optimizer", [True, False])
def test_trainings_of_the_same_parameters_see_each_others_steps(same_optimizer, backend):
    w = Value(0.0)
    loss = sg.compile(lambda x: w * x, backend=backend)
    optimizer = nn.SGD([w], lr=1.0)
    with loss.training(optimizer) as first:
        assert first([1.0]) == 0.0
        other = loss.training(optimizer if same_optimizer else nn.SGD([w], lr=1.0))
        assert other([1.0]) == -1.0
        assert first([2.0, 2.0]) == -4.0
        assert other([1.0]) == -4.0
        other.write_back()
        assert w.data == -5.0
        assert first([1.0]) == -5.0
    assert w.data == -6.0
    assert optimizer.steps == (5 if same_optimizer else 3)


@with_backends
@pytest.mark.parametrize("goes_on", [0, 1])
def test_what_is_written_back_are_the_steps_of_all_and_what_is_assigned_then_counts(goes_on, backend):
    w = Value(0.0)
    loss = sg.compile(lambda x: w * x, backend=backend)
    both = [loss.training(nn.SGD([w], lr=1.0)) for _ in range(2)]
    for step in both:
        step([1.0])
    both[0].write_back()  # the last step was the other's
    assert w.data == -2.0
    w.data = 10.0
    assert both[goes_on]([1.0]) == 10.0
    assert both[1 - goes_on]([1.0]) == 9.0


@needs_llvm
def test_a_fit_in_the_middle_of_a_training_goes_on_from_there():
    neuron = nn.Neuron(1, nonlin=False, init="zeros")
    twin = nn.Neuron(1, nonlin=False, init="zeros")
    X, y = [[1.0], [2.0]], [2.0, 3.0]
    options = {"loss": "mse", "epochs": 3, "progress": False}
    for model, compiled in ((neuron, "llvm"), (twin, False)):
        loss = sg.compile(lambda x, t, model=model: (model(x) - t) ** 2, backend="llvm")
        step = loss.training(nn.SGD(model, lr=0.1))
        step(X, y)
        if model is twin:
            step.write_back()
        nn.fit(model, X, y, optimizer=nn.SGD(model, lr=0.05), compiled=compiled, **options)
        step(X, y)
        step.write_back()
    found, expected = ([p.data for p in model.parameters()] for model in (neuron, twin))
    assert found == pytest.approx(expected, rel=1e-12)


@needs_llvm
def test_a_training_that_is_gone_is_not_kept():
    w = Value(0.0)
    loss = sg.compile(lambda x: w * x, backend="llvm")
    first, second = loss.training(nn.SGD([w], lr=1.0)), loss.training(nn.SGD([w], lr=1.0))
    first([1.0])
    second([1.0])
    ref = weakref.ref(first._memory)
    del first
    gc.collect()
    assert ref() is None
    assert second([1.0]) == -2.0


@with_backends
@pytest.mark.parametrize("again", [False, True], ids=["bound", "bound anew by itself"])
def test_what_bind_records_does_not_make_older_recordings_hold(again, backend):
    factor, w = 2.0, Value(3.0)
    f = sg.compile(lambda v: v[0] * factor * w, backend=backend)
    out = array("d", [0.0])
    bound = f.bind(array("d", [3.0]), out) if again else None
    assert (f([3.0]), f([1.0])) == (18.0, 6.0)
    factor, w = 5.0, Value(7.0)
    if bound is None:
        f.bind(array("d", [3.0]), out)()
    else:
        bound()
    assert out[0] == f([3.0]) == 105.0


@with_backends
def test_a_parameter_that_is_thawed_while_it_is_recorded_is_trained_afterwards(backend):
    """By another thread, at whatever moment: here by the function, after its first use, and once."""
    w, u = Value(2.0), Value(3.0, requires_grad=False)

    def loss(x):
        product = w * x + u * x
        u.requires_grad = True
        return product

    f = sg.compile(loss, parameters=[w, u], backend=backend)
    f.value_and_grad([1.0])
    for _ in range(2):
        assert f.value_and_grad([1.0]) == (5.0, [1.0, 1.0])


MAKE_FROZEN = {
    "a leaf": lambda k: k,
    "computed": lambda k: k * 2.0,
    "its negative": lambda k: -k,
}
TRANSFORMS = {
    "grad": lambda g, k: sg.grad(g)(k),
    "value_and_grad": lambda g, k: sum(sg.value_and_grad(g)(k)),
    "several": lambda g, k: sum(sg.grad(lambda a, b: g(a) * b, argnums=(0, 1))(k, k)),
    "jvp": lambda g, k: sum(sg.jvp(g, (k,), (2.0,))),
    "vjp": lambda g, k: sg.vjp(g, k)[1](3.0)[0],
    "derivative": lambda g, k: sg.derivative(g)(k),
    "hessian": lambda g, k: sg.hessian(lambda v: g(v[0]))([k])[0][0],
    "jacobian": lambda g, k: sg.jacobian(lambda v: [g(v[0]), v[0]])([k])[0][0],
    "jacfwd": lambda g, k: sg.jacfwd(lambda v: [g(v[0])])([k])[0][0],
    "grad of grad": lambda g, k: sg.grad(sg.grad(g))(k),
}


@with_backends
@pytest.mark.parametrize("transform", TRANSFORMS)
@pytest.mark.parametrize("make", MAKE_FROZEN)
def test_the_number_of_a_frozen_leaf_that_is_differentiated_for_is_read_at_each_call(make, transform, backend):
    k, w = Value(3.0, requires_grad=False), Value(2.0)

    def fn(x):
        return TRANSFORMS[transform](lambda t: t**3 * x + sg.sin(t * w), MAKE_FROZEN[make](k))

    f = sg.compile(fn, backend=backend)
    for number in (3.0, 1.5, -0.25):
        k.data = number
        assert f(1.5) == pytest.approx(fn(1.5).data, rel=1e-12)
