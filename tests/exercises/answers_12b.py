"""Answers to the exercises of lesson 12b."""

import scalargrad as sg
from scalargrad.exercises import solution


def changed(name, part, old, new):
    """The solution with one thing changed."""
    text = str(solution(name))
    assert old in text

    def answers():
        namespace = {}
        exec(text.replace(old, new), namespace)  # noqa: S102  (code of the package)
        return {part: namespace[part]}

    return answers


def loop(old, new):
    return changed("12b.loop", "train", old, new)


def log(old, new):
    return changed("12b.safe-log", "safe_log", old, new)


HALF_RIGHT = {
    "12b.no-zero": [lambda: {"w": 1.08}, lambda: {"w": 0.6}],
    "12b.loop": [
        loop("        loss.zero_grad()\n", ""),
        loop("loss.zero_grad()\n        loss.backward()", "loss.backward()\n        loss.zero_grad()"),
        loop("losses.append(loss.data)", "losses.append(loss)"),
        loop("w.data -= lr * w.grad", "w = w - lr * w.grad"),
        loop("losses.append(loss.data)", "losses.append(w.data)"),
    ],
    "12b.limit": [lambda: {"lr": 0.1}, lambda: {"lr": 1}],
    "12b.safe-log": [
        log("sg.log(harmless)", "sg.log(x)"),
        log("sg.greater(x, 0.0)", "x > 0"),
        log("0.0)\n", "-1.0)\n"),
    ],
}
WRONG = {
    "12b.no-zero": [lambda: {"w": -6}],
    "12b.loop": [lambda: {"train": lambda *args: []}, lambda: {"train": 5}],
    "12b.limit": [lambda: {"lr": 10}],
    "12b.safe-log": [lambda: {"safe_log": sg.log}, lambda: {"safe_log": "log"}],
}
