"""What the engine in C holds it lets go: counts of references, memory, deep graphs and cycles are as in Python.

In small here; `python tests/reliability/run.py` makes a million graphs.
"""

import gc
import os
import sys
import threading
import weakref
from contextlib import nullcontext
from pathlib import Path

import pytest
from both_engines import in_child, needs_c, pure
from sizes import size

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.table import TABLE

ENGINES = [pytest.param(nullcontext, id="c", marks=needs_c), pytest.param(pure, id="python")]


class Sub(Value):
    """A subclass, with attributes."""


# -------------------------------------------------------------------- deep graphs


CHAINS = {  # how the next node is made
    "sums": lambda y, x: y + 1.0,
    "products": lambda y, x: x * y,
    "functions": lambda y, x: y.absolute(),
    "of many operands": lambda y, x: sg.sum([y, x, 1.0]),
    "dot products": lambda y, x: sg.dot([x, y], [1.0, y]),
}


@pytest.mark.parametrize("engine", ENGINES)
@pytest.mark.parametrize("chain", CHAINS)
def test_a_deep_chain_is_differentiated_and_deleted_without_recursion(chain, engine):
    def work():
        with engine():
            x = Value(1.0 if chain != "dot products" else 0.0)
            y = x * 1.0
            for _ in range(size(1_000_000 if chain == "sums" else 50_000, 1_000_000)):
                y = CHAINS[chain](y, x)
            y.backward()
            refs.extend(map(weakref.ref, (y, x)))

    refs = []
    work()
    assert [ref() for ref in refs] == [None, None]
    # CPython 3.12 and 3.13 count 10 000 nested frees whatever the stack is: nested tuples die in a small one, too.
    before = threading.stack_size((16384 if (3, 12) <= sys.version_info < (3, 14) else 256) * 1024)
    try:
        thread = threading.Thread(target=work)
        thread.start()
        thread.join()
    finally:
        threading.stack_size(before)
    assert [ref() for ref in refs] == [None] * 4


# -------------------------------------------------------------------- counts


def graphs(count):
    """So many graphs, in the plain case and out of it, and errors."""
    x, layer = Value(0.5), nn.Layer(2, 3, activation="relu", seed=0)
    model = nn.MLP(2, [3, 1], seed=0)
    kept = [None, x, 1.0, True, (), layer.parameters()[0], Value, x.data, x.grad, *TABLE.values()]
    kept += [getattr(Value, name) for name in ("__add__", "__rmul__", "tanh", "backward")] + [sg.dot, sg.max]

    def measured():
        x.grad = 0.0
        gc.collect()
        return [*map(sys.getrefcount, kept), len(gc.get_objects())], memory()

    def graph():
        y = (x * 2 + 1.0).tanh() / 3.0 + sum([x, x.relu()])
        y = y + layer([x, y])[0] + sg.max([x, y, 0.25]) + 3 ** (x - y) + sg.logsumexp(x, y)
        y = y + sg.dot([x, 1.0], [y, x], y) + model([x, 2.0]) ** 2.5 + x % 0.7
        y.backward()
        y.backward(0.5)
        (x * 1e200 * x).backward()
        for wrong in (
            lambda: x + "text",
            lambda: Value(0.0).log(),
            lambda: x / 0.0,
            lambda: sg.dot([x], [1.0, 2.0]),
            lambda: Value(1.0, requires_grad=False).exp().backward(),
            lambda: x.backward(1, 2, 3),
            lambda: x.tanh(1.0),
        ):
            try:
                wrong()
            except (TypeError, ValueError, ZeroDivisionError):
                pass
            else:
                raise AssertionError(wrong)
        x.data = y.data % 1.0
        x.data = 0.5
        with sg.no_grad():
            x.exp()

    found = [measured(), measured()]
    for n in (200, count):
        for _ in range(n):
            graph()
        found[:] = found[1], measured()
    (before, resident), (after, resident_after) = found
    return [b - a for a, b in zip(before, after, strict=True)], resident_after - resident


