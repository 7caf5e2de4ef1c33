"""Threads: compiled functions, replays and programs that several call at once give what they give alone.

Each result is compared with that of the eager engine, or of one thread, to the last bit.
"""

import random
import threading
import time
from importlib import import_module

import pytest
from compiling_helpers import HANG, THREADS, at_once, needs_llvm, points, random_function, with_backends
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling import tape

CALLS = 300


# -------------------------------------------------------------------- the same numbers, the first call included


@with_backends
@pytest.mark.parametrize("operations", [8, 60])
def test_a_compiled_function(operations, backend):
    f = random_function(operations, operations=operations)
    fn = sg.value_and_grad(lambda v: f(*v))
    work = [xs for n in (2, 3, 4) for xs in points(n, n, 40)]
    expected = [fn(xs) for xs in work]
    compiled = sg.compile(fn, backend=backend)

    def call(k):
        rng = random.Random(k)
        for _ in range(CALLS):
            i = rng.randrange(len(work))
            assert compiled(work[i]) == expected[i]

    at_once(call)


@needs_llvm
def test_a_compiled_function_on_the_machine(monkeypatch):
    monkeypatch.setattr(import_module("scalargrad.compiling.llvm.single"), "STRAIGHT", 10)
    test_a_compiled_function(60, "llvm")


