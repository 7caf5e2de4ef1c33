"""A function at points near the one being checked: its value, which way it went there, and the numbers it used."""

from __future__ import annotations

import math
from collections.abc import Callable, Hashable, Sequence
from typing import Any, NamedTuple

from scalargrad.engine import Value, topological_order
from scalargrad.node.mode import in_mode
from scalargrad.support.arguments import real
from scalargrad.table.row import HARD, Op


class UnusableError(Exception):
    """The function has no finite value at a sample."""


class Sample(NamedTuple):
    """A function at one point.

    Attributes:
        value: the number.
        way: how it was computed, if that can be seen: every comparison, every operation with its operands' places, and
            its side of kinks.
        constants: the numbers in the graph that no operation made.
        root: the Value that was returned, if it was given Values.
        inputs: these.
    """

    value: float
    way: tuple[Hashable, ...] = ()
    constants: tuple[float, ...] = ()
    root: Value | None = None
    inputs: tuple[Value, ...] = ()


class Sampler:
    """The function, called on numbers near xs.

    Attributes:
        sees_branches: whether it works on Values, so that its kinks can be seen; else it is called with floats.
    """

    def __init__(self, f: Callable[..., Any], xs: Sequence[float]) -> None:
        self._f, self._xs = f, list(xs)
        self._is_tried = False
        self.sees_branches = True
        try:
            self(xs)
        except (TypeError, AttributeError):  # as math.sin of a Value: a function of floats only
            self.sees_branches = False
        except UnusableError:
            pass
        self._is_tried = True

    def __call__(self, xs: Sequence[float]) -> Sample:
        """The function at xs.

        Raises:
            UnusableError: outside the domain, or if the value is inf or nan.
        """
        log: list[int] = []

        def compared(value: Any, _other: Any, _symbol: str, x: float) -> None:
            log.append((value.data > x) - (value.data < x))

        inputs = tuple(map(Value, xs)) if self.sees_branches else ()
        try:
            with in_mode(on_comparison=compared):
                y = self._f(*(inputs or xs))
        except HARD as error:
            raise UnusableError(str(error).splitlines()[0] if str(error) else type(error).__name__) from None
        except (TypeError, LookupError):  # as of a complex root: at the point itself that is an error, elsewhere not
            if not self._is_tried or list(xs) == self._xs:
                raise
            raise UnusableError("the function cannot be called on all numbers near here") from None
        value = y.data if isinstance(y, Value) else real(y, "the result of f")
        if not math.isfinite(value):
            raise UnusableError(f"the function is {value!r} at {', '.join(map(repr, xs))}")
        if not self.sees_branches:
            return Sample(float(value))
        if not isinstance(y, Value):  # a number that f chose, as max(x, 0.0) does
            return Sample(float(value), tuple(log), (float(value),), Value(y, requires_grad=False), inputs)
        way, constants = structure(y, inputs)
        return Sample(float(value), (*log, *way), constants, y, inputs)


def structure(y: Value, inputs: Sequence[Value]) -> tuple[tuple[Hashable, ...], tuple[float, ...]]:
    """How y was computed of the inputs, to be compared; and the other numbers that it was computed of."""
    order = topological_order(y)
    places = {node: i for i, node in enumerate(order)}
    own = set(inputs)
    way: list[Hashable] = []
    constants: list[float] = []
    for node in order:
        op = node._rule
        if node.is_leaf:
            if node in own:
                way.append(inputs.index(node))
            else:
                constants.append(node._data)
            continue
        operands = node.operands
        constants += [a for parent, a in operands if parent is None]
        sides = op.sides([a for _, a in operands]) if isinstance(op, Op) else None
        way.append((op.text, *[None if parent is None else places[parent] for parent, _ in operands]))
        if sides is not None:
            way.append((_SIDE, sides))
    return tuple(way), tuple(constants)


_SIDE = "side"


def kinks_between(here: Sample, there: Sample) -> int:
    """How many kinks and comparisons are on another side there; 1 if it was computed in another way altogether."""
    if len(here.way) != len(there.way):
        return 1
    different = [a for a, b in zip(here.way, there.way, strict=True) if a != b]
    return max(1, sum(type(a) is not tuple or a[0] == _SIDE for a in different)) if different else 0
