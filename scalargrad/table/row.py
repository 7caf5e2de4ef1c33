"""What a row of the op table is: the facts about one operation, and what follows from them for a node.

The rows themselves stand in ops.py; making.py makes functions of them.
"""

from __future__ import annotations

import math
import warnings
from collections.abc import Callable, Sequence
from typing import Any

from scalargrad.engine import Value, operand
from scalargrad.in_c import forget
from scalargrad.node.copying import copy_node
from scalargrad.node.errors import domain_error, labels_of, listed, user_depth, user_line
from scalargrad.node.mode import mode, modes_were_used
from scalargrad.node.new_nodes import recorded_or_constant
from scalargrad.node.overwritten import check_unchanged
from scalargrad.node.rules import Masked, Rule
from scalargrad.table.domains import Domain

AnyFunction = Callable[..., Any]
HARD = (ArithmeticError, ValueError)  # what Python's floats raise at poles and outside a domain
NO_VALUE = (*HARD, IndexError)  # what the value of a row raises where it has none: an index may be the place of nothing

TABLE: dict[str, Op] = {}
"""Every op by name."""

PACKAGE_ROWS: dict[str, Op] = {}
"""The rows of ops.py by name, also where an op that a user added has taken the name since."""

INFIX: dict[str, Op] = {}
"""The ops that Python writes between their operands, by that text: '+', '**'."""


def functions() -> dict[str, AnyFunction]:
    """Every op's function by each of its names."""
    return {name: op.function for op in TABLE.values() for name in (op.name, *op.aliases)}


