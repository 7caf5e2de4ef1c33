"""Which numbers of a trace a worksheet leaves blank, and how they are numbered."""

from __future__ import annotations

import difflib
from collections.abc import Collection
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from scalargrad.engine import Value
from scalargrad.node.numbers import describe
from scalargrad.support.arguments import brief, generator
from scalargrad.support.labels import clean_label
from scalargrad.support.reals import number as real_number
from scalargrad.words.texts import grad_of, symbol_of

if TYPE_CHECKING:
    from scalargrad.tracing.steps import TracedGraph

What = Literal["value", "gradient"]
Hide = Literal["gradients", "values", "both"] | float | Collection["Value | str"]

_CIRCLED = 10
"""How many circled numbers fonts have everywhere."""
_HIDE_HELP = (
    "hide must be 'gradients', 'values', 'both', a share between 0 and 1, or a collection of the Values (or their "
    "names) whose gradients are left blank"
)


@dataclass(frozen=True)
class Blank:
    """A number that a worksheet asks for.

    Attributes:
        number: its number on the sheet, from 1.
        name: the Value's name.
        what: 'value' or 'gradient'.
        question: what is asked, in formulas: `v1` or `v1.grad`.
        answer: the right number.
    """

    number: int
    name: str
    what: What
    question: str
    answer: float
    node: Value = field(repr=False, compare=False)

    @property
    def sign(self) -> str:
        """What stands in its place, and is no variable: the number in a circle; above 10 in parentheses."""
        return sign_of(self.number)


def sign_of(number: int) -> str:
    """A number as sheets show it.

    >>> sign_of(3), sign_of(11)
    ('③', '(11)')
    """
    return chr(ord("①") - 1 + number) if number <= _CIRCLED else f"({number})"


def choose_blanks(graph: TracedGraph, hide: Hide, seed: int) -> list[Blank]:
    """The blanks in the order in which they can be worked out: values forward, then gradients backward."""
    chosen = _chosen(graph, hide, seed)
    if not chosen:
        raise ValueError(f"hide={brief(hide)} leaves nothing blank: {_HIDE_HELP}")
    answers = {"value": {step.node: step.data for step in graph.steps[: len(graph.order)]}, "gradient": graph.gradients}
    blanks = []
    for number, (node, what) in enumerate(chosen, 1):
        name = graph.names[node]
        question = symbol_of(name) if what == "value" else grad_of(name)
        blanks.append(Blank(number, name, what, question, answers[what][node], node))
    return blanks


def _chosen(graph: TracedGraph, hide: Hide, seed: int) -> list[tuple[Value, What]]:
    values: list[tuple[Value, What]] = [(node, "value") for node in graph.order if not node.is_leaf]
    # A gradient is complete with its last contribution. The output's is where one starts, so it is given.
    last = {step.node: step.index for step in graph.steps if step.phase == "backward"}
    gradients: list[tuple[Value, What]] = [(node, "gradient") for node in sorted(last, key=last.__getitem__)]
    if hide == "gradients":
        return gradients
    if hide == "values":
        return values
    if hide == "both":
        return values + gradients
    if isinstance(hide, str) or not isinstance(hide, Collection) or not getattr(hide, "ndim", True):
        return _share(values + gradients, hide, seed)
    wanted = {_node(graph, item) for item in hide}
    for node in wanted - last.keys():
        name = graph.names[node]
        reason = "the output's is given: it is where one starts" if node is graph.root else "it has none"
        raise ValueError(f"the gradient of {name} cannot be left blank: {reason}")
    return [pair for pair in gradients if pair[0] in wanted]


def _share(candidates: list[tuple[Value, What]], hide: object, seed: int) -> list[tuple[Value, What]]:
    """A random share of the candidates, at least one, in their order."""
    try:
        share = real_number(hide)
    except TypeError:
        share = -1.0
    if isinstance(hide, bool) or not 0.0 < share <= 1.0:
        raise ValueError(f"{_HIDE_HELP}, not {brief(hide)}")
    n = min(max(1, round(share * len(candidates))), len(candidates))
    picked = generator(seed).sample(range(len(candidates)), n)
    return [candidates[i] for i in sorted(picked)]


def _node(graph: TracedGraph, item: object) -> Value:
    """The Value that is meant, by itself or by its name."""
    names = graph.names
    if isinstance(item, Value):
        if item not in names:
            raise ValueError(f"{describe(item)} is not part of this graph (a fused one that was expanded goes by name)")
        return item
    if isinstance(item, str):
        for node, name in names.items():
            if name == item:
                return node
        near = difflib.get_close_matches(item, names.values(), n=3)
        hint = f"; near it are {', '.join(near)}" if near else ""
        raise ValueError(f"no Value of this graph has the name {clean_label(item)!r}{hint}")
    raise TypeError(f"hide takes Values or their names, not {type(item).__name__}")
