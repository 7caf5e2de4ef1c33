"""Ctrl-C

KeyboardInterrupt may come between any two instructions of Python. It is raised here at every single one of the engine
while `backward()` runs, and by a timer's signal at random moments of training, saving, drawing and tracing, in processes
of their own.

Afterwards all gradients are old or all are new. A training stands after a whole step, parameters and optimizer, and goes
on from there to the same numbers, bit for bit. A file is the old one or the new one. The next call works, and no process
of Graphviz's is left.

Not promised: a `with` block of a context written in Python, as `no_grad` and `detect_anomaly` are, stays in force if
Ctrl-C falls into the few instructions that begin or end it. How often that was so is told below.
"""

import json
import os
import subprocess
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from compiling_helpers import needs_llvm
from interrupt_in_child import Fit, FitDocuments, check_contexts
from interrupting import stopped
from sizes import size

import scalargrad as sg
from scalargrad import Value, engine, nn
from scalargrad.compiling.llvm.library import available
from scalargrad.drawing import engines
from scalargrad.node import by_hand, contexts, large
from scalargrad.node import mode as mode_of_thread
from scalargrad.node.mode import mode

HERE = Path(__file__).parent
ENGINE = {engine.__file__, large.__file__}


# -------------------------------------------------------------------- backward, at every instruction


def small_graph():
    """Shared nodes, a constant, a fused sum; gradients that are there already."""
    x, y = Value(0.5, label="x"), Value(-2.0, label="y")
    z = (x * y + x).tanh()
    root = sg.sum([z, z * Value(3.0, requires_grad=False), y]) * x
    nodes = sg.topological_order(root)
    for i, node in enumerate(nodes):
        node.grad = 0.25 * i
    return root, nodes


WAYS = {
    "plain": (False, nullcontext),
    "as a graph": (True, nullcontext),
    "in no_grad, as a graph": (True, sg.no_grad),
    "a large graph's way": (False, nullcontext),
    "detect_anomaly": (False, sg.detect_anomaly),
    "sweep_hook": (False, lambda: sg.sweep_hook(lambda node, gradient: None)),
}


@pytest.mark.parametrize("way", WAYS)
def test_backward_stopped_at_any_instruction_has_written_all_gradients_or_none(way, monkeypatch, figure):
    create_graph, context = WAYS[way]
    if way == "a large graph's way":
        monkeypatch.setattr(engine, "LARGE", 0)
    expected = small_graph()
    old = [node.grad for node in expected[1]]
    expected[0].backward(create_graph=create_graph)
    new = [_number(node.grad) for node in expected[1]]
    assert sum(a != b for a, b in zip(old, new, strict=True)) > 5

    def work(root):
        with context():
            root.backward(create_graph=create_graph)

    seen, n = [], 0
    while True:
        root, nodes = small_graph()
        again = stopped(lambda root=root: work(root), n, ENGINE)
        found = [_number(node.grad) for node in nodes]
        assert found in (old, new), n
        seen.append(found == new)
        assert mode.get().recording is True
        assert mode.get().watches == mode.get().inspectors == ()
        root.backward()
        assert (root * 2.0).parents == (root,)
        if not again:
            break
        n += 1
    assert seen[-1]
    assert seen == sorted(seen)  # old, and from some instruction on new
    assert n > 100
    figure(f"backward(), {way}: stopped at each of its {n} instructions", f"{seen.count(False)} times all gradients old, "
           f"{seen.count(True) - 1} times all new, 0 anything else")  # fmt: skip


def _number(grad):
    return grad.data if isinstance(grad, Value) else grad


def test_closures_written_by_hand_give_back_the_gradients_they_were_lent(figure):
    def graph():
        x, w = Value(0.5), Value(2.0)
        out = Value(x.data * w.data, (x,), "mine")

        def _backward():
            x.grad += w.data * out.grad
            w.grad += x.data * out.grad  # a leaf that it did not list
            abs(1)

        out._backward = _backward
        nodes = [x, w, out, out * x + w]
        for i, node in enumerate(nodes):
            node.grad = 1.0 + i
        return nodes

    nodes = graph()
    old = [node.grad for node in nodes]
    nodes[-1].backward()
    new = [node.grad for node in nodes]
    n = 0
    while True:
        nodes = graph()
        if not stopped(nodes[-1].backward, n, {by_hand.__file__}, at_calls=True):
            break
        assert [node.grad for node in nodes] in (old, new), n
        n += 1
    assert n > 10
    figure(f"a closure written by hand: stopped at each of its {n} calls", "all gradients old or all new")


# -------------------------------------------------------------------- fit, at every instruction


