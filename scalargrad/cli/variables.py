"""An expression and the numbers of its variables, as they were typed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import argparse
    from collections.abc import Sequence

    from scalargrad import Value


def expression(options: argparse.Namespace) -> tuple[Value, dict[str, Value]]:
    """Return the root of the expression's graph and the leaf of each variable.

    Raises:
        ExpressionError: if it is none, or a variable has no number, or a number no variable.
    """
    from scalargrad.words.expressions import parse_expression

    root, leaves = parse_expression(options.expression, numbers_of(options))
    if not root.label and "f" not in leaves:
        root.label = "f"
    return root, leaves


def numbers_of(options: argparse.Namespace) -> dict[str, float]:
    """Return the number of each variable.

    Raises:
        ExpressionError: if something is no number with a name, or a name is given twice.
    """
    from scalargrad.words.expressions import ExpressionError

    numbers: dict[str, float] = {}
    for assignment in _assignments(options.variables):
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            words = [options.expression.strip(), *(word.strip() for word in options.variables if "=" not in word)]
            raise ExpressionError(
                f"{assignment.strip()!r} is not of the form x=NUMBER: an expression with spaces or * needs quotes, as "
                f'"{" ".join(words)}"'
            )
        if name in numbers:
            raise ExpressionError(f"{name!r} is given twice")
        numbers[name] = _number(name, text)
    return numbers


def _assignments(words: Sequence[str]) -> list[str]:
    """One text for each variable, whether `x=1 y=2` was typed, `x = 1` or `x=1, y=2`."""
    joined: list[str] = []
    for word in words:
        if joined and (word.strip().startswith("=") or joined[-1].rstrip().endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    return [part for text in joined for part in re.split(r",\s*(?=[^\W\d]\w*\s*=)|,\s*$", text) if part]


def _number(name: str, text: str) -> float:
    """The number in a text: digits, or an expression without variables, as pi/2."""
    from scalargrad.support.arguments import brief
    from scalargrad.words.expressions import ExpressionError, expression_function

    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(expression_function(text, [])())
    except ExpressionError as error:
        if re.fullmatch(r"[+-]?\d+,\d+", text):
            hint = f"; write {text.replace(',', '.')}"
        else:
            reason = "it may hold numbers, pi and e" if "=NUMBER" in str(error) else error
            hint = f": {reason}" if re.search(r"[^\w\s.]|\d[^\W\d]", text) else ""
        raise ExpressionError(f"the value of {name!r}, {brief(text)}, is not a number{hint}") from None
    except (ValueError, ArithmeticError) as error:
        raise ExpressionError(
            f"the value of {name!r}, {brief(text)}, is not a number: {str(error).splitlines()[0]}"
        ) from None
