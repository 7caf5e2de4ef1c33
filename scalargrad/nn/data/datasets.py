"""Small data sets for classification, drawn afresh from a seed; no files, no dependencies.

Each returns (X, y): X is a list of n points [x0, x1], y the list of their labels. Labels are class numbers 0, 1, ...;
`labels=(-1, 1)` puts others in their place, as the hinge loss needs. Points are in random order. With neither seed nor
rng, Python's global generator is used.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from scalargrad.nn.arguments.inputs import count
from scalargrad.nn.arguments.randomness import RandomSource, random_source
from scalargrad.support.arguments import MOST, brief, items, real

Point = list[float]
DataSet = tuple[list[Point], list[int]]


def moons(
    n: int = 100,
    noise: float = 0.1,
    *,
    labels: Sequence[int] = (0, 1),
    seed: int | None = None,
    rng: RandomSource | None = None,
) -> DataSet:
    """Return two interleaving half circles of radius 1, as scikit-learn's make_moons.

    Class 0 is (cos a, sin a), class 1 is (1 - cos a, 0.5 - sin a), for n // 2 and n - n // 2 angles a evenly spaced
    from 0 to pi.

    Args:
        n: how many points, at least 2.
        noise: the standard deviation of what is added to each coordinate.
        labels: the label of each class.
        seed: seeds a generator of its own.
        rng: or a `random.Random` to draw from.

    Raises:
        ValueError: if n is too small, noise is negative or there are not two labels.

    >>> X, y = moons(100, seed=0)
    >>> len(X), y.count(0), y.count(1)
    (100, 50, 50)
    """
    sizes = _sizes(n, 2, "moons")
    upper = [[math.cos(a), math.sin(a)] for a in _spaced(0.0, math.pi, sizes[0])]
    lower = [[1 - math.cos(a), 0.5 - math.sin(a)] for a in _spaced(0.0, math.pi, sizes[1])]
    return _finish([upper, lower], noise, labels, random_source(seed, rng), "moons")


def circles(
    n: int = 100,
    noise: float = 0.1,
    *,
    factor: float = 0.5,
    labels: Sequence[int] = (0, 1),
    seed: int | None = None,
    rng: RandomSource | None = None,
) -> DataSet:
    """Return a circle of radius 1 (class 0) around one of radius `factor` (class 1), as scikit-learn's make_circles.

    Args:
        n: how many points, at least 2.
        noise: the standard deviation of what is added to each coordinate.
        factor: the inner radius, between 0 and 1.
        labels: the label of each class.
        seed: seeds a generator of its own.
        rng: or a `random.Random` to draw from.

    Raises:
        ValueError: if n is too small, noise is negative, factor is not in [0, 1) or there are not two labels.
    """
    factor = real(factor, "circles: factor")
    if not 0 <= factor < 1:
        raise ValueError(f"circles: factor is the inner radius, from 0 to below 1, not {factor!r}")
    classes = [
        [[radius * math.cos(2 * math.pi * i / size), radius * math.sin(2 * math.pi * i / size)] for i in range(size)]
        for radius, size in zip((1.0, factor), _sizes(n, 2, "circles"), strict=True)
    ]
    return _finish(classes, noise, labels, random_source(seed, rng), "circles")


def spirals(
    n: int = 300,
    noise: float = 0.2,
    *,
    classes: int = 3,
    labels: Sequence[int] | None = None,
    seed: int | None = None,
    rng: RandomSource | None = None,
) -> DataSet:
    """Return intertwined spiral arms, one for each class, as in the CS231n case study.

    Point number i of m in arm k has radius r = i / (m - 1) and angle 4 * (k + r) + noise, in radians, and lies at
    (r sin angle, r cos angle).

    Args:
        n: how many points over all arms, at least one for each class.
        noise: the standard deviation of the angle.
        classes: how many arms.
        labels: the label of each class; 0 to classes - 1 if left out.
        seed: seeds a generator of its own.
        rng: or a `random.Random` to draw from.

    Raises:
        ValueError: if a number is too small or negative, or there is not one label for each class.
    """
    source, noise, sizes = random_source(seed, rng), _checked_noise(noise, "spirals"), _sizes(n, classes, "spirals")
    labels = _checked_labels(labels, len(sizes), "spirals")
    arms: list[list[Point]] = []
    for k, size in enumerate(sizes):
        arm = []
        for r in _spaced(0.0, 1.0, size):
            angle = 4 * (k + r) + source.gauss(0.0, noise)
            arm.append([r * math.sin(angle), r * math.cos(angle)])
        arms.append(arm)
    return _finish(arms, 0.0, labels, source, "spirals")


def xor(
    n: int = 4,
    noise: float = 0.0,
    *,
    labels: Sequence[int] = (0, 1),
    seed: int | None = None,
    rng: RandomSource | None = None,
) -> DataSet:
    """Return the corners of the unit square, with class 1 where exactly one coordinate is 1.

    The default is the truth table itself; with more points the corners are taken in turn.

    Args:
        n: how many points.
        noise: the standard deviation of what is added to each coordinate.
        labels: the label of each class.
        seed: seeds a generator of its own.
        rng: or a `random.Random` to draw from.

    Raises:
        ValueError: if n is not positive, noise is negative or there are not two labels.

    >>> X, y = xor()
    >>> sorted(zip(X, y))
    [([0.0, 0.0], 0), ([0.0, 1.0], 1), ([1.0, 0.0], 1), ([1.0, 1.0], 0)]
    """
    corners = [(float(i // 2 % 2), float(i % 2)) for i in range(count(n, "n", "xor(4)", MOST))]
    classes = [[list(corner) for corner in corners if (corner[0] != corner[1]) == k] for k in (False, True)]
    return _finish(classes, noise, labels, random_source(seed, rng), "xor")


def blobs(
    n: int = 100,
    noise: float = 1.0,
    *,
    classes: int = 3,
    centers: Sequence[Sequence[float]] | None = None,
    labels: Sequence[int] | None = None,
    seed: int | None = None,
    rng: RandomSource | None = None,
) -> DataSet:
    """Return round clouds of points, one for each class, as scikit-learn's make_blobs.

    Args:
        n: how many points over all clouds, at least one for each class.
        noise: the standard deviation of each cloud, in each coordinate.
        classes: how many clouds, if centers are not given.
        centers: the middle of each cloud; drawn from U(-10, 10) if left out.
        labels: the label of each class; 0, 1, ... if left out.
        seed: seeds a generator of its own.
        rng: or a `random.Random` to draw from.

    Raises:
        ValueError: if a number is too small or negative, a center is not a point [x0, x1], or there is not one label
            for each class.
    """
    source, noise, middles = random_source(seed, rng), _checked_noise(noise, "blobs"), []
    if centers is not None:
        rows = items(centers, "blobs: centers", "[[0, 0], [5, 5]]")
        middles = [[real(x, "blobs: a center's coordinate") for x in items(row, "a center", "[5, 5]")] for row in rows]
        if not middles or any(len(center) != 2 for center in middles):
            raise ValueError(f"blobs: centers must be points, as in [[0, 0], [5, 5]], not {brief(centers)}")
        classes = len(middles)
    sizes = _sizes(n, classes, "blobs")
    labels = _checked_labels(labels, len(sizes), "blobs")  # whatever is wrong is said before anything is drawn
    middles = middles or [[source.uniform(-10.0, 10.0), source.uniform(-10.0, 10.0)] for _ in sizes]
    clouds = [[list(middle) for _ in range(size)] for middle, size in zip(middles, sizes, strict=True)]
    return _finish(clouds, noise, labels, source, "blobs")


def _sizes(n: int, classes: int, who: str) -> list[int]:
    """How many of n points each class has: equally many, the rest going to the last ones."""
    n, classes = count(n, "n", f"{who}(100)", MOST), count(classes, "classes", f"{who}(100, classes=3)")
    if n < classes:
        raise ValueError(
            f"{who}: {n} point{'s' * (n > 1)} cannot be shared among {classes} classes: give n={classes} or more"
        )
    return [(n + k) // classes for k in range(classes)]


def _spaced(start: float, stop: float, n: int) -> list[float]:
    """Return n numbers from start to stop, evenly spaced, both included."""
    return [start + (stop - start) * i / (n - 1) if n > 1 else start for i in range(n)]


MOST_NOISE = 1e300
"""Above, what a generator draws may be infinite."""


def _checked_noise(noise: float, who: str) -> float:
    noise = real(noise, f"{who}: noise")
    if not 0 <= noise <= MOST_NOISE:
        raise ValueError(f"{who}: noise is a standard deviation, from 0 to {MOST_NOISE:g}, not {noise!r}")
    return noise


def _checked_labels(labels: Sequence[int] | None, classes: int, who: str) -> list[int]:
    if labels is None:
        labels = range(classes)
    labels = list(labels) if isinstance(labels, str) else items(labels, f"{who}: labels", f"{who}(labels=(0, 1))")
    if len(labels) != classes:
        raise ValueError(f"{who}: {len(labels)} labels were given for {classes} classes: give one for each")
    return labels


def _finish(
    classes: Sequence[list[Point]], noise: float, labels: Sequence[int] | None, rng: RandomSource, who: str
) -> DataSet:
    """Add the noise, attach the labels, bring into random order."""
    noise, labels = _checked_noise(noise, who), _checked_labels(labels, len(classes), who)
    samples = [(point, label) for points, label in zip(classes, labels, strict=True) for point in points]
    if noise:
        samples = [([x + rng.gauss(0.0, noise) for x in point], label) for point, label in samples]
    rng.shuffle(samples)
    return [point for point, _ in samples], [label for _, label in samples]
