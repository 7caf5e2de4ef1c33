"""The same exercise with other numbers, small ones that are nice to calculate with by hand."""

from __future__ import annotations

import inspect
import math
import warnings
from dataclasses import dataclass
from types import MethodType
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, gradients, topological_order
from scalargrad.node.contexts import with_recording
from scalargrad.node.errors import no_graph
from scalargrad.node.extras import hooks_of
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.rules import Leaf
from scalargrad.node.variables import variable_names
from scalargrad.table.row import HARD, NO_VALUE, Op
from scalargrad.words.texts import counted, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from random import Random

    from scalargrad.node.variables import Names

    Make = Callable[[Sequence[float]], tuple[Value, dict[Value, Value]]]

CLEARANCE = 0.05
"""How far every operand is from a kink: nobody has to know which side counts."""
_TRIES, _CANDIDATES = 300, 8
"""How many sets of numbers are tried for a sheet, and of how many good ones the nicest is taken."""
_FINEST = 2
"""How many decimals more there may be when a class needs more sheets than there are nice numbers."""
_SMALLEST, _LARGEST = 0.01, 100.0
"""What can be calculated with by hand; four decimals show little of what is smaller."""


@dataclass(frozen=True)
class Input:
    """A number that differs from sheet to sheet.

    Attributes:
        name: what messages call it.
        usual: the number that it had; of a function's parameter its default.
    """

    name: str
    usual: float | None

    def choose(self, random: Random, *, same_sign: bool, small: bool, finer: int = 0) -> float:
        """Another number like the usual one: an integer if that is one, else with one decimal; never 0.

        Each `finer` is one decimal more.
        """
        usual = 3.0 if self.usual is None or not math.isfinite(self.usual) else self.usual
        least = 5.0 if usual == int(usual) else 2.0
        size = min(least, 3.0) if small else min(max(2.0 * abs(usual), least), 20.0)
        parts = int(10.0 ** (finer + (usual != int(usual))))
        number = random.randint(1, int(size * parts)) / parts
        negative = usual < 0.0 if same_sign else random.random() < 0.5
        return -number if negative else number


class Exercise:
    """A graph that can be made again with other numbers.

    Attributes:
        inputs: what differs from sheet to sheet.
        make: from their numbers to a new graph: its output, and for each Value of the first graph the one in its place.
        size: how many Values the graph has; of a function it is known only when it is called.
    """

    def __init__(self, inputs: Sequence[Input], make: Make, size: int) -> None:
        self.inputs = tuple(inputs)
        self.make = make
        self.size = size
        if not inputs:
            raise ValueError("worksheet: nothing in this graph gets a gradient, so no number can differ")


def exercise_of(root: Value | Callable[..., Value], names: Names) -> Exercise:
    """The exercise that a graph, or a function of some inputs, stands for.

    Raises:
        TypeError: for what is neither, or a function that does not name its inputs or returns no Value.
        ValueError: of a graph with a closure or a hook, which cannot be made again.
    """
    return _of_graph(root, names) if isinstance(root, Value) else _of_function(root)


def numbers_for(exercise: Exercise, random: Random) -> Iterator[tuple[float, ...]]:
    """Numbers for one sheet after another, no two alike.

    Every number and gradient in the graph is finite, and no operand is near a kink. As far as the graph allows it,
    inputs and gradients differ, few gradients are 0, nothing is very small or very large, and results have few digits.
    When there are no more, the inputs get a decimal more, and then another.

    Raises:
        ValueError: when there are no more even so.
    """
    used: dict[tuple[float, ...], list[float]] = {}
    finer = 0
    while True:
        candidates: list[tuple[int, int, tuple[float, ...], list[float]]] = []
        for i in range(_TRIES):
            same_sign, small = i % 2 == 1, i % 4 > 1
            numbers = tuple(x.choose(random, same_sign=same_sign, small=small, finer=finer) for x in exercise.inputs)
            if numbers in used or any(numbers == other for _, _, other, _ in candidates):
                continue
            answers = _answers(exercise, numbers)
            if answers is None:
                continue
            results, found = answers
            flaws, digits = _flaws(numbers, results, found)
            flaws += any(2 * sum(map(float.__eq__, found, others)) > len(found) for others in used.values())
            candidates.append((flaws, digits, numbers, found))
            if sum(not flaws for flaws, *_ in candidates) == _CANDIDATES:
                break
        if not candidates and finer < _FINEST:
            finer += 1
            continue
        if not candidates:
            listed = ", ".join(x.name for x in exercise.inputs[:6])
            there = f"only {counted(len(used), 'set')} of numbers" if used else "no numbers"
            raise ValueError(
                f"worksheet: for {listed} there are {there} that are small, and at which everything is finite and off "
                "its kinks: ask for fewer variants, or start from other numbers"
            )
        _, _, numbers, found = min(candidates, key=lambda candidate: candidate[:2])
        used[numbers] = found
        yield numbers


