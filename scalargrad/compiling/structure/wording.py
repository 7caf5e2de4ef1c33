"""The layers of a program in words."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from scalargrad.compiling.tape import SOURCES, op_of

if TYPE_CHECKING:
    from scalargrad.compiling.structure.splitting import Layer, Layered


def in_words(program: Layered) -> list[str]:
    """A line for each matrix, in the order of computation, and one for the other operations, gradients included."""
    places = Counter(_key(layer, program) for layer in program.layers)
    lines = []
    for (rows, columns, *_, bias, computed), count in places.items():
        text = f"Dense {rows} x {columns}" + (" with bias" if bias else "") + (", weights computed" if computed else "")
        lines.append(text + (f", at {count} places" if count > 1 else ""))
    others = Counter(op_of(i[0]).name for i in program.code if i[0] not in SOURCES)
    if others:
        most = ", ".join(f"{count} {name}" for name, count in others.most_common(4))
        more = f", {len(others) - 4} more kinds" if len(others) > 4 else ""
        lines.append(f"{others.total()} other operations, gradients included: {most}{more}")
    return lines


def _key(layer: Layer, program: Layered) -> tuple[int, int, int, int, bool, bool]:
    """What tells a layer from others: size, where its matrix begins and ends, whether it has a bias and is computed."""
    rows, has_bias = layer.weights, any(b is not None for b in layer.biases)
    is_computed = any(w in program.computed for row in rows for w in row)
    return len(rows), len(rows[0]), rows[0][0], rows[-1][-1], has_bias, is_computed
