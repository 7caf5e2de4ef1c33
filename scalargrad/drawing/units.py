"""What is drawn as one card: a Value, a whole neuron or layer, or all the repetitions of one Value over the samples."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass, field
from typing import Any

from scalargrad.drawing.clusters import Scope, layer_of, module_scopes, scope_title
from scalargrad.engine import Value
from scalargrad.formula import clean_label

Collapse = str | Callable[[Value], Any] | None


@dataclass
class Unit:
    """One card to be.

    Attributes:
        members: the Values it stands for, in topological order.
        title: the text of a collapsed group; empty for Values that stand for themselves.
        scope: the module it is drawn inside of; empty if none, and for groups.
        repeats: how many samples it stands for.
        neurons: how many neurons a group holds.
    """

    members: list[Value] = field(default_factory=list)
    title: str = ""
    scope: Scope = ()
    repeats: int = 1
    neurons: int = 0

    @property
    def is_group(self) -> bool:
        """Whether it stands for a collapsed module."""
        return bool(self.title)

    @property
    def is_single(self) -> bool:
        """Whether it stands for exactly one Value."""
        return len(self.members) == 1 and not self.title


def partition(
    order: Sequence[Value], root: Value, collapse: Collapse = None, merge_repeats: bool = False
) -> list[Unit]:
    """The units of a graph, ordered by their first members.

    Args:
        order: the graph in topological order.
        root: its output; never merged with anything else.
        collapse: 'neuron' or 'layer' for nn's modules, or a function from Value to the name of its group, or to None.
        merge_repeats: whether Values that do the same thing for different samples become one unit.
    """
    scopes = module_scopes(order)
    keys = _group_keys(order, scopes, collapse)
    classes = _repeat_classes(order, root, keys) if merge_repeats else {}
    units: dict[Hashable, Unit] = {}
    for value in order:
        key: Hashable = ("group", keys[value]) if value in keys else classes.get(value, value)
        unit = units.get(key)
        if unit is None:
            unit = units[key] = Unit()
            if value in keys:
                unit.title = _group_title(keys[value])
            else:
                unit.scope = scopes.get(value, ())
        unit.members.append(value)
    for unit in units.values():
        if unit.is_group:
            outputs = Counter(s for v in unit.members if not v.is_leaf and (s := tuple(getattr(v.label, "scope", ()))))
            unit.neurons, unit.repeats = len(outputs), max(outputs.values(), default=1)
        else:
            unit.repeats = len(unit.members)
    return list(units.values())


def _group_keys(order: Sequence[Value], scopes: dict[Value, Scope], collapse: Collapse) -> dict[Value, Any]:
    if collapse is None:
        return {}
    if collapse == "neuron":
        return scopes
    if collapse == "layer":
        return {value: layer_of(scope) for value, scope in scopes.items()}
    if callable(collapse):
        return {value: key for value in order if (key := collapse(value)) is not None}
    raise ValueError(f"collapse must be 'neuron', 'layer', a function of a Value, or None, not {collapse!r}")


def _group_title(key: Any) -> str:
    parts = key if isinstance(key, tuple) else (key,)
    return clean_label(scope_title(tuple(map(str, parts)))) or "group"


def _repeat_classes(order: Sequence[Value], root: Value, keys: dict[Value, Any]) -> dict[Value, Hashable]:
    """A class for every Value outside the groups; Values of one class do the same thing with the same modules.

    Bottom up: the same operation on operands of the same classes. Constants count as equal, parameters are themselves,
    and inputs are told apart by label and by where they are used.
    """
    roles: dict[Value, set[Hashable]] = {}
    for value in order:
        use = keys.get(value) or value._rule
        for i, (parent, _) in enumerate(value.operands):
            if parent is not None and parent.is_leaf and parent not in keys and not parent.is_parameter:
                roles.setdefault(parent, set()).add((use, i))
    numbers: dict[Hashable, int] = {}  # a short number for each signature, so that signatures stay short
    classes: dict[Value, Hashable] = {}
    for value in order:
        signature: Hashable
        if value in keys:
            signature = ("group", keys[value])
        elif value is root or value.is_parameter:
            signature = value
        elif value.is_leaf:
            signature = ("leaf", value.label, value.requires_grad, frozenset(roles.get(value, ())))
        else:
            operands = [None if parent is None else classes[parent] for parent, _ in value.operands]
            same = frozenset(operands) if len(operands) > 8 else tuple(operands)
            signature = (value._rule.text, type(value._rule), value.label, same)
        classes[value] = numbers.setdefault(signature, len(numbers))
    return {value: ("class", number) for value, number in classes.items() if value not in keys}
