"""The moons loss built out of elementary + and *, micrograd's way: a graph of 65 000 nodes, recorded and replayed."""

from __future__ import annotations

import statistics
import time
from functools import partial
from typing import Any

import scalargrad
from scalargrad import Value

from . import moons_graphs as graphs
from .harness import OURS, Engine, Running, Section, agree, digits, take_turns
from .moons_data import ALPHA, PARAMETERS, Task, layers, neuron_by_neuron, task

TOLERANCE = 1e-9
EAGER = "scalargrad, not compiled"
REPLAYED = "scalargrad.replay, Values updated in Python"
TEXT = (
    "The loss of W1 as a graph of {nodes} Values, each of one addition, product or relu, as micrograd builds it. Measured "
    "is one forward and backward pass at given parameters. scalargrad records the graph of one Value and replays it; CasADi "
    "evaluates an SX function of loss and gradient, called through its buffers; the eager engines build the graph each "
    "time. Recording the graph took {record} s, the first replay, which prepares gradients and machine code, {first} s more. "
    "The row of `scalargrad.replay` is the loop of micrograd's demo, with the gradient set to zero and parameters updated "
    "by Python loops."
)


def elementary_loss(at: Task, model: Any) -> Any:
    """The loss as in micrograd's demo, the penalty included."""
    losses = [(1 + -yi * score).relu() for yi, score in zip(at.y, map(model, at.x), strict=True)]
    return sum(losses) * (1.0 / len(losses)) + ALPHA * sum(p * p for p in model.parameters())


def recorded(at: Task) -> Running:
    """The graph of the loss, replayed."""
    model = at.model(fused=False)
    program = scalargrad.record(elementary_loss(at, model))
    order = {leaf: i for i, leaf in enumerate(program.leaves)}
    places = [order[p] for p in model.parameters()]
    found: Any = None

    def run(passes: int) -> float:
        nonlocal found
        for _ in range(passes):
            found = program.value_and_grad()
        return found[0]

    return Running(run, lambda: [found[1][i] for i in places])


def replayed(at: Task) -> Running:
    """micrograd's loop, one line more."""
    model = at.model(fused=False)
    parameters = model.parameters()
    loss = scalargrad.replay(lambda: elementary_loss(at, model))

    def run(passes: int) -> float:
        lr, total = 0.0, None  # so that all passes see the same parameters, as the other engines' do
        for _ in range(passes):
            total = loss()
            for p in parameters:
                p.grad = 0.0
            total.backward()
            for p in parameters:
                p.data -= lr * p.grad
        return total.data

    return Running(run, lambda: [p.grad for p in parameters])


def eager(at: Task) -> Running:
    """The graph built and swept each time."""
    model = at.model(fused=False)
    parameters = model.parameters()

    def once() -> float:
        total = elementary_loss(at, model)
        for p in parameters:
            p.grad = 0.0
        total.backward()
        return total.data

    return Running(lambda passes: [once() for _ in range(passes)][-1], lambda: [p.grad for p in parameters])


def micrograd(at: Task) -> Running:
    """The same in micrograd."""
    import micrograd.nn

    model = micrograd.nn.MLP(2, [16, 16, 1])
    parameters = model.parameters()
    for p, number in zip(parameters, at.start(), strict=True):
        p.data = number

    def once() -> float:
        total = elementary_loss(at, model)
        model.zero_grad()
        total.backward()
        return total.data

    return Running(lambda passes: [once() for _ in range(passes)][-1], lambda: [p.grad for p in parameters])


def casadi_vm(at: Task) -> Running:
    """Loss and gradient as one SX function, run by CasADi's virtual machine."""
    import casadi
    import numpy as np

    p = casadi.SX.sym("p", PARAMETERS)
    loss = graphs.casadi_loss(at, p)
    both = casadi.Function("both", [p], [loss, casadi.gradient(loss, p)])
    numbers, value = np.concatenate([a.ravel() for a in layers(at.start())]), np.zeros(1)
    gradient = np.zeros(PARAMETERS)
    buffer, trigger = both.buffer()
    buffer.set_arg(0, memoryview(numbers))
    buffer.set_res(0, memoryview(value))
    buffer.set_res(1, memoryview(gradient))

    def run(passes: int) -> float:
        for _ in range(passes):
            trigger()
        return float(value[0])

    return Running(run, lambda: neuron_by_neuron(gradient), holds=(buffer, numbers))


ENGINES = [
    (EAGER, eager, ""),
    (OURS, recorded, ""),
    (REPLAYED, replayed, ""),
    ("CasADi, SX virtual machine", casadi_vm, "casadi"),
    ("micrograd", micrograd, "micrograd"),
]


def section(rounds: int) -> Section:
    """The unrolled graph of W1."""
    at = task()
    loss = elementary_loss(at, at.model(fused=False))
    record, first = _recording(loss, rounds)
    text = TEXT.format(
        nodes=digits(len(scalargrad.topological_order(loss))), record=digits(record), first=digits(first)
    )
    section = Section("unrolled: the moons loss out of additions and products", text)
    engines = [Engine(name, partial(prepare, at), [module] if module else []) for name, prepare, module in ENGINES]
    ready = agree(section, engines, 1, TOLERANCE)
    take_turns(section, ready, rounds)
    section.below("the graph recorded", record, 0.5)
    section.below("the graph recorded and replayed for the first time", record + first, 0.5)
    section.faster("micrograd", 1000)
    section.faster("CasADi, SX virtual machine", 1.5)
    return section


def _recording(loss: Value, rounds: int) -> tuple[float, float]:
    """Medians of the seconds that recording takes, and the first replay after it."""
    record, first = [], []
    for _ in range(min(rounds, 5)):
        start = time.perf_counter()
        program = scalargrad.record(loss)
        record.append(time.perf_counter() - start)
        program.value_and_grad()
        first.append(time.perf_counter() - start - record[-1])
    return statistics.median(record), statistics.median(first)