def _answers(exercise: Exercise, numbers: tuple[float, ...]) -> tuple[list[float], list[float]] | None:
    """What is computed from these numbers, and the gradients; None if they cannot be used."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", RuntimeWarning)  # of numbers that are tried, and then left
            root, _ = with_recording(exercise.make, numbers)
            order = topological_order(root)
            found = gradients([root], [1.0], order=order)
    except NO_VALUE:
        return None
    results = [node.data for node in order if not node.is_leaf]
    answers = [float(found[node]) for node in order if node is not root and node.requires_grad]
    usable = all(map(math.isfinite, [*results, *answers])) and all(map(_is_off_kinks, order))
    return (results, answers) if usable else None


def _flaws(numbers: tuple[float, ...], results: list[float], answers: list[float]) -> tuple[int, int]:
    """How much speaks against these numbers, and how many digits have to be written."""
    flaws = [
        len(set(map(abs, numbers))) < min(len(numbers), 5),
        len(set(map(number_text, answers))) < min(2, len(answers)),
        3 * sum(x == 0.0 for x in answers) > len(answers),
        not all(x == 0.0 or _SMALLEST <= abs(x) <= _LARGEST for x in (*results, *answers)),
    ]
    digits = sum(len(number_text(abs(x))) for x in (*results, *answers))
    return sum(flaws), digits + 2 * sum(abs(x) == 1.0 for x in numbers)


def _is_off_kinks(node: Value) -> bool:
    op = node._rule
    if not isinstance(op, Op) or op.kinks is None:
        return True
    numbers = [a for _, a in node.operands]
    here = op.sides(numbers)
    try:
        return all(
            op.sides([*numbers[:i], a + move, *numbers[i + 1 :]]) == here
            for i, a in list(enumerate(numbers))[op.has_index :]
            for move in (-CLEARANCE, -a if abs(a) <= CLEARANCE else 0.0, CLEARANCE)
        )
    except HARD:
        return False


# -------------------------------------------------------------------- a graph


def _of_graph(root: Value, names: Names) -> Exercise:
    order = topological_order(root)
    called = variable_names(order, names, "worksheet")
    labels = {node: node.label or called.get(node, "") for node in order}
    for node in order:
        if not isinstance(node._rule, (Op, Leaf)) or hooks_of(node) or was_overwritten(node):
            what = labels[node] or f"the result of {node._op or 'a closure'}"
            raise ValueError(
                f"worksheet: {what} cannot be computed again from other numbers, as it has a hand-written closure or a "
                "hook, or its data was assigned: give a function instead, as worksheet(lambda x, y: x * y, variants=30)"
            )
    varied = [node for node in order if node.is_leaf and node.requires_grad]

    def make(numbers: Sequence[float]) -> tuple[Value, dict[Value, Value]]:
        given = dict(zip(varied, numbers, strict=True))
        twins: dict[Value, Value] = {}
        for node in order:
            if isinstance(node._rule, Op):
                pairs = [(None, a) if p is None else (twins[p], twins[p].data) for p, a in node.operands]
                twin = node._rule.apply([p for p, _ in pairs], [a for _, a in pairs])
            else:
                twin = Value(given.get(node, node.data), requires_grad=node in given)
            twin.label = labels[node]
            twins[node] = twin
        return twins[root], twins

    return Exercise(
        [Input(str(labels[node]) or number_text(node.data), node.data) for node in varied], make, len(order)
    )


# -------------------------------------------------------------------- a function


def _of_function(function: Any) -> Exercise:
    if not callable(function) or hasattr(function, "parameters") or isinstance(function, MethodType):
        raise no_graph("worksheet", function)
    try:
        parameters = list(inspect.signature(function).parameters.values())
    except (TypeError, ValueError):
        raise TypeError("worksheet: the function does not say which inputs it has; wrap it in a lambda") from None
    if any(p.kind in (p.VAR_POSITIONAL, p.VAR_KEYWORD, p.KEYWORD_ONLY) for p in parameters):
        raise TypeError("worksheet: the function must name each input, as in lambda x, y: x * y")
    inputs = [Input(p.name, _usual(p)) for p in parameters]

    def make(numbers: Sequence[float]) -> tuple[Value, dict[Value, Value]]:
        leaves = [Value(number, label=x.name) for x, number in zip(inputs, numbers, strict=True)]
        root = function(*leaves)
        if not isinstance(root, Value):
            raise TypeError(f"worksheet: the function must return a Value, not {type(root).__name__}")
        name = getattr(function, "__name__", "")
        if not root.label and not root.is_leaf and name.isidentifier() and name not in {x.name for x in inputs}:
            root.label = name
        return root, {}

    return Exercise(inputs, make, len(inputs))


def _usual(parameter: inspect.Parameter) -> float | None:
    default = parameter.default
    if isinstance(default, Value):
        return default.data
    if default is parameter.empty:
        return None
    if isinstance(default, bool) or not isinstance(default, (int, float)):
        raise TypeError(f"worksheet: the default of {parameter.name} must be a number, not {type(default).__name__}")
    return float(default)
