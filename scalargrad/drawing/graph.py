"""What a picture says, whatever its style: cards with their texts, edges with their local derivatives, clusters."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field

from scalargrad.drawing.clusters import Scope, scope_title
from scalargrad.drawing.units import Unit
from scalargrad.engine import Overwritten, Value
from scalargrad.formula import (
    ELLIPSIS,
    clean_label,
    display_names,
    equation,
    local_derivatives,
    number_text,
    op_symbol,
)

BEFORE_BACKWARD = "–"


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
        unit: what it stands for; None for a stub.
    """

    name: str
    equation: str
    rows: list[tuple[str, str]]
    title: str
    kinds: tuple[str, ...]
    scope: Scope = ()
    value: Value | None = None
    unit: Unit | None = None


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
    """

    tail: int
    head: int
    local: float | None = None
    contribution: float | None = None
    count: int = 1
    bin: int = 0
    title: str = ""
    stub: bool = False

    @property
    def label(self) -> str:
        """What the edge shows: `×−2`, or nothing if the local derivative is 1."""
        if self.local is None or self.local == 1.0:
            return ""
        return "×" + number_text(self.local)


@dataclass
class Picture:
    """A graph ready to be drawn in any style.

    Attributes:
        cards: in topological order.
        edges: in the order of their heads.
        root: index of the output's card.
        backward_done: whether gradients are shown.
        title: the accessible name.
        description: one sentence about the whole.
    """

    cards: list[Card]
    edges: list[Edge]
    root: int
    backward_done: bool
    title: str = ""
    description: str = ""
    scopes: list[Scope] = field(default_factory=list)


def links(units: Sequence[Unit]) -> dict[tuple[int, int], list[tuple[Value, int]]]:
    """Which unit feeds which: (parent's index, child's index) to the (child Value, operand index) pairs between them."""
    where = {value: i for i, unit in enumerate(units) for value in unit.members}
    found: dict[tuple[int, int], list[tuple[Value, int]]] = {}
    for head, unit in enumerate(units):
        for value in unit.members:
            for i, (parent, _) in enumerate(value.operands):
                if parent is not None and (tail := where[parent]) != head:
                    found.setdefault((tail, head), []).append((value, i))
    return found


def build_picture(
    units: Sequence[Unit],
    root: Value,
    visible: set[int] | None = None,
    between: dict[tuple[int, int], list[tuple[Value, int]]] | None = None,
) -> Picture:
    """The picture of these units.

    Args:
        units: from `partition`.
        root: the graph's output.
        visible: indices of the units to draw; the others become stubs. None draws all.
        between: the result of `links`, if the caller has it.
    """
    between = links(units) if between is None else between
    # Gradients exist only after a backward() that reached this root; zeros shown before would be misread.
    done = root.grad != 0.0
    names = display_names([unit.members[0] for unit in units if not unit.is_group])
    short = {unit.title: unit.title for unit in units if unit.is_group}
    for unit in units:
        name = short[unit.title] if unit.is_group else names[unit.members[0]]
        names.update(dict.fromkeys(unit.members, name))
    shown = range(len(units)) if visible is None else sorted(visible)
    index = {unit: i for i, unit in enumerate(shown)}
    cards = [_card(units[i], names, root, done, _outputs(units[i])) for i in shown]
    locals_: dict[Value, list[float | None]] = {}
    picture = Picture(cards, [], next(index[i] for i in shown if root in units[i].members), done)
    for (tail, head), uses in between.items():
        if tail in index and head in index:
            single = units[tail].is_single and units[head].is_single
            picture.edges += _edges(index[tail], index[head], uses, names, root if done else None, single, locals_)
    if len(index) < len(units):
        _add_stubs(picture, units, index, between)
    _color_edges(picture)
    picture.scopes = list(dict.fromkeys(card.scope for card in cards if card.scope))
    _describe(picture, units, names[root], root)
    return picture


# -------------------------------------------------------------------- cards


def _card(unit: Unit, names: dict[Value, str], root: Value, done: bool, outputs: list[Value]) -> Card:
    value = root if root in unit.members else unit.members[-1]
    name = unit.title or names[value]
    numbers, grads = [v.data for v in outputs], [v.grad for v in outputs]
    kinds = [_kind(value, root, unit)]
    if value is root and "root" not in kinds:
        kinds.append("root")
    if unit.repeats > 1:
        kinds.append("repeated")
    if not all(math.isfinite(v.data) and math.isfinite(v.grad) for v in outputs):
        kinds.append("bad")
    text = "" if unit.is_group else equation(value, names)
    first = f"{name} = {text}" if text else name
    if isinstance(value._rule, Overwritten) and text:
        first = f"{name} ({text})"
    if unit.repeats > 1:
        first += f"  ×{unit.repeats}"
    rows = [("ink", first)]
    if unit.is_group and (inside := _inside(unit)):
        rows.append(("muted", inside))
    rows.append(("value", _range(numbers)))
    if kinds[0] == "detached":
        rows.append(("muted", "constant"))
    else:
        rows.append(("gradient", "∂ " + (_range(grads) if done else BEFORE_BACKWARD)))
    full = clean_label(value.label, 1000) if value.label else name
    title = [first if len(unit.members) > 1 or full == name else f"{first} ({full})"]
    if unit.scope:
        title.append("in " + clean_label(scope_title(unit.scope), 200))
    title.append(kinds[0] if kinds[0] != "op" else op_symbol(value) + " operation")
    title.append(f"value {_full(numbers)}")
    title.append(f"gradient {_full(grads)}" if done else "no gradient yet: backward() has not run")
    return Card(name, text, rows, "; ".join(title), tuple(kinds), unit.scope, value, unit)


def _kind(value: Value, root: Value, unit: Unit) -> str:
    if unit.is_group:
        return "group"
    if not value.is_leaf:
        return "root" if value is root else "op"
    if not value.requires_grad:
        return "detached"
    return "parameter" if value.is_parameter else "input"


def _inside(unit: Unit) -> str:
    parameters = sum(value.is_parameter for value in unit.members)
    parts = [_count(unit.neurons, "neuron")] if unit.neurons > 1 else []
    parts += [_count(parameters, "parameter")] if parameters else []
    return ", ".join(parts) or _count(len(unit.members), "value")


def _outputs(unit: Unit) -> list[Value]:
    """The Values of a unit whose numbers it shows: of a group, the computed ones that nothing inside it uses."""
    members = unit.members
    if not unit.is_group:
        return members
    used = {parent for v in members for parent in v.parents}
    return [v for v in members if v not in used and not v.is_leaf] or members[-1:]


def _range(numbers: Sequence[float]) -> str:
    low, high = number_text(min(numbers)), number_text(max(numbers))
    if any(x != x for x in numbers):
        return "nan"
    return low if low == high else f"{low} {ELLIPSIS} {high}"


def _full(numbers: Sequence[float]) -> str:
    return repr(numbers[0]) if len(numbers) == 1 else f"{min(numbers)!r} to {max(numbers)!r} over {len(numbers)} values"


def _count(n: int, noun: str) -> str:
    return f"{grouped(n)} {noun}{'' if n == 1 else 's'}"


def grouped(n: int) -> str:
    """A count with spaces between groups of three digits.

    >>> grouped(69812)
    '69 812'
    """
    return f"{n:,}".replace(",", " ")


# -------------------------------------------------------------------- edges


def _edges(
    tail: int,
    head: int,
    uses: list[tuple[Value, int]],
    names: dict[Value, str],
    root: Value | None,
    single: bool,
    locals_: dict[Value, list[float | None]],
) -> list[Edge]:
    """The edges between two cards; `root` is None before backward(), `locals_` keeps what was computed."""
    found = []
    for child, i in uses:
        if child not in locals_:
            locals_[child] = local_derivatives(child)
        local = locals_[child][i]
        edge = Edge(tail, head, local, None if local is None or root is None else local * child.grad)
        if single or len(uses) == 1:
            edge.title = _edge_title(edge, names[child.operands[i][0]], names[child], root and names[root], child)  # type: ignore[index]
        found.append(edge)
    if single:
        return found
    known = [edge.contribution for edge in found if edge.contribution is not None]
    merged = Edge(tail, head, None, sum(known) if known else None, len(found))
    merged.title = found[0].title if len(found) == 1 else f"{grouped(len(found))} operands"
    if known and len(found) > 1:
        merged.title += f", contributing {number_text(sum(known))} in total"
    return [merged]


def _edge_title(edge: Edge, x: str, y: str, f: str | None, child: Value) -> str:
    if edge.local is None:
        return f"{x} to {y}"
    if edge.contribution is None:
        return f"∂{y}/∂{x} = {number_text(edge.local)}"
    upstream, local = number_text(child.grad), number_text(edge.local)
    return f"∂{f}/∂{y} · ∂{y}/∂{x} = {upstream} × {local} = {number_text(edge.contribution)}"


def _color_edges(picture: Picture) -> None:
    sizes = [abs(e.contribution) for e in picture.edges if e.contribution is not None and math.isfinite(e.contribution)]
    largest = max(sizes, default=0.0)
    for edge in picture.edges:
        c = edge.contribution
        if c is None or c == 0.0 or c != c:
            continue
        share = 1.0 if math.isinf(c) or not largest else abs(c) / largest
        edge.bin = int(math.copysign(3 if share > 0.3 else 2 if share > 0.06 else 1, c))


# -------------------------------------------------------------------- what is hidden


def _add_stubs(
    picture: Picture,
    units: Sequence[Unit],
    index: dict[int, int],
    between: dict[tuple[int, int], list[tuple[Value, int]]],
) -> None:
    """Cards `… 69 812 more`: one for the hidden units that the visible ones were computed from, one for the others."""
    parents: dict[int, list[int]] = {}
    for tail, head in between:
        parents.setdefault(head, []).append(tail)
    before: set[int] = set()
    stack = list(index)
    seen = set(index)
    while stack:
        for tail in parents.get(stack.pop(), ()):
            if tail not in seen:
                seen.add(tail)
                before.add(tail)
                stack.append(tail)
    after = set(range(len(units))) - before - set(index)
    for hidden in (before, after):
        if not hidden:
            continue
        stub = len(picture.cards)
        count = sum(len(units[i].members) for i in hidden)
        text = f"{ELLIPSIS} {grouped(count)} more"
        picture.cards.append(Card(text, "", [("muted", text)], f"{_count(count, 'value')} not drawn", ("stub",)))
        pairs = {
            (stub if tail in hidden else index[tail], stub if head in hidden else index[head])
            for tail, head in between
            if (tail in hidden and head in index) or (head in hidden and tail in index)
        }
        picture.edges += [Edge(tail, head, title="not drawn in full", stub=True) for tail, head in sorted(pairs)]


def _describe(picture: Picture, units: Sequence[Unit], name: str, root: Value) -> None:
    values = sum(len(unit.members) for unit in units)
    leaves = [value for unit in units for value in unit.members if value.is_leaf]
    parameters = sum(value.is_parameter for value in leaves)
    parts = []
    if parameters:
        parts.append(_count(parameters, "parameter"))
    if len(leaves) > parameters:
        parts.append(_count(len(leaves) - parameters, "input"))
    parts.append(_count(values - len(leaves), "operation"))
    gradient = "gradients shown" if picture.backward_done else "backward() has not run"
    drawn = "" if len(picture.cards) == values else f", drawn as {_count(len(picture.cards), 'card')}"
    picture.title = f"Computation graph of {name} = {number_text(root.data)}"
    picture.description = f"{picture.title}: {', '.join(parts)}{drawn}; {gradient}."
