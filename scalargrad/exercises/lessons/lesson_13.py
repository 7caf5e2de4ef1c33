"""The exercises of notebook 13, a GPT of scalars."""

from __future__ import annotations

import math
import random
from typing import Any

from scalargrad import nn
from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, Part
from scalargrad.exercises.judging import as_number, choice, expect, number, result_of, same_numbers


def _examples() -> list[tuple[list[float], list[list[float]], list[list[float]]]]:
    """A query, keys and values: one key, equal keys, and some at random, of which some are far apart."""
    rng = random.Random(13)
    found = [([1.0, 2.0], [[0.5, -1.0]], [[3.0, 4.0, 5.0]]), ([1.0, 1.0], [[2.0, 0.0], [0.0, 2.0]], [[1.0], [5.0]])]
    for scale in (1.0, 40.0):
        query, *keys = ([rng.gauss(0, scale) for _ in range(4)] for _ in range(4))
        found.append((query, keys, [[rng.gauss(0, 1) for _ in range(2)] for _ in keys]))
    return found


def _attends(head: Any) -> None:
    for query, keys, values in _examples():
        right = nn.attention([query], keys, values)[0]
        given = result_of(head, list(query), [list(key) for key in keys], [list(value) for value in values])
        expect(isinstance(given, (list, tuple)), "head returns a list: a mean of the values, number by number")
        expect(
            len(given) == len(right),
            f"with values of {len(right)} numbers the result has {len(right)} too: its number j is the sum over t of "
            f"share t times number j of value t",
        )
        unscaled = nn.attention([[q * math.sqrt(len(query)) for q in query]], keys, values)[0]
        if len(keys) > 1 and _near(given, unscaled) and not _near(given, right):
            expect(False, "the scores are divided by √d, where d is the length of the query")
        same_numbers(list(given), right, f"the result for {len(keys)} keys")
    asked = [Value(1.0), Value(-2.0)]
    (result,) = result_of(head, asked, [[1.0, 0.0], [0.0, 1.0]], [[1.0], [3.0]])
    expect(isinstance(result, Value), "with Values it gives Values: use sg.exp, or nn.softmax, and no math.exp")
    result.backward()
    expect(asked[0].grad != 0, "no gradient comes back to the query: are the shares computed from it?")


def _near(given: Any, right: list[float]) -> bool:
    return all(math.isclose(as_number(a), b, rel_tol=1e-6, abs_tol=1e-6) for a, b in zip(given, right, strict=True))


EXERCISES = (
    Exercise(
        id="13.predictions",
        question="How many predictions does the name 'olivia' give to learn from?",
        parts=(
            number(
                "count",
                lambda: float(len(nn.Tokenizer(["olivia"]).encode("olivia")) - 1),
                {6.0: "that a name is over must be predicted, too", 8.0: "the first token is given, not predicted"},
                tolerance=1e-9,
            ),
        ),
        hints=("Write the tokens down, with 26 before and behind.", "From each token but the last, the next one."),
        solution="count = len('olivia') + 1  # six letters, and the end",
        reveal="Each position is a little classification with 27 classes, and all of them are learned from at once.",
    ),
    Exercise(
        id="13.first-loss",
        question="The weights are near 0 yet, so the 27 logits are nearly equal. About which loss do you expect?",
        parts=(
            number(
                "loss",
                lambda: math.log(27),
                {
                    math.log(26): "there are 27 tokens: the end is one",
                    1 / 27: "that is the probability; the loss is -log of it",
                    -math.log(27): "the loss is minus the logarithm",
                },
                tolerance=0.005,
            ),
        ),
        hints=("Which probability has each token, if all are equal?", "The loss is -log of the right one's: math.log."),
        solution="""
import math

loss = math.log(27)
""",
        reveal="Whoever trains a model looks at the first loss: far from the logarithm of the number of classes, "
        "something is wrong with the start.",
    ),
    Exercise(
        id="13.head",
        question="Write one head for one query: `head(query, keys, values)`. Scores are dot(query, key) / √d, their "
        "softmax are the shares, and the result is the list of the values' means by these shares.",
        parts=(Part("head", _attends),),
        hints=(
            "scores = [sg.dot(query, key) / len(query) ** 0.5 for key in keys], and nn.softmax makes shares of them.",
            "zip(*values) gives the first numbers of all values, then the second ones: sg.dot(shares, column) of each.",
        ),
        solution="""
import scalargrad as sg
from scalargrad import nn


def head(query, keys, values):
    shares = nn.softmax([sg.dot(query, key) / len(query) ** 0.5 for key in keys])
    return [sg.dot(shares, column) for column in zip(*values)]
""",
        reveal="That is all of attention. `nn.attention` does it for each query and each head.",
    ),
    Exercise(
        id="13.rows",
        question="After one backward() of the loss of 'anna': how many of the 27 rows of wte have a gradient?",
        parts=(
            number(
                "rows",
                lambda: float(len(set(nn.Tokenizer(["anna"]).encode("anna")[:-1]))),
                {
                    2.0: "the token before the first letter has a row, too",
                    4.0: "a letter that stands twice has one row",
                    5.0: "a letter that stands twice has one row",
                    27.0: "which rows were taken?",
                },
                tolerance=1e-9,
            ),
        ),
        hints=("Only the rows that were taken have anything to do with the loss.", "Tokens are 26, a, n, n, a, 26."),
        solution="""
tokens = [26, 0, 13, 13, 0, 26]
rows = len(set(tokens[:-1]))  # the last token is only predicted
""",
        reveal="The other 24 rows get no gradient in this step. (With Adam they may move a little all the same, by the "
        "momentum of earlier steps.)",
    ),
    Exercise(
        id="13.future",
        question="What is the gradient of the loss at position 1 with respect to the key of position 3? Answer with "
        "'zero', 'positive' or 'negative'.",
        parts=(
            choice(
                "gradient",
                "zero",
                {
                    "positive": "does position 1 look at position 3?",
                    "negative": "does position 1 look at position 3?",
                },
            ),
        ),
        hints=("Look at the pictures of the shares: which squares are empty?", "No path, no gradient."),
        solution='gradient = "zero"  # a position sees itself and those before it',
        reveal="That is what `causal` means. Else the model would read the answer instead of predicting it.",
    ),
    Exercise(
        id="13.temperature",
        question="At temperature 1 one letter has probability 0.6 and another 0.3. At temperature 0.5, how many times "
        "as likely as the second is the first?",
        parts=(
            number(
                "times",
                lambda: math.exp((math.log(0.6) - math.log(0.3)) / 0.5),
                {
                    2.0: "that is at temperature 1",
                    1.0: "lower temperatures make what is likely likelier",
                    math.sqrt(2.0): "that is at temperature 2",
                },
            ),
        ),
        hints=(
            "The logits differ by log 0.6 - log 0.3. What does dividing by 0.5 do to the difference?",
            "exp(2 · log 2).",
        ),
        solution="""
import math

times = math.exp((math.log(0.6) - math.log(0.3)) / 0.5)
""",
        reveal="Ratios are squared. At temperature 0 only the likeliest letter is left, and all names are the same.",
    ),
)