@pytest.mark.parametrize("kind", [Fit, FitDocuments])
@pytest.mark.parametrize("compiled", [False, "python", pytest.param("llvm", marks=needs_llvm)])
def test_fit_stopped_at_any_instruction_stands_after_a_whole_step_and_goes_on(compiled, kind, tmp_path, figure):
    """Of the training loop, the steps, the optimizer and what moves parameters between compiled memory and Values."""
    folder = Path(engine.__file__).parent
    places = [
        "nn/training/fitting",
        "nn/training/stepping",
        "nn/descent/optimizers",
        "nn/training/compiled_stepping",
        "nn/training/sample_loss",
        "nn/training/gathering",
        "compiling/training",
        "compiling/groups",
        "compiling/llvm/in_memory",
        "compiling/llvm/aimed",
        "compiling/llvm/updating",
    ]
    files = {str(folder / f"{place}.py") for place in places}
    work = kind(tmp_path, compiled)
    work.epochs = 2
    at_calls = compiled == "llvm"  # it has locks
    apart = 1 if at_calls else size(67, 1)
    apart = size(7 * apart, apart) if kind is FitDocuments else apart  # each of its runs records three programs
    seen = {}
    n = 0
    while stopped(work.work, n, files, at_calls):
        check_contexts()
        left = work.look()
        seen[left] = seen.get(left, 0) + 1
        n += apart
    assert work.look() == "new"
    assert n > 10
    assert {"old", "a step between", "new"} <= set(seen) or apart > 1
    counts = ", ".join(f"{count} times {left}" for left, count in sorted(seen.items()))
    how = "fit of any lengths" if kind is FitDocuments else "fit"
    how = f"{how}, compiled by {compiled}" if compiled else how
    figure(
        f"{how}: stopped at {sum(seen.values())} of its {n} {'calls' if at_calls else 'instructions'}",
        f"{counts}, 0 anything else",
    )


@pytest.mark.parametrize("compiled", [False, "python", pytest.param("llvm", marks=needs_llvm)])
def test_fit_and_predict_stopped_where_a_context_begins_or_ends_leave_none_in_force(compiled, tmp_path, figure):
    files = {sys.modules[module].__file__ for module in ("contextlib", mode_of_thread.__name__, contexts.__name__)}
    work = Fit(tmp_path, compiled)
    work.epochs = 2
    model = work.model

    def both():
        work.work()
        nn.predict(model, work.samples[0])

    n = 0
    while True:
        again = stopped(both, n, files, at_calls=True)
        check_contexts()
        if not again:
            break
        assert all(module.training for module in model.modules()), n
        work.look()
        n += size(3, 1)
    assert n > 10
    how = f", compiled by {compiled}" if compiled else ""
    figure(f"fit{how}, and predict: stopped at each of {n} calls in their contexts", "every mode is as before")


# -------------------------------------------------------------------- everything else, at random moments

# What to interrupt; what it may leave; and at how many moments, in a usual run and in a long one.
MOMENTS = {
    "backward": ({"old", "new"}, 30, 1000),
    "backward with closures written by hand": ({"old", "new"}, 30, 1000),
    "backward in contexts": ({"old", "new"}, 20, 500),
    "optimizer.step": ({"old", "new"}, 40, 1000),
    "fit": ({"old", "a step between", "new"}, 20, 500),
    "fit compiled python": ({"old", "a step between", "new"}, 20, 500),
    "fit compiled llvm": ({"old", "a step between", "new"}, 20, 500),
    "fit compiled jax": ({"old", "a step between", "new"}, 0, 60),
    "fit of any lengths, llvm": ({"old", "a step between", "new"}, 10, 300),
    "model.save": ({"old", "new"}, 20, 500),
    "draw and save, wasi": ({"old", "new"}, 10, 300),
    "draw and save, dot": ({"old", "new"}, 10, 300),
    "trace and save": ({"old", "new"}, 10, 300),
}


def _missing(name):
    """What must be installed for it, if it is not."""
    if name.endswith("llvm") and not available():
        return "llvmlite"
    if name.endswith("jax"):
        try:
            import jax  # noqa: F401
        except ImportError:
            return "jax"
    if name.endswith(("wasi", "dot")):
        try:
            engines.available(name.rsplit(maxsplit=1)[-1])
        except engines.EngineError as error:
            return str(error)
    return "" if name != "trace and save" or engines.available() != "text" else engines.NO_ENGINE


@pytest.mark.skipif(sys.platform in ("emscripten", "win32"), reason="interrupts by POSIX signals")
@pytest.mark.parametrize("name", MOMENTS)
def test_interrupted_at_random_moments_it_leaves_the_old_or_the_new(name, figure):
    allowed, *sizes = MOMENTS[name]
    moments = size(*sizes)
    if not moments:
        pytest.skip("its compiling takes a second each time; python tests/reliability/run.py runs it")
    if missing := _missing(name):
        pytest.skip(f"{missing} is not installed")
    done = subprocess.run(
        [sys.executable, str(HERE / "interrupt_in_child.py"), name, str(moments)],
        cwd=HERE, env={**os.environ, "PYTHONPATH": str(Path(sg.__file__).parents[1])}, capture_output=True, text=True,
        check=False, timeout=size(120, 1800),
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert found["interrupts"] > 0
    assert set(found["found"]) <= allowed
    assert sum(found["found"].values()) == moments
    assert found["processes"] == 0
    assert found["left open"] <= max(1, moments // 100)
    left = f"; contexts left open {found['left open']} times" if name.endswith("contexts") else ""
    left += f"; {found['left']} temporary files left" if name.endswith(("save", "wasi", "dot")) else ""
    counts = ", ".join(f"{count} times {what}" for what, count in sorted(found["found"].items()))
    figure(f"{name}, at {moments} random moments", f"{found['interrupts']} interrupts: {counts}, 0 anything else{left}")
