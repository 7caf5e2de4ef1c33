"""The names of a graph's nodes: whoever shows a graph takes them from here, so that a node has one name everywhere."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from scalargrad.support.labels import clean_label

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

FIRST_STRONG_ISOLATE, POP_ISOLATE = "\u2068", "\u2069"
NO_VARIABLES: Mapping[Any, str] = MappingProxyType({})
_SUBSCRIPTS = str.maketrans("0123456789", "₀₁₂₃₄₅₆₇₈₉")


def display_names(values: Iterable[Any], variables: Mapping[Any, str] = NO_VARIABLES) -> dict[Any, str]:
    """A name for every Value, unique among them: its cleaned label, else its variable, else v1, v2, ... in order.

    Equal labels of neurons get the numbers of their scope: `w0` of layer 0, neuron 1 becomes `w010`; if there is one
    layer only, `w10`. Other equal labels get a subscript.

    >>> from scalargrad import Value
    >>> x, y = Value(1.0, label='x'), Value(2.0, label='x')
    >>> z = x * y
    >>> list(display_names([x, y, z]).values())
    ['x₁', 'x₂', 'v1']
    """
    values = list(values)
    labels = {value: clean_label(value.label) for value in values if value.label}
    labels.update(_scoped_names(labels))
    labels.update((value, clean_label(variables[value])) for value in values if value in variables and not value.label)
    repeated = Counter(labels.values())
    taken = {label for label, count in repeated.items() if count == 1}
    counters: Counter[str] = Counter()
    names: dict[Any, str] = {}
    for value in values:
        name = label = labels.get(value, "")
        if repeated[label] != 1:
            name = ""
        while not name or (repeated[label] != 1 and name in taken):
            counters[label] += 1
            name = label + str(counters[label]).translate(_SUBSCRIPTS) if label else f"v{counters['']}"
        taken.add(name)
        names[value] = name
    return {value: isolated(name) for value, name in names.items()}


def isolated(name: str) -> str:
    """A name from right to left between invisible isolates, so that it does not turn the equation around it."""
    turns = not name.isascii() and any(unicodedata.bidirectional(c) in ("R", "AL") for c in name)
    return f"{FIRST_STRONG_ISOLATE}{name}{POP_ISOLATE}" if turns else name


def without_isolates(name: str) -> str:
    """The name as it was before `isolated`."""
    return name.strip(FIRST_STRONG_ISOLATE + POP_ISOLATE)


def _scoped_names(labels: Mapping[Any, str]) -> dict[Any, str]:
    """The names of parameters whose labels say only their place within a neuron, if several neurons have that label."""
    numbers: dict[Any, tuple[str, ...]] = {}
    for value in labels:
        scope = getattr(value.label, "scope", ())
        numbers[value] = tuple(found[-1] for part in scope if (found := re.findall(r"\d+", re.sub(r"\(.*", "", part))))
    scoped = {value: path for value, path in numbers.items() if path}
    if not scoped or max(Counter(labels[value] for value in scoped).values()) == 1:
        return {}
    depth = max(map(len, scoped.values()))
    telling = [i for i in range(depth) if len({path[i] for path in scoped.values() if i < len(path)}) > 1]
    names = {}
    for value, path in scoped.items():
        stem = labels[value].rstrip("0123456789")
        place = [path[i] for i in telling if i < len(path)]
        digits = [*place, labels[value][len(stem) :]]
        names[value] = stem + ("_" if any(len(d) > 1 for d in digits) else "").join(d for d in digits if d)
    return names
