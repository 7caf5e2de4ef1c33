"""`trace`: from a Value to the steps that compute it and its gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import overload

from scalargrad.engine import Value
from scalargrad.tracing.steps import Step, record_steps


class Trace(Sequence[Step]):
    """The steps of a forward and a backward pass, in order. Jupyter shows it as a stepper, `print` as a table.

    Attributes:
        graph: what the steps share: root, order, names and gradients.

    >>> from scalargrad import Value, trace
    >>> x, y = Value(3.0, label='x'), Value(2.0, label='y')
    >>> f = x * y + x
    >>> f.label = 'f'
    >>> steps = trace(f)
    >>> len(steps), steps[5].text
    (9, '∂f/∂v1 += ∂f/∂f · ∂f/∂v1 = 1 × 1 = 1')
    """

    def __init__(self, value: Value, seed: float = 1.0, *, expand: bool = False) -> None:
        if not isinstance(value, Value):
            raise TypeError(f"trace takes a Value, the output of a graph, not {type(value).__name__}")
        self.graph, self._steps = record_steps(value, seed, expand)

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    def __repr__(self) -> str:
        root = self.graph.root
        return f"<trace of {self.graph.names[root]}: {len(self.graph.order)} values, {len(self)} steps>"


def trace(value: Value, seed: float = 1.0, *, expand: bool = False) -> Trace:
    """Record every step of forward and backward propagation. No `grad` is touched.

    Args:
        value: the output of the graph.
        seed: the gradient to start from.
        expand: whether fused nodes, as sum, dot and logsumexp, are traced as the elementary nodes they stand for.

    Returns:
        A Trace: a step for each value in topological order, one for the seed, then one for each edge.

    Raises:
        TypeError: if `value` is not a Value.
        ValueError: as `backward()`, if there is nothing to differentiate.
    """
    return Trace(value, seed, expand=expand)
