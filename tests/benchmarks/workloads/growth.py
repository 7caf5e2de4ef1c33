"""Growth: nanoseconds a node from 1 000 to 1 000 000 nodes, of chains and of random graphs."""

from __future__ import annotations

import gc
import random
import statistics
import time
from collections.abc import Callable
from typing import Any

import scalargrad
from scalargrad import Value

from .harness import Bar, Plot, Section, compare, digits

SIZES = (1000, 10_000, 100_000, 1_000_000)
TOLERANCE = 1e-9
FLAT = 2.0
TEXT = (
    "The time for each node of a graph, in nanoseconds, from 1 000 nodes to 1 000 000: building it and running "
    "backward() in eager code, recording it once, and one replay of value and gradient. A chain is v = v * w + b over and over, "
    "of six leaves; in the random graphs each node has the operation + - * / tanh exp or relu and two operands "
    "drawn from 50 leaves and the results so far of its expression of some 900 nodes. Medians of at most 5 turns."
)

Build = Callable[[], tuple[Value, list[Value]]]


def chain(size: int) -> Build:
    """Products and sums in turn, each of the result before and a leaf."""

    def build() -> tuple[Value, list[Value]]:
        leaves = [Value(x) for x in (0.9, -0.8, 0.7, 0.3, 0.2, -0.1)]
        v: Any = leaves[0]
        for i in range(size // 2):
            v = v * leaves[i % 3] + leaves[3 + i % 3]
        return v, leaves

    return build


def random_graph(size: int) -> Build:
    """A program that is drawn once, and built as often as wanted."""
    binary = [Value.__add__, Value.__sub__, Value.__mul__, Value.__truediv__]
    unary = [Value.tanh, Value.exp, Value.relu]
    numbers, program, outputs = draw(size)

    def build() -> tuple[Value, list[Value]]:
        leaves = [Value(x) for x in numbers]
        nodes = list(leaves)
        append = nodes.append
        for op, i, j in program:
            append(binary[op](nodes[i], nodes[j]) if op < 4 else unary[op - 4](nodes[i]))
        total: Any = nodes[outputs[0]]
        for i in outputs[1:]:
            total = total + nodes[i]
        return total, leaves

    return build


def draw(size: int) -> tuple[list[float], list[tuple[int, int, int]], list[int]]:
    """Leaves, instructions (op, operand, operand) and what is summed up: all that nothing else uses.

    Results stay between 0.01 and 100, so that nothing overflows or vanishes.
    """
    import math

    rng = random.Random(0)
    values = leaves = [rng.uniform(0.5, 1.5) for _ in range(50)]
    values, program, outputs = list(leaves), [], []
    while len(program) + len(outputs) < size:
        pool, unused = list(range(len(leaves))), set()
        for _ in range(min(600, (size - len(program) - len(outputs)) * 2 // 3 + 1)):
            while True:
                op, i, j = rng.randrange(7), rng.choice(pool), rng.choice(pool)
                x, y = values[i], values[j]
                if op < 4:
                    value = x + y if op == 0 else x - y if op == 1 else x * y if op == 2 else x / y
                else:
                    value = math.tanh(x) if op == 4 else math.exp(min(x, 9.0)) if op == 5 else max(x, 0.0)
                if 0.01 < abs(value) < 100:
                    break
            unused -= {i, j} if op < 4 else {i}
            unused.add(len(values))
            pool.append(len(values))
            program.append((op, i, j))
            values.append(value)
        outputs += sorted(unused)
    return leaves, program, outputs


def measure(build: Build, rounds: int) -> tuple[int, dict[str, float]]:
    """Nodes of the graph, and medians of seconds: eager, record, replay. The gradients of replay must be eager's."""

    def eager() -> tuple[Value, list[Value]]:
        found, given = build()
        found.backward()
        return found, given

    root, leaves = eager()
    nodes = len(scalargrad.topological_order(root))
    program = scalargrad.record(root)
    result, gradients = program.value_and_grad()
    by_leaf = dict(zip(program.leaves, gradients, strict=True))
    replayed = [result, *(by_leaf[leaf] for leaf in leaves if leaf in by_leaf)]
    expected = [root.data, *(leaf.grad for leaf in leaves if leaf in by_leaf)]
    compare(f"growth: replay of {nodes} nodes", replayed, expected, TOLERANCE)
    work: dict[str, Callable[[], Any]] = {
        "eager": eager,
        "record": lambda: scalargrad.record(root),
        "replay": program.value_and_grad,
    }
    times: dict[str, list[float]] = {name: [] for name in work}
    gc.collect()
    gc.freeze()
    for _ in range(rounds):
        for name, once in work.items():
            count = max(1, (100_000 if name == "replay" else 10_000) // nodes)
            gc.collect()
            start = time.perf_counter()
            for _ in range(count):
                kept = once()
            times[name].append((time.perf_counter() - start) / count)
            del kept
    gc.unfreeze()
    return nodes, {name: statistics.median(seconds) for name, seconds in times.items()}


def section(rounds: int) -> Section:
    """Cost against size."""
    section = Section("growth: cost a node against the number of nodes", TEXT, "ns")
    sizes = [f"{digits(size)} nodes" for size in SIZES]
    section.table = [["", *sizes, "largest / smallest"]]
    lines: dict[str, list[tuple[float, float]]] = {}
    for kind, draw in (("chain", chain), ("random graph", random_graph)):
        for size in SIZES:
            nodes, seconds = measure(draw(size), min(rounds, 5) if size < 1_000_000 else min(rounds, 3))
            for name, median in seconds.items():
                lines.setdefault(f"{name}, {kind}", []).append((nodes, median / nodes * 1e9))
    for name, line in lines.items():
        costs = [cost for _, cost in line]
        ratio = max(costs) / min(costs)
        section.table.append([name, *(f"{digits(cost)} ns" for cost in costs), digits(ratio)])
        section.bars.append(Bar(f"{name}: cost a node within {FLAT:g} times", f"{digits(ratio)} times", ratio <= FLAT))
    section.plots.append(
        Plot("growth.svg", "Cost of a node against the size of the graph", "nodes", "ns a node", lines)
    )
    return section
