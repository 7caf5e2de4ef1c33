"""Programs without dense layers, and with hardly any: whether the search for layers makes them slower.

    python tests/benchmarks/without_structure.py               a table: each program with the search and without it
    python tests/benchmarks/without_structure.py --rounds 5    fewer turns (15)

Both ways run in one process by turns, and must agree to 1e-12 before they are timed. "ready" is the time from the
function to its first result without the search, machine code compiled; "step" that of a training step over 200 samples,
then with the search. Times are the least of the turns, of the processor; ratios are those with the search to those without.
"""

from __future__ import annotations

import argparse
import math
import os
import random
import sys
import time
from collections.abc import Callable
from importlib import import_module
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from compiling_helpers import random_function

import scalargrad as sg
from scalargrad import Value, nn

SAMPLES, FEATURES = 200, 12
TOLERANCE = 1e-12
BATCH_PROGRAM: Any = import_module("scalargrad.compiling.batch_program")
os.environ["SCALARGRAD_CACHE"] = "off"
Loss = Callable[[Any], Any]
Program = tuple[Loss, list[Value]]


def _leaves(count: int, seed: int = 0) -> list[Value]:
    rng = random.Random(seed)
    return [Value(rng.uniform(-0.8, 0.8)) for _ in range(count)]


def polynomial() -> Program:
    """Of one number, by Horner's rule."""
    ws = _leaves(30)

    def loss(x: Any) -> Any:
        y: Any = ws[0]
        for w in ws[1:]:
            y = y * x[0] + w
        return (y - x[1]) ** 2

    return loss, ws


def recurrence() -> Program:
    """A network of one cell."""
    ws = _leaves(3)

    def loss(x: Any) -> Any:
        h: Any = 0.0
        for a in x:
            h = sg.tanh(ws[0] * h + ws[1] * a + ws[2])
        return h * h

    return loss, ws


def pendulum() -> Program:
    """Twenty steps of an integrator."""
    ws = _leaves(2)

    def loss(x: Any) -> Any:
        angle, speed = x[0], x[1]
        for _ in range(20):
            speed = speed - 0.05 * (ws[0] * sg.sin(angle) + ws[1] * speed)
            angle = angle + 0.05 * speed
        return (angle - x[2]) ** 2

    return loss, ws


def mixture() -> Program:
    """Of four normal distributions in all dimensions."""
    ws = _leaves(8 * FEATURES)

    def loss(x: Any) -> Any:
        parts = []
        for k in range(4):
            means, scales = ws[2 * k * FEATURES :][:FEATURES], ws[(2 * k + 1) * FEATURES :][:FEATURES]
            terms = [((a - m) * sg.exp(s)) ** 2 + s for a, m, s in zip(x, means, scales, strict=True)]
            parts.append(-0.5 * sg.sum(terms))
        return -sg.logsumexp(parts)

    return loss, ws


def prototypes() -> Program:
    """The nearest of ten points."""
    ws = _leaves(10 * FEATURES)

    def loss(x: Any) -> Any:
        return sg.min([
            sg.sum([(a - w) * (a - w) for a, w in zip(x, ws[k * FEATURES :][:FEATURES], strict=True)]) for k in range(10)
        ])  # fmt: skip

    return loss, ws


def one_neuron() -> Program:
    """Logistic regression."""
    ws = _leaves(FEATURES + 1)
    return lambda x: sg.softplus(sg.dot(ws[1:], x, ws[0])), ws


def neurons_of_their_own() -> Program:
    """Each reads products of its own."""
    ws = _leaves(10 * FEATURES)

    def loss(x: Any) -> Any:
        rows = [ws[k * FEATURES :][:FEATURES] for k in range(10)]
        return sg.logsumexp([sg.dot(row, [a * x[k] for a in x]) for k, row in enumerate(rows)])

    return loss, ws


def scaled_products() -> Program:
    """Sums of w * x * c, from the left."""
    ws = _leaves(20 * FEATURES + 1)

    def loss(x: Any) -> Any:
        rows = [ws[k * FEATURES :][:FEATURES] for k in range(20)]
        return sg.logsumexp([sum(w * a * ws[-1] for w, a in zip(row, x, strict=True)) for row in rows])

    return loss, ws


