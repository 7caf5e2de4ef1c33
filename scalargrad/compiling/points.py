"""A function at one point: recorded for arguments of one structure, run for any numbers in it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.backends import backend
from scalargrad.compiling.losses import data_of
from scalargrad.compiling.lowering import simplified
from scalargrad.compiling.recording import TraceRecording
from scalargrad.compiling.traces import Trace
from scalargrad.engine import Value
from scalargrad.functional.trees import flatten

if TYPE_CHECKING:
    from scalargrad.functional.trees import Rebuild


class Point:
    """The function recorded for arguments of one structure.

    Args:
        fn: the function.
        args: arguments.
        numbers: theirs, from left to right.
        choice: the backend.
        name: how messages call the function.
        parameters: leaves that come first among `leaves`.

    Attributes:
        guards: the comparisons that fn made, in words.
        leaves: the Values whose numbers are read when it runs.
        count: how many numbers fn gives.
        code, outputs: the program: the numbers that fn gives, then a violation for each guard.
        runner: the backend's function of (numbers of the leaves, numbers of the arguments).
    """

    def __init__(
        self, fn: Callable[..., Any], args: Sequence[Any], numbers: Sequence[float], choice: str, name: str,
        parameters: Sequence[Value] = (),
    ) -> None:  # fmt: skip
        inputs = [Value(x) for x in numbers]
        fresh = iter(inputs)
        trace = Trace(fn, [flatten(arg)[1](fresh) for arg in args], name)
        recorded = TraceRecording(trace, inputs, parameters)
        self.guards, self.leaves = recorded.guards, recorded.parameters
        self.count = len(recorded.outputs)
        self._shape = _quick(trace.rebuild_output, recorded.outputs)
        tape, self.outputs = simplified(recorded.tape.code, [*recorded.outputs, *recorded.violations()])
        self.code = tape.code
        self.runner = backend(choice, self.code).single(self.code, self.outputs)

    def run(self, numbers: Sequence[float]) -> tuple[Any, str | None]:
        """The result in its structure, and the first guard that does not hold."""
        found = self.runner(list(map(data_of, self.leaves)), numbers)
        for guard, violation in zip(self.guards, found[self.count :], strict=True):
            if violation != 0.0:
                return None, guard
        return self._shape(found[: self.count] if self.guards else found), None


def _quick(rebuild: Rebuild, slots: Sequence[int]) -> Callable[[list[float]], Any]:
    """Put results into their structure: one number, a list, a matrix without detours."""
    n = len(slots)
    shape = rebuild(iter(range(n)))
    if rebuild is next:
        return lambda found: found[0]
    if shape == list(range(n)):
        return lambda found: found
    if isinstance(shape, list) and all(type(row) is list and row for row in shape):
        cuts = [(row[0], row[-1] + 1) for row in shape if type(row[0]) is int is type(row[-1])]
        if [list(range(a, b)) for a, b in cuts] == shape:
            return lambda found: [found[a:b] for a, b in cuts]
    return lambda found: rebuild(iter(found))
