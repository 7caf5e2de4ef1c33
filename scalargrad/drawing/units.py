"""What is drawn as one card: a Value, a neuron or layer, a chain of additions, or a Value repeated over samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from itertools import chain
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.scopes import Scope, layer_of, scope_title
from scalargrad.engine import Value
from scalargrad.support.arguments import brief
from scalargrad.support.labels import clean_label
from scalargrad.table.row import TABLE

if TYPE_CHECKING:
    from scalargrad.drawing.snapshot import Snapshot

Collapse = str | Callable[[Value], Any] | None
Uses = list[tuple[int, int]]

_SHORTEST_CHAIN = 3


@dataclass
class Unit:
    """One card to be.

    Attributes:
        members: positions of the Values it stands for.
        outputs: positions of those whose numbers it shows.
        title: the text of a collapsed group; empty for Values that stand for themselves.
        scope: the module it is drawn inside of; empty if none, and for groups.
        module: the module that a group stands for; empty if none.
        repeats: how many samples it stands for.
        neurons: how many neurons a group holds.
        folded: whether it is a chain of additions.
    """

    members: list[int] = field(default_factory=list)
    outputs: list[int] = field(default_factory=list)
    title: str = ""
    scope: Scope = ()
    module: Scope = ()
    repeats: int = 1
    neurons: int = 0
    folded: bool = False

    @property
    def is_group(self) -> bool:
        """Whether it stands for a collapsed module."""
        return bool(self.title)

    @property
    def is_single(self) -> bool:
        """Whether it stands for exactly one Value."""
        return len(self.members) == 1 and not self.title


class Partition:
    """Which Values are drawn as one card.

    Args:
        graph: the graph.
        root: position of its output, which is never merged with anything else.
        collapse: 'neuron' or 'layer' for nn's modules, or a function from Value to the name of its group, or to None.
        merge: whether Values that do the same thing for different samples become one card, and chains of additions one.
    """

    def __init__(self, graph: Snapshot, root: int, collapse: Collapse = None, merge: bool = False) -> None:
        self.graph = graph
        self.modules = graph.modules()
        self.groups, keys = _groups(graph, self.modules, collapse)
        self.titles = [_group_title(key) for key in keys]
        self.of_modules: list[Scope] = keys if isinstance(collapse, str) else [()] * len(keys)
        self.chains = _chains(graph, root, self.modules, self.groups) if merge else {}
        self.keys: Sequence[int]
        if merge:
            self.keys = _repeat_classes(graph, root, self.groups, self.chains)
        else:  # numbers below zero are groups, the others Values
            self.keys = [i if g < 0 else -1 - g for i, g in enumerate(self.groups)]

    def __len__(self) -> int:
        """How many cards that makes."""
        return len(set(self.keys))

    def units(self) -> list[Unit]:
        """The cards to be, ordered by their first outputs."""
        graph = self.graph
        units: dict[int, Unit] = {}
        for i, key in enumerate(self.keys):
            unit = units.get(key)
            if unit is None:
                unit = units[key] = Unit()
                if (group := self.groups[i]) >= 0:
                    unit.title, unit.module = self.titles[group], self.of_modules[group]
                else:
                    unit.scope = graph.scopes[self.modules[i]]
            unit.members.append(i)
        for unit in units.values():
            if unit.is_group:
                unit.neurons, unit.repeats = _neurons_and_calls(graph, unit.members)
                used = {p for i in unit.members for p in graph.operands[i]}
                unit.outputs = [i for i in unit.members if i not in used and graph.ops[i] is not None]
                unit.outputs = unit.outputs or unit.members[-1:]
            else:
                unit.outputs = [i for i in unit.members if self.chains.get(i, i) == i]
                unit.folded = len(unit.outputs) < len(unit.members)
                unit.repeats = len(unit.outputs)
        return sorted(units.values(), key=lambda unit: unit.outputs[0])


def _neurons_and_calls(graph: Snapshot, members: Sequence[int]) -> tuple[int, int]:
    """How many modules with outputs of their own are among these Values, and how often they were called, at most."""
    found: Counter[int] = Counter()
    each: dict[int, int] = {}
    for i in members:
        scope = graph.own[i]
        outputs = getattr(graph.labels[i], "outputs", 1)
        if scope and outputs and graph.ops[i] is not None:
            found[scope] += 1
            each[scope] = max(outputs, each.get(scope, 1))
    return len(found), max((-(-n // each[scope]) for scope, n in found.items()), default=1)


def links(graph: Snapshot, units: Sequence[Unit]) -> dict[tuple[int, int], Uses]:
    """Which card feeds which: (parent's, child's index) to the (child's position, operand's index) between."""
    where = {i: n for n, unit in enumerate(units) for i in unit.members}
    found: dict[tuple[int, int], Uses] = {}
    for head, unit in enumerate(units):
        for i in unit.members:
            for j, p in enumerate(graph.operands[i]):
                if p >= 0 and (tail := where[p]) != head:
                    found.setdefault((tail, head), []).append((i, j))
    return found


def _groups(graph: Snapshot, modules: list[int], collapse: Collapse) -> tuple[list[int], list[Any]]:
    """By Value, the number of the group it is drawn with, -1 for itself; and what the groups are called."""
    numbers: dict[Any, int] = {None: -1}
    if collapse is None:
        return [-1] * len(modules), []
    if collapse in ("neuron", "layer"):
        keys = [scope if collapse == "neuron" else layer_of(scope) for scope in graph.scopes]
        by_module = [-1, *(numbers.setdefault(key, len(numbers) - 1) for key in keys[1:])]
        groups = [by_module[m] for m in modules]
    elif callable(collapse):
        groups = [_numbered(numbers, collapse(value)) for value in graph.order]
    else:
        raise ValueError(f"collapse must be 'neuron', 'layer', a function of a Value, or None, not {brief(collapse)}")
    return groups, [key for key in numbers if key is not None]


def _numbered(numbers: dict[Any, int], group: Any) -> int:
    try:
        return numbers.setdefault(group, len(numbers) - 1)
    except TypeError:
        raise TypeError(
            f"collapse must give the name of each Value's group, or None, not {type(group).__name__}: give a text"
        ) from None


def _group_title(group: Any) -> str:
    parts = group if isinstance(group, tuple) else (group,)
    return clean_label(scope_title(tuple(map(str, parts)))) or "group"


def _chains(graph: Snapshot, root: int, modules: list[int], groups: list[int]) -> dict[int, int]:
    """For each Value of a long chain of additions, as Python's sum() makes it, the position of the chain's end."""
    plus = TABLE["add"]
    added = [op is plus or (type(op) is tuple and op[1] == "+") for op in graph.ops]
    uses = Counter(chain.from_iterable(graph.operands))
    end = list(range(len(added)))
    for i in range(len(added) - 1, -1, -1):
        if added[i] and groups[i] < 0:
            for p in graph.operands[i]:
                if p < 0 or not added[p] or groups[p] >= 0 or uses[p] > 1 or p == root:
                    continue
                if not graph.labels[p] and not graph.own[p] and modules[p] == modules[i]:
                    end[p] = end[i]
    lengths = Counter(end)
    return {i: e for i, e in enumerate(end) if lengths[e] >= _SHORTEST_CHAIN}


def _repeat_classes(graph: Snapshot, root: int, groups: list[int], chains: dict[int, int]) -> list[int]:
    """A class for every Value; Values of one class do the same thing with the same modules.

    Bottom up: the same operation on operands of the same classes. Constants count as equal, parameters are themselves,
    and inputs are told apart by label and by where they are used.
    """
    operands, ops = graph.operands, graph.ops
    roles: dict[int, set[Hashable]] = {}
    inputs = [op is None and group < 0 for op, group in zip(ops, groups, strict=True)]
    for i, parents in enumerate(operands):
        for j, p in enumerate(parents):
            if p >= 0 and inputs[p]:
                use = groups[i] if groups[i] >= 0 else ops[i]
                partner = parents[1 - j] if len(parents) == 2 else -1  # x0 is what w0 is multiplied with
                role = (use, 0 if i in chains else j, graph.labels[partner] if partner >= 0 else "")
                roles.setdefault(p, set()).add(role)
    terms: dict[int, set[int]] = {}
    numbers: dict[Hashable, int] = {}  # a short number for each signature, so that signatures stay short
    first = max(groups) + 1
    classes: list[int] = []
    for i, (group, parents) in enumerate(zip(groups, operands, strict=True)):
        if group >= 0:
            classes.append(group)
            continue
        signature: Hashable
        if ops[i] is None:
            value = graph.order[i]
            same: Hashable = (graph.labels[i], value.requires_grad, frozenset(roles.get(i, ())))
            signature = ("leaf", i if value.is_parameter or i == root else same)
        elif i in chains:
            inside = terms.setdefault(chains[i], set())
            inside.update(classes[p] if p >= 0 else -1 for p in parents if p < 0 or chains.get(p) != chains[i])
            signature = ("sum", graph.labels[i], frozenset(inside), i == root) if chains[i] == i else ("within", i)
        else:
            feeding = [classes[p] if p >= 0 else -1 for p in parents]
            same = frozenset(feeding) if len(feeding) > 8 else tuple(feeding)
            signature = (ops[i], graph.labels[i], same, i == root)
        classes.append(numbers.setdefault(signature, first + len(numbers)))
    return [classes[chains.get(i, i)] for i in range(len(classes))]
