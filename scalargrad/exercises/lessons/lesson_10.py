"""The exercises of notebook 10, losses."""

import math
import random
from typing import Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import as_number, as_rows, close, expect, number, numbers, result_of
from scalargrad.nn import bce_with_logits, cross_entropy, l2_penalty, multiclass_hinge
from scalargrad.ops import dot


def _margins() -> tuple[float, list[float]]:
    scores = [Value(s) for s in (1.0, 3.5, 3.0)]
    loss = multiclass_hinge(scores, 2)
    loss.backward()
    return loss.data, [s.grad for s in scores]


def _same_scores() -> list[Value]:
    return [Value(0.5) for _ in range(10)]


_TARGETS = (1.0, 2.0, 3.0, 4.0, 100.0)


def _median() -> float:
    return sorted(_TARGETS)[len(_TARGETS) // 2]


def _stable_bce(loss: Any) -> None:
    for s in (0.0, 0.5, -0.5, 30.0, -30.0, 700.0, -700.0, 1000.0, -1000.0):
        try:
            given = as_number(result_of(loss, s))
        except (OverflowError, ValueError, ZeroDivisionError) as error:
            raise NotYetError(f"at a score of {s:g}: {type(error).__name__}: {error}") from None
        right = bce_with_logits(Value(s), 1).data
        expect(
            math.isclose(given, right, rel_tol=1e-9),
            f"at a score of {s:g} it gives {given:g}: 1 + e loses e when e is tiny; math.log1p(e) does not"
            if s > 0 and given == 0
            else f"at a score of {s:g} it gives {given:g}",
        )


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
        id="10.margins",
        question="The scores of three classes are 1.0, 3.5 and 3.0, and the last one is right. What is the SVM loss, "
        "and what are the gradients of the three scores?",
        parts=(
            number(
                "loss",
                lambda: _margins()[0],
                {
                    0.5: "a margin of 1 is asked for on top",
                    2.5: "the right class does not count itself",
                    1.0: "3.5 − 3 + 1",
                },
            ),
            numbers("grads", lambda: _margins()[1]),
        ),
        hints=(
            "max(0, 1.0 − 3.0 + 1) + max(0, 3.5 − 3.0 + 1).",
            "One margin is violated: that score gets a 1, and the right one gets a −1 for it. Who is far away gets 0.",
        ),
        solution="loss = 0 + 1.5\ngrads = [0, 1, -1]  # one violation",
        reveal="The first class is far enough away, and the loss does not look at it any more.",
    ),
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
    Exercise(
        id="10.ten-scores",
        question="Before training, all ten scores of a network are about equal. What is its SVM loss then, and what is "
        "its softmax loss?",
        parts=(
            number(
                "svm",
                lambda: multiclass_hinge(_same_scores(), 0).data,
                {
                    10.0: "the right class does not count itself",
                    1.0: "that is one of the terms",
                    0.0: "the margin is kept by none",
                },
            ),
            number(
                "softmax",
                lambda: cross_entropy(_same_scores(), 0).data,
                {
                    0.1: "that is the probability of each class",
                    0.0: "that would be certainty",
                    1.0: "log to the base e",
                },
                tolerance=5e-3,
            ),
        ),
        hints=("How many terms has the SVM's sum, and what is each?", "Each class has a probability of 1/10."),
        solution="import math\n\nsvm = 9 * 1\nsoftmax = math.log(10)  # minus the logarithm of 1/10",
        reveal="If your network starts with a much larger loss than that, something is wrong already.",
    ),
    Exercise(
        id="10.stable-bce",
        question="The binary cross-entropy of a score s with the right answer 1 is −log(sigmoid(s)) = log(1 + e^(−s)). "
        "Write it as a function of a float that is right for s from −1000 to 1000.",
        parts=(Part("bce", _stable_bce),),
        hints=(
            "Two cases: e^(−s) is harmless if s is positive. If it is not, take −s out of the logarithm.",
            "log(1 + e^(−s)) = −s + log(1 + e^s); and math.log1p(x) is log(1 + x) without the loss of a tiny x.",
        ),
        solution="""
import math


def bce(s):
    return max(0.0, -s) + math.log1p(math.exp(-abs(s)))
""",
        reveal="That is how the package computes it, too: one operation, softplus, has both cases in it.",
    ),
    Exercise(
        id="10.outlier",
        question="Which number c makes the sum of (c − t)² smallest, for t = 1, 2, 3, 4, 100? And "
        "which one that of |c − t|?",
        parts=(
            number(
                "squares",
                lambda: sum(_TARGETS) / len(_TARGETS),
                {3.0: "there the slope of the squares is far from 0", 50.5: "all five have their say"},
            ),
            number(
                "absolutes",
                _median,
                {22.0: "there four pull to one side and one to the other", 2.5: "how many lie on each side?"},
            ),
        ),
        hints=("Where is the slope 0?", "The slope of |c − t| is 1 or −1: as many must lie above as below."),
        solution="squares = (1 + 2 + 3 + 4 + 100) / 5  # the mean\nabsolutes = 3  # the middle one",
        reveal="One wild point drags the mean to 22, where no point is. The middle does not care how wild it is.",
    ),
)
