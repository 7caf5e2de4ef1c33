"""A network with one hidden layer, relu, softmax and cross-entropy, trained by gradient descent: every engine's epoch."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import scalargrad
from scalargrad import nn

from .harness import OURS, Engine, Running, Section, agree, best, one_blas_thread, take_turns

if TYPE_CHECKING:
    from .first import First

LR = 0.1
TOLERANCE = 1e-9
TORCH = ("PyTorch eager, 1 thread", "PyTorch eager, its own choice of threads")
NUMPY, JAX = "numpy by hand, 1 thread", "JAX jit"


@dataclass(frozen=True)
class Task:
    """What all engines share: sizes of the network, the size of minibatches, and (inputs, classes) as numpy arrays."""

    inputs: int
    hidden: int
    classes: int
    size: int
    data: Callable[[], tuple[Any, Any]]

    def one_hot(self, classes: Any) -> Any:
        """A row for each class: 1 in its column, else 0."""
        import numpy as np

        return np.eye(self.classes)[classes]

    def model(self) -> nn.MLP:
        """The network as all engines start with it."""
        return nn.MLP(self.inputs, [self.hidden, self.classes], init="he_normal", seed=0)

    def start(self) -> list[Any]:
        """W1 (a row for each neuron), b1, W2, b2."""
        import numpy as np

        arrays = []
        for layer in self.model().layers:
            rows = np.array([[p.data for p in (*neuron.w, neuron.b)] for neuron in layer.neurons])
            arrays += [rows[:, :-1].copy(), rows[:, -1].copy()]
        return arrays

    def cuts(self) -> Iterator[slice]:
        """The minibatches; the last one may be smaller."""
        return (slice(i, i + self.size) for i in range(0, len(self.data()[1]), self.size))


def neuron_by_neuron(arrays: list[Any]) -> list[float]:
    """Parameters in the order of scalargrad's."""
    import numpy as np

    w1, b1, w2, b2 = arrays
    return [*np.column_stack([w1, b1]).ravel().tolist(), *np.column_stack([w2, b2]).ravel().tolist()]


def ours(at: Task) -> Running:
    """The cross-entropy of one sample, its class given as ten numbers, compiled."""
    x, classes = at.data()
    y = at.one_hot(classes)
    network = at.model()

    def cross_entropy(pixels: Any, target: Any) -> Any:
        scores = network(pixels)
        return scalargrad.logsumexp(scores) - scalargrad.dot(target, scores)

    loss = scalargrad.compile(cross_entropy, parameters=network.parameters())
    optimizer = nn.SGD(network.parameters(), lr=LR)
    batches = [(x[cut], y[cut]) for cut in at.cuts()]

    def run(epochs: int) -> float:
        last = 0.0
        with loss.training(optimizer) as step:
            for _ in range(epochs):
                for pixels, target in batches:
                    last = step(pixels, target)
        return last

    return Running(run, lambda: [p.data for p in network.parameters()])


def torch_eager(at: Task, threads: int | None = 1) -> Running:
    """The customary functions, and the fused update of a list of tensors, which is what optim.SGD does inside."""
    import torch

    default = torch.get_num_threads()
    x, y = map(torch.from_numpy, at.data())
    parameters = [torch.from_numpy(a).requires_grad_() for a in at.start()]
    batches = [(x[cut], y[cut]) for cut in at.cuts()]
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


def jax_jit(at: Task) -> Running:
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
    x, y = at.data()
    parameters = list(map(jnp.array, at.start()))
    batches = [(jnp.array(x[cut]), jnp.array(y[cut])) for cut in at.cuts()]

    def run(epochs: int) -> float:
        nonlocal parameters
        last = 0.0
        for _ in range(epochs):
            for pixels, classes in batches:
                parameters, value = compiled_step(parameters, pixels, classes)
                last = float(value)
        return last

    return Running(run, lambda: neuron_by_neuron(parameters))


def numpy_by_hand(at: Task) -> Running:
    """Backpropagation by hand, into preallocated arrays."""
    import numpy as np

    x, classes = at.data()
    w1, b1, w2, b2 = parameters = at.start()
    gradients = g1, gb1, g2, gb2 = [np.empty_like(a) for a in parameters]
    dot, add = np.dot, np.add
    batches = [
        (
            x[cut],
            at.one_hot(classes[cut]),
            *(np.empty((len(x[cut]), m)) for m in (at.hidden, at.classes, at.hidden)),
            len(x[cut]),
        )
        for cut in at.cuts()
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


def section(title: str, text: str, at: Task, rounds: int, seconds: float = 0.1) -> Section:
    """All engines."""
    engines = [
        Engine(OURS, partial(ours, at), ["numpy"]),
        Engine(NUMPY, partial(numpy_by_hand, at), ["numpy"]),
        Engine(JAX, partial(jax_jit, at), ["jax"]),
        Engine(TORCH[0], partial(torch_eager, at), ["torch"]),
        Engine(TORCH[1], partial(torch_eager, at, None), ["torch"]),
    ]
    made = Section(title, text)
    ready = agree(made, engines, 2, TOLERANCE)
    take_turns(made, ready, rounds, seconds)
    return made


def promise_first(made: Section, first: First | None, cold: float, cached: float | None = None) -> None:
    """Add the bars of the time to the first result, in a process of its own."""
    made.below("the first result, with nothing in the cache,", first and first.cold, cold)
    if cached is not None:
        made.below("the first result, machine code from the cache,", first and first.cached, cached)


def fastest_torch(made: Section) -> str:
    """Which of PyTorch's two was faster."""
    return best(made, TORCH)
