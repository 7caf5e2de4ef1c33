"""What counts as a real number."""

from __future__ import annotations

import numbers
from typing import Any

kept_types: set[type] = set()
"""Number types that Values keep as they are; exact.py puts its own here."""


def number(x: Any) -> float:
    """X as a float, if it is a real number; never a string, a complex number or an array."""
    if type(x) is float:
        return x
    if type(x) is int:
        return float(x)
    if type(x) in kept_types:
        return x  # type: ignore[no-any-return]
    if isinstance(x, numbers.Real) and getattr(getattr(x, "dtype", None), "kind", "") != "m":
        return float(x)  # int, bool, Fraction, numpy scalars; Decimal and str are not, and times are no numbers
    is_0d = getattr(x, "ndim", None) == 0 and callable(getattr(x, "item", None))
    if is_0d and not hasattr(x, "mask"):  # an array or tensor of one number
        kind = getattr(getattr(x, "dtype", None), "kind", "f")
        if kind in "biuf":  # dates too have an item that is an int
            return number(x.item())
    raise TypeError(f"Value data must be a real number, not {type(x).__name__}{_what_to_write(x)}")


def _what_to_write(x: Any) -> str:
    """The end of the message: how to come from what was given to a number."""
    if hasattr(x, "_kept"):  # a Value, by a slot of its own: this room knows no Values
        return ": take its number with .data"
    if isinstance(x, str):
        try:
            float(x)
        except ValueError:
            return ""
        return f": write {x.strip()} without quotes, or float(...) of the text"
    if isinstance(x, (list, tuple)) or getattr(x, "ndim", False):
        return ": a Value holds one number; make a list of them, [Value(x) for x in xs]"
    return ""
