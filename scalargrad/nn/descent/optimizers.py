"""Optimizers: how parameters follow their gradients downhill.

Formulas, names and defaults are PyTorch's; only SGD's learning rate is 0.01 where nothing is said, not 0.001.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

from scalargrad.nn.descent.memories import Memories
from scalargrad.nn.descent.resuming import changes, flag, fraction, not_negative, pair, positive, progress_of
from scalargrad.nn.descent.step_watch import StepWatch
from scalargrad.nn.modules.module import ZERO, Module, parameters_of
from scalargrad.nn.modules.states import set_all
from scalargrad.node.numbers import number_in, plain_gradient
from scalargrad.ops import sqrt
from scalargrad.support.spelling import explained

if TYPE_CHECKING:
    from scalargrad.engine import Value
    from scalargrad.nn.modules.resumable import State


class Optimizer(ABC):
    """The base of the optimizers: subclasses give the rule for one parameter in `update`.

    The rule is a formula, without `if` on its numbers and with `scalargrad.sqrt` for roots: a compiled training step
    runs it once on Values.

    A step computes every new number before it writes the first: if anything raises, nothing has changed. Parameters
    with `requires_grad=False` are left alone. A gradient that is nan or inf is used as it is, and of one that is a
    Value, after `backward(create_graph=True)`, its number.

    A step that uses gradients a second time, as where zero_grad was forgotten, or gradients that no backward() has
    written, issues a `TrainingWarning`, once for each optimizer.

    A subclass with more settings than lr and weight_decay lists in `settings` those that `state_dict()` is to hold, and
    with running averages that are never negative in `squares` which.

    Args:
        parameters: the Values to train, as `model.parameters()`, or a Module; each is updated once per step.
        lr: the learning rate; may be assigned at any time.
        weight_decay: adds weight_decay * p to each gradient, as does a penalty weight_decay / 2 * p**2; in AdamW it is
            no part of the gradient.

    Attributes:
        parameters: the list of Values.
        steps: how many steps were made.
        warns: whether it issues a TrainingWarning; assign False to hear none.

    Raises:
        TypeError: if parameters are not Values.
        ValueError: if there is none, one was computed from others, or a number is out of range.
    """

    averages = 0
    """How many numbers `update` remembers of each parameter."""
    moving: ClassVar[tuple[str, ...]] = ("_lr",)
    """The attributes that `update` reads and that change between steps. (A compiled step reads them anew each time.)"""
    squares: ClassVar[tuple[int, ...]] = ()
    """Which of the averages are of squares, and so never negative."""
    progress: ClassVar[tuple[str, ...]] = (
        "parameters", "steps", "warns", "_states", "_counts", "_memories", "_watch",
    )  # fmt: skip
    """The attributes that are no settings."""
    warns: bool = True
    settings: ClassVar[Mapping[str, Callable[[Any, str], Any]]] = {"lr": not_negative, "weight_decay": not_negative}
    """The attributes that a user chooses, each with the function (given, name) that checks and returns it."""

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
        self.weight_decay = not_negative(weight_decay, "weight_decay")
        self.steps = 0
        self._states: Sequence[State] = [(0.0,) * self.averages] * len(self.parameters)
        self._counts = [0] * len(self.parameters)  # how many of the steps moved each parameter
        self._memories = Memories()
        self._watch = StepWatch()

    @property
    def lr(self) -> float:
        """The learning rate: how far a step goes."""
        return self._lr

    @lr.setter
    def lr(self, lr: float) -> None:
        self._lr = not_negative(lr, "lr")

    def zero_grad(self) -> None:
        """Set every parameter's `grad` to 0.0."""
        for parameter in self.parameters:
            parameter.grad = ZERO

    def step(self) -> None:
        """Move every parameter once, by its gradient.

        Warns:
            TrainingWarning: if no backward() came before, or zero_grad was forgotten.
        """
        moving, numbers, states, counts = [], [], list(self._states), list(self._counts)
        prepared = 0
        marks = self._watch.take_marks()
        for i, parameter in enumerate(self.parameters):
            if parameter.requires_grad:
                counts[i] += 1
                if counts[i] != prepared:
                    prepared = counts[i]
                    self._prepare(prepared)
                data, states[i] = self.decayed_update(number_in(parameter), plain_gradient(parameter), states[i])
                moving.append(parameter)
                numbers.append(data)
        if self.warns:
            self._watch.look(moving, marks, type(self).__name__)
        self._commit(moving, numbers, states, counts, self.steps + 1)
        self._watch.mark(moving)

    def decayed_update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """As `update`, weight decay included."""
        return self.update(p, g + self.weight_decay * p if self.weight_decay else g, state)

    @abstractmethod
    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """Return a parameter's new number and state, from its number, its gradient and its state."""

    def snapshot(self) -> Callable[[], None]:
        """Return a function that puts parameters, state and step counts back to what they are now."""
        numbers = [parameter.data for parameter in self.parameters]
        states, counts, steps = self._states, self._counts, self.steps
        return lambda: self._commit(self.parameters, numbers, states, counts, steps)

    def state_dict(self) -> dict[str, Any]:
        """Return all that makes the next steps what they are, but for parameters and gradients: a copy, fit for JSON.

        "kind" is the name of the class, "steps" how many steps were made, "settings" what the user chose, lr among it,
        "counts" by how many steps each parameter was moved, and "averages" the running averages: for each kind of them
        a list with one for each parameter. Inside a compiled training, the Values are brought up to date first.

        >>> from scalargrad import Value
        >>> p = Value(1.0)
        >>> (p * p).backward()
        >>> optimizer = SGD([p], lr=0.25, momentum=0.5)
        >>> optimizer.step()
        >>> state = optimizer.state_dict()
        >>> state["steps"], state["settings"]["momentum"], state["counts"], state["averages"]
        (1, 0.5, [1], [[2.0]])
        """
        self._memories.settle()
        return progress_of(self)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Take over what `state_dict()` of an optimizer of the same kind gave, settings included.

        The parameters keep their numbers; they are matched by their order. Everything is checked before the first
        thing is set: on an error nothing has changed.

        Raises:
            ValueError: if it is of another kind or of another number of parameters, or a number is out of range.
            TypeError: if it, or an entry, is of the wrong type.
        """
        new = changes(self, state)
        self._memories.settle()
        set_all(new)
        self._memories.read_again()

    @property
    def _steps_by_update(self) -> bool:
        """Whether a step is no more than `update` for each parameter: a subclass may define another."""
        return type(self).step is Optimizer.step

    @property
    def _prepares(self) -> bool:
        """Whether a step depends on how many there were before it."""
        return type(self)._prepare is not Optimizer._prepare

    def _prepare(self, t: int) -> None:  # noqa: B027  (most have nothing to prepare)
        """Compute what the parameters share that are moved for the t-th time, counted from 1."""

    def _fit_together(self) -> None:  # noqa: B027  (most settings do not depend on each other)
        """Raise ValueError if the settings, each right by itself, do not go together."""

    def _commit(
        self, parameters: list[Value], numbers: list[float], states: Sequence[State], counts: list[int], steps: int
    ) -> None:
        set_all([
            *((parameter, "_data", x) for parameter, x in zip(parameters, numbers, strict=True)),
            (self, "_states", states), (self, "_counts", counts), (self, "steps", steps),
        ])  # fmt: skip

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
    settings: ClassVar = {**Optimizer.settings, "momentum": fraction, "nesterov": flag}

    @explained("SGD(model.parameters(), lr=0.01)")
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
        self.momentum = fraction(momentum, "momentum")
        self.nesterov = flag(nesterov, "nesterov")
        self._fit_together()

    def _fit_together(self) -> None:
        if self.nesterov and not self.momentum:
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
    squares: ClassVar = (0,)
    settings: ClassVar = {**Optimizer.settings, "eps": positive}

    @explained("Adagrad(model.parameters(), lr=0.01)")
    def __init__(
        self, parameters: Module | Iterable[Value], lr: float = 0.01, *, eps: float = 1e-10, weight_decay: float = 0.0
    ) -> None:
        super().__init__(parameters, lr, weight_decay)
        self.eps = positive(eps, "eps")

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of Adagrad."""
        s = state[0] + g * g
        return p - self._lr * g / (sqrt(s) + self.eps), (s,)


