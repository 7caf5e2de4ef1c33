"""A gate at its place in a graph: the wires that it reads and drives, and the Value that stands for it."""

from __future__ import annotations

import copy
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from scalargrad.circuit.gates import Gate
from scalargrad.engine import Value
from scalargrad.support.arguments import real
from scalargrad.support.labels import clean_label


class Node(NamedTuple):
    """A gate at its place.

    Attributes:
        gate: the gate.
        inputs: the wires that it reads.
        output: the wire that it drives.
    """

    gate: Any
    inputs: tuple[str, ...]
    output: str

    def forward(self, inputs: Sequence[float]) -> float:
        """What the gate's forward returns, a number.

        Raises:
            TypeError: if it returns anything else.
        """
        return real(self.gate.forward(*inputs), f"what {type(self.gate).__name__}.forward returns")

    def backward(self, dz: float) -> Sequence[float]:
        """What the gate's backward returns: a gradient for each input.

        Raises:
            ValueError: if it returns no list, or more or fewer.
            TypeError: if one of them is no number.
        """
        found = self.gate.backward(dz)
        if not isinstance(found, (list, tuple)) or len(found) != len(self.inputs):
            given = f"{len(found)} of them" if isinstance(found, (list, tuple)) else repr(found)
            raise ValueError(
                f"{type(self.gate).__name__}.backward must return a list of {len(self.inputs)} gradients, for "
                f"{', '.join(map(clean_label, self.inputs))}, not {given}"
            )
        what = f"each gradient that {type(self.gate).__name__}.backward returns"
        return [real(d, what) for d in found]

    def value(self, parents: Sequence[Value], z: float) -> Value:
        """A Value over these parents with the gate's number z: of the gate's op, or with the gate as its closure."""
        gate = self.gate
        if isinstance(gate, Gate):
            operands: list[tuple[Value | None, float]] = [(parent, parent.data) for parent in parents]
            for i in sorted(gate.constants):
                operands.insert(i, (None, gate.constants[i]))
            made: Value = gate.op.apply([parent for parent, _ in operands], [a for _, a in operands])
            return made
        made = Value(z, parents, type(gate).__name__)
        # A copy of the gate, which keeps these numbers when the graph's own has gone on to others.
        made._backward = _closure(self._replace(gate=copy.copy(gate)), made, parents)
        return made


def _closure(node: Node, out: Value, parents: Sequence[Value]) -> Callable[[], None]:
    """A local backward closure, micrograd's way, that asks a hand-written gate."""

    def backward() -> None:
        for parent, d in zip(parents, node.backward(out.grad), strict=True):
            parent.grad += d

    return backward
