"""What counts as several numbers and what as one: every part of nn takes them alike."""

import array
from collections import deque
from fractions import Fraction

import pytest
from optional import numpy

from scalargrad import Value, nn
from scalargrad.nn.arguments.inputs import is_sequence


class Row:
    """A sequence by what it can do, of no kind that anybody knows."""

    def __init__(self, numbers):
        self.numbers = numbers

    def __len__(self):
        return len(self.numbers)

    def __getitem__(self, i):
        return self.numbers[i]

    def __iter__(self):
        return iter(self.numbers)


SEVERAL = {
    "list": list,
    "tuple": tuple,
    "deque": deque,
    "array": lambda xs: array.array("d", xs),
    "a class of one's own": Row,
    "list of Values": lambda xs: list(map(Value, xs)),
    "iterator": iter,
    "generator": lambda xs: (x for x in xs),
    "map": lambda xs: map(Value, xs),
    "values of a dict": lambda xs: dict(enumerate(xs)).values(),
    "numpy array": lambda xs: numpy.array(xs),
    "numpy array of objects": lambda xs: numpy.array(list(map(Value, xs))),
}
ONE = {
    "float": float,
    "int": int,
    "Value": Value,
    "Fraction": Fraction,
    "numpy scalar": lambda x: numpy.float32(x),
    "array without dimensions": lambda x: numpy.array(x),
}
PARTS = {
    "Neuron": nn.Neuron(2, seed=1),
    "Neuron, in steps": nn.Neuron(2, seed=1, fused=False),
    "Layer": nn.Layer(2, 3, seed=1),
    "MaxoutNeuron": nn.MaxoutNeuron(2, seed=1),
    "Maxout": nn.Maxout(2, 2, seed=1),
    "MLP": nn.MLP(2, [2, 1], seed=1),
    "Elementwise": nn.Sequential("tanh"),
    "Dropout": lambda x: nn.Dropout(0.3, seed=2)(x),
    "BatchNorm": nn.BatchNorm(2).eval(),
    "BatchNorm(1)": lambda x: nn.BatchNorm(1)(x),
    "Dropout, then Layer": lambda x: nn.Sequential(nn.Dropout(0.3, seed=2).eval(), nn.Layer(2, 1, seed=1))(x),
    "mse": lambda x: nn.mse(x, [1.0, 3.0]),
    "mse, of targets": lambda x: nn.mse([Value(1.0), Value(3.0)], x),
    "hinge": lambda x: nn.hinge(x, [1, -1]),
    "cross_entropy": lambda x: nn.cross_entropy(x, 0),
}
OF_ONE = {
    "Neuron": nn.Neuron(1, seed=1),
    "Neuron, in steps": nn.Neuron(1, seed=1, fused=False),
    "Layer": nn.Layer(1, 3, seed=1),
    "MaxoutNeuron": nn.MaxoutNeuron(1, seed=1),
    "Elementwise": nn.Sequential("tanh"),
    "Dropout": lambda x: nn.Dropout(0.3, seed=2)(x),
    "BatchNorm": nn.BatchNorm(1).eval(),
    "mse": lambda x: nn.mse(x, 3.0),
    "mse, of targets": lambda x: nn.mse(Value(3.0), x),
    "hinge": lambda x: nn.hinge(x, 1),
}


def numbers(out):
    return [numbers(y) for y in out] if is_sequence(out) else getattr(out, "data", out)


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("kind", SEVERAL)
def test_every_kind_of_row_is_a_row(part, kind):
    xs = [2.0, -3.0]
    assert numbers(PARTS[part](SEVERAL[kind](xs))) == numbers(PARTS[part](xs))


@pytest.mark.parametrize("part", ["Dropout", "BatchNorm"])
@pytest.mark.parametrize("kind", SEVERAL)
def test_every_kind_of_row_is_one_in_a_batch_too(part, kind):
    rows = [[2.0, -3.0], [1.0, 5.0], [4.0, 0.5]]
    first, second, third, fourth = (nn.Dropout(0.3, seed=2) if part == "Dropout" else nn.BatchNorm(2) for _ in range(4))
    expected = numbers(first(rows))
    assert [len(row) for row in expected] == [2, 2, 2]
    assert numbers(second([SEVERAL[kind](row) for row in rows])) == expected
    assert numbers(third(SEVERAL[kind](row) for row in rows)) == expected
    assert numbers(fourth.on_batch([SEVERAL[kind](row) for row in rows])) == expected


@pytest.mark.parametrize("part", OF_ONE)
@pytest.mark.parametrize("kind", ONE)
def test_every_kind_of_number_is_one(part, kind):
    assert numbers(OF_ONE[part](ONE[kind](2))) == numbers(OF_ONE[part](2.0))


@pytest.mark.parametrize("part", PARTS)
@pytest.mark.parametrize("text", ["ab", b"ab"])
def test_text_is_no_row(part, text):
    with pytest.raises((TypeError, ValueError)):
        PARTS[part](text)
