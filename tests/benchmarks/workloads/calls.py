"""Around the machine code: entering and leaving a training, and calls that hand over lists."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import scalargrad
from scalargrad import nn

from . import digits, moons_data
from .harness import Section
from .harness import digits as shown

TEXT = (
    "What Python does around the machine code: entering and leaving a training with the network of the digits, beside the "
    "one step that it makes; and `value_and_grad` of W1, which gives loss and 337 gradients of 100 samples. Times are the least."
)


def least(work: Callable[[], Any], rounds: int, count: int = 20) -> float:
    """Seconds of one call."""
    best = float("inf")
    for _ in range(3 * rounds):
        start = time.perf_counter()
        for _ in range(count):
            work()
        best = min(best, (time.perf_counter() - start) / count)
    return best


def section(rounds: int) -> Section:
    """All of it."""
    import numpy as np

    made = Section("calls: around the machine code", TEXT)
    network = digits.FULL.model()
    parameters = network.parameters()
    loss = scalargrad.compile(
        lambda x, y: scalargrad.logsumexp(network(x)) - scalargrad.dot(y, network(x)), parameters=parameters
    )
    optimizer = nn.SGD(parameters, lr=0.0)
    rng = np.random.default_rng(0)
    x, y = rng.random((32, 64)), np.eye(10)[rng.integers(0, 10, 32)]

    def with_a_step() -> None:
        with loss.training(optimizer) as step:
            step(x, y)

    with_a_step()
    at = moons_data.task()
    model = at.model()
    hinge = scalargrad.compile(
        lambda x, y: scalargrad.relu(1 - y * model(x)) + nn.l2_penalty(model, moons_data.ALPHA),
        parameters=model.parameters(),
    )
    given = np.array(at.x), np.array(at.y, float)
    hinge.value_and_grad(*given)
    with loss.training(optimizer) as step:
        step(x, y)
        inside = least(lambda: step(x, y), rounds)
    around = max(0.0, least(with_a_step, rounds) - inside)
    lists = least(lambda: hinge.value_and_grad(*given), rounds)
    numbers, gradient = np.array([p.data for p in model.parameters()]), np.empty(len(model.parameters()))
    bound = least(hinge.bind(*given, parameters=numbers, out=gradient), rounds)
    in_arrays = "loss and gradients of W1, arrays bound"
    entered, loss_and_gradients = (
        "a training of 2 410 parameters entered and left",
        "`value_and_grad` of W1, giving lists",
    )
    made.table = [
        ["", "µs"],
        [f"{entered}, beside its one step", shown(around * 1e6)],
        [loss_and_gradients, shown(lists * 1e6)],
        [in_arrays, shown(bound * 1e6)],
    ]
    made.within(entered, around, 0.1e-3)
    made.within(loss_and_gradients, lists, 32e-6)
    made.within(in_arrays, bound, 20e-6)
    return made
