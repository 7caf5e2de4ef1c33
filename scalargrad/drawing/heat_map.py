"""What a neuron answers over the plane of two inputs, as a small picture in shades of its sign."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from scalargrad.drawing.scene import Area

if TYPE_CHECKING:
    from collections.abc import Sequence

_STEPS = 5
"""Shades of each sign in the small pictures of what a neuron answers."""
_FINE = 10
"""And in images, whose cells are larger."""


def disc(x: float, y: float, r: float, sign: str, opacity: float) -> Area:
    """A circle filled with the hue of a sign, plus or minus."""
    rows = max(12, round(2 * r))
    step = 2 * r / rows
    boxes = []
    for i in range(rows):
        half = math.sqrt(max(0.0, r * r - ((i + 0.5) * step - r) ** 2))
        boxes.append((x - half, y - r + i * step, 2 * half, step))
    return Area(boxes, f"edge-{sign}-2", opacity)


def heat_map(
    numbers: Sequence[float], x: float, y: float, r: float, cell: float, *, square: bool = False
) -> list[Area]:
    """What a node answers over the plane, in shades of its sign: runs of cells of about that size, in the circle."""
    n = math.isqrt(len(numbers))
    most = reach(numbers)
    m = max(n, round(2 * r / cell))
    fine = numbers if m == n else _between(numbers, n, m)
    step = 2 * r / m
    runs: dict[int, list[tuple[float, float, float, float]]] = {}
    for row in range(m):
        half = r if square else math.sqrt(max(0.0, r * r - ((row + 0.5) * step - r) ** 2))
        shades = [_shade(v, most) for v in fine[row * m : (row + 1) * m]]
        start = 0
        for col in range(1, m + 1):
            if col < m and shades[col] == shades[start]:
                continue
            left, right = max(-half, start * step - r), min(half, col * step - r)
            if shades[start] and right > left:
                runs.setdefault(shades[start], []).append((x + left, y - r + row * step, right - left, step))
            start = col
    return [
        Area(runs[shade], "bad" if shade > _STEPS else f"edge-{'minus' if shade < 0 else 'plus'}-2",
             1.0 if shade > _STEPS else abs(shade) / _STEPS)
        for shade in sorted(runs)
    ]  # fmt: skip


def _between(numbers: Sequence[float], n: int, m: int) -> list[float]:
    """The numbers of n × n cells at the centres of m × m, between those of the cells around."""
    at = [min(n - 1.0, max(0.0, (i + 0.5) * n / m - 0.5)) for i in range(m)]
    parts = [(int(t), min(n - 1, int(t) + 1), t - int(t)) for t in at]
    found = []
    for i0, i1, v in parts:
        top, bottom = i0 * n, i1 * n
        row = [
            a if a == b else a + (b - a) * v
            for a, b in zip(numbers[top : top + n], numbers[bottom : bottom + n], strict=True)
        ]
        found += [row[j0] if row[j0] == row[j1] else row[j0] + (row[j1] - row[j0]) * u for j0, j1, u in parts]
    return found


def shaded(
    rows: Sequence[Sequence[float]], x: float, y: float, width: float, height: float, most: float, *, ink: bool = False
) -> list[Area]:
    """An image as cells in that rectangle, in shades of their signs, or of ink on paper; `most` is the full colour."""
    high, wide = height / len(rows), width / len(rows[0])
    cells: dict[int, list[tuple[float, float, float, float]]] = {}
    for i, row in enumerate(rows):
        for j, v in enumerate(row):
            shade = _shade(v, most, _FINE)
            if shade:
                cells.setdefault(shade, []).append((x + j * wide, y + i * high, wide, high))
    return [
        Area(cells[shade], "bad" if shade > _FINE else "ink" if ink and shade > 0
             else f"edge-{'minus' if shade < 0 else 'plus'}-2", 1.0 if shade > _FINE else abs(shade) / _FINE)
        for shade in sorted(cells)
    ]  # fmt: skip


def reach(numbers: Sequence[float], share: float = 0.9) -> float:
    """What is drawn in the full colour, or beyond: that share of the cells is not above it."""
    sizes = sorted(abs(v) for v in numbers if math.isfinite(v))
    return (sizes[int(share * (len(sizes) - 1))] if sizes else 0.0) or max(sizes, default=0.0)


def _shade(v: float, most: float, steps: int = _STEPS) -> int:
    if v != v:
        return steps + 1
    if v == 0.0 or not most:
        return 0
    return int(math.copysign(min(steps, 1 + int(steps * min(abs(v) / most, 1.0))), v))
