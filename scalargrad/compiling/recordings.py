"""What a function was recorded as: programs for every structure of its arguments and every way through its branches."""

from __future__ import annotations

from collections.abc import Callable, Collection, Hashable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from scalargrad.compiling.branches import Broken, branch_error
from scalargrad.compiling.reached import Reached
from scalargrad.compiling.surroundings import Surroundings
from scalargrad.compiling.watching import BranchError
from scalargrad.support.turns import Turns
from scalargrad.table.row import HARD

if TYPE_CHECKING:
    from scalargrad.engine import Value


class OneWay(Protocol):
    """A function as it was recorded along one way through its branches."""

    @property
    def leaves(self) -> Sequence[Value]:
        """The Values whose numbers are read when it runs."""


class OneWayAtAPoint(OneWay, Protocol):
    """The same, run for one set of arguments."""

    has_indices: bool
    """Whether there are indices among what is compared: eager code says what is wrong with one."""

    def run(self, numbers: Sequence[float]) -> tuple[Any, Broken | None]:
        """What it gives for these numbers, and the first comparison that does not come out as recorded."""


Way = TypeVar("Way", bound=OneWay)
PointWay = TypeVar("PointWay", bound=OneWayAtAPoint)


class Recordings(Generic[Way]):
    """The programs of a function, as long as what they take for granted holds.

    Several threads may use them at once: one of them records while the others wait, and the lists of programs only ever
    grow, so that others may read them meanwhile.

    Args:
        fn: the function.
        name: how messages call it.
        branches: "raise" or "record".
        also: what it is given beside, functions and objects that have some: they are looked at as those that it calls.

    Attributes:
        known: for each structure of arguments the programs, in the order in which they were recorded.
        reached: what they take for granted.
    """

    def __init__(self, fn: Callable[..., Any], name: str, branches: str, also: Collection[Any] = ()) -> None:
        self.name, self.branches = name, branches
        self.known: dict[Any, list[Way]] = {}
        self.reached = Reached(Surroundings(fn, also))
        self._turns = Turns()  # to record a program, and to forget what has changed

    def of(self, structure: Hashable) -> list[Way]:
        """The programs for arguments of this structure that still hold."""
        if self.reached.have_changed():
            self._forget_what_has_changed()
        return self.known.setdefault(structure, [])

    def _forget_what_has_changed(self) -> None:
        with self._turns:  # what another thread, recording, writes around the function has changed until it is done
            if self.reached.have_changed():
                self.known = {}
                self.reached.add(())

    def recorded(self, record: Callable[[], Way]) -> Way:
        """A new program, whose leaves and surroundings are taken for granted from now on."""
        with self._turns:
            self._forget_what_has_changed()  # what is recorded now, and only that, goes by what there is now
            self.reached.surroundings.before_a_run()
            program = record()
            self.reached.add(program.leaves, recorded=True)
            return program

    def another(self, known: list[Way], tried: int, record: Callable[[], Way]) -> Way:
        """The program after those that were tried; where there is none, a new one.

        Args:
            known: the programs so far, to which other threads add meanwhile.
            tried: how many of them do not serve.
            record: makes one more, or raises an error if it would not serve.
        """
        if tried == len(known):
            with self._turns:
                if tried == len(known):  # else another thread has recorded one meanwhile
                    try:
                        known.append(record())
                    finally:
                        if not known:
                            self._forget(known)
        return known[tried]

    def _forget(self, known: list[Way]) -> None:
        """Leave nothing behind of a structure for which no program could be recorded."""
        for structure, programs in list(self.known.items()):
            if programs is known:
                self.known.pop(structure, None)


class PointRecordings(Recordings[PointWay]):
    """Recordings of a function that is called with one set of arguments at a time.

    Args:
        fn, name, branches, also: as above.
        record: (args, numbers): makes a program of arguments and the numbers in them.
        eagerly: (args, numbers): what the function itself gives for them.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str, branches: str,
        record: Callable[[Sequence[Any], Sequence[float]], PointWay],
        eagerly: Callable[[Sequence[Any], Sequence[float]], Any], also: Collection[Any] = (),
    ) -> None:  # fmt: skip
        super().__init__(fn, name, branches, also)
        self._record, self._eagerly = record, eagerly

    def result(self, structure: Hashable, args: Sequence[Any], numbers: Sequence[float]) -> Any:
        """What the program whose comparisons come out as they did gives for these arguments.

        Raises:
            BranchError: if `branches` is "raise" and the first does not serve, or a comparison with NaN never holds.
            IndexError: if an index is none, as eager code raises it.
        """
        known = self.of(structure)
        tried = 0
        try:
            while True:
                one = (
                    known[tried]
                    if tried < len(known)
                    else self.another(known, tried, partial(self._new, args, numbers))
                )
                result, broken = one.run(numbers)
                if broken is None:
                    return result
                # All guards before the first that is broken hold: if that has NaN, it has on every way.
                if self.branches == "raise" or broken.has_nan:
                    if one.has_indices:
                        self._eagerly(args, numbers)
                    raise branch_error(self.name, broken)
                tried += 1
        except BranchError:
            raise
        except HARD:  # a pole: eager code knows whether a number raises, or is a derivative and follows IEEE
            if not known:  # it was the function itself that raised
                raise
            return self._eagerly(args, numbers)

    def _new(self, args: Sequence[Any], numbers: Sequence[float]) -> PointWay:
        program = self.recorded(partial(self._record, args, numbers))
        try:
            _, broken = program.run(numbers)
        except HARD:  # a pole of a derivative: the recording is good for other numbers
            return program
        if broken:  # it was recorded along a way that no numbers take
            raise branch_error(self.name, broken)
        return program
