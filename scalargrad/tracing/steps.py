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
from scalargrad.table.row import Op
from scalargrad.words.derivation import partial_formula
from scalargrad.words.equations import equation, op_symbol
from scalargrad.words.expansion import expanded
from scalargrad.words.local_derivatives import local_derivatives
from scalargrad.words.patterns import Pattern, pattern_of
from scalargrad.words.texts import MINUS, number_text, wrapped

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
        local: backward only: the local derivative ∂source/∂node; None if only a hand-written closure knows it.
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

    @cached_property
    def text(self) -> str:
        """The step as an equation in the learner's names: `∂f/∂w1 += ∂f/∂v2 · ∂v2/∂w1 = 0.1966 × (−2) = −0.3932`."""
        return Text(step_text(self))

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
        names: their names.
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
            adjoints.update(
                dict.fromkeys(totals, NOTHING)
            )  # so that what the turn adds can be read off to the last bit
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


def step_text(step: Step) -> str:
    """The equation of a step, with the numbers put in."""
    if step.phase == "forward":
        parts = [step.name, *_equations(step), number_text(step.data)]
        parts = list(dict.fromkeys(part for part in parts if part))  # without names its equation repeats itself
        return " = ".join(parts)
    f, after = wrapped(step.graph.names[step.graph.root]), _number(step.after)
    if step.phase == "hook":
        return f"∂{f}/∂{wrapped(step.name)}: {_number(step.before)} → {after}"
    if step.source is None:
        return f"∂{f}/∂{f} = {after}"
    x, y = wrapped(step.name), wrapped(step.graph.names[step.source])
    if step.nothing:
        return f"∂{f}/∂{x} += nothing: {_why_nothing(step, step.source)}" + f"; it stays {after}" * (step.part > 1)
    result = _number(step.contribution)
    if step.local is None:
        text = f"∂{f}/∂{x} += {result}"
    else:
        product = f"{_number(step.upstream)} × {wrapped(_number(step.local))}"
        text = f"∂{f}/∂{x} += ∂{f}/∂{y} · ∂{y}/∂{x} = {product} = {result}"
    if step.part > 1:
        text += f" → {_number(step.before)} + {wrapped(result)} = {after}"
    return text


def _why_nothing(step: Step, source: Value) -> str:
    """Why the source passes nothing on, in a few words."""
    op, x, gate = source._rule, wrapped(step.name), op_symbol(source)
    if step.nothing == "unreached" or not isinstance(op, Op):
        return f"nothing came to {wrapped(step.graph.names[source])}"
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
    if step.phase == "hook":
        return f"A hook on {step.name} replaced its gradient, now that it is complete, by {_number(step.after)}."
    if step.source is None:
        return f"Backpropagation starts at the output: {step.name} changes one to one with itself."
    sentences = [_local(step, step.source)]
    if step.parts > 1:
        sentences.append(
            f"{step.name} is used {step.parts} times, and every use adds its share (+=): this is share {step.part}."
        )
    return " ".join(sentences)


def _how_computed(node: Value, step: Step) -> str:
    if node.is_leaf:
        kind = "a parameter" if node.is_parameter else "an input" if node.requires_grad else "a constant"
        return f"{step.name} is {kind}: it was not computed from anything."
    names = list(dict.fromkeys(step.graph.names[parent] for parent in node.parents))
    listed = ", ".join(names[:-1]) + " and " + names[-1] if len(names) > 1 else names[0]
    if len(names) > 6:
        listed = f"its {len(node.parents)} operands"
    return f"{step.name} is computed from {listed}, and remembers where it came from."


def _local(step: Step, source: Value) -> str:
    op, local = source._rule, step.local
    x, y = wrapped(step.name), wrapped(step.graph.names[source])
    gate = op_symbol(source)
    if step.nothing == "unreached":
        return (
            f"No gradient came to {y}, as nothing that was computed from it was chosen, so {y} hands none on: not even "
            f"0 times ∂{y}/∂{x}, which may be infinite."
        )
    if isinstance(op, GivenPartials) and local is not None:
        return f"{y} was made with its local derivatives: ∂{y}/∂{x} = {_number(local)}."
    if local is None or step.operand is None or not isinstance(op, Op):
        who = "The hand-written closure of" if isinstance(op, HandWritten) else "The backward of"
        return f"{who} {gate or 'this node'} decides what {x} gets."
    number = _number(local)
    text = partial_formula(source, step.operand, step.graph.names)
    slope = f"∂{y}/∂{x} = {text}" + (f" = {number}" if text != number else "")
    match pattern_of(op):
        case Pattern.WALL:
            return f"{gate} is flat, {slope}: small changes of {x} change nothing, so nothing comes back."
        case Pattern.DISTRIBUTOR if local == 1.0:
            return f"{gate} distributes: {slope}, so the gradient of {y} is handed on as it is."
        case Pattern.DISTRIBUTOR if local == -1.0:
            return f"{gate} distributes: {slope}, so the gradient of {y} is handed on with its sign flipped."
        case Pattern.DISTRIBUTOR:
            return f"{gate} distributes: {slope}, an equal share of the gradient of {y} for each operand."
        case Pattern.SWITCHER if text == "1":
            return f"{gate} adds {x}: {slope}, so the gradient of {y} is handed on as it is."
        case Pattern.SWITCHER:
            return f"{gate} switches: {slope}, the other factor, scales the gradient."
        case Pattern.ROUTER if local == 1.0:
            return f"{gate} routes: {x} decides the result, so the whole gradient goes to it ({slope})."
        case Pattern.ROUTER if local == 0.0:
            return f"{gate} routes: {x} does not decide the result, so no gradient goes to it ({slope})."
        case Pattern.ROUTER:
            return f"{gate} routes: in a tie the gradient is shared equally ({slope})."
        case Pattern.VALVE if local == 0.0:
            return f"{gate} is shut here: {slope}, so no gradient passes."
        case Pattern.VALVE if local == 1.0:
            return f"{gate} is open here: {slope}, so the gradient passes as it is."
    return f"{gate} scales: {slope} is its slope here."


def _number(x: float | None) -> str:
    return MINUS if x is None else number_text(x)
