"""`diff`: what changed between two passes through the same graph, as from one step of an optimizer to the next."""

from __future__ import annotations

import html
import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients, topological_order
from scalargrad.node.by_hand import HandWritten
from scalargrad.node.naming import display_names
from scalargrad.node.rules import Leaf
from scalargrad.node.variables import Names, variable_names
from scalargrad.support.arguments import whole
from scalargrad.support.console import Text, printable
from scalargrad.table.floats import fold
from scalargrad.table.row import Op
from scalargrad.tracing.trace import Trace
from scalargrad.words.equations import equation
from scalargrad.words.texts import ELLIPSIS, columns, counted, grouped, listed, number_text

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping, Sequence


MOST_ROWS = 40


@dataclass(frozen=True, eq=False)
class Row:
    """One Value in both passes.

    Attributes:
        name: its name.
        node: the Value of the second pass; a parameter is the same Value in both.
        before: its number in the first pass.
        after: and in the second.
        gradient_before: the derivative of the output with respect to it in the first pass.
        gradient_after: and in the second.
    """

    name: str
    node: Value
    before: float
    after: float
    gradient_before: float
    gradient_after: float

    @property
    def change(self) -> float:
        """How far its number moved; 0.0 if both are the same infinity, or nan."""
        return self.after - self.before if self.changed else 0.0

    @property
    def changed(self) -> bool:
        """Whether its number is another one."""
        return self.before != self.after and not (math.isnan(self.before) and math.isnan(self.after))

    @property
    def promised(self) -> float:
        """What its change alone promised for the output, to first order: its gradient before × its change."""
        return self.gradient_before * self.change if self.changed else 0.0


class Difference:
    """What changed between two passes. `print` shows a table, so does Jupyter.

    Attributes:
        rows: a Row for every Value, in topological order; the last is the output.
        predicted: what the gradients of the first pass promised for the output: the sum over all leaves of gradient ×
            change.
        actual: how the output changed.
        constants_changed: how many plain numbers in the graph changed; the prediction does not know of them.
        closures_changed: whether gradients of the first pass come from hand-written closures whose parents have
            changed since: these read the numbers of now.
    """

    def __init__(self, before: _Pass, after: _Pass, most_rows: int | None) -> None:
        named = before if before.labelled >= after.labelled else after
        names = [named.names[node] for node in named.order]
        columns = (before.numbers, after.numbers, before.gradients, after.gradients)
        self.rows = [Row(*cells) for cells in zip(names, after.order, *columns, strict=True)]
        self.predicted = fold((row.promised for row in self.rows if row.node.is_leaf), 0.0)
        self.actual = self.rows[-1].change
        pairs = zip(before.order, after.order, strict=True)
        self.constants_changed = sum(_changed_constants(old, new) for old, new in pairs)
        self.closures_changed = not before.frozen and any(map(_is_stale, before.order))
        self._most_rows = most_rows

    @property
    def root(self) -> Row:
        """The row of the output."""
        return self.rows[-1]

    @property
    def changed(self) -> list[Row]:
        """The rows of the Values whose number changed."""
        return [row for row in self.rows if row.changed]

    @property
    def summary(self) -> str:
        """In two sentences: what changed, and what the gradient had promised."""
        return Text(summary(self))

    def table(self, rows: int | None = MOST_ROWS, *, changed: bool = False) -> str:
        """The rows as a table, aligned.

        Args:
            rows: how many at most; the output is always among them. None for all.
            changed: whether to leave out what did not change.
        """
        return Text(table(self, _checked(rows), changed=changed))

    @property
    def text(self) -> str:
        """The table and the summary."""
        return Text(f"{table(self, self._most_rows)}\n\n{self.summary}")

    @property
    def html(self) -> str:
        """The table and the summary as HTML."""
        return html_table(self, self._most_rows)

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        return f"<difference: {headline(self)}>"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:  # noqa: ARG002
        """What Jupyter shows: HTML and text."""
        return {"text/html": self.html, "text/plain": self.text}


