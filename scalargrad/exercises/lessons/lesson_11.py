"""The exercises of notebook 11, handwriting."""

from __future__ import annotations

import random
from typing import Any

from scalargrad.exercises.exercise import Exercise, Part, UnansweredError
from scalargrad.exercises.judging import as_number, choice, expect, number
from scalargrad.nn import MLP, digits

FOUR = """
    ....#+..
    ...##...
    ..##....
    ..#..#..
    .##.##..
    .+####+.
    ....##..
    ....#+..
"""


def _blank() -> float:
    X, _ = digits()
    order = random.Random(0).sample(range(1797), 1797)
    training = [X[i] for i in order[:1200]]
    return float(sum(not any(column) for column in zip(*training, strict=True)))


def _rows(text: Any) -> list[str]:
    """The eight rows of a drawing; one that was left open is unanswered."""
    if text is ... or text is None:
        raise UnansweredError
    expect(isinstance(text, str), "the drawing is a text of eight rows, as `four` is one")
    rows = [row.strip().ljust(8, ".") for row in text.strip().splitlines()]
    expect(len(rows) == 8 and all(len(row) == 8 for row in rows), "a drawing has 8 rows of 8 characters")
    return rows


def _pixels(rows: list[str]) -> list[float]:
    return [{"#": 1.0, "+": 0.5}.get(character, 0.0) for row in rows for character in row]


def _read(model: Any, pixels: list[float]) -> int:
    scores = [as_number(s) for s in model(pixels)]
    expect(len(scores) == 10, "the network gives ten scores, one for each digit")
    return scores.index(max(scores))


def _given(answer: Any) -> tuple[Any, list[str]]:
    """The network and the drawing of an answer; the network must be able to read."""
    expect(isinstance(answer, tuple) and len(answer) == 2, "two things are asked for: the network, and the drawing")
    model, text = answer
    rows = _rows(text)
    expect(callable(model), "first the network: (model, drawing)")
    X, y = digits()
    right = sum(_read(model, X[i]) == y[i] for i in range(40))
    expect(right >= 32, f"this network reads {right} of 40 digits: train it first")
    return model, rows


def _is_seven(answer: Any) -> None:
    model, rows = _given(answer)
    said = _read(model, _pixels(rows))
    expect(said == 7, f"it is read as a {said}: how do the sevens of the training pictures begin and end?")


def _is_small_change(answer: Any) -> None:
    model, rows = _given(answer)
    four = _rows(FOUR)
    expect(_read(model, _pixels(four)) == 4, "this network does not take the four of the notebook for a 4")
    changed = sum(a != b for row, old in zip(rows, four, strict=True) for a, b in zip(row, old, strict=True))
    expect(changed <= 3, f"{changed} characters are changed, and at most 3 may be")
    expect(_read(model, _pixels(rows)) != 4, f"with {changed} characters changed it is read as a 4 still")


_READER = """
from scalargrad import nn

X, y = nn.digits()
model = nn.Layer(64, 10, activation=None, init="zeros")  # a small reader, in place of the notebook's network
nn.fit(model, X[:500], y[:500], loss="cross_entropy", lr=1.0, epochs=30, progress=False, compiled=True)
"""

EXERCISES = (
    Exercise(
        id="11.blank",
        question="How many of the 64 pixels are blank in all 1200 training pictures? (X_train of the notebook.)",
        parts=(
            number(
                "pixels",
                _blank,
                {0.0: "look at the corners", 60.0: "those are the ones with ink", 64.0: "some have ink"},
                tolerance=1e-9,
            ),
        ),
        hints=(
            "zip(*X_train) gives a column for each pixel.",
            "any(column) is False if all of a column is 0: sum(not any(column) for column in ...).",
        ),
        solution="""
import random

from scalargrad import nn

X, y = nn.digits()
order = random.Random(0).sample(range(1797), 1797)
X_train = [X[i] for i in order[:1200]]
pixels = sum(not any(column) for column in zip(*X_train))
""",
        reveal="The weights of such a pixel are multiplied by 0 every time, so they get no gradient: they stay where "
        "they began, but for the penalty.",
    ),
    Exercise(
        id="11.parameters",
        question="A network for these digits with 16 hidden neurons instead of 32: how many parameters has it?",
        parts=(
            number(
                "parameters",
                lambda: float(len(MLP(64, [16, 10]).parameters())),
                {
                    1184.0: "each neuron has a bias, too",
                    2410.0: "that is with 32 of them",
                    1205.0: "10 neurons in the last layer stay",
                },
                tolerance=1e-9,
            ),
        ),
        hints=("64 · 16 weights and 16 biases in the first layer.", "And 16 · 10 weights and 10 biases in the second."),
        solution="parameters = 64 * 16 + 16 + 16 * 10 + 10",
        reveal="Nearly all of them are weights of the pixels.",
    ),
    Exercise(
        id="11.dead",
        question="A hidden neuron is dead: its sum is negative for every training picture. What would its weights do "
        "in further training without a penalty? Answer with 'grow', 'shrink' or 'stay'.",
        parts=(
            choice(
                "weights",
                "stay",
                {
                    "grow": "which gradient would make them grow?",
                    "shrink": "that is what a penalty does, and there is none",
                },
            ),
        ),
        hints=("What is the slope of ReLU where the sum is negative?", "All that comes from above is multiplied by 0."),
        solution='weights = "stay"  # their gradients are 0',
        reveal="With leaky_relu the slope is 0.1 there, and the neuron goes on learning.",
    ),
    Exercise(
        id="11.seven",
        question="Draw a 7 that your network takes for a 7: eight rows of eight characters, # for ink and + for half "
        "of it. Hand in both: (model, drawing).",
        parts=(Part("drawing", _is_seven),),
        hints=(
            "The training digits fill the height, and their strokes are about two pixels wide.",
            "A bar at the top, then a stroke from its right end down to the middle or the left.",
        ),
        solution=_READER
        + '''
drawing = model, """
    ..#####.
    ..+#####
    .....##.
    ....##+.
    ..#####.
    ..+##+..
    ...##...
    ..+#+...
"""
''',
        reveal="Many of the training sevens have a bar in the middle; it helps, where yours has one.",
    ),
    Exercise(
        id="11.other-digit",
        question="Change at most three characters of the notebook's `four` so that your network reads something else. "
        "Hand in (model, drawing).",
        parts=(Part("drawing", _is_small_change),),
        hints=(
            "Where is the slope of the 4 steepest? Take ink away where it is green.",
            "The corner where the two strokes meet is what makes it a 4; so is the paper above it.",
        ),
        solution=_READER
        + '''
drawing = model, """
    ....#+..
    ...##...
    ..##....
    ..#..#..
    .##.##..
    .+##.#+.
    ..#.###.
    ....#+..
"""
''',
        reveal="Three of 64. To us it is the same 4: that is an adversarial example, drawn by hand.",
    ),
)
