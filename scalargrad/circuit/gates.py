"""Gates: `forward(x, y)` computes and keeps what `backward(dz)` needs; `backward` returns the gradients of the inputs.

A gate is made from a row of the op table, which holds its value and its local derivatives: none is written here.
"""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence

from scalargrad.engine import Value
from scalargrad.support.arguments import brief, real, whole
from scalargrad.support.reals import number
from scalargrad.table.row import Op, functions
from scalargrad.words.derivation import partial_text


class Gate:
    """One operation on numbers, with the forward/backward API of CS231n, lecture 4.

    After `forward` the operands are in `x` and `y` (of an op of many operands in the list `xs`) and the result is in
    `z`. `backward` computes with these, so what changes them in between changes the gradients too.

    Attributes:
        op: the row of the op table.
        constants: the operands that are fixed, by their index.
        nin: how many inputs there are; None if any number will do.
        x: the first operand.
        y: the second operand.
        xs: all operands, of an op of many.
        z: the result.

    >>> gate = Gate("multiply")
    >>> gate.forward(3.0, -4.0)
    -12.0
    >>> gate.x, gate.y, gate.z
    (3.0, -4.0, -12.0)
    >>> gate.backward(2.0)
    [-8.0, 6.0]
    """

    op: Op
    x: float
    y: float
    xs: list[float]
    z: float

    def __init__(self, op: str | Op | None = None, constants: Mapping[int, float] | None = None) -> None:
        """Make the gate of an operation.

        Args:
            op: its name, as 'tanh', or its row of the table; a class made by `gate_class` knows its own.
            constants: numbers for operands that are no inputs, by index: `Gate("divide", {0: 1.0})` is 1/x. By default
                the second operand of an op that has a default for it, as the slope of leaky_relu.

        Raises:
            ValueError: if there is no op of that name, or no such operand.
        """
        if op is not None or not hasattr(self, "op"):
            self.op = row(op)
        if constants is None:
            constants = {} if self.op.default is None else {1: self.op.default}
        if not isinstance(constants, Mapping):
            raise TypeError(f"constants must be a dict by index, as in {{0: 1.0}}, not {type(constants).__name__}")
        self.constants = {
            whole(i, "the index of a constant", least=0): real(c, "a constant") for i, c in constants.items()
        }
        count = self.op.arity or len(self.op.arguments) or None
        if any(count is not None and i >= count for i in self.constants):
            has = "operands from 0 on" if count is None else _counted(count, "operand")
            raise ValueError(f"{self.op.name} has {has}, so it takes no constants {brief(constants)}")
        self.nin = None if count is None else count - len(self.constants)
        for i, c in self.constants.items():
            if self.op.arity is not None:
                setattr(self, "xy"[i], c)

    def forward(self, *inputs: float) -> float:
        """Compute z = op(x, y) and keep x, y and z for `backward`.

        Raises:
            TypeError: if there are more or fewer inputs than `nin`, or one is no number.
            ValueError, ZeroDivisionError: outside the op's domain.
        """
        if self.nin is not None and len(inputs) != self.nin:
            raise TypeError(f"{self.name}.forward takes {_counted(self.nin, 'input')}, but {len(inputs)} were given")
        operands = [number(x) for x in inputs]
        for i in sorted(self.constants):
            operands.insert(i, self.constants[i])
        if max(self.constants, default=-1) >= len(operands):
            raise TypeError(f"{self.name}.forward: {len(inputs)} inputs leave a gap before constants {self.constants}")
        self.z = self.op.apply([None] * len(operands), operands)
        if self.op.arity is None:
            self.xs = operands
        else:
            for name, operand in zip("xy", operands, strict=False):
                setattr(self, name, operand)
        return self.z

    def backward(self, dz: float = 1.0) -> list[float]:
        """The chain rule, [dx, dy]: the gradient of each input is dz times the local derivative, from the op table.

        Args:
            dz: the gradient of the output z.

        Raises:
            ValueError: if there was no `forward` before.
        """
        dz = real(dz, f"{self.name}.backward: dz")
        if not hasattr(self, "z"):
            raise ValueError(f"{self.name}.backward came before forward: forward keeps the numbers that backward needs")
        parents = [None if i in self.constants else Value(x) for i, x in enumerate(self.operands)]
        node = Value(self.z)
        node._rule = self.op
        self.op.keep_operands(node, parents, self.operands)
        contributions = {parent: 0.0 for parent in parents if parent is not None}
        self.op.backward(node, dz, contributions)
        return list(contributions.values())

    @property
    def operands(self) -> Sequence[float]:
        """The operands of the last `forward`, constants included.

        Raises:
            ValueError: if there was no `forward` before.
        """
        if not hasattr(self, "z"):
            raise ValueError(f"{self.name} has no operands before forward, which keeps them")
        return self.xs if self.op.arity is None else [getattr(self, name) for name in "xy"[: self.op.arity]]

    @property
    def name(self) -> str:
        """The class's name; of a plain Gate that of its op too."""
        return f"Gate({self.op.name!r})" if type(self) is Gate else type(self).__name__

    def __repr__(self) -> str:
        kept = [f"{name}={getattr(self, name)!r}" for name in ("x", "y", "xs", "z") if hasattr(self, name)]
        return f"<{' '.join([self.name, *kept])}>"


