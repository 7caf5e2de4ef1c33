"""From units to a picture: the texts of every card, the edges between them, stubs for what is hidden."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING

from scalargrad.drawing.edges import color_edges, edges_between
from scalargrad.drawing.picture import GRADIENT_LEAD, Card, Edge, Picture
from scalargrad.drawing.scopes import scope_title
from scalargrad.node.naming import NO_VARIABLES, display_names
from scalargrad.node.overwritten import was_overwritten
from scalargrad.support.labels import clean_label
from scalargrad.words.equations import equation, op_symbol
from scalargrad.words.texts import ELLIPSIS, counted, grouped, listed, number_text, symbol_of

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    from scalargrad.drawing.snapshot import Snapshot
    from scalargrad.drawing.units import Unit, Uses
    from scalargrad.engine import Value

NO_GRADIENT = "–"
WIDE = 120
"""How long an equation may be, if that is for the length of its names."""


def assemble(
    graph: Snapshot,
    units: Sequence[Unit],
    root: int,
    between: Mapping[tuple[int, int], Uses],
    visible: set[int] | None = None,
    names: Mapping[Value, str] | None = None,
    variables: Mapping[Value, str] = NO_VARIABLES,
) -> Picture:
    """The picture of these units.

    Args:
        graph: the graph.
        units: from a Partition.
        root: the output's position.
        between: the links of the units.
        visible: indices of the units to draw; the others become stubs. None draws all.
        names: of all the Values; by default made from their labels and variables.
        variables: what the user's variables call those without a label.
    """
    done = graph.backward_done(root)
    names = names or _names(graph, units, variables)
    shown = range(len(units)) if visible is None else sorted(visible)
    index = {unit: i for i, unit in enumerate(shown)}
    cards = [_card(graph, units[i], names, root, done) for i in shown]
    for card in cards:
        if card.value is not None and card.values == 1:
            card.variable = variables.get(card.value, "")
    picture = Picture(cards, [], next((index[i] for i in shown if root in units[i].members), None), done)
    final = names[graph.order[root]] if done else None
    for (tail, head), uses in between.items():
        if tail in index and head in index:
            single = units[tail].is_single and units[head].is_single
            picture.edges += edges_between(graph, index[tail], index[head], uses, names, final, single=single)
    if len(index) < len(units):
        _add_stubs(picture, units, index, between)
    color_edges(picture)
    picture.scopes = list(dict.fromkeys(card.scope for card in cards if card.scope))
    _describe(picture, graph, names[graph.order[root]], root)
    picture.notes += _changed(graph, names)
    return picture


def _names(graph: Snapshot, units: Sequence[Unit], variables: Mapping[Value, str]) -> dict[Value, str]:
    """One name for all the Values of a unit; a group's is its title without the kinds in parentheses.

    What is repeated for every sample is not called as the first sample's variable is.
    """
    first = {graph.order[unit.outputs[0]]: unit for unit in units if not unit.is_group}
    single = {value: name for value, name in variables.items() if value in first and first[value].repeats == 1}
    names = display_names(first, single)
    for unit in units:
        name = re.sub(r" \([^()]*\)", "", unit.title) if unit.is_group else names[graph.order[unit.outputs[0]]]
        for i in unit.members:
            names[graph.order[i]] = name
    return names


def _card(graph: Snapshot, unit: Unit, names: Mapping[Value, str], root: int, done: bool) -> Card:
    values = [graph.order[i] for i in unit.outputs]
    shown = root if root in unit.outputs else unit.outputs[-1]
    value = graph.order[shown]
    name = unit.title or names[value]
    numbers, grads = [graph.data[i] for i in unit.outputs], [graph.gradients[i] for i in unit.outputs]
    kinds = [_kind(value, unit)]
    kinds += ["root"] * (root in unit.members) + ["repeated"] * (unit.repeats > 1)
    kinds += ["bad"] * (not all(map(math.isfinite, numbers + grads)))
    text = (
        ""
        if unit.is_group
        else _folded(graph, unit, names)
        if unit.folded
        else _equation(value, names, _varying(values))
    )
    first = f"{name} = {text}" if text else name
    if text and was_overwritten(value):
        first = f"{name} ({text})"
    if unit.repeats > 1:
        first += f"  ×{unit.repeats}"
    rows = [("ink", first)]
    if unit.is_group:
        rows.append(("muted", _inside(graph, unit)))
    rows.append(("value", _range(numbers)))
    constant = kinds[0] == "detached"
    rows.append(
        ("muted", "constant") if constant else ("gradient", GRADIENT_LEAD + (_range(grads) if done else NO_GRADIENT))
    )
    full = clean_label(value.label, 1000) if value.label and not unit.is_group else name
    title = [first if full == clean_label(full) else f"{first} ({full})"]
    if unit.scope:
        title.append("in " + clean_label(scope_title(unit.scope), 200))
    title.append(f"{op_symbol(value)} operation" if kinds[0] == "op" else kinds[0])
    about = "; ".join(title)
    title.append(f"value {_full(numbers)}")
    title.append(f"gradient {_full(grads)}" if done else "no gradient yet: backward() has not run")
    return Card(
        name, text, rows, "; ".join(title), tuple(kinds), unit.scope, value, len(unit.members),
        graph.data[shown], graph.gradients[shown], about, unit.module,
    )  # fmt: skip


def _equation(value: Value, names: Mapping[Value, str], varying: set[int]) -> str:
    """What computed the Value; of long names more than of many operands, as cards wrap them."""
    text = equation(value, names, varying=varying)
    return equation(value, names, WIDE, varying) if text.endswith(ELLIPSIS) and len(text) == 60 else text


def _varying(values: Sequence[Value]) -> set[int]:
    """The operands that are constants, and not the same in all of these repetitions."""
    first = values[0].operands
    if len(values) == 1 or any(len(value.operands) != len(first) for value in values):
        return set()
    return {i for i, (parent, a) in enumerate(first) if parent is None and any(v.operands[i][1] != a for v in values)}


def _kind(value: Value, unit: Unit) -> str:
    if unit.is_group:
        return "group"
    if not value.is_leaf:
        return "op"
    if not value.requires_grad:
        return "detached"
    return "parameter" if value.is_parameter else "input"


def _folded(graph: Snapshot, unit: Unit, names: Mapping[Value, str]) -> str:
    """The terms of one chain of additions, as one sum."""
    inside = set(unit.members)
    terms: list[str] = []
    stack: list[tuple[int, Value | None, float]] = [(unit.outputs[0], None, 0.0)]
    while stack:
        i, parent, a = stack.pop()
        if i in inside:
            operands = zip(graph.operands[i], graph.order[i].operands, strict=True)
            stack += [(p, *operand) for p, operand in operands][::-1]
        elif parent is not None:
            terms.append(names[parent])
        elif a:
            terms.append(number_text(a))
    return f"sum({listed(terms, 55)})"


def _inside(graph: Snapshot, unit: Unit) -> str:
    parameters = sum(graph.order[i].is_parameter for i in unit.members if graph.ops[i] is None)
    parts = [counted(unit.neurons, "neuron")] if unit.neurons > 1 else []
    parts += [counted(parameters, "parameter")] if parameters else []
    return ", ".join(parts) or counted(len(unit.members), "value")


def _range(numbers: Sequence[float]) -> str:
    if any(x != x for x in numbers):
        return "nan"
    low, high = number_text(min(numbers)), number_text(max(numbers))
    return low if low == high else f"{low} {ELLIPSIS} {high}"


def _full(numbers: Sequence[float]) -> str:
    return repr(numbers[0]) if len(numbers) == 1 else f"{min(numbers)!r} to {max(numbers)!r} over {len(numbers)} values"


def _add_stubs(
    picture: Picture,
    units: Sequence[Unit],
    index: Mapping[int, int],
    between: Collection[tuple[int, int]],
) -> None:
    """Cards `… 69 812 more`: one for the hidden units that the visible ones were computed from, one for the others."""
    parents: dict[int, list[int]] = {}
    for tail, head in between:
        parents.setdefault(head, []).append(tail)
    before: set[int] = set()
    stack, seen = list(index), set(index)
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
        title = f"{counted(count, 'value')} not drawn"
        picture.cards.append(Card(text, "", [("muted", text)], title, ("stub",), values=count))
        pairs = {
            (stub if tail in hidden else index[tail], stub if head in hidden else index[head])
            for tail, head in between
            if (tail in hidden and head in index) or (head in hidden and tail in index)
        }
        picture.edges += [Edge(tail, head, title="not drawn in full", stub=True) for tail, head in sorted(pairs)]


def _changed(graph: Snapshot, names: Mapping[Value, str]) -> list[str]:
    """A sentence where results are not those of the numbers shown, as after a step of training."""
    now = dict(zip(graph.order, graph.data, strict=True))
    used: dict[Value, float] = {}
    for node in graph.order:
        for parent, number in node.operands:
            if parent is not None and now[parent] != number and number == number:
                used.setdefault(parent, number)
    if not used:
        return []
    (first, number), n = next(iter(used.items())), len(used)
    x, at = symbol_of(names[first]), number_text(number)
    if n == 1:
        return [f"{x} was changed after it was used: results are those at {x} = {at}."]
    others = counted(n - 1, "other value")
    return [f"{x} and {others} were changed after they were used: results are those of before, as at {x} = {at}."]


def _describe(picture: Picture, graph: Snapshot, name: str, root: int) -> None:
    leaves = [value for value, op in zip(graph.order, graph.ops, strict=True) if op is None]
    parameters = sum(value.is_parameter for value in leaves)
    counts = [
        (parameters, "parameter"),
        (len(leaves) - parameters, "input"),
        (len(graph.order) - len(leaves), "operation"),
    ]
    parts = ", ".join(counted(n, noun) for n, noun in counts if n)
    gradients = "gradients shown" if picture.backward_done else "backward() has not run"
    drawn = "" if len(picture.cards) == len(graph.order) else f", drawn as {counted(len(picture.cards), 'card')}"
    picture.title = f"Computation graph of {name} = {number_text(graph.data[root])}"
    picture.description = f"{picture.title}: {parts}{drawn}; {gradients}."
