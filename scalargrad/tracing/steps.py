"""One model of backpropagation as steps: a value at a time forward, the seed, an edge at a time backward."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from scalargrad.engine import Value, gradients, topological_order
from scalargrad.node.by_hand import GivenPartials, HandWritten
from scalargrad.node.naming import display_names
from scalargrad.node.rules import NOTHING
from scalargrad.node.variables import variable_names
from scalargrad.support.arguments import real
from scalargrad.support.console import Text, printable
from scalargrad.support.reals import number
from scalargrad.table.row import PACKAGE_ROWS, Op
from scalargrad.words.equations import equation, op_symbol
from scalargrad.words.expansion import expanded
from scalargrad.words.lecture import local_sentence
from scalargrad.words.local_derivatives import local_derivatives
from scalargrad.words.patterns import Pattern, pattern_of
from scalargrad.words.places import place_of, placed
from scalargrad.words.texts import LOCAL, MINUS, grad_of, number_text, symbol_of, wrapped

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterator, Mapping, Sequence

    from scalargrad.node.rules import Adjoints
    from scalargrad.node.variables import Names


@dataclass(frozen=True, repr=False)
class Step:
    """One step of forward or backward propagation, with the numbers of when the trace was made.

    Attributes:
        index: its place in the trace, from 0: `trace[index]` is this step, and people are shown index + 1.
        phase: 'forward': `node` is computed; 'seed': backpropagation starts; 'backward': an edge passes gradient on;
            'hook': a hook replaces the node's finished gradient.
        node: the Value that is computed, seeded, or given a contribution.
        name: its name.
        data: its number; of a leaf the one that its last use saw, if it was changed since.
        source: backward only: the child that the gradient comes from.
        operand: backward only: which operand of the child the node is, from 0; None if the child's hand-written closure
            reaches the node without listing it.
        local: backward only: the local derivative of the source in this operand; None if only a hand-written closure
            knows it.
        upstream: backward only: the gradient that reached the source.
        contribution: backward only: upstream × local; of a hand-written closure what it added; 0.0 if that is nothing.
        before: in all but the forward phase: the node's gradient before this step.
        after: and after it: before + contribution, the seed, or what the hook gave.
        part: backward only: which of the node's contributions this is, from 1.
        parts: backward only: how many there are.
        nothing: backward only: why the source passes nothing on, not even 0 times the local derivative, which may be
            infinite: 'unchosen', its op did not choose this operand; 'unreached', nothing came to the source; else ''.
    """

    index: int
    phase: Literal["forward", "seed", "backward", "hook"]
    node: Value
    name: str
    data: float
    graph: TracedGraph = field(compare=False)
    source: Value | None = None
    operand: int | None = None
    local: float | None = None
    upstream: float | None = None
    contribution: float | None = None
    before: float | None = None
    after: float | None = None
    part: int = 1
    parts: int = 1
    nothing: Literal["", "unchosen", "unreached"] = ""

    @property
    def edge(self) -> tuple[str, str] | None:
        """The names of the node and of the source that hands it gradient; None in the other phases."""
        return None if self.source is None else (self.name, self.graph.names[self.source])

    @property
    def place(self) -> str:
        """Backward only: `left`, `right` or `2nd`, where the node is several operands of the source; else empty."""
        return "" if self.source is None else place_of(self.source, self.operand)

    @cached_property
    def text(self) -> str:
        """The step as an equation in the learner's names: `w1.grad += v2.grad × local = 0.1966 × (−2) = −0.3932`.

        It says what the code does. `local` is the local derivative at this edge, `local (left x)` that of the left one
        of two operands that are both x. What was there before is added at the end: `→ 1 + 3 = 4`.
        """
        return Text("".join(text for _, text in self.pieces))

    @cached_property
    def pieces(self) -> tuple[tuple[str, str], ...]:
        """The text in pieces, each with what it is.

        The kinds are 'target', whose number is computed or changed; 'upstream', 'local' and 'contribution', the factors
        and what they come to, as symbols and as numbers; 'before' and 'after', the target's gradient; and 'plain' for
        all that stands between.
        """
        return tuple(step_pieces(self))

    @cached_property
    def why(self) -> str:
        """The step explained in a sentence or two."""
        return Text(step_explanation(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the graph as it stands after this step, the equation, and why."""
        return {"text/html": self.graph.shown(self), "text/plain": repr(self)}

    def __str__(self) -> str:
        return printable(repr(self))

    def __repr__(self) -> str:
        return f"<step {self.index + 1}, {self.phase}: {self.text}>"


