"""Parts of exercises by kind: numbers, a gradient of a graph, a choice; and help for judging what a learner builds.

A function, a class or a list that the learner has written is judged by what it does: `Part(name, judge)` with a judge
of the lesson's own, which calls learners' functions by `result_of`, so that one that was left empty counts as open.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value
from scalargrad.exercises.exercise import NotYetError, Part, UnansweredError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence


PLACES = 5e-4
"""Numbers are worked out by hand: what is right to three decimals, or to three digits, is right."""


def close(answer: float, right: float, tolerance: float = PLACES) -> bool:
    """Whether a number is right as far as one writes it down.

    >>> close(0.333, 1 / 3), close(-0.333, 1 / 3), close(-0.0, 0.0), close(math.inf, math.inf)
    (True, False, True, True)
    """
    return answer == right or math.isclose(answer, right, rel_tol=tolerance, abs_tol=tolerance)


def as_number(answer: Any) -> float:
    """The answer as a float; a Value counts as its data. Raises NotYetError for what is no number."""
    if isinstance(answer, Value):
        answer = answer.data
    if isinstance(answer, bool) or not hasattr(type(answer), "__float__"):
        raise NotYetError(f"a number is asked for, not {_what(answer)}")
    try:
        return float(answer)
    except OverflowError:
        return math.inf if answer > 0 else -math.inf
    except (TypeError, ValueError):  # an array of several numbers has __float__, too
        raise NotYetError(f"a number is asked for, not {_what(answer)}") from None


def number(
    name: str, right: Callable[[], float], known: Mapping[float, str] | None = None, tolerance: float = PLACES
) -> Part:
    """A number that is computed when it is asked for.

    Args:
        name: the keyword.
        right: computes it.
        known: wrong numbers that come from a known mistake, each with what to look at.
        tolerance: how far the answer may be off, in absolute and relative terms.
    """

    def judge(answer: Any) -> None:
        given = as_number(answer)
        if close(given, right(), tolerance):
            return
        for wrong, why in (known or {}).items():
            if close(given, wrong, tolerance):
                raise NotYetError(why)
        raise NotYetError(f"it is not {given:g}")

    return Part(name, judge)


def gradient(name: str, graph: Callable[[], Value], node: str) -> Part:
    """The gradient that the node of this label gets in the graph; wrong answers get the hints of worksheets.

    Args:
        name: the keyword.
        graph: makes the graph's output.
        node: the label of the node that is asked for.
    """

    def judge(answer: Any) -> None:
        from scalargrad.tracing.worksheet import worksheet

        marks = worksheet(graph(), hide="gradients").check({node: as_number(answer)})
        (mark,) = (mark for mark in marks if mark.blank.name == node)
        if mark.verdict != "right":
            raise NotYetError(mark.hint)

    return Part(name, judge)


def choice(name: str, right: str, others: Mapping[str, str]) -> Part:
    """One of several words.

    Args:
        name: the keyword.
        right: the right one.
        others: the wrong ones, each with what to look at.
    """
    listed = ", ".join(sorted([right, *others]))

    def judge(answer: Any) -> None:
        given = answer.strip().lower() if isinstance(answer, str) else answer
        if given == right.lower():
            return
        for word, why in others.items():
            if given == word.lower():
                raise NotYetError(why)
        raise NotYetError(f"it is one of {listed}, as text")

    return Part(name, judge)


def result_of(function: Callable[..., Any], *args: Any) -> Any:
    """What the learner's function returns. Raises UnansweredError if that is None or `...`, as in an empty one."""
    if not callable(function):
        raise NotYetError(f"a function is asked for, not {_what(function)}")
    result = function(*args)
    if result is None or result is ...:
        raise UnansweredError
    return result


def expect(ok: object, why: str) -> None:
    """Say what to look at, unless it is all right."""
    if not ok:
        raise NotYetError(why)


def same_numbers(answer: Any, right: Sequence[float], what: str, tolerance: float = PLACES) -> None:
    """Compare a list of numbers, element by element; the message counts them and never shows the right ones.

    Args:
        answer: what the learner gave.
        right: the numbers.
        what: its name, with which a message begins; "" where the name stands there already.
        tolerance: how far each may be off, in absolute and relative terms.
    """
    what = f"{what}: " if what else ""
    if not isinstance(answer, (list, tuple)):
        raise NotYetError(f"{what}a list of {len(right)} numbers is asked for, not {_what(answer)}")
    if any(x is ... or x is None for x in answer):
        raise UnansweredError
    if len(answer) != len(right):
        raise NotYetError(f"{what}{len(right)} numbers are asked for, not {len(answer)}")
    wrong = [i for i, (x, y) in enumerate(zip(answer, right, strict=True)) if not close(as_number(x), y, tolerance)]
    if wrong:
        places = ", ".join(f"[{i}]" for i in wrong)
        raise NotYetError(f"{what}{len(right) - len(wrong)} of {len(right)} right; look again at {places}")


def as_rows(answer: Any, rows: int, columns: int, what: str) -> list[list[float]]:
    """A matrix as a list of rows, of lists or of an array; a plain list counts as one row.

    Raises NotYetError for another shape, and UnansweredError where a number was left open.
    """
    given = answer.tolist() if hasattr(type(answer), "tolist") else answer
    if isinstance(given, (list, tuple)) and rows == 1 and not any(isinstance(row, (list, tuple)) for row in given):
        given = [given]
    if not isinstance(given, (list, tuple)) or not all(isinstance(row, (list, tuple)) for row in given):
        raise NotYetError(f"{what}: a matrix of shape ({rows}, {columns}) is asked for, not {_what(answer)}")
    shape = (len(given), len(given[0]) if given else 0)
    if shape != (rows, columns) or any(len(row) != columns for row in given):
        raise NotYetError(f"{what} has shape {shape}, and should have ({rows}, {columns})")
    if any(x is ... or x is None for row in given for x in row):
        raise UnansweredError
    return [[as_number(x) for x in row] for row in given]


def numbers(
    name: str,
    right: Callable[[], Sequence[float]],
    known: Mapping[Sequence[float], str] | None = None,
    tolerance: float = PLACES,
) -> Part:
    """A list of numbers that are computed when they are asked for.

    Args:
        name: the keyword.
        right: computes them.
        known: wrong lists that come from a known mistake, as tuples, each with what to look at.
        tolerance: how far each may be off, in absolute and relative terms.
    """

    def judge(answer: Any) -> None:
        try:
            same_numbers(answer, right(), "", tolerance)
        except NotYetError:
            for wrong, why in (known or {}).items():
                try:
                    same_numbers(answer, wrong, "", tolerance)
                except NotYetError:
                    continue
                raise NotYetError(why) from None
            raise

    return Part(name, judge)


def _what(answer: Any) -> str:
    kind = type(answer).__name__
    return f"{'an' if kind[0] in 'aeiou' else 'a'} {kind}"