@with_backends
def test_batches(backend, monkeypatch):
    if backend == "llvm":
        monkeypatch.setattr("scalargrad.compiling.llvm.batch.WORTH_A_THREAD", 5000)  # so that batches are split too
    model = nn.MLP(2, [3, 1], activation="tanh", seed=1)

    def make():
        return sg.compile(
            lambda x, y: (model(x) - y) ** 2 if y > 0 else model(x) * y, parameters=model.parameters(), backend=backend,
            branches="record",
        )  # fmt: skip

    rng = random.Random(0)
    sizes = (1, 2, 7, 40) if backend == "python" else (1, 7, 40, 700)
    work = [
        ([[rng.uniform(-1, 1) for _ in range(2)] for _ in range(n)], [rng.choice((-1.0, 1.0)) for _ in range(n)])
        for n in sizes
    ]
    alone = make()
    for one in work:  # both ways are recorded in the order in which the samples come
        alone.value_and_grad(*one)
    expected = [(alone.value_and_grad(*one), alone.values(*one)) for one in work]
    compiled = make()
    compiled.value_and_grad(*work[0])
    compiled.values(*work[0])

    def call(k):
        for i in range(CALLS // (10 if backend == "python" else 1)):
            j = (i * 3 + k) % len(work)
            value, rows = expected[j]
            assert compiled.value_and_grad(*work[j]) == value
            if i % 5 == k % 5:
                assert compiled.values(*work[j]) == rows

    at_once(call)


@with_backends
def test_a_replay(backend):
    w = [Value(0.5), Value(-0.25), Value(1.5)]
    f = random_function(3, operations=20)

    def loss(x):
        return f(*w, x) if x > 0 else -f(*w, -x)

    replay = sg.replay(loss, backend=backend, branches="record")
    work = [x for (x,) in points(1, 1, 40)]
    expected = [(loss(Value(x)).data, sg.grad(loss(Value(x)), w)) for x in work]

    def call(k):
        rng = random.Random(k)
        for _ in range(CALLS):
            i = rng.randrange(len(work))
            root = replay(work[i])
            assert (root.data, sg.grad(root, w)) == expected[i]

    at_once(call)


@with_backends
@pytest.mark.parametrize("kind", ["batch", "values", "point", "replay"])
def test_numbers_that_no_branch_serves_disturb_no_other_thread(kind, backend):
    """NaN is never recorded: who brings it gets the error, whichever thread comes first, and the others their numbers."""
    w, nan, loud = Value(1.0), float("nan"), "a comparison has NaN on one side"
    xs = [1.0, -1.0, 2.0]

    def fn(x):
        return w * x if x > 0 else w * x * 3

    for _ in range(30 if backend == "python" else 4):
        compiled = (sg.replay if kind == "replay" else sg.compile)(fn, backend=backend, branches="record")
        run = {
            "batch": lambda row, compiled=compiled: compiled.value_and_grad(row),
            "values": lambda row, compiled=compiled: compiled.values(row),
            "point": lambda row, compiled=compiled: [compiled(x) for x in row],
            "replay": lambda row, compiled=compiled: [compiled(x).data for x in row],
        }[kind]
        expected = (0.0, [0.0]) if kind == "batch" else [1.0, -3.0, 2.0]

        def call(k, run=run, expected=expected):
            for _ in range(6):
                if k % 2:
                    assert run(xs) == expected
                else:
                    with pytest.raises(sg.BranchError, match=loud):
                        run([nan, 1.0, -1.0])

        at_once(call)


@with_backends
def test_a_call_that_no_branch_serves_leaves_nothing_behind(backend):
    """The leaves that only such a call reaches become no parameters, and get no gradient."""
    w, v = Value(2.0), Value(5.0)
    compiled = sg.compile(lambda x: w * x if x > 0 else v * x, backend=backend, branches="record")
    with pytest.raises(sg.BranchError, match="for sample 0 a comparison has NaN on one side"):
        compiled.value_and_grad([float("nan"), 1.0])
    assert compiled.value_and_grad([1.0]) == (2.0, [1.0])
    assert compiled.parameters == [w]


@with_backends
def test_a_program_goes_by_what_the_same_thread_has_run(backend):
    f = random_function(4, operations=40)
    work = points(4, 3, 30)
    for _ in range(4):  # the first calls, in which code is made, are the ones that may collide
        leaves = [Value(x, label=f"x{i}") for i, x in enumerate(work[0])]
        program = sg.record(f(*leaves), inputs=leaves, backend=backend)
        expected = [sg.value_and_grad(lambda v: f(*v))(xs) for xs in work]

        def call(k, program=program, expected=expected):
            for i in range(CALLS // 4):
                j = (7 * i + k) % len(work)
                value, gradient = expected[j]
                assert program.forward(work[j]) == value
                assert list(program.backward().values()) == gradient
                assert program.value_and_grad(work[j - 1]) == expected[j - 1]

        at_once(call)


@needs_llvm
def test_a_training_while_others_call_the_same_function():
    """The others work by the numbers that the Values have: those from before."""
    rng = np.random.default_rng(0)
    batches = [(rng.uniform(-1, 1, n), rng.uniform(-1, 1, n)) for n in (3, 50, 400, 1000)]

    def make():
        w = Value(0.5)
        return w, sg.compile(lambda x, y: (w * x - y) ** 2 if y > -2 else w, backend="llvm")

    def train(w, loss, about_to_end=lambda: None):
        with loss.training(nn.SGD([w], lr=0.01, momentum=0.5)) as step:
            found = [step(*batches[i // 10 % 2]) for i in range(CALLS)]
            about_to_end()  # from here on the Values may have new numbers
            return found

    w, loss = make()
    expected = [loss.value_and_grad(*one) for one in batches]
    losses = train(w, loss)
    w, loss = make()
    found, done = [], threading.Event()

    def call(k):
        if k == 0:
            found.extend(train(w, loss, done.set))
            return
        i = k
        while not done.is_set():
            i += 1
            value = loss.value_and_grad(*batches[i % 4])
            assert done.is_set() or value == expected[i % 4]

    loss.value_and_grad(*batches[0])
    at_once(call, 4)
    assert found == losses


@with_backends
def test_threads_that_share_a_training_take_turns(backend):
    w = Value(0.0)
    loss = sg.compile(lambda x: w * x, backend=backend)
    with loss.training(nn.SGD([w], lr=0.25)) as step:
        at_once(lambda _: [step([1.0, 1.0]) for _ in range(50)])
    assert w.data == -0.25 * 50 * THREADS


# -------------------------------------------------------------------- two that record at once


@with_backends
@pytest.mark.parametrize("kind", ["point", "batch", "values", "replay", "training"])
def test_only_one_of_them_records(kind, backend):
    runs, w = [], Value(2.0)

    def fn(x):
        runs.append(x)
        time.sleep(0.02)  # long enough for all to be here, if they were let in
        return w * x

    compiled = sg.replay(fn, backend=backend) if kind == "replay" else sg.compile(fn, backend=backend)
    call = {
        "point": lambda x: compiled(x),
        "batch": lambda x: compiled.value_and_grad([x])[0],
        "values": lambda x: compiled.values([x])[0],
        "replay": lambda x: compiled(x).data,
        "training": lambda x: step([x]),
    }[kind]
    step = compiled.training(nn.SGD([w], lr=0.0)) if kind == "training" else None
    found = {}
    at_once(lambda k: found.update({k: call(float(k))}))
    assert found == {k: 2.0 * k for k in range(THREADS)}
    assert len(runs) == 1


@with_backends
@pytest.mark.parametrize("kind", ["point", "batch", "values", "replay"])
def test_only_one_of_them_records_anew_what_has_changed(kind, backend):
    """A number, a container, a leaf; and what the function writes while it runs has changed for nobody."""
    runs, calls, scale, factor, w = [], 0, 1.0, {"one": 1.0}, Value(2.0)

    def fn(x):
        nonlocal calls
        runs.append(x)
        calls += 1
        time.sleep(0.02)  # long enough for all to be here, if they were let in
        return w * x * scale * factor["one"]

    compiled = sg.replay(fn, backend=backend) if kind == "replay" else sg.compile(fn, backend=backend)
    call = {
        "point": lambda x: compiled(x),
        "batch": lambda x: compiled.value_and_grad([x])[0],
        "values": lambda x: compiled.values([x])[0],
        "replay": lambda x: compiled(x).data,
    }[kind]

    def runs_of_all(slope):
        before, found = len(runs), {}
        at_once(lambda k: found.update({k: call(float(k))}))
        assert found == {k: slope * k for k in range(THREADS)}
        return len(runs) - before

    assert runs_of_all(2.0) == 1
    scale = 3.0
    assert runs_of_all(6.0) == 1
    factor["one"] = 0.5
    assert runs_of_all(3.0) == 1
    w.requires_grad = False
    assert runs_of_all(3.0) == 1
    assert runs_of_all(3.0) == 0
    assert calls == len(runs)


@with_backends
def test_each_of_several_functions_is_recorded_by_the_thread_that_comes_first(backend):
    """Each of them made with other ops and constants, so that no code is shared."""
    functions = [random_function(k, operations=12) for k in range(10)]
    xs = [0.25, -0.5]
    expected = [sg.value_and_grad(lambda v, f=f: f(*v))(xs) for f in functions]
    compiled = [sg.compile(sg.value_and_grad(lambda v, f=f: f(*v)), backend=backend) for f in functions]

    def call(k):
        for i in range(len(functions)):
            j = (i + k) % len(functions)
            assert compiled[j](xs) == expected[j]

    at_once(call)


def test_ops_of_equal_names_are_told_apart_whichever_thread_names_them(monkeypatch):
    class Slow(dict):
        def __len__(self):
            found = super().__len__()
            time.sleep(0.001)  # so that a name made of the number of names would be given twice
            return found

    monkeypatch.setattr(tape, "_ROWS", Slow(tape._ROWS))
    for _ in range(3):
        ops = [sg.primitive(lambda x, k=k: x * k, partials=[float(k)], name="scaled_by_thread") for k in range(THREADS)]
        found = {}

        def call(k, ops=ops, found=found):
            found[k] = sg.compile(lambda x: ops[k](x) + 1, backend="python")(2.0)

        at_once(call)
        assert found == {k: 2.0 * k + 1 for k in range(THREADS)}


@with_backends
def test_a_variable_that_another_thread_changes_while_the_function_is_recorded(backend):
    """It is none of those that the function writes itself: the change is seen, and so is each later one."""
    factor, inside, go_on = 2.0, threading.Event(), threading.Event()

    def fn(x):
        product = x * factor
        inside.set()
        go_on.wait(HANG)
        return product

    f = sg.compile(fn, backend=backend)
    first = threading.Thread(target=f, args=(3.0,))
    first.start()
    assert inside.wait(HANG)
    factor = 5.0
    go_on.set()
    first.join(HANG)
    for factor in (5.0, 7.0, 9.0):
        assert (f(3.0), f.values([3.0])) == (3.0 * factor, [3.0 * factor])


@with_backends
def test_a_variable_that_the_function_writes_itself_does_not_have_it_recorded_again(backend):
    calls = 0

    def fn(x):
        nonlocal calls
        calls += 1
        return x * 2.0

    f = sg.compile(fn, backend=backend)
    assert [f(1.0), f(2.0), f([1.0][0]), *f.values([3.0]), f(4.0)] == [2.0, 4.0, 2.0, 6.0, 8.0]
    assert calls == 2  # at a point and over batches
