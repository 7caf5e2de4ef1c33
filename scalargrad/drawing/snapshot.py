"""A graph as lists of numbers, read once: what every later step walks over, at any size and without recursion."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scalargrad.drawing.scopes import Scope, scope_of
from scalargrad.node.extras import label_of
from scalargrad.node.numbers import number_in, plain_gradient
from scalargrad.node.overwritten import was_overwritten
from scalargrad.table.row import Op

if TYPE_CHECKING:
    from collections.abc import Hashable, Sequence

    from scalargrad.engine import Value

_SEVERAL = -1


class Snapshot:
    """A graph in topological order; everything else is by position in that order.

    Attributes:
        order: the Values, parents before children.
        position: the Values' positions.
        operands: the position of each operand, -1 for a constant.
        labels: the labels; empty texts where there are none.
        ops: what tells one operation from another; None for leaves.
        scopes: the different scopes, () first.
        own: by Value, the number of the scope on its own label; 0 for none.
        data: the numbers.
        gradients: and the gradients.
    """

    def __init__(
        self, order: Sequence[Value], data: Sequence[float] | None = None, gradients: Sequence[float] | None = None
    ) -> None:
        """Read the graph; its numbers and gradients are what the Values hold now unless others are given."""
        self.order = order
        self.data = list(map(number_in, order)) if data is None else data
        self.gradients = [plain_gradient(value) for value in order] if gradients is None else gradients
        self._given = gradients is not None
        self.position = position = {value: i for i, value in enumerate(order)}
        at: dict[Any, int] = dict(position)
        at[None] = -1
        # The slots are read directly: with 70 000 Values the properties would take most of the time.
        self.operands: list[tuple[int, ...]] = []
        for value in order:
            x = value._x
            if type(x) is tuple:
                if type(value._y) is tuple:
                    n = len(value._y)
                    x = (*x[:n], *value._y, *x[n:])
                self.operands.append(tuple([at[p] for p in x]))
            elif value._a is None:
                self.operands.append(())
            else:
                self.operands.append((at[x],) if value._b is None else (at[x], at[value._y]))
        self.labels: list[str] = list(map(label_of, order))
        self.ops: list[Hashable] = list(map(_operation, order))
        numbers: dict[Scope, int] = {(): 0}
        self.own = [
            0 if type(label) is str else numbers.setdefault(scope_of(value), len(numbers))
            for value, label in zip(order, self.labels, strict=True)
        ]
        self.scopes = list(numbers)
        self._modules: list[int] = []

    def backward_done(self, root: int) -> bool:
        """Whether there are gradients of this output; zeros from before a backward() would be misread."""
        return self._given or self.gradients[root] != 0.0

    def modules(self) -> list[int]:
        """By Value, the number of the scope it lies in; 0 outside all modules.

        A module's parameters and its tagged outputs are in it, and everything on the way from one of its parameters to
        one of its outputs that crosses no other module's output.
        """
        if not self._modules:
            self._modules = self._find_modules() if len(self.scopes) > 1 else self.own
        return self._modules

    def _find_modules(self) -> list[int]:
        own, operands = self.own, self.operands
        below = [0] * len(own)  # the one scope whose parameters flow into a node
        for i, parents in enumerate(operands):
            if own[i]:
                continue
            scope = 0
            for p in parents:
                flowing = 0 if p < 0 else below[p] if not own[p] else own[p] if self.ops[p] is None else 0
                if flowing and flowing != scope:
                    scope = _SEVERAL if scope else flowing
            below[i] = scope
        reaches = [False] * len(own)  # whether a node leads to an output of that scope
        for i in range(len(own) - 1, -1, -1):
            if own[i] or reaches[i]:
                scope = own[i] or below[i]
                for p in operands[i]:
                    if p >= 0 and below[p] == scope:
                        reaches[p] = True
        return [o or (b if r else 0) for o, b, r in zip(own, below, reaches, strict=True)]

    def levels_up(self, center: int) -> list[int]:
        """How many Values lie 0, 1, 2, ... steps below this one, the shortest way."""
        seen, ring, counts = {center}, [center], []
        while ring:
            counts.append(len(ring))
            found = {p for i in ring for p in self.operands[i] if p >= 0} - seen
            seen |= found
            ring = list(found)
        return counts


def _operation(value: Value) -> Hashable:
    rule = value._rule
    if rule.is_leaf:
        return None
    changed = was_overwritten(value)
    return rule if isinstance(rule, Op) and not changed else (type(rule), rule.text, changed)
