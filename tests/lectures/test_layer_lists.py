"""Each line that stands for a layer of Torch's or Caffe's lists computes what PyTorch's layer does, gradients too.

The lines are read off docs/lectures/layer-lists.md, so that what is tested is what a reader copies.
"""

import doctest
import random
from pathlib import Path

import pytest
from sizes import size

import scalargrad as sg
from scalargrad import Value

PAGE = Path(__file__).parents[2] / "docs" / "lectures" / "layer-lists.md"


def lines():
    """The functions that the page defines, by name."""
    found = {"sg": sg, "Value": Value}
    for example in doctest.DocTestParser().get_examples(PAGE.read_text(encoding="utf-8")):
        if example.source.startswith("def "):
            exec(example.source, found)  # noqa: S102  (code of the docs)
    return found


LINES = lines()


def torch():
    return pytest.importorskip("torch", reason="the extra `torch` is not installed")


def F():
    return torch().nn.functional


ONE_NUMBER = {
    "relu6": lambda x: F().relu6(x),
    "hardtanh": lambda x: F().hardtanh(x),
    "hardsigmoid": lambda x: (x / 6 + 0.5).clamp(0, 1),  # F.hardsigmoid has its slope 1/6 in single precision
    "softshrink": lambda x: F().softshrink(x),
    "hardshrink": lambda x: F().hardshrink(x),
    "tanhshrink": lambda x: F().tanhshrink(x),
    "softsign": lambda x: F().softsign(x),
}
TWO_VECTORS = {
    "distance": lambda x, y: torch().dist(x, y),
    "cosine": lambda x, y: F().cosine_similarity(x, y, dim=0),
    "l1_loss": lambda x, y: F().l1_loss(x, y),
    "smooth_l1_loss": lambda x, y: F().smooth_l1_loss(x, y),
}
OTHERS = {
    "prelu",
    "threshold",
    "window",
    "convolve",
    "deconvolve",
    "kl_divergence",
    "contrastive_loss",
    "infogain_loss",
}


def near(x):
    return pytest.approx(x, rel=1e-12, abs=1e-14)


def tensor(x):
    return torch().tensor(x, dtype=torch().float64, requires_grad=True)


def test_every_line_of_the_page_is_tested_here():
    assert {name for name in LINES if not name.startswith("__")} == {"sg", "Value", *ONE_NUMBER, *TWO_VECTORS, *OTHERS}


@pytest.mark.parametrize("name", ONE_NUMBER)
def test_functions_of_one_number(name):
    rng = random.Random(0)
    for number in [rng.uniform(-8, 8) for _ in range(size(40, 2000))] + [rng.uniform(-1, 1) for _ in range(20)]:
        x, other = Value(number), tensor(number)
        y, expected = LINES[name](x), ONE_NUMBER[name](other)
        y.backward(), expected.backward()
        assert (y.data, x.grad) == (near(expected.item()), near(other.grad.item()))


@pytest.mark.parametrize("name", TWO_VECTORS)
def test_functions_of_two_vectors(name):
    rng = random.Random(0)
    for _ in range(size(20, 1000)):
        n = rng.randint(1, 5)
        rows = [[rng.uniform(-3, 3) for _ in range(n)] for _ in range(2)]
        values, others = [[Value(v) for v in row] for row in rows], [tensor(row) for row in rows]
        y, expected = LINES[name](*values), TWO_VECTORS[name](*others)
        y.backward(), expected.backward()
        assert y.data == near(expected.item())
        assert [[v.grad for v in row] for row in values] == [near(other.grad.tolist()) for other in others]


def test_prelu_and_threshold():
    rng = random.Random(0)
    for _ in range(size(20, 1000)):
        number, slope = rng.uniform(-3, 3), rng.uniform(0.1, 0.9)
        x, a, other, b = Value(number), Value(slope), tensor([number]), tensor([slope])
        y, expected = LINES["prelu"](x, a), F().prelu(other, b)
        y.backward(), expected.backward()
        assert (y.data, x.grad, a.grad) == (near(expected.item()), near(other.grad.item()), near(b.grad.item()))
        x, other = Value(number), tensor(number)
        y, expected = LINES["threshold"](x, slope, 0.1), F().threshold(other, slope, 0.1)
        assert y.data == near(expected.item())
        if number > slope:
            y.backward(), expected.backward()
        assert x.grad == float(number > slope)


def test_convolutions_there_and_back():
    rng = random.Random(0)
    for _ in range(size(5, 100)):
        image, kernel = ([[rng.uniform(-2, 2) for _ in range(n)] for _ in range(m)] for m, n in ((4, 5), (2, 3)))
        one, other = (torch().tensor([[x]], dtype=torch().float64) for x in (image, kernel))
        found = LINES["convolve"](image, [[Value(w) for w in row] for row in kernel])
        assert [v.data for row in found for v in row] == near(F().conv2d(one, other)[0, 0].flatten().tolist())
        spread = LINES["deconvolve"](image, [[Value(w) for w in row] for row in kernel])
        expected = F().conv_transpose2d(one, other)[0, 0].flatten().tolist()
        assert [v.data for row in spread for v in row] == near(expected)


def test_losses_of_pairs_and_of_classes():
    rng = random.Random(0)
    for _ in range(size(10, 500)):
        scores = [rng.uniform(-3, 3) for _ in range(4)]
        weights = [rng.random() for _ in range(4)]
        targets = [w / sum(weights) for w in weights]
        log_p = sg.nn.log_softmax(scores)
        expected = F().kl_div(tensor(log_p), tensor(targets), reduction="sum").item()
        assert LINES["kl_divergence"](log_p, targets) == near(expected)
        assert LINES["infogain_loss"](log_p, [0.0, 1.0, 0.0, 0.0]) == near(sg.nn.cross_entropy([scores], [1]))
        x, y = ([rng.uniform(-1, 1) for _ in range(2)] for _ in range(2))
        apart = torch().dist(torch().tensor(x, dtype=torch().float64), torch().tensor(y, dtype=torch().float64)).item()
        assert LINES["contrastive_loss"](x, y, True) == near(apart**2 / 2)
        assert LINES["contrastive_loss"](x, y, False) == near(max(0.0, 1 - apart) ** 2 / 2)