def _counted(n: int, noun: str) -> str:
    return f"{n} {noun}{'s' * (n != 1)}"


def row(op: str | Op | None) -> Op:
    """The row of the op table with this name.

    Raises:
        ValueError: if there is none; the message names some that are similar.
        TypeError: if it is neither a name nor a row.
    """
    if isinstance(op, Op):
        return op
    if not isinstance(op, str):
        raise TypeError(f"a gate needs an op by its name, as in Gate('tanh'), not {type(op).__name__}")
    rows = functions()
    if op not in rows:
        near = ", ".join(difflib.get_close_matches(op, rows, n=3, cutoff=0.5)) or ", ".join(rows)
        raise ValueError(f"there is no op {brief(op)} to make a gate of; near it are {near}")
    return rows[op].op  # type: ignore[attr-defined,no-any-return]


def gate_class(op: str, name: str = "") -> type[Gate]:
    """The class of an op's gates; its docstring says what the row of the table says.

    Args:
        op: the op's name.
        name: the class's name; by default made from the op's.

    >>> ArctanGate = gate_class("arctan")
    >>> ArctanGate, ArctanGate().forward(1.0)
    (<class 'scalargrad.circuit.gates.ArctanGate'>, 0.7853981633974483)
    >>> ArctanGate.__doc__
    'z = arctan(x). Local derivatives: 1 / (1 + x * x) for x.'
    """
    found = row(op)
    if not isinstance(name, str):
        raise TypeError(f"the name of a gate's class must be a string, not {type(name).__name__}")
    name = name or "".join(word.capitalize() for word in op.split("_")) + "Gate"
    return type(name, (Gate,), {"op": found, "__doc__": _docstring(found), "__module__": __name__})


def _docstring(op: Op) -> str | None:
    if op.arity is None:
        return op.function.__doc__
    xs = "xy"[: op.arity]
    derivatives = [f"{partial_text(op, i, list(xs), 'z')[0]} for {x}" for i, x in enumerate(xs)]
    return f"z = {op.name}({', '.join(xs)}). Local derivatives: {'; '.join(derivatives)}."


AddGate = gate_class("add")
SubtractGate = gate_class("subtract")
MultiplyGate = gate_class("multiply")
DivideGate = gate_class("divide")
MaxGate = gate_class("maximum", "MaxGate")
MinGate = gate_class("minimum", "MinGate")
NegativeGate = gate_class("negative")
ReciprocalGate = gate_class("reciprocal")
SquareGate = gate_class("square")
ExpGate = gate_class("exp")
LogGate = gate_class("log")
SigmoidGate = gate_class("sigmoid")
TanhGate = gate_class("tanh")
ReluGate = gate_class("relu")


class AddConstantGate(Gate):
    """z = x + c: one node, as the gate c + x of the lecture.

    >>> gate = AddConstantGate(1.0)
    >>> gate.forward(0.5), gate.backward(3.0)
    (1.5, [3.0])
    """

    op = row("add")

    def __init__(self, constant: float) -> None:
        super().__init__(constants={1: constant})


class MulConstantGate(Gate):
    """z = x · c: one node, as the gate a·x of the lecture.

    Torch's layer of that name can work in place: it writes z over x to save memory, and on the way back divides by c,
    so that whoever reads x afterwards finds it again. For c = 0 that is lost: z = 0 whatever x was, and 0 / 0 is nan.
    The gradient of this gate itself, c · dz, does not need x; the gate before it does, if x is what it kept. This
    gate leaves its input alone.

    >>> gate = MulConstantGate(-1.0)
    >>> gate.forward(0.5), gate.backward(3.0)
    (-0.5, [-3.0])
    """

    op = row("multiply")

    def __init__(self, constant: float) -> None:
        super().__init__(constants={1: constant})
