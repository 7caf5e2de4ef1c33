"""Points of two classes, as a page asks for them: a data set of nn, a curve y = f(x), clicks, or a pasted table."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.answers import MARGIN, Plane
from scalargrad.nn.data import datasets
from scalargrad.playground.messages import RefusedError
from scalargrad.playground.network.tables import read_table
from scalargrad.support.arguments import generator
from scalargrad.words.expressions import ExpressionError, expression_function
from scalargrad.words.texts import counted, number_text

if TYPE_CHECKING:
    from collections.abc import Mapping

SETS = ("moons", "circles", "spirals", "xor", "blobs")
"""Data sets of nn, with two classes."""
KINDS = (*SETS, "function", "points", "table")
"""What a page may ask for; a model's own data is named `own`, and given in Python."""
CENTERS = ((-1.0, -1.0), (1.0, 1.0))
"""Those of the two blobs."""
SIDE = 2.0
"""Points on both sides of a curve, and those that are clicked, lie in a square that reaches so far from 0."""
MOST_POINTS = 2000
LARGE = 20.0
"""Inputs beyond this are learned badly, and a remark says so."""


@dataclass
class Points:
    """Points with their classes, and those that are held out.

    Attributes:
        X: those that are trained on.
        y: their targets, -1 and +1 unless they are a model's own.
        X_test: those that are held out; empty if none are.
        y_test: their targets.
        plane: what is shown of the plane.
        classes: what the table calls -1 and +1; empty if it has no names for them.
        call: Python code that makes X and y, held-out points at the end; empty if they must be listed.
        remark: what is to be said of them; empty if nothing is.
    """

    X: list[list[float]]
    y: list[float]
    X_test: list[list[float]] = field(default_factory=list)
    y_test: list[float] = field(default_factory=list)
    plane: Plane = field(default_factory=lambda: _square(SIDE))
    classes: tuple[str, ...] = ()
    call: str = ""
    remark: str = ""


def make_points(fields: Mapping[str, Any]) -> Points:
    """The points that a `net` message asks for.

    Raises:
        RefusedError: if the function or the table cannot be read, or all points would be held out.
    """
    kind, n, noise, seed = (fields[name] for name in ("data", "n", "noise", "seed"))
    if kind in SETS:
        return _held_out(_of_nn(kind, n, noise, seed), fields["test"])
    if kind == "function":
        return _shuffled(_beside_curve(fields["function"], n, noise, seed), fields)
    if kind == "table":
        table = read_table(fields["table"])
        found = Points(table.X, table.y, plane=plane_around(table.X), classes=table.classes)
        largest = max(abs(x) for row in table.X for x in row)
        if largest > LARGE:
            found.remark = (
                f"Inputs reach to {number_text(largest)}: networks learn well from inputs of about 1. Take inputs such "
                f"as x0/{number_text(float(f'{largest:.1g}'))}."
            )
        return _shuffled(found, fields)
    X, y = [[a, b] for a, b, _ in fields["points"]], [float(label) for *_, label in fields["points"]]
    return _shuffled(Points(X, y, plane=_square(SIDE)), fields)


def plane_around(X: list[list[float]]) -> Plane:
    """The plane of these points, with a margin; it is as wide as it is high if they are about as wide as high."""
    lows, highs = ([pick(row[axis] for row in X) for axis in (0, 1)] for pick in (min, max))
    sizes = [high - low or max(1.0, abs(low)) for low, high in zip(lows, highs, strict=True)]
    if max(sizes) <= 2.5 * min(sizes):
        sizes = [max(sizes)] * 2
    (x0, x1), (y0, y1) = (
        ((low + high) / 2 - (0.5 + MARGIN) * size, (low + high) / 2 + (0.5 + MARGIN) * size)
        for low, high, size in zip(lows, highs, sizes, strict=True)
    )
    return Plane((x0, x1), (y0, y1), [], [])


def _square(half: float) -> Plane:
    return Plane((-half, half), (-half, half), [], [])


def _of_nn(kind: str, n: int, noise: float, seed: int) -> Points:
    options = {"spirals": ", classes=2", "blobs": f", centers={CENTERS!r}"}.get(kind, "")
    more: dict[str, dict[str, Any]] = {"spirals": {"classes": 2}, "blobs": {"centers": CENTERS}}
    X, y = getattr(datasets, kind)(n, noise, labels=(-1, 1), seed=seed, **more.get(kind, {}))
    call = f"nn.{kind}({n}, {noise!r}{options}, labels=(-1, 1), seed={seed})"
    return Points(X, [float(label) for label in y], plane=plane_around(X), call=call)


def _beside_curve(text: str, n: int, noise: float, seed: int) -> Points:
    """Points drawn evenly from the square; those above the curve are +1."""
    source, X, y = generator(seed), [], []
    try:
        f = expression_function(text, ["x"] if _mentions(text, "x") else [])
    except ExpressionError as error:
        raise RefusedError(f"function: {error}") from None
    for _ in range(n):
        a, b = source.uniform(-SIDE, SIDE), source.uniform(-SIDE, SIDE)
        try:
            height = float(f(a) if _mentions(text, "x") else f())
        except ExpressionError as error:
            raise RefusedError(f"function: {error}") from None
        except (ValueError, ArithmeticError) as error:
            raise RefusedError(f"function: at x = {number_text(a)}: {str(error).splitlines()[0]}") from None
        if height != height:
            raise RefusedError(f"function: at x = {number_text(a)} it is nan")
        X.append([a, b])
        y.append(1.0 if b + source.gauss(0.0, noise) > height else -1.0)
    return Points(X, y)


def _mentions(text: str, name: str) -> bool:
    inside = "".join(c if c.isalnum() or c in "_." else " " for c in text)
    return name in inside.split()


def _shuffled(points: Points, fields: Mapping[str, Any]) -> Points:
    """The same in random order, so that what is held out is a fair part."""
    order = list(range(len(points.X)))
    if fields["test"]:
        random.Random(fields["seed"]).shuffle(order)
    points.X, points.y = [points.X[i] for i in order], [points.y[i] for i in order]
    return _held_out(points, fields["test"])


def _held_out(points: Points, share: float) -> Points:
    """The same with a share of the points, the last ones, held out."""
    n = round(share * len(points.X))
    if n and n == len(points.X):
        raise RefusedError(f"test: of {counted(n, 'point')} none is left to train on: hold out fewer")
    cut = len(points.X) - n
    points.X, points.X_test = points.X[:cut], points.X[cut:]
    points.y, points.y_test = points.y[:cut], points.y[cut:]
    return points
