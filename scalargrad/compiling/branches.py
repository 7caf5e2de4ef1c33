"""Which recording serves: the first whose comparisons come out as they did, else a new one, or an error."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol, TypeVar

from scalargrad.compiling.traces import BranchError

ADVICE = (
    "Let the program choose, not Python: with relu, maximum, or where(greater(x, 0), a, b); or record each way once "
    "with branches='record'"
)
Result_co = TypeVar("Result_co", covariant=True)


class Recorded(Protocol[Result_co]):
    """A function as it was recorded along one way through its branches."""

    def run(self, numbers: Sequence[float]) -> tuple[Result_co, str | None]:
        """What it gives for these numbers, and in words the first comparison that does not come out as recorded."""


def branch_error(name: str, guards: Sequence[str], where: str = "") -> BranchError:
    """What to raise when comparisons come out otherwise than when a function of this name was recorded."""
    return BranchError(
        f"{name}: {where}a comparison comes out otherwise than when it was recorded: "
        f"{'; or '.join(guards[:3])}\n{ADVICE}"
    )


def check_branches(branches: str) -> None:
    """Raise ValueError if there is no such choice."""
    if branches not in ("raise", "record"):
        raise ValueError(f"branches must be 'raise' or 'record', not {branches!r}")


def replayed(
    known: list[Recorded[Result_co]],
    record: Callable[[], Recorded[Result_co]],
    numbers: Sequence[float],
    name: str,
    branches: str,
) -> Result_co:
    """What the recording that serves gives for these numbers; a new one is added to the known ones.

    Raises:
        BranchError: if `branches` is "raise" and the first does not serve, or a comparison with NaN never holds.
    """
    broken = None
    for recorded in known:
        result, broken = recorded.run(numbers)
        if broken is None:
            return result
        if branches == "raise":
            raise branch_error(name, [broken])
    recorded = record()
    known.append(recorded)
    result, broken = recorded.run(numbers)
    if broken is not None:
        raise branch_error(name, [broken])
    return result
