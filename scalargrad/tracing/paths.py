"""`explain`: a derivative as the sum, over all paths through the graph, of the products of local derivatives."""

from __future__ import annotations

import math
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING, Any

from scalargrad.arguments import whole
from scalargrad.console import Text, printable
from scalargrad.drawing.graph import counted, grouped
from scalargrad.engine import Value, gradients
from scalargrad.formula import display_names
from scalargrad.tracing import path_wording
from scalargrad.tracing.between import Between, Edge

if TYPE_CHECKING:
    from scalargrad.notation import Latex


class TooManyPathsError(ValueError):
    """There are more paths than `max_paths`; the message names calls that work.

    Attributes:
        count: how many paths there are.
        edges: how many edges lie on them: what backpropagation needs for the same derivative.
        split: a Value that all paths pass, with at most `max_paths` paths on either side; None if there is none.
    """

    def __init__(self, message: str, count: int, edges: int, split: Value | None) -> None:
        super().__init__(message)
        self.count = count
        self.edges = edges
        self.split = split


@dataclass(frozen=True, eq=False)
class Path:
    """One way from a Value to the output, with what flows along it.

    Attributes:
        nodes: the Values it passes, from the Value to the output.
        edges: its edges, from the output back, as the chain rule writes them.
        factors: the local derivative of each edge, in the same order.
        product: their product, 1.0 if there is none.
    """

    nodes: tuple[Value, ...]
    edges: tuple[Edge, ...]
    factors: tuple[float, ...]
    product: float


@dataclass(frozen=True, eq=False, repr=False)
class Explanation:
    """A derivative by its paths. `print` shows it as text, Jupyter typeset.

    Attributes:
        output: the Value that is differentiated.
        wrt: the Value it is differentiated with respect to.
        paths: every path from `wrt` to the output.
        total: the sum of their products.
        gradient: the same derivative as the engine's sweep computes it.
        edge_count: how many edges lie on the paths: how many products the sweep needs.
        names: a name for every Value of the graph.
    """

    output: Value
    wrt: Value
    paths: tuple[Path, ...]
    total: float
    gradient: float
    edge_count: int
    names: dict[Value, str]

    @cached_property
    def text(self) -> str:
        """A line for each path, their sum, and the local derivatives they are made of."""
        return Text(path_wording.explanation_text(self))

    @cached_property
    def latex(self) -> Latex:
        """The same sum as LaTeX, that Jupyter shows typeset."""
        return path_wording.explanation_latex(self)

    @property
    def agrees(self) -> bool:
        """Whether total and gradient are equal up to rounding, or both nan.

        They differ if a product overflows that the sweep never forms, and where a hand-written closure does anything
        but multiply what reaches it.
        """
        if not (math.isfinite(self.total) and math.isfinite(self.gradient)):
            return self.total == self.gradient or (math.isnan(self.total) and math.isnan(self.gradient))
        size = sum(abs(path.product) for path in self.paths)
        return abs(self.total - self.gradient) <= 1e-9 * size

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        return f"<explanation of {path_wording.answer(self)}: {counted(len(self.paths), 'path')}>"

    def _repr_latex_(self) -> str:
        return self.latex._repr_latex_()

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """What Jupyter shows: LaTeX and text."""
        return {"text/latex": self._repr_latex_(), "text/plain": self.text}


