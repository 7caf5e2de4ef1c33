"""Load

A graph of ten million values, a chain a million operations deep, a million small graphs one after the other, and eight
threads that build, sweep, draw, trace and compile at once. Gradients of large graphs are compared with their closed
form, all of them exactly; what threads find is compared bit for bit with what one thread finds.

With the collector off nothing of a graph, a training, a replay or a compiled function is left behind either. Drawings in
JSON or by the embedded Graphviz, and traces, hold reference cycles and wait for the collector.

"Refused" means the error that the documentation of the call names, raised before any work is done that takes long. Memory
is what the process has in RAM, the interpreter included.
"""

import copy
import gc
import json
import os
import random
import re
import shutil
import subprocess
import sys
import threading
import time
import weakref
from contextlib import nullcontext
from pathlib import Path

import pytest
from deep_calls import NOT_FOR_A_GRAPH, deep_calls, grouped
from helpers import random_graph
from interrupt_in_child import halved
from load_in_child import LEFT_TO_THE_COLLECTOR, STEADY, chain
from sizes import LONG, only_long, size

import scalargrad as sg
from scalargrad import Value, engine, nn
from scalargrad.compiling.llvm.library import available
from scalargrad.drawing import engines, raster
from scalargrad.drawing.build import GraphTooLargeError
from scalargrad.table import TABLE
from scalargrad.tracing.page import TraceTooLongError

HERE = Path(__file__).parent
PROCESSES = pytest.mark.skipif(sys.platform in ("emscripten", "win32"), reason="measures processes as POSIX does")


