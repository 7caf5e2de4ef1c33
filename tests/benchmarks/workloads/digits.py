"""Digits: a 64-32-10 network on scikit-learn's 1797 pictures of 8x8 pixels, full batch and minibatches."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from functools import partial
from typing import Any

import scalargrad
from scalargrad import nn

from .harness import OURS, Engine, MissingError, Running, Section, agree, best, one_blas_thread, take_turns

LR = 0.1
HIDDEN, CLASSES, PIXELS = 32, 10, 64
TOLERANCE = 1e-9
BATCH = 32
TORCH = ("PyTorch eager, 1 thread", "PyTorch eager, its own choice of threads")
TEXT = (
    "A 64-32-10 network with relu, 2 410 parameters, softmax and cross-entropy on the 1 797 digits of scikit-learn, pixels "
    "divided by 16, gradient descent, {how}: the time of an epoch, each loss read. The order of the samples is the same for "
    "all and never changes; they start with the same float64 parameters."
)


@functools.lru_cache(None)
def data() -> tuple[Any, Any]:
    """Pixels between 0 and 1, and classes; numpy arrays.

    Raises:
        MissingError: without scikit-learn, which has the pictures.
    """
    try:
        from sklearn.datasets import load_digits
    except ImportError:
        raise MissingError("scikit-learn is not installed") from None
    found = load_digits()
    return found.data / 16, found.target


def one_hot(classes: Any) -> Any:
    """A row for each class: 1 in its column, else 0."""
    import numpy as np

    return np.eye(CLASSES)[classes]


def model() -> nn.MLP:
    """The network as all engines start with it."""
    return nn.MLP(PIXELS, [HIDDEN, CLASSES], init="he_normal", seed=0)


def start() -> list[Any]:
    """W1 (a row for each neuron), b1, W2, b2."""
    import numpy as np

    arrays = []
    for layer in model().layers:
        rows = np.array([[p.data for p in (*neuron.w, neuron.b)] for neuron in layer.neurons])
        arrays += [rows[:, :-1].copy(), rows[:, -1].copy()]
    return arrays


def neuron_by_neuron(arrays: list[Any]) -> list[float]:
    """Parameters in the order of scalargrad's."""
    import numpy as np

    w1, b1, w2, b2 = arrays
    return [*np.column_stack([w1, b1]).ravel().tolist(), *np.column_stack([w2, b2]).ravel().tolist()]


def cuts(size: int) -> Iterator[slice]:
    """The minibatches; the last one may be smaller."""
    return (slice(i, i + size) for i in range(0, len(data()[1]), size))


def ours(size: int) -> Running:
    """The cross-entropy of one sample, its class given as ten numbers, compiled."""
    x, classes = data()
    y = one_hot(classes)
    network = model()

    def cross_entropy(pixels: Any, target: Any) -> Any:
        scores = network(pixels)
        return scalargrad.logsumexp(scores) - scalargrad.dot(target, scores)

    loss = scalargrad.compile(cross_entropy, parameters=network.parameters())
    optimizer = nn.SGD(network.parameters(), lr=LR)
    batches = [(x[cut], y[cut]) for cut in cuts(size)]

    def run(epochs: int) -> float:
        last = 0.0
        with loss.training(optimizer) as step:
            for _ in range(epochs):
                for pixels, target in batches:
                    last = step(pixels, target)
        return last

    return Running(run, lambda: [p.data for p in network.parameters()])


def torch_eager(size: int, threads: int | None = 1) -> Running:
    """The customary functions, and the fused update of a list of tensors, which is what optim.SGD does inside."""
    import torch

    default = torch.get_num_threads()
    x, y = map(torch.from_numpy, data())
    parameters = [torch.from_numpy(a).requires_grad_() for a in start()]
    batches = [(x[cut], y[cut]) for cut in cuts(size)]
    linear, cross_entropy = torch.nn.functional.linear, torch.nn.functional.cross_entropy

    def epoch() -> float:
        w1, b1, w2, b2 = parameters
        last = 0.0
        for pixels, classes in batches:
            loss = cross_entropy(linear(linear(pixels, w1, b1).relu(), w2, b2), classes)
            gradients = torch.autograd.grad(loss, parameters)
            with torch.no_grad():
                torch._foreach_add_(parameters, gradients, alpha=-LR)
            last = loss.item()
        return float(last)

    def run(epochs: int) -> float:
        torch.set_num_threads(threads or default)
        return [epoch() for _ in range(epochs)][-1]

    return Running(run, lambda: neuron_by_neuron([p.detach().numpy() for p in parameters]))


