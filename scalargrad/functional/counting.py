"""What derivatives cost and where they are zero: operation counts of both modes, the sparsity of a Jacobian."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from scalargrad.engine import Value, topological_order
from scalargrad.functional.call import Argnums, Call, to_differentiate
from scalargrad.node.node import descendants
from scalargrad.support.arguments import brief


class Operations(NamedTuple):
    """How many operations a Jacobian takes.

    Attributes:
        evaluation: operations of the function itself.
        sweeps: forward mode: one for each input; reverse mode: one for each output.
        derivative: multiplications by a local derivative in all sweeps, one for each edge that a sweep walks.
    """

    evaluation: int
    sweeps: int
    derivative: int

    @property
    def total(self) -> int:
        """Evaluation and derivative together."""
        return self.evaluation + self.derivative


def count_operations(f: Callable[..., Any], mode: str = "reverse", argnums: Argnums = 0) -> Callable[..., Operations]:
    """A function that counts what the Jacobian of f costs in 'reverse' or 'forward' mode.

    Reverse mode walks the graph once for each output, forward mode once for each input: for one output and many inputs,
    as a loss and its weights, reverse wins; for one input and many outputs, forward.

    >>> def sum_of_squares(xs):
    ...     return sum(x * x for x in xs)
    >>> xs = [1.0] * 100
    >>> [count_operations(sum_of_squares, mode)(xs).derivative for mode in ("reverse", "forward")]
    [399, 5250]
    """
    f = to_differentiate(f, "count_operations")
    if mode not in ("reverse", "forward"):
        raise ValueError(f"mode must be 'reverse' or 'forward', not {brief(mode)}")

    def count(*args: Any) -> Operations:
        call = Call(f, args, argnums)
        order = topological_order(*call.roots)
        operations = sum(not node.is_leaf for node in order)
        if mode == "forward":
            sweeps = [_edges(descendants(order, [x]), {x}) for x in call.inputs]
        else:
            sweeps = [_edges(descendants(topological_order(y), call.inputs), set(call.inputs)) for y in call.roots]
        return Operations(operations, len(call.inputs) if mode == "forward" else len(call.outputs), sum(sweeps))

    return count


def _edges(nodes: list[Value], sources: set[Value]) -> int:
    """How many edges lead from one of these nodes to another."""
    inside = set(nodes)
    return sum(parent in inside for node in nodes if node not in sources for parent in node.parents)


def sparsity(f: Callable[..., Any], argnums: Argnums = 0) -> Callable[..., Any]:
    """The pattern of the Jacobian: True where an output was computed from an input, in the structure of `jacobian`.

    >>> sparsity(lambda xs: [x.relu() for x in xs])([1.0, -1.0])
    [[True, False], [False, True]]
    """
    f = to_differentiate(f, "sparsity")

    def pattern(*args: Any) -> Any:
        call = Call(f, args, argnums)
        rows = []
        for output in call.outputs:
            below = set(topological_order(output)) if isinstance(output, Value) else set()
            rows.append(call.shaped(x in below for x in call.inputs))
        return call.rebuild_output(iter(rows))

    return pattern