def diff(
    before: Value | Trace, after: Value | Trace, *, rows: int | None = MOST_ROWS, names: Names = True
) -> Difference:
    """What changed between two passes of the same code: every number, every gradient, and what was to be expected.

    A pass is given by its output, or by a Trace of it. Nodes remember the numbers that they were computed from, so the
    output of the first pass still knows its parameters' old numbers. No `grad` is touched.

    Args:
        before: the first pass.
        after: the second pass.
        rows: how many rows `print` and Jupyter show; None for all.
        names: whether Values without a label are called as the caller's variables are, as in `draw`; what one variable
            held in the first pass and another in the second has no name. A Trace has the names of when it was made.

    Returns:
        A Difference: `rows`, `summary`, and the `predicted` change of the output beside its `actual` one.

    Raises:
        TypeError: if a pass is neither a Value nor a Trace, or rows no integer.
        ValueError: if the graphs differ in structure, it says where; if both are the same pass; if a Trace started from
            another seed than 1; as `backward()`, if there is nothing to differentiate.

    >>> w, x = Value(2.0, label='w'), Value(3.0, label='x')
    >>> def loss():
    ...     L = (w * x - 5.0) ** 2
    ...     L.label = 'L'
    ...     return L
    >>> first = loss()
    >>> w.data -= 0.01 * 6.0
    >>> print(diff(first, loss()))
    name  computed as  before   after   change  grad before  grad after
    w                       2    1.94    −0.06            6        4.92
    x                       3       3        0            4      3.1816
    v1    w × x             6    5.82    −0.18            2        1.64
    v2    v1 − 5            1    0.82    −0.18            2        1.64
    L     v2^2              1  0.6724  −0.3276            1           1
    <BLANKLINE>
    L: 1 → 0.6724 (−0.3276); 4 of 5 values changed; largest change of a leaf: w (−0.06).
    The gradient promised −0.36, it was −0.3276.
    """
    first, second = _Pass(before, "before"), _Pass(after, "after")
    _take_variables(first, second, names)
    if first.order[-1] is second.order[-1]:
        raise ValueError(
            "before and after are the same pass: keep the first output, change the parameters, compute the output "
            "again, and give both: diff(first, second)"
        )
    _check_structure(first, second)
    return Difference(first, second, _checked(rows))


class _Pass:
    """One pass: its Values in topological order, and their names, numbers and gradients of then."""

    def __init__(self, given: Value | Trace, who: str) -> None:
        if not isinstance(given, (Value, Trace)):
            raise TypeError(
                f"diff: {who} must be a Value, the output of a pass, or a Trace of it, not {type(given).__name__}: "
                "diff(loss_before, loss_after)"
            )
        self.frozen = isinstance(given, Trace)
        if isinstance(given, Trace):
            order = given.graph.order
            seed = given[len(order)].after
            if seed != 1.0:
                raise ValueError(f"diff: {who} was traced with the seed {seed:g}: trace it with the seed 1")
            data = [step.data for step in given[: len(order)]]
            self.names, adjoints = given.graph.names, given.graph.gradients
        else:
            order = topological_order(given)
            data = [node.data for node in order]
            self.names, adjoints = {}, gradients([given], [1.0])
        # A leaf's number is the one that its last use saw: an optimizer may have moved it since.
        seen = {p: a for node in order for p, a in node.operands if p is not None and p.is_leaf}
        self.order = order
        self.numbers = [seen.get(node, x) for node, x in zip(order, data, strict=True)]
        self.gradients = [adjoints[node] for node in order]
        self.labelled = sum(bool(node.label) for node in order)


def _take_variables(before: _Pass, after: _Pass, names: Names) -> None:
    """Name what has no names yet. Both passes' Values of one place share the variable's name, if only one is there."""
    unnamed = [one for one in (before, after) if not one.frozen]
    variables = variable_names((node for one in unnamed for node in one.order), names, "diff")
    shared: dict[Value, str] = {}
    for pair in zip(before.order, after.order, strict=False):
        if _kind(pair[0]) != _kind(pair[1]):
            break
        found = {variables[node] for node in pair if node in variables}
        if len(found) == 1:
            shared.update(dict.fromkeys(pair, found.pop()))
    for one in unnamed:
        one.names = display_names(one.order, shared)


def _check_structure(before: _Pass, after: _Pass) -> None:
    """Refuse two graphs that differ, and say where they begin to."""
    places: list[dict[Value | None, int]] = [
        {None: -1} | {node: i for i, node in enumerate(one.order)} for one in (before, after)
    ]
    for nodes in zip(before.order, after.order, strict=False):
        old, new = (
            (_kind(node), [at[parent] for parent, _ in node.operands]) for node, at in zip(nodes, places, strict=True)
        )
        if old != new:
            first, second = _described(nodes[0], before), _described(nodes[1], after)
            if old[1] and new[1] and len(old[1]) != len(new[1]):
                first += f", of {counted(len(old[1]), 'operand')},"
                second += f", of {counted(len(new[1]), 'operand')}"
            elif first == second:
                first, second = f"{first}, {_in_full(*old)},", f"{second}, {_in_full(*new)}"
            raise ValueError(_not_the_same(f"the first difference is {first} before and {second} after"))
    if len(before.order) != len(after.order):
        old_size, new_size = (counted(len(one.order), "value") for one in (before, after))
        raise ValueError(_not_the_same(f"there are {old_size} before and {new_size} after"))


def _kind(node: Value) -> Hashable:
    rule = node._rule
    if isinstance(rule, Op):
        return rule
    if isinstance(rule, Leaf):
        return "leaf"
    return type(rule), rule.text


def _described(node: Value, one: _Pass) -> str:
    computed = equation(node, one.names)
    return f"{one.names[node]} = {computed}" if computed else f"the leaf {one.names[node]}"


def _in_full(kind: Hashable, places: list[int]) -> str:
    """What tells apart two nodes that read the same: the rule, and the places of the operands, -1 for a constant."""
    return f"{kind if isinstance(kind, Op) else 'hand-written'} of values {listed([*map(str, places)], 40)}"


def _not_the_same(where: str) -> str:
    return f"the two passes are not of the same graph: {where}. diff compares two passes of the same code"


