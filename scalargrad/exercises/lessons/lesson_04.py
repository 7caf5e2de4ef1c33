"""The exercises of notebook 04, layers by hand."""

import random
from typing import Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import Exercise, NotYetError, Part
from scalargrad.exercises.judging import as_number, as_rows, close, expect, number, numbers, result_of
from scalargrad.layers import Linear, product, shape, transposed
from scalargrad.nn import cross_entropy
from scalargrad.ops import dot, greater, relu, where

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


def _shapes() -> dict[str, tuple[int, ...]]:
    """Of 32 samples with 10 numbers in and 4 out."""
    layer = Linear(10, 4, seed=0)
    layer.forward([[0.0] * 10 for _ in range(32)])
    DX = layer.backward([[0.0] * 4 for _ in range(32)])
    return {"DX": shape(DX), "DW": shape(layer.DW), "DB": shape(layer.DB)}


def _shape(name: str) -> Part:
    known: dict[tuple[float, ...], str] = {
        (4, 10): "that is the other way round: DW is subtracted from W, so it has the shape of W",
        (32, 10, 4): "the samples are summed away: all of them share the weights",
        (32, 4): "a gradient has the shape of what it belongs to, and that is the shape of Y",
    }

    def judge(answer: Any) -> None:
        expect(isinstance(answer, (list, tuple)), "a shape is asked for, as (5, 2), or (3,) of a plain list")
        given = tuple(as_number(size) for size in answer)
        right = _shapes()[name]
        expect(given == right or given not in known, known.get(given, ""))
        expect(given == right, f"it is not {tuple(answer)}: it has the shape of what it belongs to")

    return Part(name, judge)


def _twice() -> tuple[list[float], int]:
    """The first row of DW, and the rows of DX, with the notes' sample twice in the batch."""
    X = DY = [[1.0, 2.0], [1.0, 2.0]]
    return product(transposed(X), DY)[0], len(DY)


_LEAKY = ([[2.0, -3.0, 0.5], [-1.0, 4.0, -0.25]], [[1.0, 2.0, -1.0], [3.0, -2.0, 4.0]])


def _leaky(answer: Any) -> None:
    kind = answer if isinstance(answer, type) else type(answer)
    for method in ("forward", "backward", "update_parameters"):
        expect(hasattr(kind, method), f"a layer keeps the contract: it has {method}")
    X, DY = _LEAKY
    leaves = [[Value(x) for x in row] for row in X]
    right = [[where(greater(x, 0), x, 0.1 * x) for x in row] for row in leaves]
    layer, other = kind(), kind()
    found = as_rows(result_of(layer.forward, _copied(X)), 2, 3, "Y")
    _same_rows(found, [[y.data for y in row] for row in right], "Y", "x where x > 0, else 0.1 x")
    result_of(other.forward, [[-x for x in row] for row in X])  # what it stores must not be shared
    for ys, ds in zip(right, DY, strict=True):
        for y, d in zip(ys, ds, strict=True):
            (d * y).backward()
    wanted = [[x.grad for x in row] for row in leaves]
    found = as_rows(result_of(layer.backward, _copied(DY)), 2, 3, "DX")
    slopes = [[g / d for g, d in zip(*rows, strict=True)] for rows in zip(wanted, DY, strict=True)]
    expect(found != slopes, "DX: those are the slopes alone; multiply each by what comes from above, its number of DY")
    _same_rows(found, wanted, "DX", "DY where the *input* was above 0, else 0.1 DY, one number at a time")


def _same_rows(found: list[list[float]], right: list[list[float]], name: str, why: str) -> None:
    pairs = zip(found, right, strict=True)
    expect(all(close(x, y) for rows in pairs for x, y in zip(*rows, strict=True)), f"{name} should be {why}")


EXERCISES = (
    Exercise(
        id="04.shapes",
        question="A linear layer takes 10 numbers and gives 4, for a batch of 32 samples. Which shapes have DX, DW and "
        "DB? Write them as (5, 2), and (3,) for a plain list.",
        parts=(_shape("DX"), _shape("DW"), _shape("DB")),
        hints=(
            "A gradient has the shape of what it belongs to.",
            "X is (32, 10), W is (10, 4), and b has a number for each output.",
        ),
        solution="DX = (32, 10)  # as X\nDW = (10, 4)  # as W: the 32 is summed away\nDB = (4,)  # as b",
        reveal="Only DX knows how many samples there were. The parameters are shared by all samples, so the 32 is "
        "summed away in their gradients.",
    ),
    Exercise(
        id="04.twice",
        question="The notes' sample stands twice in the batch: X = [[1, 2], [1, 2]], with DY = [[1, 2], [1, 2]] from "
        "above. What is the first row of DW now, a list of two numbers, and how many rows has DX?",
        parts=(
            numbers("dw_row", lambda: _twice()[0]),
            number("dx_rows", lambda: _twice()[1], {1: "each sample has a gradient of its own"}),
        ),
        hints=("What does DW = Xᵀ·DY do with the samples, and what does DX = DY·Wᵀ do with them?",),
        solution="dw_row = [1 + 1, 2 + 2]  # summed over the samples\ndx_rows = 2  # one for each sample",
        reveal="DW is twice what one sample gives, and DX has a row for each sample: gradients of shared weights add "
        "up, those of the samples do not.",
    ),
    Exercise(
        id="04.leaky",
        question="Write a layer MyLeakyReLU: y = x where x > 0, else 0.1 x, number by number. Its backward gets DY "
        "and returns DX.",
        parts=(Part("layer", _leaky),),
        hints=(
            "It is MyTanh with another function. What has forward to store?",
            "The slope is 1 where x > 0, and 0.1 elsewhere; each is multiplied by its number of DY.",
        ),
        solution="""
class layer:
    def forward(self, X):
        self.inputs = X
        return [[x if x > 0 else 0.1 * x for x in row] for row in X]

    def backward(self, DY):
        pairs = zip(DY, self.inputs, strict=True)
        return [[d if x > 0 else 0.1 * d for d, x in zip(*rows, strict=True)] for rows in pairs]

    def update_parameters(self, lr):
        pass  # there is nothing to learn in it
""",
        reveal="Where a ReLU hands on nothing, this one hands on a tenth, so that a unit that is off can come back. "
        "Put it in place of MyTanh below: the moons are learned as well.",
    ),
    Exercise(
        id="04.first-loss",
        question="A network for 10 classes that knows nothing gives each class the same score. What is its loss, by "
        "softmax and cross-entropy?",
        parts=(
            number(
                "loss",
                lambda: float(cross_entropy([0.0] * 10, 3)),
                {
                    0.1: "that is the probability of the right class; the loss is minus its logarithm",
                    0.9: "that is the probability of being wrong; the loss is minus the logarithm of being right",
                    -2.302585: "the loss is minus the logarithm: it is not negative",
                    1.0: "take the natural logarithm, ln, which Python calls math.log",
                    0.693147: "that is for two classes",
                },
            ),
        ),
        hints=("Which probability has the right class, and what does cross-entropy make of it?", "−ln of 1/10."),
        solution="from math import log\n\nloss = -log(1 / 10)",
        reveal="ln 10 = 2.3026. A first loss far from ln(number of classes) means that something is wrong before "
        "training has begun.",
    ),
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
