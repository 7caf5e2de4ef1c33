"""Handwritten digits, shipped with the package: a data set of pictures that needs no download."""

from __future__ import annotations

from importlib.resources import files
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from scalargrad.nn.data.datasets import DataSet

_INK = {level: int(level, 17) / 16 for level in "0123456789abcdefg"}


def digits() -> DataSet:
    """Return 1797 handwritten digits as (X, y): 64 pixels each, row by row from the top, and which digit it is.

    X has shape (1797, 64), an 8x8 picture in each row. A pixel is a multiple of 1/16 from 0.0, paper, to 1.0, ink. y
    holds integers from 0 to 9, between 174 and 183 of each. They come in the order of the source, writer after
    writer: shuffle them before you split them, unless unknown writers are what you want to test with.

    It is what scikit-learn's `load_digits` gives, divided by 16: the test set of E. Alpaydin and C. Kaynak, Optical
    Recognition of Handwritten Digits, UCI Machine Learning Repository, 1998, https://doi.org/10.24432/C50P49, licensed
    CC BY 4.0.

    >>> X, y = digits()
    >>> len(X), len(X[0]), y[:12]
    (1797, 64, [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 0, 1])
    >>> for start in range(0, 64, 8):
    ...     print("".join(" .+#"[round(3 * ink)] for ink in X[3][start : start + 8]).rstrip())
      .#+
     ++.#.
       ++
       #+
        ++
         ++
      +..#+
      .+++
    """
    lines = (files("scalargrad.nn.data") / "digits.txt").read_text(encoding="ascii").splitlines()
    samples = [line.split() for line in lines if not line.startswith("#")]
    return [[_INK[level] for row in rows for level in row] for _, *rows in samples], [int(y) for y, *_ in samples]
