"""The workloads that `compiled.py` runs, by name."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from . import calls, deep, digits, gpt_step, growth, moons_step, rosenbrock, sine_fit, unrolled, wide

if TYPE_CHECKING:
    from .harness import Section

WORKLOADS: dict[str, Callable[[int], Section]] = {
    "W1": moons_step.relu,
    "W1-tanh": moons_step.tanh,
    "W5": sine_fit.section,
    "unrolled": unrolled.section,
    "W6-gradient": rosenbrock.gradient_section,
    "W6-hessian": rosenbrock.hessian_section,
    "digits": digits.full_batch,
    "digits-32": digits.minibatches,
    "784-128-10": wide.step,
    "deep": deep.section,
    "GPT": gpt_step.section,
    "calls": calls.section,
    "growth": growth.section,
}
