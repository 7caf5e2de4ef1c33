"""W1: one training step of micrograd's moons demo, with relu and with tanh, and its cost against the batch size."""

from __future__ import annotations

from functools import partial

from . import moons_arrays as arrays
from . import moons_graphs as graphs
from .classifier import promise_first
from .first import first_of
from .harness import OURS, Engine, Plot, Section, agree, best, take_turns
from .moons_data import Task, task

TOLERANCE = 1e-9
CHECKED_STEPS = 4
SAMPLES = (10, 30, 100, 300, 1000, 3000, 10_000)
TORCH = ("PyTorch eager, 1 thread", "PyTorch eager, its own choice of threads")
MICROGRAD = "micrograd"
TEXT = (
    "A 2-16-16-1 network with {activation}, 337 parameters, 100 samples, mean hinge loss + 1e-4 times the sum of squared "
    "parameters: loss, gradient and an update by gradient descent. Every engine starts with the same float64 parameters "
    "and hands each loss to Python as a float, except where its name says otherwise. micrograd makes single steps, "
    "its garbage collected in between; inside a loop it is slower. numpy and C are backpropagation written by hand: "
    "numpy on one thread, without allocations, biases as weights of a row of ones and all parameters in one array; C vectorised over "
    "the batch, compiled with -O3 -march=native -ffast-math and called once a step."
)


def engines(at: Task) -> list[Engine]:
    """The engines whose cost hardly grows with the graph, ours first."""
    return [
        Engine(OURS, partial(graphs.scalargrad_compiled, at), ["numpy"]),
        Engine("numpy by hand", partial(arrays.numpy_by_hand, at), ["numpy"]),
        Engine("C by hand", partial(arrays.c_by_hand, at), ["numpy"]),
        Engine("JAX jit", partial(arrays.jax_jit, at), ["jax"]),
        Engine(TORCH[0], partial(arrays.torch_eager, at), ["torch"]),
    ]


def others(at: Task) -> list[Engine]:
    """The rest."""
    return [
        Engine("JAX jit, no loss read", partial(arrays.jax_jit, at, read=False), ["jax"]),
        Engine("JAX jit, the loop inside too", partial(arrays.jax_jit, at, loop=True), ["jax"]),
        Engine(TORCH[1], partial(arrays.torch_eager, at, threads=None), ["torch"]),
        Engine("PyTorch, nn.Sequential and optim.SGD", partial(arrays.torch_eager, at, customary=True), ["torch"]),
        Engine("HIPS autograd, arrays", partial(arrays.hips_autograd, at), ["autograd"]),
        Engine("CasADi, SX virtual machine", partial(graphs.casadi_vm, at), ["casadi"]),
        Engine("heyoka", partial(graphs.heyoka, at), ["heyoka"]),
        Engine("scalargrad, not compiled", partial(graphs.scalargrad_eager, at)),
        Engine(MICROGRAD, partial(graphs.micrograd, at), ["micrograd"]),
        Engine("micrograd, collector off", partial(graphs.micrograd, at, collector=False), ["micrograd"]),
    ]


def relu(rounds: int) -> Section:
    """W1."""
    section = _step("W1: moons training step", "relu", rounds)
    section.faster(MICROGRAD, 10_000)
    section.faster("JAX jit", 3)
    section.faster("JAX jit, no loss read", 2.8)
    section.faster("numpy by hand", 2.8)
    section.faster(best(section, TORCH), 15)
    section.slower("C by hand", 1.3)
    promise_first(section, first_of("W1"), 0.1, 0.05)
    section.plots.append(_against_samples())
    return section


def tanh(rounds: int) -> Section:
    """W1 with tanh in place of relu."""
    section = _step("W1-tanh: the same with tanh", "tanh", rounds)
    section.faster("JAX jit", 2)
    section.faster("JAX jit, no loss read", 2)
    section.faster("numpy by hand", 1)
    return section


def _step(title: str, activation: str, rounds: int) -> Section:
    at = task(activation=activation)
    section = Section(title, TEXT.format(activation=activation), "µs")
    take_turns(section, agree(section, [*engines(at), *others(at)], CHECKED_STEPS, TOLERANCE), rounds)
    return section


def _against_samples(rounds: int = 5) -> Plot:
    """The step's time against the number of samples."""
    lines: dict[str, list[tuple[float, float]]] = {}
    for samples in SAMPLES:
        section = Section(f"W1 with {samples} samples", "")
        ready = agree(section, engines(task(samples)), CHECKED_STEPS, TOLERANCE)
        take_turns(section, ready, rounds, 0.02)
        for name, row in section.rows.items():
            lines.setdefault(name, []).append((samples, row.median * 1e6))
    return Plot("moons-step.svg", "A training step of the 2-16-16-1 network", "samples", "µs a step", lines)