class RMSprop(Optimizer):
    """s = alpha * s + (1 - alpha) * g**2, p = p - lr * g / (sqrt(s) + eps); momentum as in SGD.

    Source: Tieleman and Hinton, Neural networks for machine learning, lecture 6.5, 2012.
    """

    averages = 2
    squares: ClassVar = (0,)
    settings: ClassVar = {**Optimizer.settings, "alpha": fraction, "eps": positive, "momentum": fraction}

    @explained("RMSprop(model.parameters(), lr=0.01)")
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
        self.alpha = fraction(alpha, "alpha")
        self.eps = positive(eps, "eps")
        self.momentum = fraction(momentum, "momentum")

    def update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """One step of RMSprop."""
        s = self.alpha * state[0] + (1 - self.alpha) * g * g
        v = self.momentum * state[1] + g / (sqrt(s) + self.eps)
        return p - self._lr * v, (s, v)

    def _settings(self) -> dict[str, Any]:
        return {**super()._settings(), "alpha": self.alpha, "momentum": self.momentum}


class Adam(Optimizer):
    """Follows running averages of gradient and squared gradient, both corrected for starting at 0.

    m = beta1 * m + (1 - beta1) * g and s = beta2 * s + (1 - beta2) * g**2; in a parameter's own step t (from 1),
    p = p - lr * (m / (1 - beta1**t)) / (sqrt(s / (1 - beta2**t)) + eps).

    Source: Kingma and Ba, Adam: a method for stochastic optimization, 2015, algorithm 1.
    """

    averages = 2
    moving = ("_lr", "_step_size", "_root_correction")
    squares: ClassVar = (1,)
    settings: ClassVar = {**Optimizer.settings, "betas": pair, "eps": positive}

    @explained("Adam(model.parameters(), lr=0.01)")
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
        self.betas = pair(betas, "betas")
        self.eps = positive(eps, "eps")

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

    @explained("AdamW(model.parameters(), lr=0.01)")
    def __init__(
        self,
        parameters: Module | Iterable[Value],
        lr: float = 0.001,
        *,
        betas: tuple[float, float] = (0.9, 0.999),
        eps: float = 1e-8,
        weight_decay: float = 0.01,
    ) -> None:
        super().__init__(parameters, lr, betas=betas, eps=eps, weight_decay=weight_decay)

    def decayed_update(self, p: float, g: float, state: State) -> tuple[float, State]:
        """Adam's step on the plain gradient, from a parameter that has moved towards 0."""
        return self.update(p * (1 - self._lr * self.weight_decay), g, state)


OPTIMIZERS: dict[str, type[Optimizer]] = {
    "sgd": SGD,
    "adagrad": Adagrad,
    "rmsprop": RMSprop,
    "adam": Adam,
    "adamw": AdamW,
}
"""Every optimizer by name."""