class Op(Rule):
    """One row of the table.

    multiply has the name multiply, the text * and the symbol ×.

    Attributes:
        name: the function's and method's name, numpy's where numpy has one.
        text: the Python operator ('+') or the name; micrograd's `_op`.
        symbol: what pictures and formulas show; infix if there are two operands and it is not the name.
        value: the function on floats; for nary ops, on one list of floats.
        partials: one rule per argument, `(x, y, z) -> derivative`; for nary ops one rule `(xs, z) -> derivatives`.
        domain: one Domain per argument (nary ops: one for all).
        kinks: arguments -> which side of each kink they are on, to be compared; None if smooth.
        pole: the IEEE result where `value` raises; NaN if None.
        arguments: names for the operands of an nary op that takes a fixed number of them.
        aliases: further names of function and method.
        is_users: whether it was added with @primitive.
        is_held: whether it stands, in a recording, for a node whose value and derivatives were given as numbers.
        spelled_out: of Values, builds the elementary nodes that the op stands for; None if it is elementary itself.
        pair: the binary op that it sums over pairs of operands, as the dot product sums products; else None.
        default: the second operand where it is left out; None if it must be given.
        has_index: whether the first operand says which of the others is the result, as that of take: a whole number,
            counted from 0. It cannot move, and has no gradient.
        chooses: relu at -1 passes nothing on, not even 0 times inf, which would be nan: it has not chosen its operand.
            For each operand (nary ops: True for all of them) whether a derivative of 0 says so; where the derivative
            may be 0 by chance too, a rule `(x, y, z) -> 0 if it is not chosen`.
        lowered: the value once more, by operators and other rows, so that it can be run on Values: what compiled
            programs compute, as backends have no instruction for the op, and what `to_python` writes for it, where
            Python has no word. Of the same arguments as `value`; None for those that backends know, and for a user's
            op that only Python can compute.
        never_minus_zero: whether no operands give -0.0, so that a program may leave out `+ 0.0`.
        read: what stand_ins.py has read off the rules.
        bind: of a paired op, ys -> the function of (xs, has_bias) that makes its nodes quickly.
        function: the public function.
    """

    def __init__(
        self, name: str, value: AnyFunction, partials: Any, domain: Sequence[Domain], kinks: AnyFunction | None,
        text: str, symbol: str, pole: AnyFunction | None, arity: int | None,
    ) -> None:  # fmt: skip
        self.name = name
        self.value = value
        self.partials = partials
        self.domain = tuple(domain)
        self.kinks = kinks
        self.text = text or name
        self.symbol = symbol or self.text
        self.pole = pole
        self.arity = arity
        self.arguments: tuple[str, ...] = ()
        self.aliases: list[str] = []
        self.is_users = False
        self.is_held = False
        self.spelled_out: AnyFunction | None = None
        self.pair: Op | None = None
        self.has_index = False
        self.lowered: AnyFunction | None = None
        self.never_minus_zero = False
        self.read: dict[Any, Any] = {}
        self.bind: AnyFunction | None = None
        self.default: float | None = None
        self.chooses: tuple[bool | AnyFunction, ...] | bool = False
        self.function: AnyFunction = value

    def __repr__(self) -> str:
        return f"<op {self.name}>"

    def __setattr__(self, name: str, content: object) -> None:
        super().__setattr__(name, content)
        if name in ("backward", "chooses", "partials", "value"):
            forget(self)  # the engine in C knows the row as it stood when its function was made

    @property
    def library_name(self) -> str:
        """What the C library, Python's math module and cmath call the function; empty if it is none of theirs."""
        name = getattr(self.value, "__name__", "")
        return name if self.lowered is None and not self.is_users and hasattr(math, name) else ""

    @property
    def takes_lists(self) -> bool:
        """Whether its function takes lists, as f(xs, ys) or f(xs, index), and not the operands one by one."""
        return self.pair is not None or self.has_index

    def domains(self, n: int) -> tuple[Domain, ...]:
        """The domain of each of n operands."""
        if self.has_index:
            return (Domain(0.0, max(n - 2.0, 0.0), whole=True), *self.domain * (n - 1))
        return self.domain if self.arity is not None else self.domain * n

    def on(self, numbers: Sequence[float]) -> Any:
        """The value at these operands."""
        return self.value(numbers) if self.arity is None else self.value(*numbers)

    def at_pole(self, numbers: Sequence[float]) -> float:
        """What IEEE arithmetic gives at operands where the value raises."""
        if self.pole is None:
            return math.nan
        return float(self.pole(numbers) if self.arity is None else self.pole(*numbers))

    def sides(self, numbers: Sequence[float]) -> Any:
        """Which side of each kink these operands are on; None if there is no kink."""
        if self.kinks is None:
            return None
        return self.kinks(numbers) if self.arity is None else self.kinks(*numbers)

    @property
    def is_choice(self) -> bool:
        """Whether the op may leave out an operand."""
        return (
            self.chooses if isinstance(self.chooses, bool) else any(map(self.may_leave_out, range(len(self.chooses))))
        )

    def chosen(self, index: int, xs: Sequence[Any], z: Any, local: Any) -> Any:
        """What is 0 where the op has not chosen this operand; None if it always chooses it.

        Args:
            index: which operand.
            xs: the operands.
            z: the result.
            local: the derivative in this operand.
        """
        if not self.may_leave_out(index):
            return None
        rule = self.chooses if isinstance(self.chooses, bool) else self.chooses[index]
        return local if isinstance(rule, bool) else rule(xs[0], xs[1] if len(xs) > 1 else None, z)

    def may_leave_out(self, index: int) -> bool:
        """Whether the op chooses, and a derivative of 0 in this operand means that it was not chosen."""
        return self.chooses if isinstance(self.chooses, bool) else self.chooses[index] is not False

    def call(self, xs: Sequence[Any]) -> Any:
        """A new node over operands of any kind, or a plain number if none is a Value.

        Raises:
            TypeError: with the op's name and the operand's place, if one is neither a Value nor a real number.
        """
        try:
            pairs = [operand(x) for x in xs]
        except TypeError:
            for i, x in enumerate(xs):
                try:
                    operand(x)
                except TypeError:
                    if isinstance(x, Value):
                        raise
                    raise TypeError(
                        f"{self.name}: operand {i + 1} must be a Value or a real number, not {type(x).__name__}"
                        f"{labels_of(x for x in xs if isinstance(x, Value))}{user_line()}"
                    ) from None
            raise
        return self.apply(tuple(parent for parent, _ in pairs), [a for _, a in pairs])

    def apply(self, parents: Sequence[Value | None], numbers: Sequence[float]) -> Any:
        """A new node over these operands, or a plain number if none of them is a Value."""
        try:
            data = self.on(numbers)
        except HARD as error:
            data = self.at_hard_point(parents, numbers, error)
        if all(parent is None for parent in parents):
            return data
        node: Value = object.__new__(Value)
        node._data = node._kept = data
        node.grad, node._rule = 0.0, self
        self.keep_operands(node, parents, numbers)
        return recorded_or_constant(node) if modes_were_used else node

    def keep_operands(self, node: Value, parents: Sequence[Value | None], numbers: Sequence[float]) -> None:
        """Put the operands into the node's slots."""
        if self.pair is not None:
            n = len(parents) // 2
            bias = slice(2 * n, None)
            node._x, node._y = (*parents[:n], *parents[bias]), tuple(parents[n : 2 * n])
            node._a, node._b = (*numbers[:n], *numbers[bias]), (*numbers[n : 2 * n], *[1.0] * len(numbers[bias]))
        elif self.arity is None:
            node._x, node._a, node._y, node._b = tuple(parents), tuple(numbers), None, None
        else:
            node._x, node._y, *_ = *parents, None
            node._a, node._b, *_ = *numbers, None

    def at_hard_point(self, parents: Sequence[Value | None], numbers: Sequence[float], error: Exception) -> float:
        """Raise the error for the user; in IEEE mode return the pole's value instead."""
        if mode.get().follows_ieee:
            return self.at_pole(numbers)
        raise domain_error(self.name, parents, numbers, error) from None

    def partials_on_values(self, xs: Sequence[Any], z: Value, index: int | None = None) -> list[Any]:
        """The partial derivatives (of an op of one or two operands: the one at index) as Values that follow IEEE."""
        before = mode.get()
        try:  # around `set` as well: Ctrl-C may come when it returns
            mode.set(before.in_ieee)
            if index is None:
                return list(self.partials(xs, z))
            return [self.partials[index](xs[0], xs[1] if len(xs) > 1 else None, z)]
        finally:
            mode.set(before)

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:
        """The chain rule on Values: the row's rules, run on the parents themselves and on the node."""
        check_unchanged(node)
        operands = node.operands
        xs = [a if parent is None else parent for parent, a in operands]
        partials = self.partials_on_values(xs, node) if self.arity is None else None
        turns = list(enumerate(operands))
        if self.pair is not None and len(turns) % 2:  # as in the sweep on numbers, the bias before the ys
            turns.insert(len(turns) // 2, turns.pop())
        for i, (parent, _) in turns:
            if parent is not None and parent in adjoints:
                local = self.partials_on_values(xs, node, i)[0] if partials is None else partials[i]
                chosen = self.chosen(i, xs, node, local)
                if not isinstance(chosen, Value):
                    if chosen == 0.0:
                        continue
                    chosen = None
                share = upstream if not isinstance(local, Value) and local == 1.0 else upstream * local
                adjoints.hand_on(node, parent, share, chosen)

    def local_gradients(self, node: Value) -> tuple[Any, ...]:
        """The derivative with respect to each parent, by the op's own backward; `a * a` has two."""
        twin = copy_node(node, {})
        stand_ins = [None if p is None else Value(a, label=p.label) for p, a in node.operands]
        self.keep_operands(twin, stand_ins, [a for _, a in node.operands])
        return super().local_gradients(twin)

    def partials_at_hard_point(self, node: Value, index: int | None = None) -> Any:
        """The partials where floats raise (a division by zero, say): the same rule, on Values that follow IEEE."""
        xs = [Value(a, requires_grad=False) for _, a in node.operands]
        results = self.partials_on_values(xs, Value(node._data, requires_grad=False), index)
        numbers = [operand(result)[1] for result in results]
        if (
            mode.get().warns
            and any(map(math.isnan, numbers))
            and not any(x != x for x in (node._data, *(x._data for x in xs)))
        ):
            which = (
                "" if index is None or len(xs) == 1 else f" with respect to its {('first', 'second')[index]} operand"
            )
            warnings.warn(
                f"{self.name} has no derivative{which} at {listed(x._data for x in xs)}"
                f"{labels_of(p for p, _ in node.operands)}: the gradient is nan",
                RuntimeWarning,
                stacklevel=user_depth(),
            )
        return numbers if index is None else numbers[0]
