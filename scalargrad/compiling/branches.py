"""Comparisons that do not come out as they did when they were recorded, and what is said then."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from scalargrad.compiling.watching import BranchError
from scalargrad.support.arguments import brief

ADVICE = (
    "Let the program choose, not Python: with relu, maximum, or where(greater(x, 0), a, b); or record each way once "
    "with branches='record'"
)
NAN_ADVICE = (
    "Find out where NaN comes from, with scalargrad.detect_anomaly(), or let the program choose, not Python: "
    "where(greater(x, 0), a, b) hands NaN on"
)


class Broken(NamedTuple):
    """Comparisons that do not come out as they did when they were recorded.

    Attributes:
        guards: they, in words, or some of which one is among them.
        has_nan: whether that is because a comparison has NaN on one side.
    """

    guards: Sequence[str]
    has_nan: bool


def first_broken(guards: Sequence[str], violations: Iterable[float]) -> Broken | None:
    """The first guard that does not hold."""
    for guard, violation in zip(guards, violations, strict=True):
        if violation != 0.0:
            return Broken([guard], violation != violation)
    return None


def branch_error(name: str, broken: Broken, where: str = "") -> BranchError:
    """What to raise when comparisons come out otherwise than when a function of this name was recorded."""
    listed = "; or ".join(broken.guards[:3])
    if broken.has_nan:
        what, advice = "a comparison has NaN on one side, for which no branch is recorded", NAN_ADVICE
    else:
        what, advice = "a comparison comes out otherwise than when it was recorded", ADVICE
    return BranchError(f"{name}: {where}{what}: {listed}\n{advice}")


def check_branches(branches: str) -> None:
    """Raise ValueError if there is no such choice."""
    if branches not in ("raise", "record"):
        raise ValueError(f"branches must be 'raise' or 'record', not {brief(branches)}")
