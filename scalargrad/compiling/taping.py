"""From Values to a tape: the graph that computed them, as instructions over the leaves."""

from __future__ import annotations

from collections.abc import Container, Iterable
from typing import TYPE_CHECKING, Any

from scalargrad.compiling.applied import row_of
from scalargrad.compiling.tape import FEW_OPERANDS, INPUT, PARAMETER, Instruction, Tape, name_of
from scalargrad.compiling.watching import Place
from scalargrad.engine import Value, topological_order
from scalargrad.function import Applied, Traced
from scalargrad.node.by_hand import GivenPartials
from scalargrad.node.extras import hooks_of, only_computed
from scalargrad.node.numbers import describe, number_in
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.rebinding import Rebound
from scalargrad.support.labels import quoted
from scalargrad.support.reals import number
from scalargrad.table.domains import REAL
from scalargrad.table.row import Op

if TYPE_CHECKING:
    from scalargrad.compiling.watching import WatchedCall


class TapedGraph:
    """The graph of some Values on a tape.

    Args:
        roots: the Values.
        inputs: leaves whose numbers a call brings.
        parameters: leaves that come first among `parameters`.
        constants: leaves whose numbers never change.
        computed: the nodes that the function computed; all that there are, if left out.
        run_hooks: whether those of leaves run all the same, after the replay.

    Attributes:
        tape: the instructions.
        inputs: the Values whose numbers a call brings.
        parameters: the other leaves, in topological order; their numbers are read when the program runs.
        slots: where each Value of the graph is.
        places: the indices by which the graph takes one of some entries.
    """

    _holds_given = False  # whether somebody sees to it that nodes with given derivatives stay at their numbers

    def __init__(
        self,
        roots: Iterable[Value],
        inputs: Iterable[Value] = (),
        parameters: Iterable[Value] = (),
        constants: Container[Value] = (),
        run_hooks: bool = False,
        computed: Container[Value] | None = None,
    ) -> None:
        self.tape = tape = Tape(simplify=False)
        self.inputs, self.parameters = list(inputs), list(parameters)
        self.slots: dict[Value, int] = {x: tape.source(INPUT, i) for i, x in enumerate(self.inputs)}
        self.slots.update(zip(self.parameters, tape.parameters(len(self.parameters)), strict=True))
        slots, constant, emit, code, known = self.slots, tape.constant, tape.emit, tape.code, tape.known
        append = code.append
        # Where numbers of computed nodes are given, each node has to be looked for first.
        usual = ({} if any(node._a is not None for node in slots) else FEW_OPERANDS).get
        self.places: list[Place] = []
        for node in topological_order(*roots):
            op: Any = node._rule
            name = usual(op)
            if (
                name is not None
                and (node._kept is node._data or only_computed(node))  # the first is quicker, and holds without a label
                and (computed is None or node in computed)
            ):
                x, y = node._x, node._y
                first = slots[x] if x is not None else constant(float(node._a))
                if op.arity == 1:
                    instruction: Instruction = (name, first)
                else:
                    instruction = (name, first, slots[y] if y is not None else constant(float(node._b)))
                slots[node] = len(code)
                append(instruction)
                continue
            if hooks_of(node) and not (run_hooks and node._rule.is_leaf):
                raise _not_replayable(node)
            if node in slots:
                continue
            if node._a is None and node in constants:
                slots[node] = constant(float(number_in(node)))
            elif node._a is None:
                source = (PARAMETER, len(self.parameters))
                slots[node] = known[source] = len(code)
                code.append(source)
                self.parameters.append(node)
            elif was_overwritten(node):
                raise _not_replayable(node)
            elif isinstance(op, Traced):
                if computed is not None and node not in computed:
                    raise _computed_outside(node)
                slots[node] = emit(name_of(row_of(op, node._x)), *[slots[x] for x in node._x])
            elif type(op) is not Op:
                if not (self._holds_given and isinstance(op, GivenPartials)):
                    raise _not_replayable(node)
                if computed is not None and node not in computed:
                    raise _computed_outside(node)
                slots[node] = emit(name_of(_held(node, op)), *[slots[x] for x in node._x])
            elif computed is not None and node not in computed:
                raise _computed_outside(node)
            elif op.pair is not None and (places := self._all_computed(node)) is not None:
                slots[node] = emit(name_of(op), *places)
            else:
                if op.has_index and node._x[0] is not None:
                    self.places.append(Place(node._x[0], len(node._x) - 1, ""))
                slots[node] = emit(
                    name_of(op), *[slots[x] if x is not None else constant(float(a)) for x, a in node.operands]
                )

    def _all_computed(self, node: Value) -> list[int] | None:
        """The places of the operands of a sum over pairs, which may be many; None if a number is among them."""
        places = self.slots.get
        xs, ys = list(map(places, node._x)), list(map(places, node._y))  # a bias stands behind the xs
        n = len(ys)
        found = [*xs[:n], *ys, *xs[n:]]
        return None if None in found else found  # type: ignore[return-value]

    def checks(self) -> list[int]:
        """Slots that hold 0.0 where the indices are."""
        self.places = list(dict.fromkeys(self.places))
        return [place.violation(self.tape, self.slots.__getitem__) for place in self.places]