def _changed_constants(old: Value, new: Value) -> int:
    pairs = zip(old.operands, new.operands, strict=True)
    return sum(parent is None and a != b and not (a != a and b != b) for (parent, a), (_, b) in pairs)


def _is_stale(node: Value) -> bool:
    """Whether the node's closure was run by diff and reads numbers that are no longer those of its pass."""
    if not isinstance(node._rule, HandWritten) or node._rule.closure is None:
        return False
    return any(parent is not None and parent.data != a and a == a for parent, a in node.operands)


def _checked(rows: int | None) -> int | None:
    return None if rows is None else whole(rows, "rows", f"rows={MOST_ROWS}, or rows=None for all")


# -------------------------------------------------------------------- how it reads


_ALIGN = "<<>>>>>"
"""Of the columns: texts to the left, numbers to the right."""


def headline(difference: Difference) -> str:
    """What became of the output, and how many Values changed: `L: 0.5 → 0.3 (−0.2); 9 of 41 values changed`."""
    root, changed = difference.root, difference.changed
    text = f"{root.name}: {_shown(root.before)} → {_shown(root.after)} ({signed(root.change)})"
    return f"{text}; {grouped(len(changed))} of {counted(len(difference.rows), 'value')} changed"


def summary(difference: Difference) -> str:
    """The headline, the leaf that moved most, and how well the gradient foretold the change."""
    leaves = [row for row in difference.changed if row.node.is_leaf]
    first = headline(difference)
    if leaves:
        most = max(leaves, key=lambda row: abs(row.change))
        first += f"; largest change of a leaf: {most.name} ({signed(most.change)})"
    lines = [first + "."]
    if leaves:
        promised, actual = _shown(difference.predicted), _shown(difference.actual)
        lines.append(f"The gradient promised {promised}, it was {actual}.")
    if difference.constants_changed:
        n = difference.constants_changed
        verb = "is" if n == 1 else "are"
        lines.append(f"{counted(n, 'constant')} changed too, plain numbers that {verb} no part of what was promised.")
    if difference.closures_changed:
        lines.append(
            "Hand-written closures read the numbers of now, so gradients of the first pass may be wrong: "
            "give diff a trace of it made before the parameters changed."
        )
    return "\n".join(lines)


def table(difference: Difference, most: int | None, *, changed: bool = False) -> str:
    """The rows, aligned; where they are cut, how many are left out."""
    head, shown, left_out = _cells(difference, most, changed=changed)
    lines = columns([head, *shown], _ALIGN)
    if left_out:
        lines.insert(len(lines) - 1, f"{ELLIPSIS} {grouped(left_out)} more")
    return "\n".join(lines)


def html_table(difference: Difference, most: int | None) -> str:
    """The same as HTML, every text escaped."""
    head, shown, left_out = _cells(difference, most)
    rows = [_html_row(cells, "td") for cells in shown]
    if left_out:
        rows.insert(-1, f'<tr><td colspan="{len(head)}">{ELLIPSIS} {grouped(left_out)} more</td></tr>')
    lines = "".join(f"<p>{html.escape(line)}</p>" for line in summary(difference).splitlines())
    head_row = _html_row(head, 'th scope="col"')
    return f"<div><table><thead>{head_row}</thead><tbody>{''.join(rows)}</tbody></table>{lines}</div>"


def _html_row(cells: Sequence[str], tag: str) -> str:
    aligns = ["left" if a == "<" else "right" for a in _ALIGN]
    tagged = [
        f'<{tag} style="text-align:{align}">{html.escape(text)}</{tag[:2]}>'
        for align, text in zip(aligns, cells, strict=True)
    ]
    return f"<tr>{''.join(tagged)}</tr>"


def _cells(
    difference: Difference, most: int | None, *, changed: bool = False
) -> tuple[list[str], list[list[str]], int]:
    """The texts of the head and of the rows to show, and how many rows are left out before the last."""
    rows = difference.rows
    if changed:
        rows = [row for row in rows[:-1] if row.changed] + rows[-1:]
    left_out = 0 if most is None else max(0, len(rows) - most)
    if left_out:
        rows = [*rows[: len(rows) - 1 - left_out], rows[-1]]
    head = ["name", "computed as", "before", "after", "change", "grad before", "grad after"]
    names = {row.node: row.name for row in difference.rows}
    return head, [_row_cells(row, names) for row in rows], left_out


def _row_cells(row: Row, names: Mapping[Value, str]) -> list[str]:
    numbers = [row.before, row.after]
    gradients = [row.gradient_before, row.gradient_after]
    return [
        row.name,
        equation(row.node, names, limit=40),
        *map(_shown, numbers),
        signed(row.change),
        *map(_shown, gradients),
    ]


def signed(x: float) -> str:
    """A change for people: with a plus sign where it is one.

    >>> signed(0.25), signed(-0.25), signed(0.0)
    ('+0.25', '−0.25', '0')
    """
    return ("+" if x > 0 else "") + _shown(x)


def _shown(x: float) -> str:
    return number_text(float(x))  # an exact fraction is shown as a decimal
