"""Random graphs of + - * / tanh exp relu, built and swept, beside XAD, a tape in C++, and micrograd."""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable, Sequence
from typing import Any

from scalargrad import Value

from .. import growth
from ..harness import Plot, Section, digits
from .work import IN_C, PURE, Pure, Work, agree, at_most, least, table, times_as_fast

BARS = {1_000: 3.0, 10_000: 3.0, 100_000: 2.0, 1_000_000: None}
"""How many times as fast as XAD, by the number of nodes."""
MICROGRAD_SIZE, MICROGRAD_BAR, FLAT, TOLERANCE = 50_000, 40.0, 2.0, 1e-9
FLOATS = "floats, no gradient"
BINARY = [operator.add, operator.sub, operator.mul, operator.truediv]
TEXT = (
    "Nanoseconds a node. Each node has the operation + - * / tanh exp or relu and two operands drawn from 50 leaves and "
    "the results so far of its expression of some 900 nodes. All engines run the same program, a loop over its "
    "instructions; XAD is a tape in C++ with numbers for Python on top. A whole pass builds the graph, computes the "
    "gradients and lets the graph go; on floats, without a graph, it is what the loop itself takes."
)
Drawn = tuple[list[float], list[tuple[int, int, int]], list[int]]


def run(drawn: Drawn, leaves: list[Any], unary: Sequence[Callable[[Any], Any]]) -> tuple[Any, list[Any]]:
    """The program on numbers of some kind: its result and its leaves."""
    _, program, outputs = drawn
    nodes, binary = list(leaves), BINARY
    append = nodes.append
    for op, i, j in program:
        append(binary[op](nodes[i], nodes[j]) if op < 4 else unary[op - 4](nodes[i]))
    total = nodes[outputs[0]]
    for i in outputs[1:]:
        total = total + nodes[i]
    return total, leaves


def values(drawn: Drawn, kind: Callable[[float], Any], unary: Sequence[Callable[[Any], Any]]) -> Work:
    """In Values of some kind."""
    return Work(
        lambda: run(drawn, [kind(x) for x in drawn[0]], unary),
        lambda made: made[0].backward(),
        lambda made: [leaf.grad for leaf in made[1]],
    )


def ours(drawn: Drawn) -> Work:
    """In scalargrad."""
    unary = [Value.tanh, Value.exp, Value.relu]
    return values(drawn, Value, unary)


def of_size(size: int) -> Work:
    """In scalargrad, for a process of its own."""
    return ours(growth.draw(size))


def floats(drawn: Drawn) -> Work:
    """On floats, without gradients: what the loop over the instructions takes of every engine's time."""
    unary = [math.tanh, math.exp, lambda x: max(x, 0.0)]
    return Work(lambda: run(drawn, list(drawn[0]), unary), lambda made: None, lambda made: [made[0]])


def xad(drawn: Drawn) -> Work:
    """In XAD; its tape begins with the leaves, and is let go with the graph."""
    import xad.adj_1st as adjoint
    import xad.math as functions

    unary = [functions.tanh, functions.exp, lambda x: functions.max(x, 0.0)]
    tapes: list[Any] = []

    def build() -> tuple[Any, list[Any]]:
        tapes[:] = [adjoint.Tape()]
        tape = tapes[0]
        tape.activate()
        leaves = [adjoint.Real(x) for x in drawn[0]]
        for leaf in leaves:
            tape.registerInput(leaf)
        tape.newRecording()
        total, _ = run(drawn, leaves, unary)
        tape.registerOutput(total)
        return total, leaves

    def backward(made: tuple[Any, list[Any]]) -> None:
        made[0].derivative = 1.0
        tapes[0].computeAdjoints()

    return Work(build, backward, lambda made: [leaf.derivative for leaf in made[1]])


def micrograd(drawn: Drawn) -> Work:
    """In micrograd, with the tanh and exp of its lectures."""
    from expressions import UNARY, MicrogradValue

    if sys.version_info < (3, 11):
        raise ImportError("its sort is recursive, which needs Python 3.11 at this size", name="micrograd")
    sys.setrecursionlimit(10_000_000)
    return values(drawn, MicrogradValue, UNARY[MicrogradValue])


def section(rounds: int) -> Section:
    """All sizes, with XAD beside."""
    made = Section("Random graphs", TEXT, "ns")
    heads = ["", *(f"{digits(size)} nodes" for size in BARS)]
    parts: dict[str, list[float]] = {}
    costs: dict[str, list[tuple[float, float]]] = {}
    for size, bar in BARS.items():
        drawn = growth.draw(size)
        nodes = sum(map(len, drawn)) - 1
        engines: dict[str, Any] = {IN_C: ours(drawn), PURE: Pure("graph", size)}
        try:
            engines["XAD"] = xad(drawn)
        except ImportError as error:
            made.skipped["XAD"] = error.msg
        agree(f"random graph of {nodes} nodes", engines, TOLERANCE)
        engines[FLOATS] = floats(drawn)
        found = least(engines, rounds if size < 1_000_000 else min(rounds, 3), max(1, 30_000 // nodes))
        engines[PURE].end()
        for name, seconds in found.items():
            for part, value in zip(("build", "backward()", "a whole pass"), seconds, strict=True):
                if name != FLOATS or part == "a whole pass":
                    parts.setdefault(f"{name}: {part}", []).append(value / nodes)
            if name != FLOATS:
                costs.setdefault(name, []).append((nodes, seconds[2] / nodes * 1e9))
        if bar is not None:
            theirs = found["XAD"][2] if "XAD" in found else None
            what = f"{digits(size)} nodes: at least {bar:g} times as fast as XAD"
            times_as_fast(made, what, theirs, found[IN_C][2], bar, made.skipped.get("XAD", ""))
    made.table = table(heads, parts, 1e9)
    line = [cost for _, cost in costs[IN_C]]
    at_most(
        made,
        f"in C: cost a node from 1 000 to 1 000 000 nodes within {FLAT:g} times",
        max(line) / min(line),
        FLAT,
        "times",
    )
    made.plots.append(
        Plot(
            "eager.svg",
            "Cost of a node, from building to letting go, against the size of the graph",
            "nodes",
            "ns a node",
            costs,
        )
    )
    return made


def beside_micrograd(rounds: int) -> Section:
    """The same at a size at which micrograd can still be waited for."""
    size = MICROGRAD_SIZE
    made = Section(f"Random graphs of {digits(size)} nodes beside micrograd", (
        "Nanoseconds a node of the same program; micrograd makes more than one node of a difference and of a quotient. "
        "Python's collector is at its default. tanh and exp are those that micrograd's lectures add."
    ), "ns")  # fmt: skip
    drawn = growth.draw(size)
    nodes = sum(map(len, drawn)) - 1
    engines: dict[str, Any] = {IN_C: ours(drawn), PURE: Pure("graph", size)}
    what = f"at least {MICROGRAD_BAR:g} times as fast as micrograd"
    try:
        engines["micrograd"] = micrograd(drawn)
    except ImportError as error:
        made.skipped["micrograd"] = error.msg
    agree(made.title, engines, TOLERANCE)
    found = least(engines, min(rounds, 7), 3)
    engines[PURE].end()
    made.table = table(
        ["", "build", "backward()", "a whole pass"],
        {name: [x / nodes for x in line] for name, line in found.items()},
        1e9,
    )
    theirs = found["micrograd"][2] if "micrograd" in found else None
    times_as_fast(made, what, theirs, found[IN_C][2], MICROGRAD_BAR, made.skipped.get("micrograd", ""))
    return made
