"""One model of backpropagation as steps: a value at a time forward, the seed, an edge at a time backward."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from scalargrad.arguments import real
from scalargrad.behaviour import number
from scalargrad.console import Text, printable
from scalargrad.engine import Value, gradients, topological_order
from scalargrad.expansion import expanded
from scalargrad.formula import display_names, local_derivatives
from scalargrad.rules import GivenPartials, HandWritten
from scalargrad.table import Op
from scalargrad.tracing import wording

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator, Mapping, Sequence

    from scalargrad.rules import Adjoints


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
        contribution: backward only: upstream × local; of a hand-written closure what it added.
        before: in all but the forward phase: the node's gradient before this step.
        after: and after it: before + contribution, the seed, or what the hook gave.
        part: backward only: which of the node's contributions this is, from 1.
        parts: backward only: how many there are.
    """

    index: int
    phase: Literal["forward", "seed", "backward", "hook"]
    node: Value
    name: str
    data: float
    graph: Graph = field(compare=False)
    source: Value | None = None
    operand: int | None = None
    local: float | None = None
    upstream: float | None = None
    contribution: float | None = None
    before: float | None = None
    after: float | None = None
    part: int = 1
    parts: int = 1

    @property
    def edge(self) -> tuple[str, str] | None:
        """The names of the node and of the source that hands it gradient; None in the other phases."""
        return None if self.source is None else (self.name, self.graph.names[self.source])

    @cached_property
    def text(self) -> str:
        """The step as an equation in the learner's names: `∂f/∂w1 += ∂f/∂v2 · ∂v2/∂w1 = 0.1966 × (−2) = −0.3932`."""
        return Text(wording.step_text(self))

    @cached_property
    def why(self) -> str:
        """The step explained in a sentence or two."""
        return Text(wording.step_explanation(self))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the graph as it stands after this step, the equation, and why."""
        from scalargrad.tracing.page import step_shown

        return {"text/html": step_shown(self), "text/plain": repr(self)}

    def __str__(self) -> str:
        return printable(repr(self))

    def __repr__(self) -> str:
        return f"<step {self.index + 1}, {self.phase}: {self.text}>"


@dataclass(frozen=True, eq=False)
class Graph:
    """What the steps of a trace share.

    Attributes:
        root: the output.
        order: the Values in topological order.
        names: their names.
        gradients: the derivative of the root with respect to each, times the seed.
        call: the call that made the trace, as messages write it.
        steps: all the steps.
    """

    root: Value
    order: list[Value]
    names: dict[Value, str]
    gradients: dict[Value, float] = field(default_factory=dict)
    call: str = "trace(value)"
    steps: list[Step] = field(default_factory=list)


def record_steps(root: Value, seed: float, expand: bool) -> Graph:
    """The graph as it is traced, with all its steps. No `grad` is touched; hooks run, as in any sweep."""
    seed = real(seed, "seed")
    order = topological_order(root)
    if expand:
        order, replaced = expanded(order)
        root = replaced.get(root, root)
        order = topological_order(root)
    options = f", seed={seed!r}" * (seed != 1.0) + ", expand=True" * bool(expand)
    graph = Graph(root, order, display_names(order), call=f"trace(value{options})")
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
            if repr(upstream) != repr(before):
                steps.append(
                    Step(len(steps), "hook", node, names[node], data[node], graph, before=before, after=upstream)
                )
            receivers = _receivers(node, data)
            totals = {parent: adjoints[parent] for _, parent in receivers}
            adjoints.update(dict.fromkeys(totals, 0.0))  # so that what the turn adds can be read off to the last bit
            yield node
            shares = _shares(node, receivers, adjoints, upstream)
            for (i, parent), (local, contribution) in zip(receivers, shares, strict=True):
                seen[parent] += 1
                before, totals[parent] = totals[parent], totals[parent] + contribution
                steps.append(
                    Step(
                        len(steps), "backward", parent, names[parent], data[parent], graph, node, i, local,
                        upstream, contribution, before, totals[parent], seen[parent], parts[parent],
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


def _shares(
    node: Value, receivers: Sequence[tuple[int | None, Value]], added: Mapping[Value, float], upstream: float
) -> list[tuple[float | None, float]]:
    """The local derivative and the contribution of each edge, where `added` is what each parent got in all."""
    locals_ = local_derivatives(node)
    uses = Counter(parent for _, parent in receivers)
    shares: list[tuple[float | None, float]] = []
    for i, parent in receivers:
        local, all_of_it = None if i is None else locals_[i], added[parent]
        if uses[parent] == 1 or local is None:
            shares.append((local, all_of_it))
        else:  # an infinite gradient stops at a flat op: nothing was added, though inf × 0 is nan
            share = upstream * local
            shares.append((local, 0.0 if share != share and all_of_it == 0.0 else share))
    return shares
