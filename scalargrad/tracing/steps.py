"""One model of backpropagation as steps: a value at a time forward, the seed, an edge at a time backward."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from scalargrad.behaviour import number
from scalargrad.engine import Value, gradients, topological_order
from scalargrad.expansion import expanded
from scalargrad.formula import display_names, local_derivatives
from scalargrad.table import Op
from scalargrad.tracing import wording

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from scalargrad.rules import Adjoints


@dataclass(frozen=True, repr=False)
class Step:
    """One step of forward or backward propagation, with the numbers of when the trace was made.

    Attributes:
        index: its place in the trace, from 0: `trace[index]` is this step, and people are shown index + 1.
        phase: 'forward': `node` is computed; 'seed': backpropagation starts; 'backward': an edge passes gradient on.
        node: the Value that is computed, seeded, or given a contribution.
        name: its name.
        data: its number.
        source: backward only: the child that the gradient comes from.
        operand: backward only: which operand of the child the node is, from 0.
        local: backward only: the local derivative ∂source/∂node; None if only a hand-written closure knows it.
        upstream: backward only: the gradient that reached the source.
        contribution: backward only: upstream × local.
        before: seed and backward: the node's gradient before this step.
        after: and after it: before + contribution.
        part: backward only: which of the node's contributions this is, from 1.
        parts: backward only: how many there are.
    """

    index: int
    phase: Literal["forward", "seed", "backward"]
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
        return wording.step_text(self)

    @cached_property
    def why(self) -> str:
        """The step explained in a sentence or two."""
        return wording.step_explanation(self)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the graph as it stands after this step, the equation, and why."""
        from scalargrad.tracing.page import step_shown

        return {"text/html": step_shown(self), "text/plain": repr(self)}

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
        steps: all the steps.
    """

    root: Value
    order: list[Value]
    names: dict[Value, str]
    gradients: dict[Value, float] = field(default_factory=dict)
    steps: list[Step] = field(default_factory=list)


def record_steps(root: Value, seed: float, expand: bool) -> tuple[Graph, list[Step]]:
    """The graph as it is traced, and all its steps. No `grad` is touched."""
    order = topological_order(root)
    if expand:
        order, replaced = expanded(order)
        root = replaced.get(root, root)
        order = topological_order(root)
    graph = Graph(root, order, display_names(order))
    steps = graph.steps
    steps += [Step(i, "forward", node, graph.names[node], node.data, graph) for i, node in enumerate(order)]
    seed = number(seed)
    steps.append(Step(len(steps), "seed", root, graph.names[root], root.data, graph, before=0.0, after=seed))

    parts = Counter(parent for node in order for _, parent in _receivers(node))
    seen: Counter[Value] = Counter()

    def watch(turns: Iterator[Value], adjoints: Adjoints) -> Iterator[Value]:
        """Write down what each node's turn adds to each of its parents."""
        for node in turns:
            receivers, upstream = _receivers(node), adjoints[node]
            totals = {parent: adjoints[parent] for _, parent in receivers}
            adjoints.update(dict.fromkeys(totals, 0.0))  # so that what the turn adds can be read off to the last bit
            yield node
            shares = _shares(node, receivers, adjoints, upstream)
            for (i, parent), (local, contribution) in zip(receivers, shares, strict=True):
                seen[parent] += 1
                before, totals[parent] = totals[parent], totals[parent] + contribution
                steps.append(
                    Step(
                        len(steps), "backward", parent, graph.names[parent], parent.data, graph, node, i, local,
                        upstream, contribution, before, totals[parent], seen[parent], parts[parent],
                    )
                )  # fmt: skip
            adjoints.update(totals)

    graph.gradients.update(gradients([root], [seed], watch=watch))
    return graph, steps


def _receivers(node: Value) -> list[tuple[int, Value]]:
    """The operands that a node's turn hands gradient to; a constant keeps none."""
    pairs = [(i, p) for i, (p, _) in enumerate(node.operands) if p is not None and (not p.is_leaf or p.requires_grad)]
    if isinstance(node._rule, Op):
        return pairs
    return list({parent: (i, parent) for i, parent in reversed(pairs)}.values())[::-1]  # a closure adds all at once


def _shares(
    node: Value, receivers: Sequence[tuple[int, Value]], added: Mapping[Value, float], upstream: float
) -> list[tuple[float | None, float]]:
    """The local derivative and the contribution of each edge, where `added` is what each parent got in all."""
    locals_ = local_derivatives(node)
    uses = Counter(parent for _, parent in receivers)
    shares: list[tuple[float | None, float]] = []
    for i, parent in receivers:
        local, all_of_it = locals_[i], added[parent]
        if uses[parent] == 1 or local is None:
            shares.append((local, all_of_it))
        else:  # an infinite gradient stops at a flat op: nothing was added, though inf × 0 is nan
            share = upstream * local
            shares.append((local, 0.0 if share != share and all_of_it == 0.0 else share))
    return shares
