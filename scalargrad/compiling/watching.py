"""A watched call of a user's function, on Values of its own: what it computed, and which comparisons decided on it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextvars import copy_context
from numbers import Number
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.compiling.tape import ABSOLUTE, ADD, FLOOR, GREATER, NEGATIVE, Tape
from scalargrad.engine import Value, topological_order
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.errors import called_by_package, compared_by_package, user_line
from scalargrad.node.mode import being_compiled, mode, modes_were_used
from scalargrad.node.numbers import describe
from scalargrad.node.structures import flatten
from scalargrad.node.watched_data import data_watched
from scalargrad.support.labels import quoted
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from scalargrad.node.structures import Rebuild


class BranchError(ValueError):
    """A replay would have taken another branch of the Python code than the recorded run."""


class Guard(NamedTuple):
    """A comparison that the function made.

    Attributes:
        left: a Value.
        right: a Value or number.
        symbol: "<", "<=", ">", ">=" or "==".
        outcome: what it gave.
        line: where.
    """

    left: Value
    right: Any
    symbol: str
    outcome: bool
    line: str

    def violation(self, tape: Tape, slot_of: Callable[[Any], int]) -> int:
        """The slot of a number that is 0.0 where the comparison comes out as recorded."""
        left, right = slot_of(self.left), slot_of(self.right)
        if self.symbol == "==":
            differs = tape.emit(ADD, tape.emit(GREATER, left, right), tape.emit(GREATER, right, left))
            return tape.emit(ABSOLUTE, tape.emit(ADD, differs, tape.constant(-float(not self.outcome))))
        # left > right and left <= right ask whether the left is greater; the others, whether the right is.
        is_greater = tape.emit(GREATER, left, right) if self.symbol in (">", "<=") else tape.emit(GREATER, right, left)
        wanted = self.outcome if self.symbol in (">", "<") else not self.outcome
        distance = tape.emit(ADD, is_greater, tape.constant(-float(wanted)))
        return tape.emit(ABSOLUTE, distance)

    @property
    def compared(self) -> tuple[Value, Any]:
        """The two."""
        return self.left, self.right

    def __str__(self) -> str:
        right = describe(self.right) if isinstance(self.right, Value) else repr(self.right)
        return f"{describe(self.left)} {self.symbol} {right} was {self.outcome} when it was recorded{self.line}"


class Held(NamedTuple):
    """A node whose number and local derivatives were given as numbers: they hold where its parent was, and only there.

    Attributes:
        node: the node.
        parent: one of its parents.
        at: the number that the parent held.
    """

    node: Value
    parent: Value
    at: float

    def violation(self, tape: Tape, slot_of: Callable[[Any], int]) -> int:
        """The slot of a number that is 0.0 where the parent is where it was, up to the rounding of a backend."""
        distance = tape.emit(ABSOLUTE, tape.emit(ADD, slot_of(self.parent), tape.constant(-float(self.at))))
        return tape.emit(GREATER, distance, tape.constant(1e-12 * abs(float(self.at))))

    @property
    def compared(self) -> tuple[Value]:
        """The parent."""
        return (self.parent,)

    def __str__(self) -> str:
        return (
            f"the number and the local derivatives of {describe(self.node)} were given, as in Value(data, (a,), (da,)),"
            f" and hold where {describe(self.parent)} is {float(self.at)!r} (write it with @primitive: then it can be "
            "replayed anywhere)"
        )


class Place(NamedTuple):
    """An index by which the function took one of some entries: it must be the place of one in every replay.

    Attributes:
        value: the index.
        entries: how many there are.
        line: where.
    """

    value: Value
    entries: int
    line: str

    def violation(self, tape: Tape, slot_of: Callable[[Any], int]) -> int:
        """The slot of a number that is 0.0 where the index is a whole number below the number of entries."""
        index = slot_of(self.value)
        fraction = tape.emit(ADD, index, tape.emit(NEGATIVE, tape.emit(FLOOR, index)))
        below = tape.emit(GREATER, tape.constant(0.0), index)
        above = tape.emit(GREATER, index, tape.constant(self.entries - 1.0))
        return tape.emit(ADD, fraction, tape.emit(ADD, below, above))

    @property
    def compared(self) -> tuple[Value]:
        """The index."""
        return (self.value,)

    def __str__(self) -> str:
        return f"{describe(self.value)} must be the index of one of {self.entries} entries{self.line}"


class _Made:
    """The leaves that a function made while it ran."""

    def __init__(self) -> None:
        self._leaves: dict[Value, str | None] = {}

    def add(self, leaf: Value) -> None:
        """A new one; inside no_grad it may be what was computed there, so the line is kept."""
        self._leaves[leaf] = None if mode.get().recording else user_line()

    def __contains__(self, leaf: object) -> bool:
        self.check(leaf)
        return leaf in self._leaves

    def check(self, leaf: object) -> None:
        """Raise TypeError if it was computed inside no_grad."""
        line = self._leaves.get(leaf)  # type: ignore[call-overload]
        if line is not None:
            raise TypeError(
                f"a number computed inside no_grad() went into the result or a comparison: a replay cannot follow it. "
                f"no_grad() is for looking only{line}"
            )


class WatchedCall:
    """A call of a function, watched.

    Args:
        fn: the function.
        rebuilds: for each argument what makes it of an iterator of Values, as `flatten` returns it.
        numbers: those of all arguments, from left to right.
        name: how messages call the function.

    Attributes:
        inputs: a Value for each number.
        outputs: the Values and numbers that the function returned.
        rebuild_output: puts others in their places.
        guards: its comparisons and the indices that it used, in order, and what nodes with given derivatives hold at.
        computed: the nodes that it computed.
        made: the leaves that it made itself: it would make them again with the same numbers.
    """

    def __init__(
        self, fn: Callable[..., Any], rebuilds: Sequence[Rebuild], numbers: Iterable[float], name: str
    ) -> None:
        self.inputs = [Value(x) for x in numbers]
        fresh = iter(self.inputs)
        args = [rebuild(fresh) for rebuild in rebuilds]
        self.guards: list[Guard | Held | Place] = []
        self._inputs, self._as_values = set(self.inputs), set[Value]()
        self._known: dict[Value, bool] = {}  # what `_is_number` has found for good
        self._used = set[tuple[int, int]]()  # the indices among the guards, which keep them alive
        self.made = _Made()
        self.computed: set[Value] = set()
        modes_were_used[:] = [True]
        here = mode.get()
        recorded = here.but(
            recording=True,
            blocks=(),
            inspectors=(*here.inspectors, self.computed.add),
            on_comparison=self._compared,
            on_data=_refuse,
            on_leaf=self.made.add,
            on_index=self._indexed,
            on_hash=self._refuse_hash,
            equal=self._equal,
            as_values=self._as_values,
        )
        context = copy_context()  # in a context of its own there is nothing that Ctrl-C could keep from being put back
        context.run(mode.set, recorded)
        with data_watched():
            result = context.run(fn, *args)
        self.outputs, self.rebuild_output = flatten(result, f"the result of {name}")
        self.name = name
        compared = [x for guard in self.guards for x in guard.compared]
        for node in topological_order(*(x for x in (*self.outputs, *compared) if isinstance(x, Value))):
            if isinstance(node._rule, GivenPartials):
                self.guards += dict.fromkeys(Held(node, parent, a) for parent, a in node.operands if parent is not None)

    def _compared(self, value: Any, other: Any, symbol: str, x: float) -> None:
        a = value._data
        outcome = {"<": a < x, "<=": a <= x, ">": a > x, ">=": a >= x}[symbol]
        right = other if isinstance(other, Value) else number(other)
        self.guards.append(Guard(value, right, symbol, outcome, user_line()))

    def _indexed(self, index: Value, count: int) -> None:
        if (id(index), count) not in self._used:
            self._used.add((id(index), count))
            self.guards.append(Place(index, count, user_line()))

    def _equal(self, value: Any, other: object) -> bool | None:
        """Whether two are equal, if both are numbers to the user's function."""
        if compared_by_package() or not self._is_number(value):
            return None
        right: Any = other
        if isinstance(other, Value):
            if not self._is_number(other):
                return None
            x = other._data
        else:
            try:
                x = right = float(getattr(other, "real", 0.0)) if isinstance(other, Number) else number(other)
            except TypeError:
                return None
            except OverflowError:
                return False
            if x != other:  # no float is equal to it
                return False
        outcome: bool = value._data == x
        self.guards.append(Guard(value, right, "==", outcome, user_line()))
        return outcome

    def _refuse_hash(self, value: Value) -> None:
        """Raise TypeError if a set or dict of the user's would not find a number, as a Value is told by identity."""
        if self._is_number(value):
            raise TypeError(
                f"a set, a dict or a cache looked {describe(value)} up, which stands for a number: a number is found "
                "by what it is, a Value only by its identity. Compare it, x == 1.0 or x in (1.0, 2.0), look through a "
                "list or tuple, take an entry of a list, scalargrad.take(entries, x), name the argument in static=, so "
                "that it stays a plain number, or leave the number in a variable outside the function: where that "
                "changes, the function is recorded anew"
                f"{user_line()}"
            )

    def _is_number(self, value: Value) -> bool:
        """Whether it would be a number, had the function been called with numbers: it is computed from inputs only.

        What was found is kept, or a loop that compares would walk over all that came before in each of its rounds. It
        stays so: nobody has computed anything yet from a node that becomes one of `as_values`.
        """
        known = self._known
        seen = {value}
        pending = [value]
        while pending:
            node = pending.pop()
            found = known.get(node)
            if found:
                continue
            if node in self._as_values:
                return False
            if found is False or (node.is_leaf and node not in self._inputs):
                self.made.check(node)
                known[value] = False
                return False
            new = [parent for parent in node.parents if parent not in seen]
            seen.update(new)
            pending += new
        known.update(dict.fromkeys(seen, True))
        return True


def refuse_to_be_recorded(what: str) -> None:
    """Raise TypeError where a function that gives plain numbers is called while another is recorded."""
    if being_compiled():
        raise TypeError(
            f"{what} gives plain numbers, which a replay of the function that calls it cannot follow: call it outside, "
            f"or compute with Values{user_line()}"
        )


def _refuse(node: Value, how: str) -> None:
    name = f"Value {quoted(node.label)}" if node.label else f"Value({node._data!r})"
    if not how:
        raise TypeError(
            f"the function assigned the data of {name}: a replay would not do it again. Return the number and assign "
            f"it outside{user_line()}"
        )
    if not called_by_package():
        raise TypeError(
            f"the function took the number out of {name} with {how}: a replay cannot follow what Python does with it. "
            "Compute with the Value itself, compare it as it is (v > 0), or differentiate with grad(y, x). Inside "
            "no_grad() the number may be read to show it, as with print: what is computed from it there is a constant, "
            f"the same in every replay{user_line()}"
        )
