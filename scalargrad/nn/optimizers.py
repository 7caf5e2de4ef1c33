"""Optimizers: how parameters follow their gradients downhill.

Formulas, names and defaults are PyTorch's; only SGD's learning rate is 0.01 where nothing is said, not 0.001.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.arguments import brief, items, real
from scalargrad.behaviour import number_in
from scalargrad.nn.module import Module, parameters_of
from scalargrad.ops import sqrt

if TYPE_CHECKING:
    from scalargrad.engine import Value

State = tuple[float, ...]
"""What an optimizer remembers of one parameter: running averages, all starting at 0."""


class Optimizer(ABC):
    """The base of the optimizers: subclasses give the rule for one parameter in `update`.

    The rule is a formula, without `if` on its numbers and with `scalargrad.sqrt` for roots: a compiled training step
    runs it once on Values.

    A step computes every new number before it writes the first: if anything raises, nothing has changed. Parameters
    with `requires_grad=False` are left alone. A gradient that is nan or inf is used as it is.

    Args:
        parameters: the Values to train, as `model.parameters()`, or a Module; each is updated once per step.
        lr: the learning rate; may be assigned at any time.
        weight_decay: adds weight_decay * p to each gradient, as does a penalty weight_decay / 2 * p**2.

    Attributes:
        parameters: the list of Values.
        steps: how many steps were made.

    Raises:
        TypeError: if parameters are not Values.
        ValueError: if there is none, one was computed from others, or a number is out of range.
    """

    averages = 0
    """How many numbers `update` remembers of each parameter."""
    moving: ClassVar[tuple[str, ...]] = ("_lr",)
    """The attributes that `update` reads and that change between steps. (A compiled step reads them anew each time.)"""

    def __init__(self, parameters: Module | Iterable[Value], lr: float, weight_decay: float = 0.0) -> None:
        who = type(self).__name__
        self.parameters = list(dict.fromkeys(parameters_of(parameters, who)))
        if not self.parameters:
            raise ValueError(f"{who} has no parameters to train: give model.parameters()")
        for i, parameter in enumerate(self.parameters):
            if not parameter.is_leaf:
                raise ValueError(
                    f"{who}: parameter {i}, {parameter!r}, was computed from others: only leaves are trained"
                )
        self.lr = lr
        self.weight_decay = _within(weight_decay, "weight_decay", 0.0)
        self.steps = 0
        self._states: list[State] = [(0.0,) * self.averages] * len(self.parameters)

    @property
    def lr(self) -> float:
        """The learning rate: how far a step goes."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = _within(lr, "lr", 0.0)

    def zero_grad(self) -> None:
        """Set every parameter's `grad` to 0.0."""
        for parameter in self.parameters:
            parameter.grad = 0.0

    def step(self) -> None:
        """Move every parameter once, by its gradient."""
        self._prepare(self.steps + 1)
        moving, numbers, states = [], [], list(self._states)
        for i, parameter in enumerate(self.parameters):
            if parameter.requires_grad:
                data, states[i] = self.decayed_update(number_in(parameter), parameter.grad, states[i])
                moving.append(parameter)
                numbers.append(data)
        self._commit(moving, numbers, states, self.steps + 1)

    def decayed_update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """As `update`, weight decay included."""
        return self.update(p, g + self.weight_decay * p if self.weight_decay else g, state)

    @abstractmethod
    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """Return a parameter's new number and state, from its number, its gradient and its state."""

    def snapshot(self) -> Callable[[], None]:
        """Return a function that puts parameters, state and step count back to what they are now."""
        numbers, states, steps = [parameter.data for parameter in self.parameters], self._states, self.steps
        return lambda: self._commit(self.parameters, numbers, states, steps)

    def _prepare(self, t: int) -> None:  # noqa: B027  (most have nothing to prepare)
        """Compute what all parameters share in step t, counted from 1."""

    def _commit(self, parameters: list[Value], numbers: list[float], states: list[State], steps: int) -> None:
        # A deque drains the iterator inside one call of the interpreter, where no signal is handled: Ctrl-C falls
        # before the whole update or after it.
        count = len(parameters)
        objects: list[Any] = [*parameters, self, self]
        names = ["_data"] * count + ["_states", "steps"]
        deque(map(setattr, objects, names, [*numbers, states, steps]), maxlen=0)

    def _settings(self) -> dict[str, Any]:
        return {"lr": self.lr, "weight_decay": self.weight_decay}

    def __repr__(self) -> str:
        settings = ", ".join(f"{name}={value!r}" for name, value in self._settings().items() if value)
        return f"{type(self).__name__}({len(self.parameters)} parameters, {settings})"