def jax_jit(size: int) -> Running:
    """The whole step in one jit, parameters donated; compiled again for the smaller last minibatch."""
    import jax
    import jax.numpy as jnp

    jax.config.update("jax_enable_x64", True)

    def loss(parameters: Any, x: Any, y: Any) -> Any:
        w1, b1, w2, b2 = parameters
        scores = jax.nn.relu(x @ w1.T + b1) @ w2.T + b2
        right = jnp.take_along_axis(scores, y[:, None], 1)[:, 0]
        return jnp.mean(jax.scipy.special.logsumexp(scores, axis=1) - right)

    def step(parameters: Any, x: Any, y: Any) -> Any:
        value, gradient = jax.value_and_grad(loss)(parameters, x, y)
        return [p - LR * g for p, g in zip(parameters, gradient, strict=True)], value

    compiled_step = jax.jit(step, donate_argnums=0)
    x, y = data()
    parameters = list(map(jnp.array, start()))
    batches = [(jnp.array(x[cut]), jnp.array(y[cut])) for cut in cuts(size)]

    def run(epochs: int) -> float:
        nonlocal parameters
        last = 0.0
        for _ in range(epochs):
            for pixels, classes in batches:
                parameters, value = compiled_step(parameters, pixels, classes)
                last = float(value)
        return last

    return Running(run, lambda: neuron_by_neuron(parameters))


def numpy_by_hand(size: int) -> Running:
    """Backpropagation by hand, into preallocated arrays."""
    import numpy as np

    x, classes = data()
    w1, b1, w2, b2 = parameters = start()
    gradients = g1, gb1, g2, gb2 = [np.empty_like(a) for a in parameters]
    dot, add = np.dot, np.add
    batches = [
        (x[cut], one_hot(classes[cut]), *(np.empty((len(x[cut]), m)) for m in (HIDDEN, CLASSES, HIDDEN)), len(x[cut]))
        for cut in cuts(size)
    ]

    def train(epochs: int) -> float:
        loss = 0.0
        for _ in range(epochs):
            for pixels, target, h, scores, d, n in batches:
                dot(pixels, w1.T, out=h)
                add(h, b1, out=h)
                np.maximum(h, 0.0, out=h)
                dot(h, w2.T, out=scores)
                add(scores, b2, out=scores)
                np.subtract(scores, scores.max(1, keepdims=True), out=scores)
                right = float(np.vdot(scores, target))
                np.exp(scores, out=scores)
                sums = scores.sum(1, keepdims=True)
                loss = (float(np.log(sums).sum()) - right) / n
                np.divide(scores, sums, out=scores)
                np.subtract(scores, target, out=scores)
                np.multiply(scores, LR / n, out=scores)
                dot(scores.T, h, out=g2)
                scores.sum(0, out=gb2)
                dot(scores, w2, out=d)
                np.multiply(d, h > 0.0, out=d)
                dot(d.T, pixels, out=g1)
                d.sum(0, out=gb1)
                for p, g in zip(parameters, gradients, strict=True):
                    np.subtract(p, g, out=p)
        return loss

    def run(epochs: int) -> float:
        with one_blas_thread():
            return train(epochs)

    return Running(run, lambda: neuron_by_neuron(parameters))


def _section(title: str, how: str, size: int, rounds: int) -> Section:
    engines = [
        Engine(OURS, partial(ours, size), ["numpy"]),
        Engine("numpy by hand, 1 thread", partial(numpy_by_hand, size), ["numpy"]),
        Engine("JAX jit", partial(jax_jit, size), ["jax"]),
        Engine(TORCH[0], partial(torch_eager, size), ["torch"]),
        Engine(TORCH[1], partial(torch_eager, size, None), ["torch"]),
    ]
    section = Section(title, TEXT.format(how=how))
    ready = agree(section, engines, 2, TOLERANCE)
    take_turns(section, ready, rounds, 0.1)
    section.slower(best(section, TORCH), 2)
    section.below("first epoch, recording and compiling included,", getattr(section.rows.get(OURS), "first", None), 3)
    return section


def full_batch(rounds: int) -> Section:
    """One step an epoch."""
    return _section("digits: full batch", "all samples in one batch", 1797, rounds)


def minibatches(rounds: int) -> Section:
    """57 steps an epoch."""
    return _section("digits-32: minibatches of 32", f"minibatches of {BATCH}", BATCH, rounds)
