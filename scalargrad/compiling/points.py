"""A function at one point: recorded for arguments of one structure, run for any numbers in it."""

from __future__ import annotations

import ctypes
from array import array
from collections.abc import Callable, Collection, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.branches import Broken, branch_error, first_broken
from scalargrad.compiling.pipeline import runner
from scalargrad.compiling.reached import Reached, parameters_for
from scalargrad.compiling.recordings import PointRecordings
from scalargrad.compiling.samples import PLAIN, doubles
from scalargrad.compiling.statics import unmarked
from scalargrad.compiling.surroundings import Surroundings
from scalargrad.compiling.taping import TapedCall
from scalargrad.compiling.watching import WatchedCall, refuse_to_be_recorded
from scalargrad.engine import Value
from scalargrad.node.mode import being_compiled, mode
from scalargrad.node.numbers import plain_number
from scalargrad.node.structures import flatten, structure
from scalargrad.table.row import HARD

if TYPE_CHECKING:
    from scalargrad.node.structures import Rebuild


class PointProgram:
    """The function recorded for arguments of one structure.

    Args:
        fn: the function.
        args: for each argument what makes it of an iterator of Values.
        numbers: those of the arguments, from left to right.
        choice: the backend.
        name: how messages call the function.

    Attributes:
        guards: the comparisons that fn made, in words.
        has_indices: whether there are indices among them.
        leaves: the Values whose numbers are read when it runs.
        count: how many numbers fn gives.
        runner: the backend's function of (numbers of the leaves, numbers of the arguments): the numbers that fn gives,
            then a violation for each guard.
        numbers: gives it the leaves' numbers as they are now.
    """

    def __init__(
        self, fn: Callable[..., Any], args: Sequence[Rebuild], numbers: Sequence[float], choice: str, name: str
    ) -> None:
        call = WatchedCall(fn, args, numbers, name)
        taped = TapedCall(call)
        self.guards, self.leaves = taped.guards, taped.parameters
        self.has_indices = taped.has_indices
        self.count = len(taped.outputs)
        self._shape = _quick(call.rebuild_output, taped.outputs)
        outputs = [*taped.outputs, *taped.violations()]
        # All of them may raise: what is a number of the function, and what a derivative, eager code knows.
        self.runner: Any = runner(choice, taped.tape.code, outputs, all_raise=True)
        self.numbers = parameters_for(self.runner, self.leaves)

    def run(self, numbers: Sequence[float]) -> tuple[Any, Broken | None]:
        """The result in its structure, and the first guard that does not hold."""
        found = self.runner(self.numbers(), numbers)
        if not self.guards:
            return self._shape(found), None
        broken = first_broken(self.guards, found[self.count :])
        return (None, broken) if broken else (self._shape(found[: self.count]), None)


def _quick(rebuild: Rebuild, slots: Sequence[int]) -> Callable[[list[float]], Any]:
    """Put results into their structure: one number, a list, a matrix without detours."""
    n = len(slots)
    shape = rebuild(iter(range(n)))
    if rebuild is next:
        return lambda found: found[0]
    if type(shape) is list and shape == list(range(n)):
        return lambda found: found
    if type(shape) is list and all(type(row) is list and row for row in shape):
        cuts = [(row[0], row[-1] + 1) for row in shape if type(row[0]) is int is type(row[-1])]
        if [list(range(a, b)) for a, b in cuts] == shape:
            return lambda found: [found[a:b] for a, b in cuts]
    return lambda found: rebuild(iter(found))


