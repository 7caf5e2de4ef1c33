"""Builds, differentiates and drops graphs in a process of its own; prints as JSON what memory and time that took.

    python tests/reliability/load_in_child.py large chain 10000000 on     one graph of so many nodes, the collector on
    python tests/reliability/load_in_child.py small 1000000 off           so many graphs of eight nodes, one after the other
    python tests/reliability/load_in_child.py steady 100 on               each of STEADY so many times

Memory is what the whole process has in RAM, interpreter and libraries included, in bytes.
"""

import gc
import json
import os
import sys
import tempfile
import time
import tracemalloc
from itertools import pairwise
from pathlib import Path

import scalargrad as sg
from scalargrad import Value, nn


def memory(field):
    """VmRSS, what is in RAM now, or VmHWM, the most that ever was; both the latter where there is no /proc."""
    try:
        lines = Path("/proc/self/status").read_text(encoding="utf-8").splitlines()
    except OSError:
        import resource

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else 1024 * peak
    return next(1024 * int(line.split()[1]) for line in lines if line.startswith(field))


# -------------------------------------------------------------------- one large graph


def chain(n):
    """x = 1, then * w and + x in turn, n operations deep: (root, leaves, their gradients)."""
    x, w = Value(1.0, label="x"), Value(1.0, label="w")
    y = x
    for _ in range(n // 2):
        y = y * w
        y = y + x
    m = n // 2  # before the k-th product the chain is at k
    return y, [x, w], [1.0 + m, m * (m + 1) / 2]


def wide(n):
    """n/2 products of a thousand leaves, added up in pairs, pairs of pairs and so on: (root, leaves, their gradients).

    All numbers are small integers, so that every order of summation is exact.
    """
    leaves = [Value(float(i % 7 - 3)) for i in range(1000)]
    times, row = n // 2000, []
    grads = [0.0] * 1000
    for i in range(1000):
        j = (7 * i + 3) % 1000
        grads[i] += leaves[j].data * times
        grads[j] += leaves[i].data * times
    for i in range(1000 * times):
        row.append(leaves[i % 1000] * leaves[(7 * i + 3) % 1000])
    while len(row) > 1:
        odd = [row.pop()] if len(row) % 2 else []
        row = [x + y for x, y in zip(row[::2], row[1::2], strict=True)] + odd
    return row[0], leaves, grads


def large(shape, n):
    """Build, differentiate, drop."""
    before = memory("VmRSS")
    start = time.perf_counter()
    root, leaves, expected = {"chain": chain, "wide": wide}[shape](n)
    built, since = memory("VmHWM"), time.perf_counter()
    root.backward()
    found = {
        "right": [leaf.grad for leaf in leaves] == expected and root.grad == 1.0,
        "before": before, "built": built, "peak": memory("VmHWM"), "after": memory("VmRSS"),
        "seconds to build": since - start, "seconds of backward": time.perf_counter() - since,
    }  # fmt: skip
    root.zero_grad()
    found["zeroed"] = not any(leaf.grad for leaf in leaves)
    found["peak of zero_grad"] = memory("VmHWM")
    nodes = len(sg.topological_order(root))
    del root, leaves
    return {**found, "nodes": nodes, "left": memory("VmRSS")}


# -------------------------------------------------------------------- many small ones


def eight_nodes():
    """The example of micrograd's lecture: four leaves, (a * b + c) * f, tanh."""
    a, b, c, f = Value(2.0), Value(-3.0), Value(10.0), Value(0.25)
    (((a * b) + c) * f).tanh().backward()
    return a.grad


def step():
    """A step of a small network, the optimizer included."""
    model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
    optimizer = nn.Adam(model.parameters())
    X, y = nn.xor(labels=(-1, 1))

    def once():
        loss = nn.hinge([model(row) for row in X], y)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    return once


def expression():
    """A small graph with labels."""
    x, y = Value(2.0, label="x"), Value(3.0, label="y")
    return (x * y + x).tanh(), x


def drawing():
    """Draw, and write down in every format that needs no engine."""
    drawn = sg.draw(expression()[0])
    return drawn.dot, drawn.mermaid, drawn.json, drawn.text


def picture():
    """Draw as SVG."""
    return sg.draw(expression()[0]).svg


def stepper():
    """Trace, as a table and as a page."""
    steps = sg.trace(expression()[0])
    return steps.table(), steps.html


def replaying():
    """The same lines again and again, replayed."""
    w = Value(0.5)

    @sg.replay
    def loss(x):
        return (w * x - 1.0) ** 2

    def once():
        w.grad = 0.0
        loss(2.0).backward()

    return once


def compiled(backend):
    """A compiled function, called."""
    w = Value(0.5)
    f = sg.compile(lambda x: (w * x - 1.0) ** 2, backend=backend)
    return lambda: f.value_and_grad([1.0, 2.0, 3.0])


def compiling():
    """A function compiled anew each time."""
    return sg.compile(lambda x: (x * x + 1.0).tanh(), backend="python")(0.5)


def hooks():
    """A hook registered, run and removed; one that stays; and the contexts."""
    root, x = expression()
    x.register_hook(lambda gradient: 2 * gradient)
    handle = root.register_hook(lambda gradient: None)
    with sg.detect_anomaly(), sg.sweep_hook(lambda node, gradient: None):
        root.backward()
        (root * x).backward()
    handle.remove()
    with sg.no_grad():
        return root * x


def functional():
    """Gradients by the functional interface, of second order too."""
    sg.grad(lambda v: v[0] * v[1].tanh())([1.0, 2.0])
    return sg.hessian(lambda v: v[0] * v[1].tanh())([1.0, 2.0])


def saving():
    """A model saved over and over to one file, and loaded."""
    model, folder = nn.MLP(2, [4, 1], seed=1), tempfile.TemporaryDirectory()
    return lambda: nn.load(model.save(os.path.join(folder.name, "model.json")))


STEADY = {
    "step": step, "drawing": lambda: drawing, "picture": lambda: picture, "stepper": lambda: stepper,
    "replaying": replaying, "compiled python": lambda: compiled("python"), "compiled auto": lambda: compiled("auto"),
    "compiling": lambda: compiling, "hooks": lambda: hooks, "functional": lambda: functional, "saving": saving,
}  # fmt: skip

LEFT_TO_THE_COLLECTOR = {"drawing", "picture", "stepper"}
"""Their reference cycles: those of Python's json and of wasmtime's types; a trace, whose steps know their graph."""


WINDOWS = 3
LEFT = ("blocks", "bytes", "values")


def held():
    """How many blocks Python's allocator has given out, how many bytes since tracing began, and how many Values there are.

    The collector, if it is on, has its turn first. If it is off, all that it could take is frozen, so that it counts, and
    the collector empties the lists of free tuples and the like only.
    """
    if gc.isenabled():
        gc.collect()
    values = sum(type(thing) is Value for thing in gc.get_objects())
    if not gc.isenabled():
        gc.freeze()
        gc.collect()
        gc.unfreeze()
    return sys.getallocatedblocks(), tracemalloc.get_traced_memory()[0], values


def again_and_again(once, n, warm=500):
    """Call it n times, and then some: how memory and the rate were, and what each repetition leaves behind.

    What is left is counted in windows of at least 30 repetitions, and the least of them is told: a leak is in every one of
    them, a cache that fills up is not.
    """
    for _ in range(n // 10):
        once()
    before, start = memory("VmRSS"), time.perf_counter()
    for _ in range(n - n // 10):
        once()
    seconds, after = time.perf_counter() - start, memory("VmRSS")
    for _ in range(warm - min(n, warm)):  # the lists of free tuples and strings, json's among them, fill up slowly
        once()
    tracemalloc.start()
    counts, window = [], max(30, n // 10)
    for _ in range(WINDOWS + 1):
        for _ in range(window):
            once()
        counts.append(held())
    tracemalloc.stop()
    grown = [[new - old for old, new in zip(*pair, strict=True)] for pair in pairwise(counts)]
    left = {what: min(column) / window for what, column in zip(LEFT, zip(*grown, strict=True), strict=True)}
    return {"growth": after - before, "rate": (n - n // 10) / seconds, "memory": before, **left}


def main(what, *arguments):
    """Do it and print what was found."""
    if arguments[-1] == "off":
        gc.disable()
    if what == "large":
        found = large(arguments[0], int(arguments[1]))
    elif what == "small":
        found = again_and_again(eight_nodes, int(arguments[0]))
    else:
        names = [name for name in STEADY if gc.isenabled() or name not in LEFT_TO_THE_COLLECTOR]
        found = {
            name: again_and_again(STEADY[name](), int(arguments[0]), 1000 if name == "saving" else 500)
            for name in names
        }
    print(json.dumps(found))


if __name__ == "__main__":
    main(*sys.argv[1:])
