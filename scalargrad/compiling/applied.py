"""A Function of the user's on a tape: its forward and its backward, each run once on Values, as templates."""

from __future__ import annotations

from collections.abc import Container, Iterable, Sequence
from functools import lru_cache
from typing import Any

from scalargrad.compiling.tape import name_of, op_of
from scalargrad.compiling.templates import Step, Template
from scalargrad.engine import Value
from scalargrad.function import Traced
from scalargrad.node.numbers import describe, number_in
from scalargrad.support.labels import quoted
from scalargrad.table.domains import REAL
from scalargrad.table.row import Op


class FunctionRow(Op):
    """The row of a Function: its value by its forward, and what it hands back by its backward, not by the chain rule.

    Attributes:
        forward: the value, over the operands.
        backward_of: for each operand its gradient, over the operands, the value and the gradient of the value; None
            where backward gives none.
    """

    def __init__(self, name: str, forward: Template, backward_of: tuple[Template | None, ...]) -> None:
        super().__init__(name, self._value, self._refuse, (REAL,), None, "", "", None, None)
        self.is_users = True
        self.forward, self.backward_of = forward, backward_of

    def _value(self, xs: Sequence[float]) -> float:
        known: list[Any] = list(xs)
        for name, refs in self.forward.steps:
            known.append(op_of(name).on([known[r] if type(r) is int else r for r in refs]))
        return float(known[self.forward.result] if type(self.forward.result) is int else self.forward.result)

    def _refuse(self, xs: Any, z: Any) -> Any:  # noqa: ARG002
        raise ValueError(
            f"the derivative of {quoted(self.name)} is its Function's backward, which is no rule of its operands alone:"
            " write it with @primitive"
        )


def row_of(rule: Traced, parents: Sequence[Value]) -> FunctionRow:
    """The row for a node that a Function made while it was recorded.

    Raises:
        ValueError: if forward or backward uses what can be no part of a program.
    """
    who, xs = rule.text, list(parents)
    forward = _template(who, xs, rule.result, rule.made)
    arguments = [*xs, rule.result if isinstance(rule.result, Value) else None, rule.upstream]
    backs = tuple(
        None if (grad := rule.gradients.get(i)) is None else _template(who, arguments, grad, rule.made)
        for i in range(len(xs))
    )
    return _row(who, repr(forward), repr(backs), _Hidden((forward, backs)))


class _Hidden(tuple[Any, ...]):
    """What a cache does not look at: to it 1 and 1.0 are one number, and a place or a constant in a template."""

    __slots__ = ()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Hidden)

    def __hash__(self) -> int:
        return 0


@lru_cache(maxsize=512)
def _row(name: str, _forward: str, _backs: str, hidden: _Hidden) -> FunctionRow:
    return FunctionRow(name, *hidden)


def _template(who: str, arguments: Sequence[Value | None], result: Any, made: Container[Value]) -> Template:
    if not isinstance(result, Value):
        return Template((), float(result))
    numbers: dict[Value, int] = {}
    for i, x in enumerate(arguments):
        if x is not None:
            numbers.setdefault(x, i)
    known: dict[Value, int | float] = dict(numbers)
    steps: list[Step] = []
    for node in _above(result, numbers):
        if node.is_leaf:
            if node not in made:
                raise ValueError(
                    f"{quoted(who)} uses {describe(node)}, which is not among its arguments: a replay would not know "
                    "that it may change. Give it to apply()"
                )
            known[node] = float(number_in(node))
            continue
        rule: Any = node._rule
        if isinstance(rule, Traced):
            rule = row_of(rule, node.parents)
        elif type(rule) is not Op:
            raise ValueError(
                f"{quoted(who)} uses {quoted(rule.text)}, which was written by hand: write that with @primitive"
            )
        refs = tuple(known[parent] if parent is not None else float(a) for parent, a in node.operands)
        known[node] = len(arguments) + len(steps)
        steps.append((name_of(rule), refs))
    return Template(tuple(steps), known[result])


def _above(result: Value, arguments: Container[Value]) -> Iterable[Value]:
    """What lies between the arguments and the result, parents first; nothing beyond the arguments is looked at."""
    finished: dict[Value, None] = {}
    stack = [result]
    while stack:
        node = stack[-1]
        waiting = [p for p in node.parents if p not in arguments and p not in finished]
        if node in arguments or node in finished or not waiting:
            stack.pop()
            if node not in arguments:
                finished[node] = None
        else:
            stack += waiting
    return finished