class SGD(Optimizer):
    """Gradient descent, with momentum if asked: v = momentum * v + g, p = p - lr * v.

    Args:
        parameters: as in Optimizer, as are lr and weight_decay.
        momentum: how much of the last direction is kept, from 0 to below 1.
        nesterov: looks ahead along the momentum: p = p - lr * (g + momentum * v). Source: Sutskever, Martens, Dahl and
            Hinton, On the importance of initialization and momentum in deep learning, 2013.

    >>> from scalargrad import Value
    >>> p = Value(1.0)
    >>> (p * p).backward()
    >>> SGD([p], lr=0.25).step()
    >>> p.data
    0.5
    """

    averages = 1

    def __init__(
        self,
        parameters: Module | Iterable[Value],
        lr: float = 0.01,
        *,
        momentum: float = 0.0,
        nesterov: bool = False,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.momentum = _within(momentum, "momentum", 0.0, 1.0)
        self.nesterov = nesterov
        if nesterov and not momentum:
            raise ValueError("nesterov looks ahead along the momentum, so it needs one: give momentum=0.9, say")

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of gradient descent."""
        if not self.momentum:
            return p - self._lr * g, state
        v = self.momentum * state[0] + g
        return p - self._lr * (g + self.momentum * v if self.nesterov else v), (v,)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "momentum": self.momentum, "nesterov": self.nesterov}


class Adagrad(Optimizer):
    """s = s + g**2, p = p - lr * g / (sqrt(s) + eps): rarely moved parameters move further.

    Source: Duchi, Hazan and Singer, Adaptive subgradient methods for online learning and stochastic optimization, 2011.
    """

    averages = 1

    def __init__(
        self, parameters: Module | Iterable[Value], lr: float = 0.01, *, eps: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.eps = _positive(eps)

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of Adagrad."""
        s = state[0] + g * g
        return p - self._lr * g / (sqrt(s) + self.eps), (s,)


class RMSprop(Optimizer):
    """s = alpha * s + (1 - alpha) * g**2, p = p - lr * g / (sqrt(s) + eps); momentum as in SGD.

    Source: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012.
    """

    averages = 2

    def __init__(
        self,
        parameters: Module | Iterable[Value],
        lr: float = 0.01,
        *,
        alpha: float = 0.99,
        eps: float = 1e-8,
        momentum: float = 0.0,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.alpha = _within(alpha, "alpha", 0.0, 1.0)
        self.eps = _positive(eps)
        self.momentum = _within(momentum, "momentum", 0.0, 1.0)

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of RMSprop."""
        s = self.alpha * state[0] + (1 - self.alpha) * g * g
        v = self.momentum * state[1] + g / (sqrt(s) + self.eps)
        return p - self._lr * v, (s, v)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "alpha": self.alpha, "momentum": self.momentum}


class Adam(Optimizer):
    """Follows running averages of gradient and squared gradient, both corrected for starting at 0.

    m = beta1 * m + (1 - beta1) * g and s = beta2 * s + (1 - beta2) * g**2; in step t (from 1),
    p = p - lr * (m / (1 - beta1**t)) / (sqrt(s / (1 - beta2**t)) + eps).

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1.
    """

    averages = 2
    moving = ("_lr", "_step_size", "_root_correction")

    def __init__(
        self,
        parameters: Module | Iterable[Value],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.0,
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        found = items(betas, "betas", "(0.9, 0.999)")
        if len(found) != 2:
            raise ValueError(f"betas must be two numbers, as in (0.9, 0.999), not {brief(betas)}")
        self.betas = (
            _within(found[0], "the first of betas", 0.0, 1.0),
            _within(found[1], "the second of betas", 0.0, 1.0),
        )
        self.eps = _positive(eps)

    def _prepare(self, t: int) -> None:
        self._step_size = self._lr / (1 - self.betas[0] ** t)
        self._root_correction = math.sqrt(1 - self.betas[1] ** t)

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of Adam."""
        beta1, beta2 = self.betas
        m = beta1 * state[0] + (1 - beta1) * g
        s = beta2 * state[1] + (1 - beta2) * g * g
        return p - self._step_size * m / (sqrt(s) / self._root_correction + self.eps), (m, s)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "betas": self.betas}


class AdamW(Adam):
    """Adam with decoupled weight decay: p = p - lr * weight_decay * p first, then Adam's step on the plain gradient.

    Source: Loshchilov and Hutter, Decoupled weight decay regularization, 2019, algorithm 2.
    """

    def __init__(
        self,
        parameters: Module | Iterable[Value],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps)
        self.decoupled_decay = _within(weight_decay, "weight_decay", 0.0)

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of AdamW."""
        return super().update(p * (1 - self._lr * self.decoupled_decay), g, state)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "weight_decay": self.decoupled_decay}


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Every optimizer by name."""


def _within(x: float, name: str, low: float, high: float = math.inf) -> float:
    """Return x as a float, if low <= x < high."""
    x = real(x, name)
    if not low <= x < high:
        bounds = f"at least {low:g}" + (f" and below {high:g}" if high < math.inf else " and finite")
        raise ValueError(f"{name} must be {bounds}, not {x!r}")
    return x


def _positive(eps: float) -> float:
    eps = real(eps, "eps")
    if not 0 < eps < math.inf:
        raise ValueError(f"eps keeps a division by zero away, so it must be positive and finite, not {eps!r}")
    return eps