@dataclass(frozen=True, eq=False)
class TracedGraph:
    """The graph that is traced, and what its steps share.

    Attributes:
        root: the output.
        order: the Values in topological order.
        names: their names; equations write them with `symbol_of`.
        gradients: the derivative of the root with respect to each, times the seed.
        shown: what Jupyter shows for a step, as HTML.
        call: the call that made the trace, as messages write it.
        steps: all the steps.
    """

    root: Value
    order: list[Value]
    names: dict[Value, str]
    shown: Callable[[Step], str]
    gradients: dict[Value, float] = field(default_factory=dict)
    call: str = "trace(value)"
    steps: list[Step] = field(default_factory=list)


def record_steps(
    root: Value, seed: float, expand: bool, shown: Callable[[Step], str], names_given: Names = False
) -> TracedGraph:
    """The graph as it is traced, with all its steps. No `grad` is touched; hooks run, as in any sweep."""
    seed = real(seed, "seed")
    order = topological_order(root)
    variables = variable_names(order, names_given, "trace")
    if expand:
        order, replaced = expanded(order)
        variables = {replaced.get(node, node): name for node, name in variables.items()}
        root = replaced.get(root, root)
        order = topological_order(root)
    options = f", seed={seed!r}" * (seed != 1.0) + ", expand=True" * bool(expand)
    graph = TracedGraph(root, order, display_names(order, variables), shown, call=f"trace(value{options})")
    names, steps = graph.names, graph.steps
    data = {node: node.data for node in order}
    data.update((parent, a) for node in order for parent, a in node.operands if parent is not None and parent.is_leaf)
    steps += [Step(i, "forward", node, names[node], data[node], graph) for i, node in enumerate(order)]
    seed = number(seed)
    steps.append(Step(len(steps), "seed", root, names[root], data[root], graph, before=0.0, after=seed))

    parts = Counter(parent for node in order for _, parent in _receivers(node, data))
    seen: Counter[Value] = Counter()
    finished = {root: seed}

    def watch(turns: Iterator[Value], adjoints: Adjoints) -> Iterator[Value]:
        """Write down what each node's turn adds to each of its parents."""
        for node in turns:
            upstream, before = adjoints[node], finished.get(node, 0.0)
            is_constant = node.is_leaf and not node.requires_grad
            if repr(upstream) != repr(before) and not is_constant:
                steps.append(
                    Step(len(steps), "hook", node, names[node], data[node], graph, before=before, after=upstream)
                )
            receivers = _receivers(node, data)
            totals = {parent: adjoints[parent] for _, parent in receivers}
            adjoints.update(dict.fromkeys(totals, NOTHING))  # what the turn adds can be read off to the last bit
            yield node
            shares = _shares(node, receivers, adjoints, upstream)
            for (i, parent), (local, share) in zip(receivers, shares, strict=True):
                seen[parent] += 1
                before = totals[parent]
                nothing = _stopped(node, i, local, upstream)
                contribution = 0.0 if nothing else share
                if adjoints[parent] is not NOTHING:  # else it passes nothing on in its turn
                    totals[parent] = before + contribution
                steps.append(
                    Step(
                        len(steps), "backward", parent, names[parent], data[parent], graph, node, i, local,
                        upstream, contribution, before, totals[parent], seen[parent], parts[parent],
                        nothing,
                    )
                )  # fmt: skip
            adjoints.update(totals)
            finished.update(totals)

    graph.gradients.update(gradients([root], [seed], watch=watch))
    return graph


def _receivers(node: Value, known: Collection[Value]) -> list[tuple[int | None, Value]]:
    """The operands that a node's turn hands gradient to, and what else a closure refers to; a constant keeps none."""
    pairs: list[tuple[int | None, Value]] = [
        (i, p) for i, (p, _) in enumerate(node.operands) if p is not None and (not p.is_leaf or p.requires_grad)
    ]
    rule = node._rule
    if isinstance(rule, (Op, GivenPartials)):
        return pairs
    if isinstance(rule, HandWritten):
        pairs += [(None, value) for value in rule.unlisted(node) if value in known and value.is_leaf]
    return list({parent: (i, parent) for i, parent in reversed(pairs)}.values())[::-1]  # a closure adds all at once


def _stopped(
    node: Value, index: int | None, local: float | None, upstream: float
) -> Literal["", "unchosen", "unreached"]:
    """Why a node's turn adds nothing to an operand; '' if it adds something, be it 0.0."""
    if upstream is NOTHING:
        return "unreached"
    rule = node._rule
    return (
        "unchosen" if isinstance(rule, Op) and index is not None and local == 0.0 and rule.may_leave_out(index) else ""
    )


def _shares(
    node: Value, receivers: Sequence[tuple[int | None, Value]], added: Mapping[Value, float], upstream: float
) -> list[tuple[float | None, float]]:
    """The local derivative and the contribution of each edge, where `added` is what each parent got in all."""
    locals_ = local_derivatives(node)
    uses = Counter(parent for _, parent in receivers)
    shares: list[tuple[float | None, float]] = []
    for i, parent in receivers:
        local = None if i is None else locals_[i]
        shares.append((local, added[parent] if uses[parent] == 1 or local is None else upstream * local))
    return shares


