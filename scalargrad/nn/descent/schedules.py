"""Learning-rate schedules: functions from the number of steps made so far (0, 1, 2, ...) to a learning rate.

Give one to `fit(..., schedule=)`, or use it by hand: `optimizer.lr = schedule(k)`. Any function of one integer will do.
Those here are made of rates and factors that are finite and not negative, else they raise ValueError.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from scalargrad.nn.arguments.inputs import count
from scalargrad.support.arguments import real

Schedule = Callable[[int], float]


def constant_lr(lr: float) -> Schedule:
    """Return the schedule that always gives lr."""
    _not_negative(lr=lr)
    return lambda step: lr


def linear_lr(start: float, end: float, steps: int) -> Schedule:
    """Return start - (start - end) * k / steps, which reaches end after `steps` steps and stays there.

    micrograd's demo, 1.0 - 0.9 * k / 100, is `linear_lr(1.0, 0.1, 100)`.

    >>> schedule = linear_lr(1.0, 0.1, 100)
    >>> schedule(0), schedule(50), schedule(1000)
    (1.0, 0.55, 0.1)
    """
    _not_negative(start=start, end=end)
    count(steps, "steps", "linear_lr(1.0, 0.1, 100)")
    return lambda step: start - (start - end) * step / steps if step < steps else end


def step_lr(lr: float, every: int, factor: float = 0.1) -> Schedule:
    """Return lr * factor**(k // every): a drop by a factor every so many steps.

    >>> step_lr(1.0, every=10, factor=0.5)(25)
    0.25
    """
    _not_negative(lr=lr, factor=factor)
    count(every, "every", "step_lr(1.0, every=10)")
    return lambda step: lr * _power(factor, step // every)


def exponential_lr(lr: float, factor: float) -> Schedule:
    """Return lr * factor**k.

    >>> exponential_lr(1.0, 0.5)(3)
    0.125
    """
    _not_negative(lr=lr, factor=factor)
    return lambda step: lr * _power(factor, step)


def cosine_lr(start: float, steps: int, end: float = 0.0) -> Schedule:
    """Return end + (start - end) * (1 + cos(pi * k / steps)) / 2, reaching end after `steps` steps.

    It stays there. Source: Loshchilov and Hutter, SGDR: stochastic gradient descent with warm restarts, 2017, eq. 5,
    without restarts.

    >>> cosine_lr(1.0, 100)(50)
    0.5
    """
    _not_negative(start=start, end=end)
    count(steps, "steps", "cosine_lr(1.0, 100)")
    return lambda step: end + (start - end) * (1 + math.cos(math.pi * min(step, steps) / steps)) / 2


def inverse_time_lr(lr: float, rate: float) -> Schedule:
    """Return lr / (1 + rate * k).

    >>> inverse_time_lr(1.0, 0.5)(2)
    0.5
    """
    _not_negative(lr=lr, rate=rate)
    return lambda step: lr / (1 + rate * step)


def _power(factor: float, n: int) -> float:
    """The factor to the power of n; inf where that is too large, which an optimizer refuses as its lr."""
    try:
        return float(factor) ** n
    except OverflowError:
        return math.inf


def _not_negative(**numbers: float) -> None:
    for name, x in numbers.items():
        if not 0 <= real(x, name) < math.inf:
            raise ValueError(f"{name} must be finite and not negative, not {x!r}")
