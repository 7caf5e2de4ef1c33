"""What counts as a real number."""

from __future__ import annotations

import numbers
from typing import Any

kept_types: set[type] = set()
"""Number types that Values keep as they are; exact.py puts its own here."""


def number(x: Any, what: str = "Value data") -> float:
    """X as a float, if it is a real number; never a string, a complex number or an array.

    Raises:
        TypeError: if it is none; `what` is how the message names it.
        OverflowError: if it is an integer or a fraction too large for a float.
    """
    if type(x) is float:
        return x
    if type(x) in kept_types:
        return x  # type: ignore[no-any-return]
    try:
        if isinstance(x, numbers.Real) and getattr(getattr(x, "dtype", None), "kind", "") != "m":
            return float(x)  # int, bool, Fraction, numpy scalars; Decimal and str are not, and times are no numbers
    except OverflowError:
        raise OverflowError(
            f"{what} must fit a float, and this {type(x).__name__} is too large: scalargrad.Exact(...) keeps it exactly"
        ) from None
    is_0d = getattr(x, "ndim", None) == 0 and callable(getattr(x, "item", None))
    if is_0d and not hasattr(x, "mask"):  # an array or tensor of one number
        kind = getattr(getattr(x, "dtype", None), "kind", "f")
        if kind in "biuf":  # dates too have an item that is an int
            return number(x.item(), what)
    raise TypeError(f"{what} must be a real number, not {type(x).__name__}{_what_to_write(x, what)}")


def _what_to_write(x: Any, what: str) -> str:
    """The end of the message: how to come from what was given to a number."""
    if hasattr(x, "_kept"):  # a Value, by a slot of its own: this room knows no Values
        return ": take its number with .data"
    if isinstance(x, str):
        try:
            float(x)
        except ValueError:
            return ""
        return f": write {x.strip()} without quotes, or float(...) of the text"
    if isinstance(x, numbers.Number) and not isinstance(x, numbers.Real):
        return ": take its real part, with .real" if isinstance(x, numbers.Complex) else ": write float(...) of it"
    if what == "Value data" and (isinstance(x, (list, tuple)) or getattr(x, "ndim", False)):
        return ": a Value holds one number; make a list of them, [Value(x) for x in xs]"
    return ""
