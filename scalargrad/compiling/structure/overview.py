"""What one sample's graph is made of, layer by layer: for pictures, and before anything is compiled."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, NamedTuple

from scalargrad.compiling.order import levels
from scalargrad.compiling.structure.finding import find
from scalargrad.compiling.tape import CONSTANT, INPUT, PARAMETER, SOURCES, op_of, varying_slots
from scalargrad.compiling.taping import TapedCall
from scalargrad.compiling.watching import WatchedCall
from scalargrad.node.numbers import number_in, plain_number
from scalargrad.node.structures import flatten

if TYPE_CHECKING:
    from scalargrad.compiling.structure.finding import Row
    from scalargrad.compiling.tape import Instruction
    from scalargrad.engine import Value


class Part(NamedTuple):
    """A dense layer, or what stands between layers.

    Attributes:
        rows: the instructions by number: of a layer those of each row, products and partial sums in order, its sum
            last; of others those of each level.
        weights: of a layer the numbers of its matrix; empty for others.
        has_bias: whether a layer has one.
        is_computed: whether some of its weights are computed from parameters.
        counts: of others how many there are of each op, by its name.
    """

    rows: list[list[int]]
    weights: list[list[float]]
    has_bias: bool
    is_computed: bool
    counts: dict[str, int]


class Overview(NamedTuple):
    """One sample's graph.

    Attributes:
        name: of the function.
        inputs: the numbers of the instructions that stand for the sample.
        parts: in an order of computation.
        reads: for each instruction which it reads; nothing for sources.
        parameters: how many numbers are read that are not the sample's.
        ops: for each instruction the name of its op.
    """

    name: str
    inputs: list[int]
    parts: list[Part]
    reads: list[Sequence[int]]
    parameters: int
    ops: list[str]


def overview(fn: Callable[..., Any], name: str, args: Sequence[Any]) -> Overview:
    """Record fn at one sample and look for layers.

    Args:
        fn: the function.
        name: how it is called.
        args: its arguments.
    """
    flat = [flatten(arg, f"argument {i}") for i, arg in enumerate(args)]
    numbers = [plain_number(x) for leaves, _ in flat for x in leaves]
    taped = TapedCall(WatchedCall(fn, [rebuild for _, rebuild in flat], numbers, name))
    code = taped.tape.code
    found = find(code, varying_slots(code), taped.outputs)
    values = {slot: value for value, slot in taped.slots.items()}
    parts = _parts(code, taped.outputs, found.layers, values)
    reads: list[Sequence[int]] = [() if i[0] in SOURCES else i[1:] for i in code]
    ops = [i[0] if i[0] in SOURCES else op_of(i[0]).name for i in code]
    inputs = [slot for slot, i in enumerate(code) if i[0] is INPUT]
    return Overview(name, inputs, parts, reads, sum(i[0] is PARAMETER for i in code), ops)


def _parts(
    code: Sequence[Instruction], outputs: Sequence[int], layers: Sequence[Sequence[Row]], values: Mapping[int, Value]
) -> list[Part]:
    layer_of = {row.slot: i for i, rows in enumerate(layers) for row in rows}
    others_of = {row.slot: row.others for rows in layers for row in rows}

    def needs(item: int) -> Sequence[int]:
        if item < 0:
            return [x for row in layers[~item] for x in (*row.xs, *row.weights)]
        if item in layer_of:  # what else is added may come from another row
            return (~layer_of[item], *others_of[item])
        return () if code[item][0] in SOURCES else code[item][1:]

    found = sorted((level, item) for item, level in levels(outputs, needs).items())
    parts: list[Part] = []
    between: dict[int, list[int]] = {}
    for level, item in found:
        if item < 0:
            _add_others(parts, between, code)
            parts.append(_layer(code, layers[~item], values))
        elif item not in layer_of and code[item][0] not in SOURCES:
            between.setdefault(level, []).append(item)
    _add_others(parts, between, code)
    return parts


def _add_others(parts: list[Part], between: dict[int, list[int]], code: Sequence[Instruction]) -> None:
    if between:
        counts = Counter(op_of(code[slot][0]).name for slots in between.values() for slot in slots)
        parts.append(Part(list(between.values()), [], False, False, dict(counts.most_common())))
        between.clear()


def _layer(code: Sequence[Instruction], rows: Sequence[Row], values: Mapping[int, Value]) -> Part:
    def number(slot: int) -> float:
        return float.fromhex(code[slot][1]) if code[slot][0] is CONSTANT else float(number_in(values[slot]))

    inside = []
    for row in rows:
        outside = {*row.xs, *row.weights, *row.others, *(() if row.bias is None else (row.bias,))}
        slots, stack = {row.slot}, [row.slot]
        while stack:
            for x in code[stack.pop()][1:]:
                if x not in outside and x not in slots and code[x][0] not in SOURCES:
                    slots.add(x)
                    stack.append(x)
        inside.append(sorted(slots))
    weights = [[number(w) for w in row.weights] for row in rows]
    is_computed = any(code[w][0] not in SOURCES for row in rows for w in row.weights)
    return Part(inside, weights, any(row.bias is not None for row in rows), is_computed, {})