def explain(y: Value, wrt: Value, *, max_paths: int = 100) -> Explanation:
    """The derivative of y, path by path: the chain rule written out. No `grad` is touched.

    Every path from `wrt` to y through the graph contributes the product of the local derivatives along it. `a * a` is
    two paths. Backpropagation computes the same sum, but takes each edge only once.

    Args:
        y: the output.
        wrt: the Value to differentiate with respect to; any Value, computed or not.
        max_paths: how many paths at most. They are counted before the first is walked.

    Returns:
        An Explanation: `paths`, their `total`, the `gradient` of the sweep, `text` and `latex`. Without any path the
        total is 0.0, and the text says so; of y with respect to itself there is one path without edges, and it is 1.0.

    Raises:
        TypeError: if y or wrt is not a Value, or max_paths no integer.
        TooManyPathsError: a ValueError, if there are more paths; it names calls that work.
        ValueError: as `backward()`, if there is nothing to differentiate; if max_paths is less than 1.

    >>> x, w = Value(2.0, label='x'), Value(3.0, label='w')
    >>> y = x * w + x * x
    >>> y.label = 'y'
    >>> print(explain(y, wrt=x))
    dy/dx = 7, the sum over 3 paths
    1. x → v1 → y:  ∂y/∂v1 · ∂v1/∂x = 1 × 3 = 3
    2. x (operand 1) → v2 → y:  ∂y/∂v2 · ∂v2/∂x = 1 × 2 = 2
    3. x (operand 2) → v2 → y:  ∂y/∂v2 · ∂v2/∂x = 1 × 2 = 2
    sum: 3 + 2 + 2 = 7
    <BLANKLINE>
    where
    v1 = x × w:  ∂v1/∂x = w = 3
    v2 = x × x:  ∂v2/∂x = x = 2 (operand 1), ∂v2/∂x = x = 2 (operand 2)
    y = v1 + v2:  ∂y/∂v1 = 1, ∂y/∂v2 = 1
    """
    for name, given in (("y", y), ("wrt", wrt)):
        if not isinstance(given, Value):
            raise TypeError(f"explain: {name} must be a Value, not {type(given).__name__}: explain(y, wrt=x)")
    max_paths = whole(max_paths, "max_paths", "explain(y, wrt=x, max_paths=100)")
    between = Between(wrt, y)
    names = display_names(dict.fromkeys([*between.order, *between.nodes, wrt]))
    count = between.count()
    if count > max_paths:
        raise _too_many(between, count, max_paths, names)
    gradient = gradients([y], [1.0]).get(wrt, 0.0)
    paths, total = [], 0.0
    for edges in between.paths():
        factors = tuple(edge.local for edge in edges)
        path = Path((wrt, *(edge.child for edge in reversed(edges))), edges, factors, math.prod(factors, start=1.0))
        paths.append(path)
        total += path.product
    return Explanation(y, wrt, tuple(paths), total, gradient, between.edge_count, names)


def _too_many(between: Between, count: int, limit: int, names: dict[Value, str]) -> TooManyPathsError:
    """An error with calls that work: their numbers of paths are counted here."""
    x, y, n = names[between.start], names[between.end], between.edge_count
    message = (
        f"{_size(count)} paths lead from {x} to {y}; the limit is max_paths={limit}. Backpropagation needs "
        f"{counted(n, 'edge')} for the same number: see scalargrad.trace({_argument(between.end, names, 'y')})"
    )
    found = between.split(limit)
    if found:
        (split, before), after = found
        middle = _argument(split, names, "error.split")
        start, end = _argument(between.start, names, "x"), _argument(between.end, names, "y")
        where = names[split] if middle == names[split] else f"{names[split]}, the `split` of this error"
        message += (
            f". Or in two parts, as every path passes {where}: explain({end}, wrt={middle}) has "
            f"{counted(after, 'path')}, explain({middle}, wrt={start}) has {counted(before, 'path')}; "
            "the derivative is the product of the two"
        )
    return TooManyPathsError(message + ".", count, n, found[0].value if found else None)


def _argument(value: Value, names: dict[Value, str], default: str) -> str:
    """How a call would write the Value: its label, if that could be a variable."""
    return names[value] if value.label == names[value] and value.label.isidentifier() else default


def _size(count: int) -> str:
    """A count in grouped digits; beyond 30 of them, their number: Python refuses to write thousands of digits."""
    return grouped(count) if count < 10**30 else f"about 10^{int(count.bit_length() * math.log10(2))}"
