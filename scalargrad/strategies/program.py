"""An expression as a program: a list of operations over earlier nodes, so that nodes are shared as in real graphs."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple

from scalargrad.engine import Value
from scalargrad.strategies.inputs import call
from scalargrad.table.operators import ATOM
from scalargrad.table.row import TABLE
from scalargrad.words.notation import Notation


class Instruction(NamedTuple):
    """One operation of a program.

    Attributes:
        op: the op's name in the table.
        operands: each the index of an earlier node (an int; the inputs come first), or a constant (a float).
    """

    op: str
    operands: tuple[int | float, ...]


@dataclass(frozen=True, repr=False)
class Expression:
    """A function of some numbers, and a point: what `expressions()` draws. The last instruction is the result.

    Its repr is Python code that defines and calls it, so a falsifying example can be pasted.

    Attributes:
        inputs: the numbers that were drawn.
        instructions: the program; every node leads to the result.

    >>> square_of_sum = Expression((2.0, 1.0), (Instruction("add", (0, 1)), Instruction("multiply", (2, 2))))
    >>> square_of_sum.value()
    9.0
    >>> square_of_sum
    import scalargrad as sg
    <BLANKLINE>
    def f(x0, x1):
        v0 = x0 + x1
        return v0 * v0
    <BLANKLINE>
    y = f(2.0, 1.0)
    """

    inputs: tuple[float, ...]
    instructions: tuple[Instruction, ...]

    def __call__(self, *xs: Any) -> Any:
        """The result at other inputs: of Values a Value, of floats a float.

        Raises:
            TypeError: if there are not as many as `inputs`.
        """
        if len(xs) != len(self.inputs):
            raise TypeError(f"this expression has {len(self.inputs)} inputs, but {len(xs)} were given")
        nodes = list(xs)
        for op, operands in self.instructions:
            nodes.append(call(op, [nodes[x] if isinstance(x, int) else x for x in operands]))
        return nodes[-1]

    def __len__(self) -> int:
        """How many operations it has."""
        return len(self.instructions)

    @property
    def ops(self) -> tuple[str, ...]:
        """The names of its operations, in order."""
        return tuple(instruction.op for instruction in self.instructions)

    def value(self) -> float:
        """The result at the drawn inputs, as a float."""
        return float(self(*self.inputs))

    def graph(self) -> tuple[Value, list[Value]]:
        """A fresh graph at the drawn inputs: the root, and the leaves x0, x1, ..."""
        leaves = [Value(x, label=f"x{i}") for i, x in enumerate(self.inputs)]
        return self(*leaves), leaves

    @property
    def code(self) -> str:
        """Python code that defines f and computes y at the drawn inputs."""
        n = len(self.inputs)
        names = [f"x{i}" for i in range(n)] + [f"v{i}" for i in range(len(self))]
        lines = []
        for i, (op, operands) in enumerate(self.instructions):
            written = _SG.operation(
                TABLE[op], [(names[x], ATOM) if isinstance(x, int) else _SG.number(x) for x in operands]
            )[0]
            start = "return" if i == len(self) - 1 else f"{names[n + i]} ="
            lines.append(f"    {start} {written}")
        head = f"import scalargrad as sg\n\ndef f({', '.join(names[:n])}):"
        return "\n".join([head, *lines, "", f"y = f({', '.join(map(repr, self.inputs))})"])

    def __repr__(self) -> str:
        return self.code

    def _repr_pretty_(self, printer: Any, cycle: bool) -> None:  # noqa: ARG002
        """What hypothesis and IPython print: the code at the left margin, so that it can be copied as it stands."""
        printer.text(f"\n{self.code}\n")


class _SgPython(Notation):
    """Python with the ops called as `sg.tanh(x)`; those of users by their bare names."""

    def function(self, name: str, arguments: Sequence[str]) -> str:
        written = super().function(name, arguments)
        return written if TABLE[name].is_users else f"sg.{written}"


_SG = _SgPython()