class TapedCall(TapedGraph):
    """What a function computed in a watched call, and what it compared, on a tape.

    Attributes:
        outputs: the slots of what the function returned.
        guards: its comparisons in words.
        has_indices: whether there are indices among them.
        can_branch: whether there is anything else among them.
    """

    _holds_given = True  # by the call's guards

    def __init__(self, call: WatchedCall, parameters: Iterable[Value] = (), *, run_hooks: bool = False) -> None:
        compared = [x for guard in call.guards for x in guard.compared]
        roots = [x for x in (*call.outputs, *compared) if isinstance(x, Value)]
        super().__init__(roots, call.inputs, parameters, call.made, run_hooks, call.computed)
        self.outputs = [self._slot_of(x) for x in call.outputs]
        self.guards = list(map(str, call.guards))
        self.has_indices = any(isinstance(guard, Place) for guard in call.guards)
        self.can_branch = not all(isinstance(guard, Place) for guard in call.guards)
        self._call = call

    def violations(self) -> list[int]:
        """Slots that hold 0.0 where the comparisons come out as they did."""
        return [guard.violation(self.tape, self._slot_of) for guard in self._call.guards]

    def _slot_of(self, x: Any) -> int:
        return self.slots[x] if isinstance(x, Value) else self.tape.constant(number(x))


def _computed_outside(node: Value) -> ValueError:
    return ValueError(
        f"{describe(node)} was computed outside the function, by {quoted(node._rule.text)}: eager code keeps the "
        "number that it had then, a replay would compute it anew from leaves that change. Compute it inside the "
        "function, or hand its number over as a leaf, made outside with .detach()"
    )


def _held(node: Value, rule: GivenPartials) -> Op:
    """A row for a node whose number and derivatives were given: both stay as they are."""
    data, partials = float(node._data), [float(partial) for partial in rule.partials]
    op = Op(rule.text, lambda xs: data, lambda xs, z: partials, (REAL,), None, "", "", None, None)
    op.is_held = True
    return op


def _not_replayable(node: Value) -> Exception:
    rule = node._rule
    if was_overwritten(node):
        why = "its data was assigned after it was computed"
    elif hooks_of(node):
        why = "hooks run Python on its gradient: remove them first"
    elif isinstance(rule, Rebound):
        why = str(rule)
    elif isinstance(rule, GivenPartials):
        why = (
            "its number and its local derivatives were given, and hold where they were given only: write it with "
            "@primitive, whose value and derivatives can be replayed"
        )
    elif isinstance(rule, Applied):
        why = (
            f"{quoted(rule.text)} was applied before, and its forward left no graph: apply it inside the function that "
            "is compiled, or write it with @primitive"
        )
    else:
        why = (
            f"{quoted(rule.text)} was written by hand: write it with @primitive, whose value and derivatives can be "
            "replayed"
        )
    return ValueError(f"{describe(node)} cannot be replayed: {why}")
