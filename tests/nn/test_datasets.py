"""Data sets have the shapes, labels and numbers that their seeds say; scikit-learn is the oracle where it has them."""

import math
import random
import zlib

import pytest

from scalargrad import nn

ALL = [nn.moons, nn.circles, nn.spirals, nn.xor, nn.blobs]


@pytest.mark.parametrize("dataset", ALL)
def test_every_data_set(dataset):
    X, y = dataset(60, seed=1)
    assert len(X) == len(y) == 60
    assert all(type(x) is float for row in X for x in row)
    assert {len(row) for row in X} == {2}
    k = len(set(y))
    assert sorted(y) == [label for label in range(k) for _ in range(60 // k)]
    assert y != sorted(y)
    assert dataset(60, seed=1) == (X, y) == dataset(60, rng=random.Random(1))
    assert dataset(60, seed=2) != (X, y)
    random.seed(1)
    assert dataset(60) == (X, y)
    names = [10, -20, 30][:k]
    renamed = dataset(60, seed=1, labels=names)
    assert renamed == (X, [names[label] for label in y])
    assert dataset(60, seed=1, labels="abc"[:k]) == (X, ["abc"[label] for label in y])  # a letter for each class


@pytest.mark.parametrize("n", [2, 7, 50])
def test_moons_and_circles_are_scikit_learns(n):
    datasets = pytest.importorskip("sklearn.datasets")

    def points(X, y):
        return sorted(
            [round(float(v), 9) + 0.0, round(float(w), 9) + 0.0, int(label)] for (v, w), label in zip(X, y, strict=True)
        )

    assert points(*nn.moons(n, noise=0.0)) == points(*datasets.make_moons(n))
    assert points(*nn.circles(n, noise=0.0, factor=0.3)) == points(*datasets.make_circles(n, factor=0.3))


def test_noise_has_the_standard_deviation_asked_for():
    for dataset, distance in (
        (nn.moons, lambda x, y, label: math.hypot(x - label, y - 0.5 * label) - 1),
        (nn.circles, lambda x, y, label: math.hypot(x, y) - (1 - 0.5 * label)),
    ):
        X, y = dataset(4000, noise=0.05, seed=0)
        off = [distance(*point, label) for point, label in zip(X, y, strict=True)]
        assert math.sqrt(sum(d * d for d in off) / len(off)) == pytest.approx(0.05, rel=0.1)


def test_blobs_lie_around_their_centers():
    centers = [[0.0, 0.0], [10.0, -5.0]]
    X, y = nn.blobs(2001, noise=0.5, centers=centers, seed=0)
    assert (y.count(0), y.count(1)) == (1000, 1001)
    for k, center in enumerate(centers):
        for axis in (0, 1):
            xs = [point[axis] for point, label in zip(X, y, strict=True) if label == k]
            mean = sum(xs) / len(xs)
            assert mean == pytest.approx(center[axis], abs=0.08)
            assert math.sqrt(sum((x - mean) ** 2 for x in xs) / len(xs)) == pytest.approx(0.5, rel=0.1)


def test_spirals_without_noise_lie_on_their_arms():
    X, y = nn.spirals(90, noise=0.0, seed=0)
    for (x0, x1), label in zip(X, y, strict=True):
        r = math.hypot(x0, x1)
        assert (x0, x1) == pytest.approx((r * math.sin(4 * (label + r)), r * math.cos(4 * (label + r))), abs=1e-12)
    assert set(nn.spirals(10, classes=5, seed=0)[1]) == set(range(5))


def test_xor_is_the_truth_table():
    X, y = nn.xor(100, noise=0.1, seed=0)
    assert all(label == (round(x0) != round(x1)) for (x0, x1), label in zip(X, y, strict=True))


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: nn.moons(1), ValueError, "1 point cannot be shared among 2 classes"),
        (lambda: nn.moons(0), ValueError, "n must be at least 1"),
        (lambda: nn.moons(10.5), TypeError, "n must be an integer, not float"),
        (lambda: nn.moons(10, noise=-0.1), ValueError, "noise is a standard deviation"),
        (lambda: nn.spirals(10, noise=math.nan), ValueError, "noise is a standard deviation"),
        (lambda: nn.moons(10, labels=(0, 1, 2)), ValueError, "3 labels were given for 2 classes"),
        (lambda: nn.circles(10, factor=1.0), ValueError, "factor is the inner radius"),
        (lambda: nn.blobs(10, centers=[[1.0]]), ValueError, "centers must be points"),
        (lambda: nn.blobs(10, centers=[]), ValueError, "centers must be points"),
        (lambda: nn.xor(0), ValueError, "n must be at least 1"),
        *(
            (lambda make=make: make(10, noise=1e308), ValueError, "noise is a standard deviation, from 0 to 1e")
            for make in (nn.moons, nn.circles, nn.xor, nn.blobs, nn.spirals)
        ),
    ],
)
def test_errors_say_what_was_given_and_what_to_do(call, error, text):
    with pytest.raises(error, match=text):
        call()


def test_digits_are_scikit_learns():
    datasets = pytest.importorskip("sklearn.datasets", reason="the extra `bench` is not installed")
    theirs = datasets.load_digits()
    X, y = nn.digits()
    assert [[16 * ink for ink in row] for row in X] == theirs.data.tolist()
    assert y == theirs.target.tolist()


def test_digits_are_pictures_of_ten_digits():
    X, y = nn.digits()
    assert len(X) == len(y) == 1797
    assert {len(row) for row in X} == {64}
    assert {16 * ink for row in X for ink in row} == set(range(17))
    assert all(type(ink) is float for ink in X[0])
    assert all(type(label) is int for label in y)
    assert [y.count(k) for k in range(10)] == [178, 182, 177, 183, 181, 182, 181, 179, 174, 180]
    levels = bytes(int(16 * ink) for row in X for ink in row)
    assert zlib.crc32(levels + bytes(y)) == 3097341608  # of scikit-learn's arrays
    X[0][0] = 7.0  # the caller's own copy
    assert nn.digits()[0][0][0] == 0.0
