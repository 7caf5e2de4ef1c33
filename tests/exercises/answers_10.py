"""Answers to the exercises of lesson 10."""

import math

from scalargrad.exercises import solution


def svm(old="", new=""):
    """The solution with one thing changed."""
    text = str(solution("10.svm"))
    assert old in text

    def answers():
        namespace = {}
        exec(text.replace(old, new), namespace)  # noqa: S102  (code of the package)
        return {"svm": namespace["svm"]}

    return answers


HALF_RIGHT = {
    "10.margins": [lambda: {"loss": 1.5, "grads": [1, 1, -2]}, lambda: {"loss": 2.5, "grads": [0, 1, -1]}],
    "10.ten-scores": [lambda: {"svm": 10, "softmax": 2.303}, lambda: {"svm": 9, "softmax": 0.1}],
    "10.stable-bce": [
        lambda: {"bce": lambda s: math.log(1 + math.exp(-s))},
        lambda: {"bce": lambda s: max(0.0, -s) + math.log(1 + math.exp(-abs(s)))},
    ],
    "10.outlier": [lambda: {"squares": 22, "absolutes": 22}, lambda: {"squares": 3, "absolutes": 3}],
    "10.svm": [
        svm("m * (j != c)", "m"),
        svm("sum(map(sum, margins)) / n", "sum(map(sum, margins))"),
        svm("(m > 0) / n", "(m > 0) * 1.0"),
        svm("d + 2 * strength * w", "d"),
        svm("(j == c) * sum(row)", "(j == c) / n"),
        svm("data_loss + reg_loss", "data_loss"),
        svm("return loss, dW", "return loss, transposed(dW)"),
    ],
}
WRONG = {
    "10.margins": [lambda: {"loss": 0.5, "grads": [1, 2]}],
    "10.ten-scores": [lambda: {"svm": 0, "softmax": 0}],
    "10.stable-bce": [lambda: {"bce": lambda s: -s}, lambda: {"bce": 0.69}],
    "10.outlier": [lambda: {"squares": 3, "absolutes": 22}],
    "10.svm": [lambda: {"svm": lambda *args: (0.0, [])}, lambda: {"svm": 5.27}],
}
