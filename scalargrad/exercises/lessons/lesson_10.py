"""The exercises of notebook 10, losses."""

import random
from typing import Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import as_number, as_rows, close, expect, result_of
from scalargrad.nn import l2_penalty, multiclass_hinge
from scalargrad.ops import dot


def _problems() -> list[tuple[Any, ...]]:
    """The scores of cat, car and frog, without a penalty; and a batch with one."""
    rng = random.Random(10)
    scores = [[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]
    pixels = [[1.0, 0.0, 0.0], [0.0, 1.0, 0.0], [0.0, 0.0, 1.0]]
    W, X = ([[rng.uniform(-2, 2) for _ in range(k)] for _ in range(n)] for n, k in ((4, 3), (5, 4)))
    return [(scores, pixels, [0, 1, 2], 0.0), (W, X, [2, 0, 1, 1, 0], 0.1)]


def _by_values(W: Any, X: Any, y: Any, strength: float) -> tuple[float, list[list[float]]]:
    leaves = [[Value(w) for w in row] for row in W]
    scores = [[dot(x, column) for column in zip(*leaves, strict=True)] for x in X]
    loss = multiclass_hinge(scores, y) + l2_penalty([w for row in leaves for w in row], strength)
    loss.backward()
    return loss.data, [[w.grad for w in row] for row in leaves]


def _svm(answer: Any) -> None:
    for W, X, y, strength in _problems():
        loss, dW = _by_values(W, X, y, strength)
        without, dW_of_data = _by_values(W, X, y, 0.0)
        n = len(X)
        found = result_of(answer, [list(row) for row in W], [list(row) for row in X], list(y), strength)
        expect(isinstance(found, (list, tuple)) and len(found) == 2, "return two things: loss, dW")
        given = as_number(found[0])
        expect(not close(given, loss + 1), "each sample's loss is 1 too large: the right class does not count itself")
        expect(not close(given, n * (loss - without) + n * without), "the data loss is the mean over the samples")
        expect(not close(given, n * without + loss - without), "the data loss is the mean over the samples")
        expect(close(given, loss) or not close(given, without), "the loss is right but for reg_loss")
        expect(close(given, loss), f"the loss is not {given:g} for {n} samples")
        rows = as_rows(found[1], len(W), len(W[0]), "dW")
        if _same(rows, dW):
            continue
        expect(
            not _same(rows, dW_of_data),
            "dW: W is used twice, in the scores and in reg_loss; the penalty's share is missing",
        )
        turned = [list(column) for column in zip(*dW, strict=True)]
        expect(
            len(W) != len(W[0]) or not _same(rows, turned),
            "dW is transposed: it has the shape of W, a row for each pixel",
        )
        penalty = [[2 * strength * w for w in row] for row in W]
        times_n = [[n * d + p for d, p in zip(*pair, strict=True)] for pair in zip(dW_of_data, penalty, strict=True)]
        expect(
            not _same(rows, times_n), "dW: the data loss is a mean, so its share is divided by the number of samples"
        )
        raise NotYetError(
            "dW: a margin above 0 gives its class 1; the right class gets −1 for each of them; dW is Xᵀ times dscores"
        )


def _same(found: list[list[float]], right: list[list[float]]) -> bool:
    pairs = zip(found, right, strict=True)
    return all(close(x, y) for row, rows in pairs for x, y in zip(row, rows, strict=True))


EXERCISES = (
    Exercise(
        id="10.svm",
        question="The slides' assignment, 8 + 5 lines: svm(W, X, y, strength) with scores = X·W, the mean SVM loss and "
        "the penalty strength · Σ W². Return loss, dW. Matrices come as lists of rows (np.array(X) makes an array), y "
        "as a list of class numbers.",
        parts=(Part("svm", _svm),),
        hints=(
            "Forward: scores, margins, data_loss, reg_loss, loss. Backward: dmargins, dscores, dW.",
            "Each margin above 0 gives 1 to its own score and −1 to the score of the right class.",
            "dW = Xᵀ·dscores / n, and 2 · strength · W on top, as W is used twice.",
        ),
        solution="""
from scalargrad.layers import product, transposed


def svm(W, X, y, strength):
    # forward
    n = len(X)
    scores = product(X, W)
    right = [row[c] for row, c in zip(scores, y)]
    margins = [[max(0.0, s - r + 1) for s in row] for row, r in zip(scores, right)]
    margins = [[m * (j != c) for j, m in enumerate(row)] for row, c in zip(margins, y)]
    data_loss = sum(map(sum, margins)) / n
    reg_loss = strength * sum(w * w for row in W for w in row)
    loss = data_loss + reg_loss
    # backward
    dmargins = [[(m > 0) / n for m in row] for row in margins]
    dscores = [[d - (j == c) * sum(row) for j, d in enumerate(row)] for row, c in zip(dmargins, y)]
    dW = product(transposed(X), dscores)
    dW = [[d + 2 * strength * w for d, w in zip(*rows)] for rows in zip(dW, W)]
    return loss, dW
""",
        reveal="`to_python` in notebook 8 writes the same stages by itself, from the graph.",
    ),
)
