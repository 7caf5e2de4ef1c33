"""How a Difference reads: its table as text and as HTML, and its summary."""

from __future__ import annotations

import html
from typing import TYPE_CHECKING

from scalargrad.drawing.graph import counted, grouped
from scalargrad.formula import ELLIPSIS, equation, number_text, wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from scalargrad.engine import Value
    from scalargrad.tracing.difference import Difference, Row

_LEFT = 2
"""How many columns hold text, which is aligned left."""


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
    widths = [max(map(len, column)) for column in zip(head, *shown, strict=True)]
    lines = []
    for cells in [head, *shown]:
        padded = [
            text.ljust(width) if i < _LEFT else text.rjust(width)
            for i, (text, width) in enumerate(zip(cells, widths, strict=True))
        ]
        lines.append("  ".join(padded).rstrip())
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
    aligns = ["left" if i < _LEFT else "right" for i in range(len(cells))]
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
    d = f"∂{wrapped(difference.root.name)}/∂·"
    head = ["name", "computed as", "before", "after", "change", f"{d} before", f"{d} after"]
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