class PointFunction:
    """What a function gives for one set of arguments, recorded anew for every structure of them.

    Args:
        fn: the function.
        name: how messages call it.
        backend: the choice.
        branches: "raise" or "record".
        also: static arguments that it was given.

    Attributes:
        with_keywords: the same for calls that give arguments by keywords.
    """

    def __init__(
        self, fn: Callable[..., Any], name: str, backend: str, branches: str, also: Collection[Any] = ()
    ) -> None:
        self._fn, self._name = fn, name
        # Functions that know nothing of this object, so that it goes as soon as nobody has it.
        self._record, self._eagerly = partial(_recorded, fn, name, backend), partial(_eager, fn, name)
        self._recordings = PointRecordings(fn, name, branches, self._record, self._eagerly, also)
        self.with_keywords = ByKeywords(fn, name, lambda fn: PointFunction(fn, name, backend, branches, also))

    def __call__(self, *args: Any) -> Any:
        """See `Compiled.__call__`."""
        if being_compiled():
            return self._fn(*unmarked(args))  # it is part of a function that is being recorded
        key: Any = None
        if len(args) == 1 and type(args[0]) is list and args[0] and PLAIN.issuperset(map(type, args[0])):
            key, numbers = len(args[0]), array("d", args[0])  # a list of numbers, the commonest
        if key is None:
            given = [x for i, arg in enumerate(args) for x in flatten(arg, f"argument {i}")[0]]
            if wants_graph(given):
                return self._fn(*unmarked(args))
            key, numbers = tuple(map(structure, args)), array("d", map(plain_number, given))
        return self._recordings.result(key, args, numbers)

    def bind(self, x: Any, out: Any) -> Callable[[], None]:
        """See `Compiled.bind`."""
        replay = self._bound(x, out)
        who = f"what bind of the compiled {self._name} gave"

        def replay_what_is_known() -> None:
            nonlocal replay
            if being_compiled():
                refuse_to_be_recorded(who)
            if may_change and reached.have_changed():
                replay = self._bound(x, out)
                reached.add(self._recordings.reached.leaves)
            replay()

        reached = Reached(Surroundings(self._fn))
        reached.add(self._recordings.reached.leaves)
        may_change = not reached.is_empty()
        return replay_what_is_known

    def _bound(self, x: Any, out: Any) -> Callable[[], None]:
        source, target = doubles(x, "x"), doubles(out, "out")
        if memoryview(x).ndim != 1:
            raise TypeError(f"x must be one row of numbers, the list that {self._name} takes, not {x.ndim}-dimensional")
        point = self._recordings.recorded(partial(self._record, [source.tolist()], source))
        if len(target) != point.count:
            raise ValueError(f"out has {len(target)} elements, but {self._name} gives {point.count} numbers")
        begin, end = (
            ctypes.addressof(ctypes.c_char.from_buffer(view)) if len(view) else 0 for view in (source, target)
        )
        apart = end >= begin + source.nbytes or begin >= end + target.nbytes
        if apart and not point.guards and hasattr(point.runner, "bound"):
            return point.runner.bound(source, target, point.leaves)  # type: ignore[no-any-return]

        def replay() -> None:
            try:
                found = point.runner(point.numbers(), source)
            except HARD:
                given = source.tolist()
                target[:] = array("d", flatten(self._eagerly([given], given))[0])
                return
            broken = first_broken(point.guards, found[point.count :])
            if broken and self._recordings.branches == "record":
                found, broken = flatten(self(source.tolist()))[0], None
            if broken:
                if point.has_indices:
                    given = source.tolist()
                    self._eagerly([given], given)
                raise branch_error(self._name, broken)
            target[:] = array("d", found[: point.count])

        return replay


def _recorded(
    fn: Callable[..., Any], name: str, backend: str, args: Sequence[Any], numbers: Sequence[float]
) -> PointProgram:
    return PointProgram(fn, [flatten(arg)[1] for arg in args], numbers, backend, name)


def _eager(fn: Callable[..., Any], name: str, args: Sequence[Any], numbers: Sequence[float]) -> Any:
    fresh = map(Value, numbers)
    leaves, rebuild = flatten(fn(*[flatten(arg)[1](fresh) for arg in args]), f"the result of {name}")
    return rebuild(map(float, map(plain_number, leaves)))


class ByKeywords:
    """Calls that give the last arguments by keywords: what records a function is made for each set of their names.

    Args:
        fn: the function.
        name: how messages call it.
        make: makes what records a function of positional arguments.
    """

    def __init__(self, fn: Callable[..., Any], name: str, make: Callable[[Callable[..., Any]], Any]) -> None:
        self._fn, self._name, self._make = fn, name, make
        self._made: dict[tuple[str, ...], Any] = {}

    def __call__(self, args: Sequence[Any], keywords: Mapping[str, Any]) -> Any:
        """What the function gives for these arguments."""
        names = tuple(keywords)
        if names not in self._made:
            self._made.setdefault(names, self._make(self._positional(names)))
        return self._made[names](*args, *keywords.values())

    def _positional(self, names: tuple[str, ...]) -> Callable[..., Any]:
        """The function with these keyword arguments as its last positional ones."""
        fn = self._fn

        def called(*args: Any) -> Any:
            first = len(args) - len(names)
            return fn(*args[:first], **dict(zip(names, args[first:], strict=True)))

        called.__name__ = self._name
        return called


def wants_graph(given: Sequence[Any]) -> bool:
    """Whether there is a Value among the arguments for whose gradient a graph is needed."""
    return mode.get().recording and any(isinstance(x, Value) and x.requires_grad for x in given)