def memory():
    """What this process has in memory, in bytes; 0 where the system does not say."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except OSError:
        return 0


@pytest.mark.parametrize("is_pure", [pytest.param("", id="c", marks=needs_c), pytest.param("1", id="python")])
def test_counts_of_references_objects_and_memory_stay_what_they_were(is_pure):
    """Exactly: one reference, one object of all graphs is seen. Of memory, a byte in a graph of a million."""
    count = size(2000, 1_000_000 if not is_pure else 100_000)
    code = (
        f"import test_memory; counts, memory = test_memory.graphs({count}); print(counts[0], set(counts[1:]), memory)"
    )
    of_none, others, more = in_child(code, SCALARGRAD_PURE=is_pure)[0].split()
    assert others == "{0}"
    assert abs(int(of_none)) < 100  # Python itself holds None here and there
    assert int(more) < 1_000_000


# -------------------------------------------------------------------- cycles


def cycle_by_hook():
    x = Value(1.0)
    y = x * 2
    y.register_hook(lambda g: g * y.data)
    return x, y


def cycle_by_a_hook_below():
    x = Value(1.0)
    later = []
    x.register_hook(lambda g: later.append(g))
    y = x * 2
    later.append(y)
    return x, y


def cycle_by_gradients():
    x = Value(3.0)
    y = x**2 * x
    y.backward(create_graph=True)
    return x, y, x.grad


def cycle_by_hand():
    x = Value(1.0)
    out = Value(2.0, (x,), "own")
    z = out * x

    def closure():
        x.grad += z.data * out.grad

    out._backward = closure
    return x, out, z


def cycle_by_a_closure_of_a_row():
    x = Value(1.0)
    out = x * 2
    z = [out * x]

    def closure():
        x.grad += z[0].data * out.grad

    out._backward = closure
    return x, out, z[0]


def cycle_by_attribute():
    x = Sub(1.0)
    y = x * 2
    z = y * y
    x.user = z
    return x, y, z


class Keeps(sg.Function):
    """An operation that keeps what it was given, whatever becomes of that."""

    @staticmethod
    def forward(ctx, x, last):
        ctx.last = last["y"]
        return x * 2.0

    @staticmethod
    def backward(ctx, g):
        return g * 2.0, None


def cycle_by_a_function():
    x, last = Value(1.0), {"y": []}
    out = Keeps.apply(x * 2.0, last)
    y = out * 3.0
    last["y"].append(y)
    return x, out, y


def cycle_by_a_checkpoint():
    x, last = Value(1.0), []
    out = sg.checkpoint(lambda x: x if last else x * 2.0)(x)
    y = out * 3.0
    last.append(y)
    return x, out, y


def sweep_of_somebody(root):
    """A sweep whose gradients are Values, so that they can be differentiated."""
    order = sg.topological_order(root)
    for node in order:
        node.grad = Value(0.0)
    root.grad = Value(1.0)
    for node in reversed(order):
        if node.parents:
            x, y = node.parents
            x.grad = x.grad + y * node.grad
            y.grad = y.grad + x * node.grad


@needs_c
def test_graphs_are_freed_whose_gradients_somebody_made_values():
    """But for the first in a process: nobody is told of what is assigned to `grad`."""
    found = in_child("""
import gc, weakref, test_memory
for _ in range(3):
    x = sg.Value(3.0)
    nodes = [x, x * x, x * x * x * x]
    test_memory.sweep_of_somebody(nodes[-1])
    assert x.grad.data == 4.0 * 3.0**3
    refs = [weakref.ref(node) for node in [*nodes, *(node.grad for node in (x, nodes[-1]))]]
    del x, nodes
    gc.collect()
    print({ref() is None for ref in refs})
""")
    assert found[1:] == ["{True}"] * 2


def test_a_node_may_be_named_by_what_runs_while_it_is_named():
    """A collection may run between any two objects that are made, and with it code of somebody's."""
    inner, hits = f"inner {os.getpid()}", []
    x = Value(1.5)

    def names(phase, _):
        if phase == "start" and nodes and not nodes[-1].label:
            hits.append(phase)
            nodes[-1].label = inner

    nodes, pairs, threshold, before = [], [], gc.get_threshold(), sys.getrefcount(inner)
    gc.callbacks.append(names)
    try:
        for _ in range(5000):
            nodes.append(x * 2.0)
            gc.set_threshold(1)
            nodes[-1].label = "name"
            gc.set_threshold(0)
            pairs.append((nodes[-1].label, len(pairs)))  # else the next pair takes the place of an old one
    finally:
        gc.callbacks.remove(names)
        gc.set_threshold(*threshold)
    assert hits or sys.version_info >= (3, 12)  # from then on a collection waits for Python's next instruction
    assert {node.label for node in nodes} <= {"name", inner}
    nodes.clear()
    pairs.clear()
    assert sys.getrefcount(inner) == before


@needs_c
@pytest.mark.parametrize(
    "make",
    [cycle_by_hook, cycle_by_a_hook_below, cycle_by_gradients, cycle_by_hand, cycle_by_a_closure_of_a_row,
     cycle_by_attribute, cycle_by_a_function, cycle_by_a_checkpoint],
    ids=lambda make: make.__name__,
)  # fmt: skip
def test_a_cycle_through_nodes_is_freed(make):
    """Also the first of its kind in a process, which ends that nodes are none of the collector's business."""
    found = in_child(f"""
import gc, weakref, test_memory
for _ in range(2):
    refs = [weakref.ref(node) for node in test_memory.{make.__name__}()]
    gc.collect()
    print([ref() is None for ref in refs])
""")
    assert found == [str([True] * len(make()))] * 2
