"""What probably went wrong with an answer: the typical mistakes worked through, until one gives the same number.

A hint names the edge to look at. It never contains the answer.
"""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING

from scalargrad.table.floats import fold
from scalargrad.table.row import INFIX, NO_VALUE, Op
from scalargrad.tracing.marking import agrees
from scalargrad.words.equations import equation, op_symbol
from scalargrad.words.patterns import Pattern, pattern_of
from scalargrad.words.places import placed
from scalargrad.words.texts import number_text, symbol_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence

    from scalargrad.engine import Value
    from scalargrad.tracing.blanks import Blank
    from scalargrad.tracing.steps import Step, TracedGraph

    Mistakes = Iterator[tuple[float | None, str]]

_MOST_USES = 10
_MOST_OPERANDS = 50
NEAR = 0.02
"""How far from the right number an answer is close, as a share of it."""
CLOSE = "close: carry more digits, four decimals are compared"


class Diagnosis:
    """Finds hints, given the traced graph and all the answers."""

    def __init__(self, graph: TracedGraph, answers: Mapping[Blank, float], tolerance: float = 0.0) -> None:
        self.graph = graph
        self.names = {node: symbol_of(name) for node, name in self.graph.names.items()}
        self.tolerance = tolerance
        self.computed: dict[Value, Step] = {}
        self.received: dict[Value, list[Step]] = {}
        for step in graph.steps:
            if step.phase == "forward":
                self.computed[step.node] = step
            elif step.phase == "backward":
                self.received.setdefault(step.node, []).append(step)
        # What the sheet says and what was answered wrong instead, to see what follows from wrong answers.
        self.values = {node: step.data for node, step in self.computed.items()}
        self.gradients = dict(self.graph.gradients)
        self.wrong: dict[tuple[Value | None, str], str] = {}
        for blank, answer in answers.items():
            if not agrees(answer, blank.answer, tolerance):
                self.wrong[blank.node, blank.what] = blank.sign
                (self.values if blank.what == "value" else self.gradients)[blank.node] = answer

    def hint(self, blank: Blank, answer: float) -> str:
        """What to look at after a wrong answer."""
        for number, text in self.mistakes(blank):
            if agrees(answer, number):
                return text
        return CLOSE if agrees(answer, blank.answer, NEAR) else self.general(blank)

    def mistakes(self, blank: Blank) -> Iterator[tuple[float, str]]:
        """The wrong numbers that typical mistakes give, the likeliest first, each with its hint."""
        mistakes = self._gradient_mistakes if blank.what == "gradient" else self._value_mistakes
        for number, text in mistakes(blank.node):
            if number is not None and not agrees(number, blank.answer, self.tolerance):
                yield number, text

    def likeliest(self, blank: Blank, most: int) -> list[tuple[float, str]]:
        """The mistakes that are recognised if only so many can be; of those that give one number the likeliest."""
        found: dict[str, tuple[float, str]] = {}
        for number, text in self.mistakes(blank):
            if len(found) < most:
                found.setdefault(repr(number), (number, text))
        return list(found.values())

    # ------------------------------------------------------------------ gradients

    def _gradient_mistakes(self, node: Value) -> Mistakes:
        steps, x = self.received[node], self.names[node]
        total = _sum_of(steps)
        inputs = [(step.source, "gradient") for step in steps]
        inputs += [
            (value, "value")
            for step in steps
            if step.source is not None
            for value in (*step.source.parents, step.source)
        ]
        yield from self._carried(inputs, lambda: fold(map(self._contribution_as_answered, steps), 0.0))
        yield self.computed[node].data, f"that is the value of {x}; its gradient {x}.grad is asked"
        yield from self._missing(node)
        yield -total, f"check the sign of the local derivative on {self._edges(steps)}"
        for step in steps:
            for number, text in self._on_edge(step):
                yield (None if number is None else total - (step.contribution or 0.0) + number), text

    def _on_edge(self, step: Step) -> Mistakes:
        """What one edge may have been thought to contribute."""
        local, upstream, source = step.local, step.upstream, step.source
        if local is None or upstream is None or source is None or step.nothing == "unreached":
            return
        x, y, edge = self.names[step.node], self.names[source], self._edge(step)
        yield local, f"{edge}: that is the local derivative alone; multiply it by the gradient of {y}"
        yield (
            upstream,
            f"{edge}: the gradient of {y} was handed on as it is; multiply it by the local derivative for {x}",
        )
        if isinstance(source._rule, Op) and pattern_of(source._rule) is Pattern.SWITCHER:
            yield upstream * step.data, f"{edge}: you multiplied by {x} itself; of a product, the other factor counts"
        yield -upstream * local, f"{edge}: check the sign of the local derivative for {x}"
        if local:
            yield upstream / local, f"{edge}: multiply by the local derivative for {x} instead of dividing by it"
        result, inside = self.computed[source].data, step.data
        place = f"{edge}: check where the local derivative of {op_symbol(source)} takes {x} and where it takes {y}"
        for number in (_local(step, {}, inside), _local(step, {step.node: result}, result)):
            yield (None if number is None else upstream * number), place

    def _missing(self, node: Value) -> Mistakes:
        """Sums of only some of the contributions; those with the fewest left out come first."""
        x = self.names[node]
        steps = [step for step in self.received[node] if step.contribution]
        if len(steps) < 2:
            return
        used = f"{x} is used {len(steps)} times"
        last, total = steps[-1], _sum_of(steps)
        sizes = range(1, len(steps)) if len(steps) <= _MOST_USES else (1, len(steps) - 1)
        for size in sizes:
            by_sum: dict[str, tuple[float, list[tuple[Step, ...]]]] = {}
            for left_out in combinations(steps, size):
                number = total - _sum_of(left_out)
                by_sum.setdefault(number_text(number), (number, []))[1].append(left_out)
            for number, choices in by_sum.values():
                contribution = "the contribution" if size == 1 else f"{size} contributions"
                verb = "is" if size == 1 else "are"
                text = f"{used}, and {contribution} through {self._edges(choices[0])} {verb} missing"
                if len(choices) > 1:
                    several = dict.fromkeys(step for left_out in choices for step in left_out)
                    text = f"{used}, and {size} of the contributions through {self._edges(several)} {verb} missing"
                if size == len(steps) - 1 and any(last not in left_out for left_out in choices):
                    text += ": every use adds its share (+=), the last must not replace the others"
                yield number, text

    def _contribution_as_answered(self, step: Step) -> float:
        """What the edge contributes if the wrong answers were right."""
        assert step.source is not None  # noqa: S101  (of a backward step)
        local = _local(step, self.values, self.values[step.source])
        if local is None:
            return step.contribution or 0.0
        upstream = self.gradients[step.source]
        if step.nothing and 0.0 in (upstream, local):  # which 0 times an infinite number would make nan
            return 0.0
        return upstream * local

    # ------------------------------------------------------------------ values

    def _value_mistakes(self, node: Value) -> Mistakes:
        op, y = node._rule, self.names[node]
        operands = node.operands
        parents = list(dict.fromkeys(node.parents))
        text = f"{y} = {equation(node, self.graph.names)}"
        inputs: list[tuple[Value | None, str]] = [(parent, "value") for parent in parents]
        answered = [a if parent is None else self.values[parent] for parent, a in operands]
        yield from self._carried(inputs, lambda: _value(op, answered))
        numbers = [a for _, a in operands]
        for parent in parents:
            yield self.computed[parent].data, f"that is {self.names[parent]} itself: {text}"
        yield -self.computed[node].data, f"check the signs in {text}, edges from {self._listed(parents)}"
        if len(operands) == 2 and len(parents) == 2:
            yield _value(op, numbers[::-1]), f"the operands are the other way around: {text}"
        if len(operands) == 2 and isinstance(op, Op):
            for other in dict.fromkeys(INFIX.values()):
                if other is not op:
                    yield _value(other, numbers), f"that is {other.symbol} of the same operands: {text}"
        if 2 < len(operands) <= _MOST_OPERANDS:
            for i, (left_out, _) in enumerate(operands):
                if left_out is not None:
                    name = self.names[left_out]
                    yield _value(op, [*numbers[:i], 0.0, *numbers[i + 1 :]]), f"{name} is left out, edge {name} → {y}"

    # ------------------------------------------------------------------ words

    def _carried(self, inputs: Sequence[tuple[Value | None, str]], number: Callable[[], float | None]) -> Mistakes:
        """What follows correctly from other answers that are wrong."""
        signs = [self.wrong[key] for key in dict.fromkeys(inputs) if key in self.wrong]
        if signs:
            listed = " and ".join(signs)
            yield number(), f"this step follows from your answer to {listed}, so look at {listed} again"

    def general(self, blank: Blank) -> str:
        """What to look at where no mistake is recognised."""
        node, x = blank.node, self.names[blank.node]
        if blank.what == "value":
            parents = list(dict.fromkeys(node.parents))
            return f"{x} = {equation(node, self.graph.names)}: go over the edges from {self._listed(parents)}"
        steps = self.received[node]
        text = f"go over {self._edges(steps)}: the gradient of the child times the local derivative"
        return text + (", added up over all edges" if len(steps) > 1 else "")

    def _edge(self, step: Step) -> str:
        """The edge as the picture draws it, from operand to result."""
        assert step.source is not None  # noqa: S101
        x = placed(step.source, step.operand, self.names[step.node])
        return f"edge {x} → {self.names[step.source]}"

    def _edges(self, steps: Sequence[Step] | Mapping[Step, None]) -> str:
        texts = list(dict.fromkeys(self._edge(step) for step in steps))
        shown = texts[:6] + ([f"{len(texts) - 6} more"] if len(texts) > 6 else [])
        return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)

    def _listed(self, values: Sequence[Value]) -> str:
        shown = [self.names[value] for value in values[:6]] + ([f"{len(values) - 6} more"] if len(values) > 6 else [])
        return " and ".join([", ".join(shown[:-1]), shown[-1]] if len(shown) > 1 else shown)


def _sum_of(steps: Iterable[Step]) -> float:
    """What the steps contribute, added in their order, as the engine does."""
    return fold((step.contribution or 0.0 for step in steps), 0.0)


def _value(op: object, numbers: Sequence[float]) -> float | None:
    """The op on these numbers; None where it has no value, or no rule but a closure's."""
    if not isinstance(op, Op):
        return None
    try:
        return float(op.on(list(numbers)))
    except (*NO_VALUE, TypeError):  # a power of a negative number is complex
        return None


def _local(step: Step, values: Mapping[Value, float], result: float) -> float | None:
    """The local derivative of a backward step at other numbers, and another result, than those of the trace."""
    source = step.source
    op = None if source is None else source._rule
    if not isinstance(op, Op) or source is None or step.operand is None:
        return None
    numbers = [values.get(parent, a) if parent is not None else a for parent, a in source.operands]
    try:
        if op.arity is None:
            return float(op.partials(numbers, result)[step.operand])
        x, y = [*numbers, None][:2]
        return float(op.partials[step.operand](x, y, result))
    except (*NO_VALUE, TypeError):
        return None
