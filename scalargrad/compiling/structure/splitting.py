"""A tape cut at its dense layers: the layers, and a tape of the rest, which has an input for each number they compute.

So the rest stays an ordinary tape: it is differentiated, simplified and lowered as any other. A layer hands the
gradient of its inputs back through further inputs, dx: the rest is differentiated as root + sum over the layers of
dx * x, whose derivative in a layer's output is what the whole program's is.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, cast

from scalargrad.compiling.gradient import contributions, total
from scalargrad.compiling.tape import ADD, CONSTANT, INPUT, MULTIPLY, PARAMETER, SOURCES, Tape, varying_slots

if TYPE_CHECKING:
    from scalargrad.compiling.backends import Sum
    from scalargrad.compiling.structure.finding import Found
    from scalargrad.compiling.tape import Instruction


@dataclass
class Layer:
    """A dense layer: out[j] = bias[j] + sum over k of weights[j][k] * x[k].

    Attributes:
        xs: the slots that it reads.
        weights: for each row the numbers of its parameters, or ~i for the i-th constant. Those of weights that are
            computed come behind those of all parameters.
        biases: likewise; None where a row has none.
        outputs: the numbers of the inputs of the rest that hold what it computes.
        adjoints: the slots of their gradients; empty if they are not wanted.
        backs: the numbers of the inputs that hold the gradients of xs; empty if they are not wanted.
        is_trained: whether its weights have a gradient.
    """

    xs: list[int]
    weights: list[list[int]]
    biases: list[int | None]
    outputs: range
    adjoints: list[int] = field(default_factory=list)
    backs: range = range(0)
    is_trained: bool = True


class Layered(NamedTuple):
    """A program over a batch with its layers, as a backend runs it.

    Attributes:
        code: the rest of it, around its layers: primitives only.
        sums: what is added up over the samples; the last are the gradients.
        columns: the slots that are wanted for each sample.
        widths: how many numbers a sample has in each argument.
        layers: the layers; their parameters by the numbers that a run is given.
        constants: the weights that are constants.
        long: for parameters of the code that stand for sums of products of other slots the factors.
        trained: how many parameters get a gradient: they are the first.
        parameters: how many there are.
        computed: for the numbers of weights that are computed their slots. A parameter of the code with such a number
            stands for what the gradient of the weight adds up to over all samples.
        late: what is to be added to sums, by their index, when those are known.
    """

    code: Sequence[Instruction]
    sums: Sequence[Sum]
    columns: Sequence[int]
    widths: Sequence[int]
    layers: Sequence[Layer]
    constants: Sequence[float]
    long: dict[int, tuple[list[int], list[int]]]
    trained: int
    parameters: int
    computed: dict[int, int]
    late: Sequence[tuple[int, int]]


class Split:
    """A program cut at its layers.

    Args:
        code: the tape as it was recorded.
        found: its layers.
        outputs: the slots that are read from outside.
        inputs: how many numbers a sample has.
        parameters: how many parameters there are.

    Attributes:
        tape: the rest.
        slots: for each slot of the program where it is on this tape; -1 if it is not there.
        layers: the layers.
        constants: the numbers of the constants that are weights.
        computed: the slots of the weights that are computed, on this tape; their numbers come behind all parameters'.
        sums: for the slots of long sums of what is the same for all samples, the factors of each term.
    """

    def __init__(
        self, code: Sequence[Instruction], found: Found, outputs: Iterable[int], inputs: int, parameters: int
    ) -> None:
        self.tape = tape = Tape(simplify=False)
        self.slots = slots = [-1] * len(code)
        self.layers: list[Layer] = []
        self.constants: list[float] = []
        self.computed: list[int] = []
        self._numbers: dict[str | int, int] = {}
        self._inputs, self._parameters = inputs, parameters
        layer_of = {row.slot: (i, j) for i, rows in enumerate(found.layers) for j, row in enumerate(rows)}
        made: dict[int, Layer] = {}
        needed = _needed(code, layer_of, found, outputs)
        for slot in _order(code, needed, found):
            instruction = code[slot]
            op = instruction[0]
            if op is CONSTANT:
                slots[slot] = tape.constant(float.fromhex(instruction[1]))
            elif op in SOURCES:
                slots[slot] = tape.source(*instruction)
            elif slot in layer_of:
                i, j = layer_of[slot]
                rows = found.layers[i]
                if i not in made:
                    first = self._new_inputs(len(rows))
                    made[i] = Layer(
                        [slots[x] for x in rows[0].xs],
                        [[self._weight(code[w], w) for w in row.weights] for row in rows],
                        [None if row.bias is None else self._weight(code[row.bias], row.bias) for row in rows],
                        first,
                    )  # fmt: skip
                    self.layers.append(made[i])
                at = tape.source(INPUT, made[i].outputs[j])
                for other in rows[j].others:
                    at = tape.emit(ADD, at, slots[other])
                slots[slot] = at
            else:
                slots[slot] = tape.emit(op, *[slots[x] for x in instruction[1:]])
        self.sums = {
            slots[slot]: ([slots[x] for x in xs], [None if y is None else slots[y] for y in ys])
            for slot, (xs, ys) in found.sums.items()
            if slots[slot] >= 0
        }

    def _new_inputs(self, count: int) -> range:
        first = self._inputs
        self._inputs += count
        return range(first, first + count)

    def _weight(self, instruction: Instruction, slot: int) -> int:
        kind, what = instruction[:2]
        if kind is PARAMETER:
            return int(what)
        if kind is CONSTANT:
            if what not in self._numbers:
                self._numbers[what] = len(self.constants)
                self.constants.append(float.fromhex(what))
            return ~self._numbers[what]
        if slot not in self._numbers:
            self._numbers[slot] = self._parameters + len(self.computed)
            self.computed.append(self.slots[slot])
        return self._numbers[slot]

    def differentiated(self, root: int, trained: Iterable[int]) -> tuple[dict[int, list[int]], dict[int, list[int]]]:
        """Write the gradients down.

        Args:
            root: the slot of what is differentiated, on this tape.
            trained: the numbers of the parameters that get a gradient.

        Returns:
            For the number of a parameter what is to be added up to its gradient beside what the layers contribute; and
            what comes to it through weights that are computed, from what their gradients add up to.
        """
        tape, trained = self.tape, set(trained)
        leaves = {i[1]: slot for slot, i in enumerate(tape.code) if i[0] is PARAMETER and i[1] in trained}
        active = self._active(trained, leaves)
        outputs = {
            i[1]: slot
            for slot, i in enumerate(tape.code)
            if i[0] is INPUT and active[slot]
        }  # fmt: skip
        layers: Sequence[Layer] = self.layers
        while True:
            end = self._with_backs(root, active, layers)
            shares = cast("dict[int, list[int]]", contributions(tape, end, [*leaves.values(), *outputs.values()]))
            terms = [[shares[outputs[i]] if i in outputs else [] for i in layer.outputs] for layer in layers]
            pairs = [(layer, each) for layer, each in zip(layers, terms, strict=True) if any(each) or not layer.backs]
            if len(pairs) == len(layers):
                break
            for layer, each in zip(layers, terms, strict=True):
                if not any(each):  # only a comparison reads it, or an index: it hands nothing on to what it reads
                    layer.backs = range(0)
            layers = [layer for layer, _ in pairs]
        found = {k: shares[slot] for k, slot in leaves.items()}
        for layer, each in pairs:
            if not any(each):
                continue
            layer.adjoints = [total(tape, shares_of_one) for shares_of_one in each]
            for bias, adjoint, shares_of_one in zip(layer.biases, layer.adjoints, each, strict=True):
                if bias in trained and shares_of_one:
                    found.setdefault(bias, []).append(adjoint)
        return found, self._through_weights(leaves, active)

    def _through_weights(self, leaves: dict[int, int], active: bytearray) -> dict[int, list[int]]:
        """The gradients that computed weights hand on: those of the sum of each times what its gradient adds up to."""
        tape, root, numbers = self.tape, -1, range(self._parameters, self._parameters + len(self.computed))
        for number, slot in zip(numbers, self.computed, strict=True):
            if active[slot]:
                term = tape.emit(MULTIPLY, tape.source(PARAMETER, number), slot)
                root = term if root < 0 else tape.emit(ADD, root, term)
        if root < 0:
            return {}
        shares = contributions(tape, root, leaves.values())
        return {k: list(shares[slot]) for k, slot in leaves.items() if shares[slot]}

    def _with_backs(self, root: int, active: bytearray, layers: Iterable[Layer]) -> int:
        """The root, and what layers hand back times what they read: its gradients are theirs, too."""
        tape = self.tape
        for layer in layers:
            if any(active[x] for x in layer.xs):
                layer.backs = layer.backs or self._new_inputs(len(layer.xs))
                for x, back in zip(layer.xs, layer.backs, strict=True):
                    if active[x]:
                        root = tape.emit(ADD, root, tape.emit(MULTIPLY, tape.source(INPUT, back), x))
        return root

    def _active(self, trained: set[int], leaves: dict[int, int]) -> bytearray:
        """For each slot of the rest whether it depends on a parameter that gets a gradient, through layers too."""
        code = self.tape.code
        active = bytearray(len(code))
        for slot in leaves.values():
            active[slot] = 1
        layer_of = {i: layer for layer in self.layers for i in layer.outputs}
        known: dict[int, int] = {}
        for slot, instruction in enumerate(code):
            if instruction[0] is INPUT:
                layer = layer_of.get(instruction[1])
                if layer is not None:
                    at = layer.outputs.start
                    if at not in known:
                        layer.is_trained = any(
                            w in trained or (w >= self._parameters and active[self.computed[w - self._parameters]])
                            for row in layer.weights for w in row
                        )  # fmt: skip
                        known[at] = (
                            layer.is_trained
                            or any(b in trained for b in layer.biases if b is not None)
                            or any(active[x] for x in layer.xs)
                        )
                    active[slot] = known[at]
            elif instruction[0] not in SOURCES:
                for x in instruction[1:]:
                    if active[x]:
                        active[slot] = 1
                        break
        return active

    def kinds(self) -> Sequence[int]:
        """For each slot of the rest whether it differs from sample to sample."""
        return varying_slots(self.tape.code)


def _order(code: Sequence[Instruction], needed: bytearray, found: Found) -> Sequence[int]:
    """The needed slots: first what is the same for all samples, if weights of a layer's last row are computed of it."""
    slots = [slot for slot in range(len(code)) if needed[slot]]
    if all(code[w][0] in SOURCES for rows in found.layers for row in rows for w in row.weights):
        return slots
    kinds = varying_slots(code)
    return sorted(slots, key=kinds.__getitem__)


def _needed(
    code: Sequence[Instruction], layer_of: dict[int, tuple[int, int]], found: Found, outputs: Iterable[int]
) -> bytearray:
    """For each slot whether it stays: what only sums within layers read goes."""
    needed = bytearray(len(code))
    for slot in outputs:
        needed[slot] = 1
    for slot in range(len(code) - 1, -1, -1):
        if not needed[slot] or code[slot][0] in SOURCES:
            continue
        if slot in layer_of:
            i, j = layer_of[slot]
            row = found.layers[i][j]
            operands: Iterable[int] = (*row.xs, *row.others, *(w for w in row.weights if code[w][0] not in SOURCES))
        else:
            operands = code[slot][1:]
        for x in operands:
            needed[x] = 1
    return needed
