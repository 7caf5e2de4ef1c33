"""The exercises of notebook 14a, pictures."""

from __future__ import annotations

from typing import Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, Part
from scalargrad.exercises.judging import as_rows, choice, expect, number
from scalargrad.nn import Conv2d, Layer
from scalargrad.ops import dot

PICTURE = ((1.0, 2.0, 0.0), (0.0, 1.0, 3.0), (4.0, 0.0, 1.0))


def _weight() -> float:
    weights = [Value(0.0) for _ in range(4)]
    first, last = ([PICTURE[r + i][r + j] for i in range(2) for j in range(2)] for r in (0, 1))
    (dot(weights, first) + 2 * dot(weights, last)).backward()
    return weights[3].grad


def _is_lower_end(answer: Any) -> None:
    rows = as_rows(answer, 3, 3, "kernel")
    layer = Conv2d(1, 1, 3, bias=False, init="zeros")
    for weight, given in zip(layer.filters[0].w, [x for row in rows for x in row], strict=True):
        weight.data = given

    def says(*picture: tuple[float, ...]) -> float:
        return float(layer([picture])[0][0][0].data)

    ink, paper = (1.0, 1.0, 1.0), (0.0, 0.0, 0.0)
    expect(abs(says(ink, ink, ink)) < 1e-9, "inside of ink, where all nine pixels are 1, it does not say 0")
    for edge in ((1.0, 1.0, 0.0), (0.0, 1.0, 1.0), (1.0, 0.0, 0.0), (0.0, 0.0, 1.0)):
        expect(abs(says(edge, edge, edge)) < 1e-9, "on an upright edge, whose three rows are alike, it does not say 0")
    expect(says(ink, ink, paper) >= -1e-9 and says(ink, paper, paper) >= -1e-9,
           "with ink above and paper below it says something negative: turn it round")  # fmt: skip
    expect(says(ink, ink, paper) > 0 or says(ink, paper, paper) > 0, "with ink above and paper below it says 0")


EXERCISES = (
    Exercise(
        id="14a.weight",
        question="A 2 × 2 window slides over the notebook's picture. Of its four places only the first and the last "
        "count, and the last one twice: map_[0] + 2 * map_[3]. What is the gradient of w3, the lower right weight?",
        parts=(
            number(
                "gradient",
                _weight,
                {
                    2.0: "the last place counts twice",
                    1.0: "two places use w3, and what comes back from both adds up",
                    5.0: "those are all four places",
                },
            ),
        ),
        hints=(
            "Which pixel does w3 meet at the first place, and which at the last?",
            "The lower right pixel of each window: 1 at the first place, 1 at the last.",
        ),
        solution="""
picture = [[1.0, 2.0, 0.0], [0.0, 1.0, 3.0], [4.0, 0.0, 1.0]]
first, last = picture[1][1], picture[2][2]
gradient = 1 * first + 2 * last
""",
        reveal="A shared weight gets a contribution from each place: the pixel that it met, times what came back.",
    ),
    Exercise(
        id="14a.edge",
        question="Write a kernel of 3 × 3 numbers that finds the lower end of ink: positive where there is ink above "
        "and paper below, 0 on paper, inside of ink and on an upright edge.",
        parts=(Part("kernel", _is_lower_end),),
        hints=(
            "Turn the notebook's right_end by a quarter.",
            "What is above counts positive, what is below negative, and the three columns are alike.",
        ),
        solution="kernel = [[1, 1, 1], [0, 0, 0], [-1, -1, -1]]",
        reveal="The nine weights add up to 0, so that it says nothing where all pixels are alike.",
    ),
    Exercise(
        id="14a.alexnet",
        question="AlexNet's first layer: pictures of 3 channels and 227 × 227 pixels, 96 filters of 11 × 11, stride 4, "
        "no padding. How many rows has a map? How many parameters has the layer?",
        parts=(
            number(
                "rows",
                lambda: float((227 - 11) // 4 + 1),
                {54.0: "count the first place, too", 217.0: "the window moves by 4 pixels", 56.0: "(227 − 11) / 4 + 1"},
                tolerance=1e-9,
            ),
            number(
                "parameters",
                lambda: float(Conv2d._size({"nin": 3, "nout": 96, "kernel": [11, 11], "bias": True})),
                {
                    34848.0: "each filter has a bias, too",
                    11616.0: "a filter looks at all three channels",
                    11712.0: "a filter looks at all three channels",
                },
                tolerance=1e-9,
            ),
        ),
        hints=(
            "The first place begins at 0; how often can it move on by 4 until the window's end is at 227?",
            "A filter has a weight for each of 3 · 11 · 11 pixels, and one bias.",
        ),
        solution="rows = (227 - 11) // 4 + 1\nparameters = 96 * (3 * 11 * 11 + 1)",
        reveal="96 maps of 55 × 55: 290 400 numbers, made with 34 944 parameters.",
    ),
    Exercise(
        id="14a.damp",
        question="Three channels with 2 in each, and a response normalisation over 3 channels: what is the gradient of "
        "the first channel's output in the third channel's number, 'positive', 'negative' or 'zero'?",
        parts=(
            choice(
                "sign",
                "zero",
                {
                    "negative": "that is so for its neighbour; how far away is the third channel?",
                    "positive": "does more in another channel ever help?",
                },
            ),
        ),
        hints=(
            "Which channels are in the sum of the first one?",
            "With size 3 the sum goes over the channel itself and one on each side.",
        ),
        solution='sign = "zero"  # the sum of the first channel ends at the second',
        reveal="Local means: only the channels beside it. The first one has a neighbour on one side only.",
    ),
    Exercise(
        id="14a.count",
        question="12 filters of 3 × 3, with padding=1 on a picture of 8 × 8, make 768 numbers. How many parameters has "
        "that convolution, and how many would a fully-connected layer have that makes 768 numbers of 64 pixels?",
        parts=(
            number(
                "convolution",
                lambda: float(len(Conv2d(1, 12, 3, init="zeros").parameters())),
                {108.0: "each filter has a bias, too", 7680.0: "the 64 places of a map share their weights"},
                tolerance=1e-9,
            ),
            number(
                "dense",
                lambda: float(Layer._size({"nin": 64, "nout": 768, "bias": True})),
                {49152.0: "each neuron has a bias, too"},
                tolerance=1e-9,
            ),
        ),
        hints=("A filter is one neuron with 9 weights and a bias.", "And 768 neurons with 64 weights and a bias each."),
        solution="convolution = 12 * (9 + 1)\ndense = 768 * (64 + 1)",
        reveal="Less than a four-hundredth: few weights, each of which learns from 64 places in every picture.",
    ),
)
