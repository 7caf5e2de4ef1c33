"""Short pieces of tape: the op table's rules and other formulas, run once on Values and written down.

A rule such as tanh's derivative, `lambda x, y, z: 1 - z * z`, becomes a list of instructions over its own arguments,
which a tape then repeats for every node: no rule is written a second time, and none is run once per node.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import lru_cache
from typing import Any, NamedTuple

from scalargrad.compiling.tape import Tape, name_of, op_of
from scalargrad.engine import Value, topological_order
from scalargrad.table.stand_ins import form_read, partials_read

Step = tuple[str, tuple[int | float, ...]]


class Template(NamedTuple):
    """Instructions over numbered arguments; a float stands for itself.

    Attributes:
        steps: an op and what it reads; their results are numbered after the arguments.
        result: the number of the result, or a float.
    """

    steps: tuple[Step, ...]
    result: int | float

    def write(self, tape: Tape, slots: Sequence[int]) -> int:
        """Write the instructions for arguments in these slots; returns the slot of the result."""
        known = list(slots)
        for op, refs in self.steps:
            known.append(tape.emit(op, *[known[r] if type(r) is int else tape.constant(r) for r in refs]))
        return known[self.result] if type(self.result) is int else tape.constant(float(self.result))


def templates(function: Callable[..., Any], arguments: int) -> list[Template]:
    """A template for each result of a function of so many Values that does not branch in Python."""
    xs, found = form_read(function, arguments)
    places = _places(xs)
    return [_template(places, one) for one in (found if isinstance(found, (list, tuple)) else [found])]


def _places(xs: Sequence[Value]) -> dict[Value, int]:
    """The number of each argument: of a node of many operands, one dict serves all its derivatives."""
    return {x: i for i, x in enumerate(xs)}


def _template(places: dict[Value, int], result: Any) -> Template:
    if not isinstance(result, Value):
        return Template((), float(result))
    if result in places:
        return Template((), places[result])
    computed: dict[Value, int] = {}
    steps: list[Step] = []

    def reference(parent: Value | None, a: Any) -> int | float:
        if parent is None:
            return float(a)
        place = places.get(parent)
        return computed[parent] if place is None else place

    for node in topological_order(result):
        if node in places:
            continue
        if node.is_leaf:
            raise TypeError("a rule of the op table made a Value of its own")
        refs = tuple(reference(parent, a) for parent, a in node.operands)
        rule: Any = node._rule
        computed[node] = len(places) + len(steps)
        steps.append((name_of(rule), refs))
    return Template(tuple(steps), computed[result])


@lru_cache(maxsize=512)
def partials_of(op: str, n: int) -> tuple[Template, ...]:
    """The partial derivatives of op over n operands: templates over the operands and the result."""
    found: list[Template] = []
    places: dict[Value, int] = {}
    result: Value | None = None
    for xs, z, partial in partials_read(op_of(op), [None] * n, range(n)):
        if z is not result:  # the rules of many operands share their stand-ins
            places, result = _places([*xs, z]), z
        found.append(_template(places, partial))
    return tuple(found)


@lru_cache(maxsize=512)
def choice_of(op: str, n: int, index: int) -> Template | None:
    """What is 0 where op has not chosen that one of n operands, over the operands and the result.

    None if that is the derivative in this operand.
    """
    known = op_of(op)
    rule = known.chooses if isinstance(known.chooses, bool) else known.chooses[index]
    if isinstance(rule, bool):
        return None
    return templates(lambda *arguments: rule(arguments[0], arguments[1] if n > 1 else None, arguments[-1]), n + 1)[0]
