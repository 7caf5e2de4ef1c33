"""The operators that Python writes between two operands: how each is written, called and how strongly it binds.

Everything that knows operators takes them from here: the methods of Value, notations, staged code, expressions in text,
compiled Python.
"""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import Any, NamedTuple

LOOSE, SUM, PRODUCT, NEGATION, POWER, ATOM = range(6)
"""How strongly the parts of a text hold together, from `x > y` to a name or a call."""


class Operator(NamedTuple):
    """An operator of Python's.

    Attributes:
        text: how it is written: '+'.
        dunder: its special method without the underscores: 'add', for `__add__` and `__radd__`.
        precedence: how strongly it holds its operands together.
    """

    text: str
    dunder: str
    precedence: int

    @property
    def on_numbers(self) -> Callable[[Any, Any], Any]:
        """What it computes of plain numbers: the function of that name in Python's operator module."""
        return getattr(operator, self.dunder)  # type: ignore[no-any-return]


OPERATORS = {
    one.text: one
    for one in (
        Operator("+", "add", SUM),
        Operator("-", "sub", SUM),
        Operator("*", "mul", PRODUCT),
        Operator("/", "truediv", PRODUCT),
        Operator("//", "floordiv", PRODUCT),
        Operator("%", "mod", PRODUCT),
        Operator("**", "pow", POWER),
    )
}
"""Each by its text."""
