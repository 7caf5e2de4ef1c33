"""The exercises of notebook 04, layers by hand."""

import random
from typing import Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import as_number, as_rows, close, expect, result_of
from scalargrad.nn import cross_entropy
from scalargrad.ops import dot, relu

_NAMES = ("dW1", "db1", "dW2", "db2")


def _problems() -> list[tuple[Any, ...]]:
    """The lecture notes' network on one sample, a batch, and a batch with scores that are large."""
    rng = random.Random(4)

    def rows(n: int, k: int, size: float = 1.0) -> list[list[float]]:
        return [[rng.uniform(-size, size) for _ in range(k)] for _ in range(n)]

    notes = (
        [[1.0, 0.5, -1.0], [-1.0, 2.0, 0.5]],
        [0.1, -0.2, 0.3],
        [[1.0, 0.5], [0.0, -0.5], [-1.0, 1.0]],
        [0.0, 0.1],
        [[1.0, 2.0]],
        [0],
    )
    batch = (rows(3, 5), rows(1, 5)[0], rows(5, 4), rows(1, 4)[0], rows(6, 3), [0, 1, 2, 3, 1, 0])
    large = ([[1.0, 2.0], [0.5, 1.0]], [0.5, -0.5], [[900.0, -800.0], [700.0, 1200.0]], [0.0, 0.0], [[1.0, 2.0]], [1])
    return [notes, batch, large]


def _by_values(W1: Any, b1: Any, W2: Any, b2: Any, X: Any, y: Any) -> tuple[float, list[list[list[float]]]]:
    """The loss and the four gradients, each as rows, from the engine."""
    leaves = [[[Value(v) for v in row] for row in A] for A in (W1, [b1], W2, [b2])]
    (V1, (c1,), V2, (c2,)) = leaves
    hidden = [[relu(dot(x, w, c)) for w, c in zip(zip(*V1, strict=True), c1, strict=True)] for x in X]
    scores = [[dot(h, w, c) for w, c in zip(zip(*V2, strict=True), c2, strict=True)] for h in hidden]
    loss = cross_entropy(scores, y)
    loss.backward()
    return loss.data, [[[v.grad for v in row] for row in A] for A in leaves]


def _two_layer(answer: Any) -> None:
    for problem in _problems():
        loss, gradients = _by_values(*problem)
        try:
            found = result_of(answer, *[_copied(part) for part in problem])
        except (OverflowError, ZeroDivisionError) as error:
            raise NotYetError(f"{type(error).__name__}: {_TOO_LARGE}") from error
        expect(
            isinstance(found, (list, tuple)) and len(found) == 5,
            "return five things: loss, dW1, db1, dW2, db2",
        )
        given = as_number(found[0])
        expect(given == given and abs(given) < float("inf"), f"the loss is {given}: {_TOO_LARGE}")
        n = len(problem[4])
        expect(n == 1 or not close(given, loss * n), "the loss is n times too large: it is the mean over the batch")
        expect(close(given, loss), f"the loss is not {given:g} for a batch of {n}")
        parts = list(zip(_NAMES, found[1:], gradients, strict=True))
        for name, part, right in parts[2:] + parts[:2]:  # as backward has them
            _compare(name, as_rows(part, len(right), len(right[0]), name), right, n)


_TOO_LARGE = "e to a score of 1000 is too large for a float; subtract each row's largest score first"


def _copied(part: Any) -> Any:
    return [list(row) if isinstance(row, list) else row for row in part]


def _compare(name: str, found: list[list[float]], right: list[list[float]], n: int) -> None:
    def same(factor: float) -> bool:
        pairs = zip(found, right, strict=True)
        return all(close(x, y * factor) for row, rows in pairs for x, y in zip(row, rows, strict=True))

    if same(1.0):
        return
    expect(not same(n), f"{name} is n times too large: the loss is a mean, so dscores is divided by n")
    expect(not same(-1.0), f"{name} has the wrong sign: dscores is prediction minus truth")
    if name in ("dW1", "db1"):
        raise NotYetError(
            f"{name}: dW2 and db2 are right; on the way to {name} dh1 passes where h1 > 0, and nowhere else"
        )
    raise NotYetError(
        f"{name}: it is " + ("h1 transposed, times dscores" if name == "dW2" else "dscores summed over the samples")
    )


EXERCISES = (
    Exercise(
        id="04.two-layer-net",
        question="The slides' assignment: two_layer(W1, b1, W2, b2, X, y) with h1 = max(0, X·W1 + b1), scores = "
        "h1·W2 + b2 and the mean softmax loss of the batch. Return loss, dW1, db1, dW2, db2. Matrices come as lists of "
        "rows (np.array(X) makes arrays of them), y as a list of class numbers.",
        parts=(Part("two_layer", _two_layer),),
        hints=(
            "Stages: h1, scores, loss; then dscores, dh1, dW2, db2; then dW1, db1. A gradient has its matrix's shape.",
            "dscores is softmax minus 1 at the right class, divided by the number of samples.",
            "dW2 = h1ᵀ·dscores, db2 = its column sums, dh1 = dscores·W2ᵀ; keep dh1 where h1 > 0; then the same again.",
        ),
        solution="""
from math import exp, log

from scalargrad.layers import product, transposed


def two_layer(W1, b1, W2, b2, X, y):
    # forward
    h1 = [[max(0.0, v + b) for v, b in zip(row, b1)] for row in product(X, W1)]
    scores = [[v + b for v, b in zip(row, b2)] for row in product(h1, W2)]
    shifted = [[s - max(row) for s in row] for row in scores]  # or exp is too large for a float
    totals = [sum(map(exp, row)) for row in shifted]
    loss = sum(log(t) - row[c] for t, row, c in zip(totals, shifted, y)) / len(X)
    # backward
    dscores = [[(exp(s) / t - (j == c)) / len(X) for j, s in enumerate(row)] for row, t, c in zip(shifted, totals, y)]
    dW2, db2 = product(transposed(h1), dscores), [sum(column) for column in zip(*dscores)]
    dh1 = product(dscores, transposed(W2))
    dh1 = [[d * (h > 0) for d, h in zip(*rows)] for rows in zip(dh1, h1)]  # back through the ReLU
    dW1, db1 = product(transposed(X), dh1), [sum(column) for column in zip(*dh1)]
    return loss, dW1, db1, dW2, db2
""",
        reveal="On one sample these are the notes' delta1 and delta2: dscores and what is left of dh1 behind the ReLU.",
    ),
)
