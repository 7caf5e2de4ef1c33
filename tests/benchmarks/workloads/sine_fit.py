"""W5: the Legendre sine fit, in full: y = a + b P3(c + d x) through 2000 points of sin x, 2000 steps."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable

import scalargrad
from scalargrad import Value, nn

from . import sine_engines as by
from .harness import OURS, Engine, Running, Section, agree, compare, take_turns
from .sine_engines import LR, START, XS, YS, p3

STEPS = 2000
FINAL_LOSS = 8.9436433559605  # of the lecture, computed in float64; the loss before the last step
TOLERANCE = 1e-9
TEXT = (
    "y = a + b P3(c + d x), P3(u) = (5 u³ - 3 u) / 2, is fitted to sin x at 2000 points by 2000 steps of gradient descent "
    "on the sum of squared errors. The table gives the mean time of a step in such a fit, each loss handed to Python as a "
    "float. All engines end with the loss 8.9436433559605; micrograd makes single steps only."
)


def ours() -> Running:
    """The fit as a user of scalargrad writes it."""
    import numpy as np

    parameters = [Value(start, label=name, parameter=True) for name, start in zip("abcd", START, strict=True)]
    a, b, c, d = parameters
    loss = scalargrad.compile(lambda x, y: (a + b * p3(c + d * x) - y) ** 2, parameters=parameters, reduction="sum")
    optimizer = nn.SGD(parameters, lr=LR)
    x, y = np.array(XS), np.array(YS)

    def run(steps: int) -> float:
        last = 0.0
        with loss.training(optimizer) as step:
            for _ in range(steps):
                last = step(x, y)
        return last

    return Running(run, lambda: [p.data for p in parameters])


ENGINES = [
    Engine(OURS, ours, ["numpy"]),
    Engine("numpy by hand", by.numpy_by_hand, ["numpy"]),
    Engine("C by hand", by.c_by_hand, ["numpy"]),
    Engine("JAX jit", by.jax_jit, ["jax"]),
    Engine("PyTorch eager, 1 thread", by.torch_eager, ["torch"]),
    Engine("HIPS autograd, arrays", by.hips_autograd, ["autograd"]),
    Engine("CasADi, SX virtual machine", by.casadi_vm, ["casadi"]),
    Engine("heyoka", by.heyoka, ["heyoka"]),
    Engine("micrograd", by.micrograd, ["micrograd"]),
]


def section(rounds: int) -> Section:
    """W5."""
    section = Section("W5: Legendre sine fit", TEXT, "µs")
    ready = agree(section, ENGINES, 3, TOLERANCE)
    for engine in ENGINES:
        if engine.name in ready and engine.name != "micrograd":
            fit = engine.prepare()
            compare(f"W5, {STEPS} steps of {engine.name}", [fit.run(STEPS)], [FINAL_LOSS], TOLERANCE)
    if OURS in ready:
        whole = statistics.median(map(_fit_again, [ours] * rounds))
        section.below(f"all {STEPS} steps, recorded before,", whole, 0.2)
    take_turns(section, ready, rounds)
    return section


def _fit_again(prepare: Callable[[], Running]) -> float:
    """The seconds that a full fit takes, after one step that has recorded and compiled."""
    fit = prepare()
    fit.run(1)
    begin = time.perf_counter()
    fit.run(STEPS)
    return time.perf_counter() - begin
