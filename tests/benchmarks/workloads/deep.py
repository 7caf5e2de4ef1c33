"""A deep, narrow network, 16 layers of 64 neurons, trained on one sample at a time."""

from __future__ import annotations

import functools
from typing import Any

import scalargrad
from scalargrad import nn

from .classifier import JAX, NUMPY, TORCH, promise_first
from .first import first_of
from .harness import OURS, Engine, Running, Section, agree, one_blas_thread, take_turns

DEPTH, WIDTH, LR, SAMPLES = 16, 64, 0.001, 32
TOLERANCE = 1e-9
TEXT = (
    f"{DEPTH} layers of {WIDTH} neurons with tanh, {DEPTH * WIDTH * (WIDTH + 1):,} parameters, the squared difference from a "
    f"target, gradient descent on one sample after the other: the time of {SAMPLES} steps, each loss read."
).replace(",", " ", 1)


@functools.lru_cache(None)
def data() -> tuple[Any, Any]:
    """Samples of WIDTH numbers and as many targets."""
    import numpy as np

    rng = np.random.default_rng(0)
    return rng.normal(size=(SAMPLES, WIDTH)), rng.uniform(-0.5, 0.5, (SAMPLES, WIDTH))


def model() -> nn.MLP:
    """The network as all engines start with it."""
    return nn.MLP(WIDTH, [WIDTH] * DEPTH, activation="tanh", init="xavier_normal", seed=0)


def start() -> list[Any]:
    """For each layer the weights, a row for each neuron, and the biases."""
    import numpy as np

    arrays = []
    for layer in model().layers:
        rows = np.array([[p.data for p in (*neuron.w, neuron.b)] for neuron in layer.neurons])
        arrays += [rows[:, :-1].copy(), rows[:, -1].copy()]
    return arrays


def neuron_by_neuron(arrays: list[Any]) -> list[float]:
    """Parameters in the order of scalargrad's."""
    import numpy as np

    pairs = zip(arrays[::2], arrays[1::2], strict=True)
    return [x for w, b in pairs for x in np.column_stack([np.asarray(w), np.asarray(b)]).ravel().tolist()]


def ours(count: int = SAMPLES) -> Running:
    """The loss of one sample, compiled; so many samples are gone through."""
    network = model()

    def squares(x: Any, y: Any) -> Any:
        differences = [a - b for a, b in zip(network(x), y, strict=True)]
        return scalargrad.dot(differences, differences)

    loss = scalargrad.compile(squares, parameters=network.parameters())
    optimizer = nn.SGD(network.parameters(), lr=LR)
    x, y = data()
    batches = [(x[i : i + 1], y[i : i + 1]) for i in range(count)]

    def run(epochs: int) -> float:
        last = 0.0
        with loss.training(optimizer) as step:
            for _ in range(epochs):
                for one in batches:
                    last = step(*one)
        return last

    return Running(run, lambda: [p.data for p in network.parameters()])


def numpy_by_hand() -> Running:
    """Products of a matrix and a vector, backpropagation by hand."""
    import numpy as np

    parameters = start()
    weights, biases = parameters[::2], parameters[1::2]
    x, y = data()

    def step(sample: Any, target: Any) -> float:
        outputs = [sample]
        for i, (w, b) in enumerate(zip(weights, biases, strict=True)):
            z = w @ outputs[-1] + b
            outputs.append(np.tanh(z) if i < DEPTH - 1 else z)
        d = outputs[-1] - target
        loss = float(d @ d)
        d = 2.0 * d
        for i in range(DEPTH - 1, -1, -1):
            if i < DEPTH - 1:
                d = d * (1.0 - outputs[i + 1] ** 2)
            back = weights[i].T @ d
            weights[i] -= np.multiply.outer(LR * d, outputs[i])
            biases[i] -= LR * d
            d = back
        return loss

    def run(epochs: int) -> float:
        with one_blas_thread():
            return [step(a, b) for _ in range(epochs) for a, b in zip(x, y, strict=True)][-1]

    return Running(run, lambda: neuron_by_neuron(parameters))


def jax_jit() -> Running:
    """The step in one jit, parameters donated."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        for i in range(DEPTH):
            x = parameters[2 * i] @ x + parameters[2 * i + 1]
            x = jnp.tanh(x) if i < DEPTH - 1 else x
        return jnp.sum((x - y) ** 2)

    def step(parameters: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        return [p - LR * g for p, g in zip(parameters, gradient, strict=True)], value

    compiled_step = jax.jit(step, donate_argnums=0)
    parameters = list(map(jnp.array, start()))
    x, y = data()
    samples = [(jnp.array(a), jnp.array(b)) for a, b in zip(x, y, strict=True)]

    def run(epochs: int) -> float:
        nonlocal parameters
        last = 0.0
        for _ in range(epochs):
            for one in samples:
                parameters, value = compiled_step(parameters, *one)
                last = float(value)
        return last

    return Running(run, lambda: neuron_by_neuron(parameters))


def torch_eager() -> Running:
    """The customary functions, one thread."""
    import torch

    torch.set_num_threads(1)
    parameters = [torch.from_numpy(a).requires_grad_() for a in start()]
    x, y = map(torch.from_numpy, data())

    def step(h: Any, target: Any) -> float:
        for i in range(DEPTH):
            h = torch.nn.functional.linear(h, parameters[2 * i], parameters[2 * i + 1])
            h = h.tanh() if i < DEPTH - 1 else h
        loss = ((h - target) ** 2).sum()
        gradients = torch.autograd.grad(loss, parameters)
        with torch.no_grad():
            torch._foreach_add_(parameters, gradients, alpha=-LR)
        return float(loss.item())

    def run(epochs: int) -> float:
        torch.set_num_threads(1)
        return [step(a, b) for _ in range(epochs) for a, b in zip(x, y, strict=True)][-1]

    return Running(run, lambda: neuron_by_neuron([p.detach().numpy() for p in parameters]))


def section(rounds: int) -> Section:
    """The deep network."""
    engines = [
        Engine(OURS, ours, ["numpy"]),
        Engine(NUMPY, numpy_by_hand, ["numpy"]),
        Engine(JAX, jax_jit, ["jax"]),
        Engine(TORCH[0], torch_eager, ["torch"]),
    ]
    made = Section("deep: 16 layers of 64 neurons, one sample at a time", TEXT)
    take_turns(made, agree(made, engines, 2, TOLERANCE), rounds, 0.05)
    promise_first(made, first_of("deep"), 0.3)
    return made
