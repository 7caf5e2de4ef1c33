"""Every public name and method on a chain of operations that is deeper than Python's stack: what works, what is refused."""

import copy
import pickle

import pytest
from load_in_child import chain

import scalargrad as sg
from scalargrad import Value
from scalargrad.drawing.build import GraphTooLargeError
from scalargrad.table import TABLE
from scalargrad.tracing.explanation import TooManyPathsError
from scalargrad.tracing.page import TraceTooLongError
from scalargrad.words.notation import TooLongError


def grouped(n):
    """12 345 as the documentation writes it."""
    return f"{n:,.0f}".replace(",", " ")


NOT_FOR_A_GRAPH = {
    "AnomalyError", "BranchError", "GradientError",  # exceptions
    "Drawing", "Trace", "Worksheet", "Worksheets", "Live", "Exact", "Function",  # classes: what others make; numbers
    "circuit", "exercises", "layers", "mistakes", "nn",  # modules
    "check_op", "decision_boundary", "draw_network", "live_network", "loss_curve", "name",  # take an operation, a model, numbers, variables
    "draw_layers",  # a compiled loss
    "no_grad", "primitive",
}  # fmt: skip
"""Public names that are given no graph."""


def on(n):
    """A function of a number that builds the deep chain."""

    def function(x):
        y, w = x, Value(1.0)
        for _ in range(n // 2):
            y = y * w
            y = y + x
        return y

    return function


def deep_calls(n, folder):
    """Every public name and method on a chain of n operations: name, call, and what is refused with which words."""
    y, (x, w), _ = chain(n)
    y.label = "y"
    f, twin, value = on(n), copy.deepcopy(y), 1.0 + n // 2
    count = grouped(n + 2)
    too_large = (GraphTooLargeError, rf"{count} values; the limit is max_nodes=500\. Instead: draw\(value, depth=\d+\)")
    too_long = (TooLongError, rf"of {n + 2} values, has more than 2000 characters: formula\(lines=True\)")
    steps = grouped(3 * n + 3)
    no_page = (
        TraceTooLongError,
        rf"{steps} steps; the limit is max_steps=300\. Instead: print\(trace\(value\)\) .*\[\d+:\]",
    )
    no_code = (ValueError, rf"has {n + 2} nodes.* 5000 are the most.*scalargrad\.record\(value\) replays")
    traced = sg.trace(y)
    program = sg.record(y, inputs=[x])
    yield from (
        ("repr", lambda: repr(y) + str(y) + f"{y} {y:.3f}", None),
        ("label", lambda: y.label, None),
        ("data", lambda: y.data == value, None),
        ("==, hash, <", lambda: (y == twin, hash(y), y in {twin}, y < twin), None),
        (
            "parents",
            lambda: (y.parents, y.operands, y.is_leaf, y.is_parameter, y.requires_grad, repr(y._backward)),
            None,
        ),
        ("copy", lambda: copy.copy(y).parents == y.parents, None),
        ("deepcopy", lambda: copy.deepcopy([y, x])[0].parents[1].label == "x", None),
        ("pickle", lambda: pickle.dumps(y), (TypeError, "a Value cannot be pickled: .*copy.deepcopy")),
        ("topological_order", lambda: len(sg.topological_order(y)) == n + 2, None),
        ("backward", lambda: (y.backward(), y.zero_grad()), None),
        ("backward as a graph", lambda: twin.backward(create_graph=True), None),
        ("detach", lambda: y.detach().parents == (), None),
        ("register_hook", lambda: (y.register_hook(lambda g: None).remove(), sg.grad(y, [x])), None),
        ("sweep_hook", lambda: _under(sg.sweep_hook(lambda node, g: None), lambda: sg.grad(y, [w])), None),
        ("detect_anomaly", lambda: _under(sg.detect_anomaly(), lambda: sg.grad(y, [w])), None),
        ("formula", lambda: y.formula(), too_long),
        ("formula latex", lambda: y.formula("latex"), too_long),
        ("formula python", lambda: y.formula("python"), too_long),
        ("formula lines", lambda: y.formula(lines=True).count("\n") == n - 1, None),
        ("draw", lambda: sg.draw(y), too_large),
        ("draw as gates", lambda: y.draw(style="circuit"), (GraphTooLargeError, count)),
        ("draw by layers", lambda: sg.draw(y, collapse="layer", expand=True), too_large),
        ("draw_dot", lambda: sg.draw_dot(y), too_large),
        ("draw the end", lambda: _exports(sg.draw(y, depth=3)), None),
        ("draw around", lambda: _exports(sg.draw(y, focus=y.parents[0], radius=1)), None),
        ("summary", lambda: str(sg.summary(y)), None),
        ("trace", lambda: (repr(traced), str(traced), len(traced) == 3 * n + 3, traced[-10:]), None),
        ("trace shown", lambda: traced._repr_mimebundle_(), None),
        ("trace.html", lambda: traced.html, no_page),
        ("trace.save", lambda: traced.save(folder / "walk.html"), no_page),
        ("explain", lambda: sg.explain(y, x), (TooManyPathsError, "limit is max_paths=100.*scalargrad.trace")),
        ("live", lambda: "at most 300 steps" in sg.live(y).session().handle({"id": 1, "do": "open"})["error"], None),
        ("worksheet", lambda: sg.worksheet(y), (ValueError, rf"{count} values, and a worksheet is for at most 100")),
        ("diff", lambda: str(sg.diff(y, twin)), None),
        ("depends_on", lambda: sg.depends_on(y, x) and sg.depends_on(y, w), None),
        ("record", lambda: (str(program), repr(program), program.value_and_grad([1.0])[0] == value), None),
        ("write_back", lambda: program.write_back(), None),
        ("to_python", lambda: y.to_python(), no_code),
        ("to_python of a program", lambda: program.to_python(), no_code),
        ("compile", lambda: sg.compile(f)(1.0) == value, None),
        ("replay", lambda: sg.replay(f)(Value(1.0)).backward(), None),
        ("grad", lambda: sg.grad(f)(1.0), None),
        ("value_and_grad", lambda: sg.value_and_grad(f)(1.0), None),
        ("derivative", lambda: sg.derivative(f)(1.0), None),
        ("vjp", lambda: sg.vjp(f, 1.0), None),
        ("jvp", lambda: sg.jvp(f, [1.0], [1.0]), None),
        ("hvp", lambda: sg.hvp(f, [1.0], [1.0]), None),
        ("hessian", lambda: sg.hessian(lambda v: f(v[0]))([1.0]), None),
        ("jacobian", lambda: sg.jacobian(lambda v: [f(v[0])])([1.0]), None),
        ("jacrev", lambda: sg.jacrev(lambda v: [f(v[0])])([1.0]), None),
        ("jacfwd", lambda: sg.jacfwd(lambda v: [f(v[0])])([1.0]), None),
        ("sparsity", lambda: sg.sparsity(lambda v: [f(v[0])])([1.0]), None),
        ("count_operations", lambda: str(sg.count_operations(f)(1.0)), None),
        ("checkpoint", lambda: sg.checkpoint(f)(x).backward(), None),
        ("complex_step", lambda: sg.complex_step(lambda x: f(x), [1.0]), None),
        ("check_gradients", lambda: sg.check_gradients(f, [1.0]).ok, None),
        ("assert_gradients", lambda: sg.assert_gradients(f, [1.0]), None),
        ("every operation", lambda: [_applied(op, y) for op in TABLE.values()], None),
    )


def _under(context, call):
    with context:
        return call()


def _applied(op, y):
    z = y.detach() * 0.0 + 0.5 if op.name in ("arcsin", "arccos", "arctanh") else y
    found = op.function([z, z], 0.0 * z) if op.has_index else op.function(*[z] * (len(op.arguments) or op.arity or 3))
    return found if found.parents else pytest.fail(op.name)


def _exports(drawn):
    return drawn.svg, drawn.dot, drawn.mermaid, drawn.json, drawn.text, repr(drawn)
