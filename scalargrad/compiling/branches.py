"""Which recording serves: the first whose comparisons come out as they did, else a new one, or an error."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from itertools import islice
from typing import TYPE_CHECKING, NamedTuple, Protocol, TypeVar

from scalargrad.compiling.traces import BranchError
from scalargrad.support.arguments import brief
from scalargrad.table.row import HARD

if TYPE_CHECKING:
    from scalargrad.support.turns import Turns

ADVICE = (
    "Let the program choose, not Python: with relu, maximum, or where(greater(x, 0), a, b); or record each way once "
    "with branches='record'"
)
NAN_ADVICE = (
    "Find out where NaN comes from, with scalargrad.detect_anomaly(), or let the program choose, not Python: "
    "where(greater(x, 0), a, b) hands NaN on"
)
Result_co = TypeVar("Result_co", covariant=True)


class Broken(NamedTuple):
    """Comparisons that do not come out as they did when they were recorded.

    Attributes:
        guards: they, in words, or some of which one is among them.
        has_nan: whether that is because a comparison has NaN on one side.
    """

    guards: Sequence[str]
    has_nan: bool


class Recorded(Protocol[Result_co]):
    """A function as it was recorded along one way through its branches."""

    def run(self, numbers: Sequence[float]) -> tuple[Result_co, Broken | None]:
        """What it gives for these numbers, and the first comparison that does not come out as recorded."""


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


def replayed(
    known: list[Recorded[Result_co]],
    record: Callable[[], Recorded[Result_co]],
    numbers: Sequence[float],
    name: str,
    branches: str,
    turns: Turns,
) -> Result_co:
    """What the recording that serves gives for these numbers; a new one is added to the known ones.

    Args:
        known: the recordings so far, to which others add meanwhile; each has served the numbers it was recorded at.
        record: makes another.
        numbers: those of the arguments.
        name: how messages call the function.
        branches: "raise" or "record".
        turns: one at a time makes a recording, so that threads that come at once make one.

    Raises:
        BranchError: if `branches` is "raise" and the first does not serve, or a comparison with NaN never holds.
    """
    tried = 0
    while True:
        for recorded in islice(known, tried, None):
            result, broken = recorded.run(numbers)
            if broken is None:
                return result
            # All guards before the first that is broken hold: if that has NaN, it has on every way.
            if branches == "raise" or broken.has_nan:
                raise branch_error(name, broken)
            tried += 1
        with turns:
            if tried < len(known):  # another thread has recorded one meanwhile
                continue
            recorded = record()
            try:
                result, broken = recorded.run(numbers)
            except HARD:  # a pole of a derivative: the recording is good for other numbers
                known.append(recorded)
                raise
            if broken is None:
                known.append(recorded)
                return result
        raise branch_error(name, broken)  # it was recorded along a way that no numbers take