# -------------------------------------------------------------------- steps in words


def step_pieces(step: Step) -> Iterator[tuple[str, str]]:
    """The equation of a step, with the numbers put in, as (kind, text)."""
    if step.phase == "forward":
        yield "target", symbol_of(step.name)
        # Without names its equation repeats itself.
        for part in dict.fromkeys(part for part in (*_equations(step), number_text(step.data)) if part):
            yield "plain", f" = {part}"
        return
    after = _number(step.after)
    yield "target", grad_of(step.name)
    if step.phase == "hook":
        yield from [("plain", ": "), ("before", _number(step.before)), ("plain", " → "), ("after", after)]
        return
    if step.source is None:
        yield from [("plain", " = "), ("after", after)]
        return
    yield "plain", " += "
    if step.nothing:
        yield "contribution", "nothing"
        yield "plain", f": {_why_nothing(step, step.source)}"
        if step.part > 1:
            yield from [("plain", "; it stays "), ("after", after)]
        return
    result = _number(step.contribution)
    if step.local is not None:
        yield "upstream", grad_of(step.graph.names[step.source])
        yield "plain", " × "
        yield "local", LOCAL + (f" ({step.place} {symbol_of(step.name)})" if step.place else "")
        yield "plain", " = "
        yield "upstream", _number(step.upstream)
        yield "plain", " × "
        yield "local", wrapped(_number(step.local))
        yield "plain", " = "
    yield "contribution", result
    if step.part > 1:
        yield from [("plain", " → "), ("before", _number(step.before)), ("plain", " + ")]
        yield from [("contribution", wrapped(result)), ("plain", " = "), ("after", after)]


def _why_nothing(step: Step, source: Value) -> str:
    """Why the source passes nothing on, in a few words."""
    op, gate = source._rule, op_symbol(source)
    x = "the " * bool(step.place) + placed(source, step.operand, symbol_of(step.name))
    if step.nothing == "unreached" or not isinstance(op, Op):
        return f"nothing came to {symbol_of(step.graph.names[source])}"
    if op is PACKAGE_ROWS["where"] and step.operand == 0:
        return f"{gate} only asks whether {x} is 0"
    if op.has_index and step.operand == 0:
        return f"{gate} only asks which entry to take"
    match pattern_of(op):
        case Pattern.WALL:
            return f"{gate} is flat"
        case Pattern.VALVE:
            return f"{gate} is shut here"
        case Pattern.ROUTER:
            return f"{gate} did not choose {x}"
    return f"{gate} does not use {x} here"


def _equations(step: Step) -> list[str]:
    return [equation(step.node, names, as_computed=True) for names in (step.graph.names, None)]


def step_explanation(step: Step) -> str:
    """What happens in a step, and the pattern behind it."""
    if step.phase == "forward":
        return _how_computed(step.node, step)
    x = symbol_of(step.name)
    if step.phase == "hook":
        return f"A hook on {x} replaced its gradient, now that it is complete, by {_number(step.after)}."
    if step.source is None:
        return f"Backpropagation starts at the output: {x} changes one to one with itself."
    sentences = [_local(step, step.source)]
    if step.parts > 1:
        which = f"this is share {step.part} of {step.parts}"
        sentences.append(f"{x} is used {step.parts} times, and every use adds its share (+=): {which}.")
    return " ".join(sentences)


def _how_computed(node: Value, step: Step) -> str:
    if node.is_leaf:
        kind = "a parameter" if node.is_parameter else "an input" if node.requires_grad else "a constant"
        return f"{symbol_of(step.name)} is {kind}: it was not computed from anything."
    names = list(dict.fromkeys(symbol_of(step.graph.names[parent]) for parent in node.parents))
    listed = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    if len(names) > 6:
        listed = f"its {len(node.parents)} operands"
    return f"{symbol_of(step.name)} is computed from {listed}, and remembers where it came from."


def _local(step: Step, source: Value) -> str:
    op, local = source._rule, step.local
    x, y = symbol_of(step.name), symbol_of(step.graph.names[source])
    if step.nothing == "unreached":
        return (
            f"No gradient came to {y}, as nothing that was computed from it was chosen, so {y} hands none on: not even "
            "0 times the local derivative, which may be infinite."
        )
    x = "the " * bool(step.place) + placed(source, step.operand, x)
    if isinstance(op, GivenPartials) and local is not None:
        return f"{y} was made with its local derivatives: the one for {x} is {_number(local)}."
    if local is None or step.operand is None or not isinstance(op, Op):
        who = "The hand-written closure of" if isinstance(op, HandWritten) else "The backward of"
        return f"{who} {op_symbol(source) or 'this node'} decides what {x} gets."
    return local_sentence(source, step.operand, local, step.graph.names)


def _number(x: float | None) -> str:
    return MINUS if x is None else number_text(x)
