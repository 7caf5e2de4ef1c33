"""Ctrl-C in C: wherever an exception comes, in a rule in Python that C runs or from a signal, all gradients are old or new.

C itself looks for signals while it sweeps, every 65 536 nodes and behind the last, before the first gradient is written;
Python does so between its instructions. What is raised is raised: nothing takes it for an error of a rule.
"""

import signal
import sys
import threading
import time
from pathlib import Path

import pytest
from both_engines import needs_c
from interrupting import stopped
from sizes import size

import scalargrad as sg
from scalargrad import Value
from scalargrad.table import TABLE

pytestmark = needs_c
FILES = {str(path) for path in Path(sg.__file__).parent.rglob("*.py")}
ERRORS = [KeyboardInterrupt, TimeoutError, MemoryError, SystemExit, RuntimeError]


def graph():
    """Rows whose values or derivatives Python computes for C, and rows that C knows; gradients that are there."""
    x, y, c = Value(0.5, label="x"), Value(-2.0), Value(3.0, requires_grad=False)
    z = 1.5**x + (x * y).cbrt() * x.erf() + y % 0.75 + x**2.5 * c
    z = z + sg.max([x, z, y]) * sg.logsumexp(x, z) + sg.prod([z, x, 2.0]) + sg.dot([x, y], [z, 2.0], z) + x // y
    root = sg.hypot(z, x.expm1()) + sg.where(x, y, z) + x.log2() + sg.clip(y, -1.0, 1.0)
    nodes = sg.topological_order(root)
    for i, node in enumerate(nodes):
        node.grad = 0.25 * i
    return root, nodes


def gradients(nodes):
    return [node.grad for node in nodes]


def old_and_new():
    root, nodes = graph()
    old = gradients(nodes)
    root.backward()
    return old, gradients(nodes)


def test_stopped_at_any_instruction_of_a_rule_in_python_all_gradients_are_old_or_new():
    old, new = old_and_new()
    n, seen = 0, []
    while True:
        root, nodes = graph()
        again = stopped(root.backward, n, FILES)
        seen.append(gradients(nodes) == new)
        assert gradients(nodes) in (old, new), n
        root.backward()
        if not again:
            break
        n += 1
    assert seen == sorted(seen)
    assert n > 100  # there are such rules


class AtLine:
    """Raises an error at the n-th line that is run in the package."""

    def __init__(self, n, error):
        self.left, self.error = n, error

    def __call__(self, frame, event, _):
        if frame.f_code.co_filename not in FILES:
            return None
        if event == "line":
            self.left -= 1
            if self.left < 0:
                sys.settrace(None)
                raise self.error("from outside")
        return self


def raised_at(n, error, work):
    """Whether the error was raised at the n-th line; the work must not swallow it."""
    before, tracer, said = sys.gettrace(), AtLine(n, error), ""
    try:
        sys.settrace(tracer)
        work()
    except error as caught:
        said = str(caught)
    finally:
        sys.settrace(before)
    assert said == ("from outside" if tracer.left < 0 else ""), f"{error.__name__} at line {n}"
    return bool(said)


@pytest.mark.parametrize("error", ERRORS)
def test_what_is_raised_from_outside_while_c_runs_a_rule_is_not_taken_for_the_rules(error):
    old, new = old_and_new()
    n = 0
    while True:
        root, nodes = graph()
        again = raised_at(n, error, root.backward)
        assert gradients(nodes) == (old if again else new), n
        if not again:
            break
        n += 1
    assert n > 20


@pytest.mark.parametrize("error", ERRORS)
def test_the_same_while_nodes_are_made(error):
    expected = [(node.data, len(node.parents)) for node in graph()[1]]
    n = 0
    while raised_at(n, error, graph):
        n += size(3, 1)
    assert n > 20
    assert [(node.data, len(node.parents)) for node in graph()[1]] == expected


def test_a_node_may_be_changed_while_c_runs_a_rule_of_another():
    """A rule in Python lets other threads and handlers of signals run."""
    x = Value(0.5)
    below = sg.sum([x, 2.0, x, 1.0])
    y = below**2.5
    file, changed = TABLE["power"].value.__code__.co_filename, []

    def closure():
        x.grad += 7.0

    def change(frame, event, _):
        if not changed and event == "call" and frame.f_code.co_filename == file:
            changed.append(True)
            below._backward = closure

    before = sys.gettrace()
    try:
        sys.settrace(change)
        y.backward()
    finally:
        sys.settrace(before)
    assert changed
    assert x.grad == 7.0


# -------------------------------------------------------------------- signals


MOMENTS = size(8, 100)


def large():
    """A graph that C sweeps in a noticeable time, without a line of Python."""
    x = Value(1.0)
    y = x
    for _ in range(size(100_000, 200_000)):
        y = y + x
    return x, y


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="interrupts by POSIX signals")
@pytest.mark.skipif(threading.current_thread() is not threading.main_thread(), reason="signals come to the main thread")
@pytest.mark.parametrize("error", [KeyboardInterrupt, TimeoutError, ValueError, ZeroDivisionError])
def test_a_signal_during_a_sweep_in_c_comes_before_the_first_gradient_or_after_the_last(error):
    def handler(*_):
        raise error("from a signal")

    x, y = large()
    nodes = sg.topological_order(y)
    start = time.perf_counter()
    y.backward()
    whole = time.perf_counter() - start
    n = x.grad
    before = signal.signal(signal.SIGALRM, handler)
    raised = []
    try:
        for i in range(MOMENTS):
            y.zero_grad()
            try:
                signal.setitimer(signal.ITIMER_REAL, whole * (0.02 + 1.1 * i / MOMENTS))
                y.backward()
                time.sleep(2 * whole)
            except error as caught:
                raised.append(str(caught))
            finally:
                signal.setitimer(signal.ITIMER_REAL, 0)
            written = [node.grad != 0.0 for node in nodes]
            assert all(written) or not any(written)
            assert x.grad in (0.0, n)
    finally:
        signal.signal(signal.SIGALRM, before)
    assert raised == ["from a signal"] * MOMENTS  # none is lost
