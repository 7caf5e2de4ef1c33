"""The random numbers of numpy's RandomState, without numpy: to reproduce what was published with a numpy seed."""

from __future__ import annotations

import math
import random
from collections.abc import MutableSequence
from typing import Any

from scalargrad.support.arguments import whole


class NumpyRandom:
    """The generator that `numpy.random.seed(n)` and `numpy.random.RandomState(n)` start, number for number.

    Numpy has promised not to change it. It serves wherever `rng=` is taken, as in `nn.blobs(1000, classes=1,
    rng=nn.NumpyRandom(170))`: the points of scikit-learn's `make_blobs(1000, centers=1, random_state=170)`.

    Args:
        seed: from 0 to 2**32 - 1.

    Raises:
        ValueError: if the seed is out of range.
        TypeError: if it is no integer.

    >>> rng = NumpyRandom(1)
    >>> rng.random(), rng.gauss(0.0, 1.0)
    (0.417022004702574, -0.8021728386486427)
    """

    def __init__(self, seed: int) -> None:
        seed = whole(seed, "seed, as numpy takes it,", least=0, most=2**32 - 1)
        # Python's generator is the Mersenne Twister too, but seeds it otherwise. This is init_genrand of Matsumoto and
        # Nishimura, 2002.
        key = [seed]
        for i in range(1, 624):
            key.append((1812433253 * (key[-1] ^ (key[-1] >> 30)) + i) % 2**32)
        self._twister = random.Random()
        self._twister.setstate((3, (*key, 624), None))
        self._spare: float | None = None

    def random(self) -> float:
        """Return a number from 0 to below 1, as numpy's `random()`."""
        return self._twister.random()

    def uniform(self, a: float, b: float) -> float:
        """Return a number between a and b, each equally likely, as numpy's `uniform(a, b)`."""
        return a + (b - a) * self._twister.random()

    def gauss(self, mu: float, sigma: float) -> float:
        """Return a normally distributed number, as numpy's `normal(mu, sigma)`: Marsaglia's polar method."""
        if self._spare is not None:
            z, self._spare = self._spare, None
            return mu + sigma * z
        while True:
            x, y = 2.0 * self._twister.random() - 1.0, 2.0 * self._twister.random() - 1.0
            r2 = x * x + y * y
            if 0.0 < r2 < 1.0:
                break
        factor = math.sqrt(-2.0 * math.log(r2) / r2)
        self._spare = factor * x
        return mu + sigma * (factor * y)

    def shuffle(self, x: MutableSequence[Any]) -> None:
        """Bring x into a random order, in place, as numpy's `shuffle(x)`."""
        for i in range(len(x) - 1, 0, -1):
            bits = i.bit_length()
            while (j := self._twister.getrandbits(32) & ((1 << bits) - 1)) > i:
                pass
            x[i], x[j] = x[j], x[i]