def pairs() -> Program:
    """A weight for each pair of features."""
    ws = _leaves(FEATURES * FEATURES)

    def loss(x: Any) -> Any:
        return sg.tanh(sg.sum([w * x[i % FEATURES] * x[i // FEATURES] for i, w in enumerate(ws)]))

    return loss, ws


def form() -> Program:
    """A quadratic form: rows, and then a sum of products that differ from sample to sample."""
    ws = _leaves(FEATURES * FEATURES)

    def loss(x: Any) -> Any:
        return sg.tanh(sg.dot(x, [sg.dot(ws[k * FEATURES :][:FEATURES], x) for k in range(FEATURES)]))

    return loss, ws


def gates() -> Program:
    """Two rows for each of many gates, of two numbers each: short sums, much else."""
    ws = _leaves(12 * 25)

    def loss(x: Any) -> Any:
        a, b = x[0], x[1]
        for k in range(25):
            u = ws[12 * k :][:12]
            a, b = (
                sg.sigmoid(u[0] * a + u[1] * b + u[2]) * sg.tanh(u[3] * a + u[4] * b + u[5]),
                sg.sigmoid(u[6] * a + u[7] * b + u[8]) + sg.tanh(u[9] * a + u[10] * b + u[11]) * b,
            )
        return a * a + b * b

    return loss, ws


def small_network() -> Program:
    """2-4-1: too few products for blocks."""
    model = nn.MLP(2, [4, 1], seed=0)
    return lambda x: (model(x[:2]) - x[2]) ** 2, model.parameters()


def convolution() -> Program:
    """Three weights at each position."""
    ws = _leaves(3)

    def loss(x: Any) -> Any:
        out = [sg.relu(sg.dot(ws, x[k : k + 3])) for k in range(FEATURES - 2)]
        return sg.dot(out, out)

    return loss, ws


def transcendental() -> Program:
    """exp, log, sin and roots of each number."""
    ws = _leaves(4 * FEATURES)

    def loss(x: Any) -> Any:
        u = [ws[k * FEATURES :][:FEATURES] for k in range(4)]
        terms = [
            sg.exp(a * x_) + sg.log(x_ * x_ + b * b + 1.0) + sg.sin(c + x_) + sg.sqrt(d * d + x_ * x_ + 0.1)
            for a, b, c, d, x_ in zip(*u, x, strict=True)
        ]
        return sg.sum(terms)

    return loss, ws


def penalty() -> Program:
    """Little of the sample, and a long sum of squares of parameters."""
    ws = _leaves(400)
    return lambda x: (ws[0] * x[0] + ws[1]) ** 2 + 0.01 * sg.dot(ws, ws), ws


def drawn(seed: int) -> Program:
    """A random function of numbers and leaves."""
    ws, f = _leaves(5, seed), random_function(seed, operations=60)
    return lambda x: sg.tanh(f(*x[:5], *ws)), ws


PROGRAMS: dict[str, Callable[[], Program]] = {
    made.__name__.replace("_", " "): made
    for made in (
        polynomial, recurrence, pendulum, mixture, prototypes, one_neuron, neurons_of_their_own, scaled_products, pairs,
        form, gates, small_network, convolution, transcendental, penalty,
    )
}  # fmt: skip
PROGRAMS |= {f"random {seed}": (lambda seed=seed: drawn(seed)) for seed in range(8)}  # type: ignore[misc]


class Way:
    """A program, compiled with the search or without, and a training of it.

    Attributes:
        ready: how long it took to the first result.
        searched: how much of it the search took.
    """

    def __init__(self, program: Program, batch: Any, search: bool) -> None:
        loss, parameters = program
        structured, self.searched = BATCH_PROGRAM.structured, 0.0

        def timed(*given: Any) -> Any:
            start = time.thread_time()
            found = structured(*given) if search else None
            self.searched = time.thread_time() - start
            return found

        BATCH_PROGRAM.structured = timed
        try:
            start = time.thread_time()
            self.compiled = sg.compile(loss, parameters=parameters, backend="llvm")
            self.found = self.compiled.value_and_grad(batch)
            self.ready = time.thread_time() - start
        finally:
            BATCH_PROGRAM.structured = structured
        self.layers = max(0, len(str(self.compiled).splitlines()) - 3)
        self._batch = batch
        self._training = self.compiled.training(nn.SGD(parameters, lr=0.0))
        self._step = self._training.__enter__()

    def step(self, count: int) -> float:
        """The time of one of so many steps."""
        step, batch = self._step, self._batch
        start = time.thread_time()
        for _ in range(count):
            step(batch)
        return (time.thread_time() - start) / count


def measure(name: str, rounds: int) -> list[str]:
    """The line of a program."""
    import numpy as np

    rng = random.Random(1)
    batch: Any = np.array([[rng.uniform(-1, 1) for _ in range(FEATURES)] for _ in range(SAMPLES)])
    ways = [Way(PROGRAMS[name](), batch, search) for search in (False, True)]  # machine code is compiled for the first
    expected, found = ([way.found[0], *way.found[1]] for way in ways)
    largest = max(map(abs, expected))
    if not all(abs(a - b) <= TOLERANCE * max(largest, abs(b)) for a, b in zip(found, expected, strict=True)):
        raise SystemExit(f"{name}: the two ways do not agree")
    ready, layers = ways[0].ready, ways[1].layers
    searched = min(Way(PROGRAMS[name](), batch, True).searched for _ in range(max(3, rounds // 3)))
    count = max(1, round(0.01 / ways[0].step(3)))
    times = [math.inf, math.inf]
    for turn in range(rounds):
        for k in (turn % 2, 1 - turn % 2):
            times[k] = min(times[k], ways[k].step(count))
    return [
        name, str(layers or "none"), f"{ready * 1e3:.1f}", f"{searched * 1e3:.2f}", f"{1 + searched / ready:.3f}",
        f"{times[0] * 1e6:.1f}", f"{times[1] * 1e6:.1f}", f"{times[1] / times[0]:.3f}",
    ]  # fmt: skip


def main() -> None:
    """All programs."""
    from workloads.report import aligned

    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=15, help="turns of each way (15)")
    options = parser.parse_args()
    table = [["program", "layers", "ready, ms", "search, ms", "ratio", "step, µs", "searched, µs", "ratio"]]
    table += [measure(name, options.rounds) for name in PROGRAMS]
    print(aligned(table))
    for column, what in ((4, "ready"), (7, "step")):
        ratios = [float(line[column]) for line in table[1:]]
        middle = math.exp(math.fsum(map(math.log, ratios)) / len(ratios))
        print(f"{what}: {middle:.3f} times on the average, {max(ratios):.3f} at most, of {len(ratios)} programs")


if __name__ == "__main__":
    main()
