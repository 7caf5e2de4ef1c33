"""Given names, shipped with the package: a data set of short texts that needs no download."""

from __future__ import annotations

import gzip
from importlib.resources import files


def names() -> list[str]:
    """Return 32033 given names, in lower case: texts of 2 to 15 of the letters a to z, in a list of your own.

    They come in the order of the source, popular ones first: shuffle them before you split them. 2539 occur twice, as
    names of girls and of boys.

    They are facts of the U.S. Social Security Administration, https://www.ssa.gov/oact/babynames/, a work of the
    United States government and in the public domain, in the selection of A. Karpathy's lectures,
    https://github.com/karpathy/makemore, 2022.

    >>> texts = names()
    >>> len(texts), texts[:4]
    (32033, ['emma', 'olivia', 'ava', 'isabella'])
    """
    text = gzip.decompress((files("scalargrad.nn.data") / "names.txt.gz").read_bytes()).decode("ascii")
    return [line for line in text.splitlines() if not line.startswith("#")]
