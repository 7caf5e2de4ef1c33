"""Machine code and its memory, while several threads use, make and forget them, or one of them is interrupted."""

import gc
import random
import subprocess
import sys
import threading

import pytest
from compiling_helpers import HANG, THREADS, at_once, needs_llvm, with_backends
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn


@has_full_size
@with_backends
def test_functions_go_while_others_run(backend):
    """More of them than the caches of code keep."""
    functions = {}

    def call(k):
        rng = random.Random(k)
        for i in range(size(24, 60)):
            if i % 3 == 0:
                n = rng.randrange(2, 60)
                functions[k] = n, sg.compile(lambda x, n=n: x * n + n, backend=backend)
            n, function = functions.get(rng.randrange(THREADS), functions[k])
            assert function(3.0) == 4.0 * n
            assert function.values([1.0, 2.0]) == [2.0 * n, 3.0 * n]
            del function
            if i % 20 == 0:
                gc.collect()

    at_once(call)


FIRST_IN_A_PROCESS = """
import gc, sys, threading, time
from llvmlite import binding

compilers = []
create = binding.create_lljit_compiler


def slow(machine):
    time.sleep(0.2)  # long enough for all threads to be here, if they were let in
    compilers.append(machine)
    return create(machine)


binding.create_lljit_compiler = slow
import scalargrad as sg

ws = [sg.Value(2.0) for _ in range(8)]
functions = [sg.compile(lambda x, k=k: ws[k] * x + k, backend="llvm") for k in range(8)]
gate, found = threading.Barrier(8), {}


def call(k):
    gate.wait()
    with functions[k].training(sg.nn.SGD([ws[k]], lr=0.0)) as step:
        found[k] = functions[k](3.0), functions[k].value_and_grad([1.0, 2.0]), step([1.0])


threads = [threading.Thread(target=call, args=(k,)) for k in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
expected = {k: (6.0 + k, (3.0 + k, [1.5]), 2.0 + k) for k in range(8)}
assert found == expected, found
gc.collect()
junk = [bytes(4096) for _ in range(2000)]
assert [f(3.0) for f in functions] == [6.0 + k for k in range(8)]
assert len(compilers) == 1, len(compilers)  # it links what all levels of effort compile
print("fine")
"""

IN_A_FORK = """
import os, signal
import numpy
import scalargrad as sg
from scalargrad.compiling.llvm import batch

batch.WORTH_A_THREAD = 20_000
batch.cores = lambda: 4
w = sg.Value(0.5)
loss = sg.compile(lambda x: (w * x) ** 2, backend="llvm")
x = numpy.linspace(-1.0, 1.0, 30_000)
expected = loss.value_and_grad(x)
child = os.fork()
if not child:
    signal.alarm(20)  # where the threads of the parent were waited for, it would be for ever
    os._exit(loss.value_and_grad(x) != expected)
assert os.waitpid(child, 0)[1] == 0
print("fine")
"""


def run_alone(script):
    done = subprocess.run(
        [sys.executable, "-W", "ignore::DeprecationWarning", "-c", script], capture_output=True, text=True, timeout=HANG
    )
    assert (done.returncode, done.stdout) == (0, "fine\n"), done.stderr[-2000:]


@needs_llvm
def test_the_first_calls_of_a_process_may_come_from_many_threads():
    """What is made once per process, as LLVM's compiler, is made once: else code would go while it is used."""
    run_alone(FIRST_IN_A_PROCESS)


@needs_llvm
@pytest.mark.skipif(sys.platform in ("win32", "darwin"), reason="this system does not fork, or not safely")
def test_a_fork_has_threads_of_its_own():
    pytest.importorskip("numpy", reason="a batch worth several threads is made with numpy")
    run_alone(IN_A_FORK)


class Slow:
    """Machine code for batches that waits, in threads other than this one, before it touches the memory."""

    def __init__(self, code, wait):
        self._code, self._wait, self._main = code, wait, threading.current_thread()

    def __getattr__(self, name):
        return getattr(self._code, name)

    def tiles(self, *args):
        self._wait(threading.current_thread() is self._main)
        self._code.tiles(*args)


def runner_of(compiled):
    (runner,) = [program.runner for known in compiled.batches.recordings.known.values() for program in known]
    return runner


def slowed(runner, wait):
    """The runner with such code, and no memory yet."""
    runner._code = Slow(runner._code, wait)
    runner._rooms.clear()


@needs_llvm
def test_a_training_that_begins_leaves_the_memory_of_a_run_alone():
    w = Value(0.5)
    loss = sg.compile(lambda x: w * x if x > 0 else w, backend="llvm")
    few, many = [1.0, 2.0], [1.0] * 1000
    expected = loss.value_and_grad(few)
    inside, go_on = threading.Event(), threading.Event()

    def wait(_):
        inside.set()
        assert go_on.wait(HANG)

    slowed(runner_of(loss), wait)
    found = []
    run = threading.Thread(target=lambda: found.append(loss.value_and_grad(few)))
    run.start()
    assert inside.wait(HANG)
    with loss.training(nn.SGD([w], lr=0.0)) as step:
        assert step(many) == 0.5
        assert step(few[:1]) == 0.5
    go_on.set()
    run.join(HANG)
    assert found == [expected]


@needs_llvm
@pytest.mark.parametrize("kind", ["run", "training"])
def test_the_threads_of_a_run_that_was_interrupted_disturb_no_other(monkeypatch, kind):
    """They go on until they are done, in memory that nobody gets again."""
    from scalargrad.compiling.llvm import batch

    monkeypatch.setattr(batch, "WORTH_A_THREAD", 5000)
    monkeypatch.setattr(batch, "cores", lambda: 2)
    w = Value(0.5)
    loss = sg.compile(lambda x: (w * x) ** 2, backend="llvm", parameters=[w])
    xs, others = [k / 20_000 for k in range(20_000)], [1.0] * 20_000
    expected = loss.value_and_grad(others)
    step = loss.training(nn.SGD([w], lr=0.0))
    run = {"run": loss.value_and_grad, "training": lambda xs: (step(xs), expected[1])}[kind]
    run(xs)
    order, interrupted, go_on = [], threading.Event(), threading.Event()

    def wait(is_main):
        if is_main and not interrupted.is_set():
            interrupted.set()
            raise KeyboardInterrupt
        if not is_main and not order:
            order.append("the thread of the first begins")
            assert go_on.wait(HANG)
            order.append("it ends")

    slowed(runner_of(loss), wait)
    with pytest.raises(KeyboardInterrupt):
        run(xs)
    threading.Timer(0.2, go_on.set).start()  # with one helper the second run needs it, too
    for _ in range(20):
        assert run(others) == expected
    assert order == ["the thread of the first begins", "it ends"]
