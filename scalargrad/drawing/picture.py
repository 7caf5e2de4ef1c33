"""What a picture says, whatever its style: cards with their texts, edges with their local derivatives, clusters."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from scalargrad.words.texts import number_text

if TYPE_CHECKING:
    from scalargrad.drawing.scopes import Scope
    from scalargrad.engine import Value


GRADIENT_LEAD = "grad "
"""What stands before the number in the gradient row of a card."""


@dataclass
class Card:
    """One node of the picture.

    Attributes:
        name: unique in the picture.
        equation: what computed it; empty for leaves, groups and stubs.
        rows: (colour role, text) from top to bottom.
        title: everything about it, with numbers in full.
        kinds: some of parameter, input, op, root, detached, group, stub, repeated, bad.
        scope: the module it is drawn inside of.
        value: the Value; for a group or repetition the last of them; None for a stub.
        values: how many Values it stands for.
        data: the Value's number when the picture was made.
        grad: and its gradient.
        about: the title without the numbers.
        module: the module it stands for, if it is a collapsed one.
        later: texts that its rows show at other times; the card has room for them.
        variable: the user's variable that the name is from; empty where it is from a label, or made.
    """

    name: str
    equation: str
    rows: list[tuple[str, str]]
    title: str
    kinds: tuple[str, ...]
    scope: Scope = ()
    value: Value | None = None
    values: int = 1
    data: float | None = None
    grad: float | None = None
    about: str = ""
    module: Scope = ()
    later: list[str] = field(default_factory=list)
    variable: str = ""


@dataclass
class Edge:
    """One operand of one card.

    Attributes:
        tail: index of the parent's card.
        head: index of the child's card.
        local: the local derivative; None where there is none to show.
        contribution: local derivative times the child's gradient; None if unknown.
        count: how many operands it stands for.
        bin: its colour, -3 to 3.
        title: the product in words.
        stub: whether it leads to hidden nodes.
        operand: which operand it is, if it is one of one Value.
    """

    tail: int
    head: int
    local: float | None = None
    contribution: float | None = None
    count: int = 1
    bin: int = 0
    title: str = ""
    stub: bool = False
    operand: int | None = None

    @property
    def label(self) -> str:
        """What the edge shows: `×−2`, or nothing if the local derivative is 1."""
        return "" if self.local == 1.0 else self.local_text

    @property
    def local_text(self) -> str:
        """The local derivative, also where it is 1; nothing if there is none."""
        return "" if self.local is None else "×" + number_text(self.local)


@dataclass
class Picture:
    """A graph ready to be drawn in any style.

    Attributes:
        cards: in topological order.
        edges: in the order of their heads.
        root: index of the output's card; None if it is not drawn.
        backward_done: whether gradients are shown.
        title: the accessible name.
        description: one sentence about the whole.
        scopes: the modules that boxes are drawn around, in order.
        notes: what else to say below the picture: a sentence each.
    """

    cards: list[Card]
    edges: list[Edge]
    root: int | None
    backward_done: bool
    title: str = ""
    description: str = ""
    scopes: list[Scope] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