def in_child(*arguments):
    """What load_in_child.py finds: memory is a process's own."""
    command = [sys.executable, str(HERE / "load_in_child.py"), *map(str, arguments)]
    done = subprocess.run(
        command,
        cwd=HERE,
        env={**os.environ, "PYTHONPATH": str(Path(sg.__file__).parents[1])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


# -------------------------------------------------------------------- one large graph


@PROCESSES
@pytest.mark.parametrize("collector", ["on", "off"])
@pytest.mark.parametrize("shape", ["chain", "wide"])
def test_ten_million_values_are_built_and_differentiated_in_two_gigabytes(shape, collector, figure):
    found = in_child("large", shape, size(200_000, 10_000_000), collector)
    nodes, before, peak = found["nodes"], found["before"], found["peak"]
    assert found["right"]
    assert found["zeroed"]
    assert nodes >= size(200_000, 10_000_000)
    if LONG:
        assert peak <= 2 * 10**9
    assert peak - before <= 200 * nodes + 5_000_000
    assert found["left"] - before <= (peak - before) / 10 + 30_000_000
    figure(
        f"{grouped(nodes)} values, {shape}, collector {collector}",
        f"gradients exact; {found['built'] / 1e9:.2f} GB when built, at most {peak / 1e9:.3f} GB until backward() was "
        f"over, {found['peak of zero_grad'] / 1e9:.2f} GB with zero_grad(), {found['left'] / 1e9:.2f} GB once dropped; "
        f"{found['seconds to build']:.0f} s to build, {found['seconds of backward']:.0f} s backward",
    )


@pytest.mark.parametrize("hand_written", [False, True])
def test_the_way_of_large_graphs_gives_the_gradients_of_small_ones_bit_for_bit(hand_written, monkeypatch):
    found = []
    for large in (10**9, 0):
        monkeypatch.setattr(engine, "LARGE", large)
        root, leaves = random_graph(Value, 200, seed=4)
        constant = Value(3.0, requires_grad=False)
        root = root * constant + leaves[0]
        if hand_written:  # a closure that gives something to a leaf whose turn is over
            root = halved(root, late := Value(2.0)) * late
        nodes = [*sg.topological_order(root), constant]
        for i, node in enumerate(nodes):
            node.grad = 0.1 * i
        for _ in range(3):
            root.backward(0.7)
        found.append([node.grad for node in nodes])
    assert found[0] == found[1]


# -------------------------------------------------------------------- one deep graph


def test_a_million_operations_deep_every_call_works_or_is_refused(tmp_path, monkeypatch, figure):
    n = size(5_000, 1_000_000)
    calls = list(deep_calls(n, tmp_path))
    slowest, refused = (0.0, ""), []
    for name, call, error in calls:
        start = time.perf_counter()
        if error is None:
            assert call() is not False, name
        else:
            refused.append(name)
            with monkeypatch.context() as patch:
                for place in (engines, raster):
                    patch.setattr(place, "run_dot", lambda *_: pytest.fail("an engine was started"))
                patch.setattr(engines, "_wasi", lambda *_: pytest.fail("an engine was started"))
                with pytest.raises(error[0], match=error[1]):
                    call()
        slowest = max(slowest, (time.perf_counter() - start, name))
    assert list(tmp_path.iterdir()) == []
    public = set(sg.__all__) - NOT_FOR_A_GRAPH - {alias for op in TABLE.values() for alias in (op.name, *op.aliases)}
    assert public - {name for name, *_ in calls} == {"Value"}
    figure(
        f"{len(calls)} public calls on a chain {grouped(n)} operations deep",
        f"{len(calls) - len(refused)} work, {len(refused)} are refused in words ({', '.join(refused)}); the slowest, "
        f"{slowest[1]}, took {slowest[0]:.0f} s",
    )


def test_what_refusals_advise_works():
    y = chain(size(20_000, 1_000_000))[0]
    with pytest.raises(GraphTooLargeError) as refusal:
        sg.draw(y)
    depth = int(re.search(r"draw\(value, depth=(\d+)\) draws the 500", str(refusal.value))[1])
    assert 490 <= len(sg.draw(y, depth=depth).picture.cards) <= 502
    traced = sg.trace(y)
    with pytest.raises(TraceTooLongError) as refusal:
        _ = traced.html
    assert len(traced[int(re.search(r"trace\(value\)\[(\d+):\]", str(refusal.value))[1]) :]) == 10


@pytest.mark.parametrize("copied", [False, True])
def test_a_deep_graph_goes_with_its_root_the_collector_off(copied, figure):
    n = size(20_000, 1_000_000)
    gc.collect()
    gc.disable()
    try:
        root, leaves, _ = chain(n)
        root.backward(create_graph=copied)
        root = copy.deepcopy(root) if copied else root
        some = [weakref.ref(node) for node in sg.topological_order(root)[:: n // 1000]]
        start = time.perf_counter()
        del root, leaves
        seconds = time.perf_counter() - start
        assert sum(ref() is not None for ref in some) == 0
    finally:
        gc.enable()
    what = "its copy, its graph of gradients dropped before" if copied else "dropped"
    figure(f"a chain {grouped(n)} deep, {what}, collector off", f"freed at once, in {seconds:.1f} s")


# -------------------------------------------------------------------- many small graphs


LIMITS = {"values": 0.5, "blocks": size(2.0, 0.5), "bytes": size(200.0, 50.0), "growth": 2_000_000}
"""What each repetition may leave behind: less than an object; in a usual run, when Python's own caches still fill up, two.

Memory of the process, of all repetitions, is the only count of what libraries in C allocate, and a rough one.
"""


def leaks(found):
    """What is left behind beyond the limits."""
    return {(name, what): one[what] for name, one in found.items() for what in LIMITS if one[what] >= LIMITS[what]}


def left(found):
    """In words, the most of each kind that a repetition left behind."""
    return ", ".join(f"{max(one[what] for one in found):.2f} {what}" for what in ("blocks", "bytes", "values"))


@PROCESSES
@pytest.mark.parametrize("collector", ["on", "off"])
def test_small_graphs_one_after_the_other_leave_nothing_behind(collector, figure):
    n = size(20_000, 1_000_000)
    found = in_child("small", n, collector)
    assert leaks({"eight values": found}) == {}
    if LONG:
        assert found["rate"] >= 10_000
    figure(
        f"{grouped(n)} graphs of eight values, (a * b + c) * f and tanh: built, backward(), dropped; collector {collector}",
        f"{grouped(found['rate'])} graphs a second; memory after a tenth of them {found['memory'] / 1e6:.1f} MB, at the "
        f"end {found['growth'] / 1e3:+.0f} kB; left by each, as Python's allocator counts: {left([found])}",
    )


@PROCESSES
@pytest.mark.parametrize("collector", [pytest.param("on", marks=only_long), "off"])
def test_whatever_is_done_again_and_again_leaves_nothing_behind(collector, figure):
    times = size(60, 2000)
    found = in_child("steady", times, collector)
    assert set(found) == set(STEADY) - (LEFT_TO_THE_COLLECTOR if collector == "off" else set())
    assert leaks(found) == {}
    most = max(found, key=lambda name: found[name]["growth"])
    figure(
        f"{', '.join(found)}: {times} times each, collector {collector}",
        f"memory from a tenth of them to the end: at most {found[most]['growth'] / 1e3:+.0f} kB ({most}); left by "
        f"each repetition, as Python's allocator counts: at most {left(found.values())}",
    )


# -------------------------------------------------------------------- threads

THREADS = 8
SHARED = [Value(0.3 * i - 0.7, label=f"s{i}") for i in range(5)]


def _loss(x):
    return sum((SHARED[i] * x + SHARED[i + 1]).tanh() for i in range(4))


def everything(i, compiled):
    """What thread i does, and all numbers and texts it finds."""
    rng = random.Random(i)
    root, leaves = random_graph(Value, 300, seed=i)
    root.backward()
    found = [root.data, *(leaf.grad for leaf in leaves)]
    found.append(sg.grad(_loss(rng.uniform(-1, 1)), SHARED))  # no `grad` is touched, so leaves may be shared
    small = (leaves[0] * leaves[1] + SHARED[0]).tanh()
    small.label = f"t{i}"
    for name, there in (("dot", shutil.which("dot")), ("wasi", engines._has_wasi())):
        if there:
            found.append(sg.draw(small, engine=name).svg)
    found += [sg.draw(small).mermaid, sg.trace(small).html, sg.trace(small).table(), small.formula()]
    found += [compiled.value_and_grad([rng.uniform(-1, 1) for _ in range(5)]) for _ in range(3)]
    own = nn.MLP(2, [3, 1], activation="tanh", seed=i)
    for backend in ("python", "llvm") if available() else ("python",):
        f = sg.compile(lambda a, b: own([a, b]) ** 2, parameters=own.parameters(), backend=backend)
        found.append(f.value_and_grad([0.1 * i, 0.5], [0.2, -0.3]))
        found.append(sg.record(root, inputs=leaves, backend=backend).value_and_grad([0.1 * i] * 5))
    replayed = sg.replay(lambda x: (own([x, x]) - 1.0) ** 2)
    for x in (0.1, 0.2, 0.3):
        replayed(x).backward()
    found += [p.grad for p in own.parameters()]
    X, y = nn.xor(labels=(-1, 1), seed=i)
    history = nn.fit(own, X, y, loss="hinge", lr=0.1, epochs=3, progress=False, compiled=i % 2 == 0)
    return [*found, history.loss, own.state_dict()]


def in_threads(work):
    """What work(i, barrier) gives in THREADS threads at once, which change places all the time; no exception is lost."""
    found, problems = {}, []
    barrier = threading.Barrier(THREADS, timeout=size(120, 1200))

    def run(i):
        try:
            barrier.wait()
            found[i] = work(i, barrier)
        except BaseException as error:
            problems.append(error)

    before = sys.getswitchinterval()
    sys.setswitchinterval(1e-5)
    try:
        threads = [threading.Thread(target=run, args=(i,), daemon=True) for i in range(THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(size(120, 1200))
        assert not any(thread.is_alive() for thread in threads)
    finally:
        sys.setswitchinterval(before)
    assert problems == []
    return [found[i] for i in range(THREADS)]


def test_eight_threads_find_what_one_finds_bit_for_bit(figure):
    compiled = sg.compile(_loss, parameters=SHARED)
    rounds = size(1, 20)
    expected = [repr(everything(i, compiled)) for i in range(THREADS)]  # a float's repr has all its bits
    found = in_threads(lambda i, _: [repr(everything(i, compiled)) for _ in range(rounds)])
    assert {leaf.grad for leaf in SHARED} == {0.0}
    for right, mine in zip(expected, found, strict=True):
        assert set(mine) == {right}
    figure(
        f"{THREADS} threads at once, {rounds} times: graphs, pictures by dot and wasi, traces, compiling, replaying, fit",
        f"{THREADS * rounds} results, each equal to that of a single thread to the last bit and letter",
    )


def test_contexts_and_hooks_hold_in_their_own_thread_only():
    def work(i, barrier):
        kind, seen, x = i % 4, [], Value(800.0)
        hooked = x * 1.0
        hooked.register_hook(lambda gradient: gradient * (i + 2))
        contexts = [nullcontext, sg.no_grad, sg.detect_anomaly, lambda: sg.sweep_hook(lambda *_: seen.append(1))]
        with contexts[kind]():
            barrier.wait()  # now all are in their contexts
            is_constant = (x * 2).parents == ()
            try:
                raised = not x.exp()._data
            except sg.AnomalyError:
                raised = True
            hooked.backward()
            barrier.wait()
        return (is_constant, raised, bool(seen), x.grad) == (kind == 1, kind == 2, kind == 3, i + 2)

    assert in_threads(work) == [True] * THREADS
