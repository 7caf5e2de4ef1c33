"""What a graph of any size consists of, as a text table: its operations and its modules, counted."""

from __future__ import annotations

import re
from collections import Counter

from scalargrad.drawing.scopes import scope_title
from scalargrad.drawing.snapshot import Snapshot
from scalargrad.engine import Value, topological_order
from scalargrad.node.errors import no_graph
from scalargrad.support.console import Text
from scalargrad.support.labels import clean_label
from scalargrad.words.equations import op_symbol
from scalargrad.words.texts import columns, counted, grouped

OUTSIDE = "(outside modules)"


def summary(root: Value) -> str:
    """A table of how many nodes of each operation, and of how many in each module, computed this Value.

    >>> x = Value(2.0)
    >>> print(summary((x * x + 1).tanh()))
    4 values: 1 input, 3 operations
    <BLANKLINE>
    operation  nodes
    ×              1
    +              1
    tanh           1
    """
    if not isinstance(root, Value):
        raise no_graph("summary", root)
    order = topological_order(root)
    leaves = [value for value in order if value.is_leaf]
    parameters = sum(value.is_parameter for value in leaves)
    parts = [(parameters, "parameter"), (len(leaves) - parameters, "input"), (len(order) - len(leaves), "operation")]
    counts = ", ".join(counted(n, noun) for n, noun in parts if n)
    operations = Counter(op_symbol(value) or "(hand-written)" for value in order if not value.is_leaf)
    by_count = [name for name, _ in operations.most_common()]
    blocks = [f"{counted(len(order), 'value')}: {counts}", _table("operation", operations, by_count)]
    graph = Snapshot(order)
    if len(graph.scopes) > 1:
        titles = [OUTSIDE, *(clean_label(scope_title(scope)) for scope in graph.scopes[1:])]
        modules = Counter(titles[m] for m in graph.modules())
        blocks.append(_table("module", modules, sorted(modules, key=_natural)))
    return Text("\n\n".join(block for block in blocks if block))


def _natural(name: str) -> tuple[bool, list[tuple[int, str]]]:
    """Sorts neuron 2 before neuron 10, and what is outside modules last."""
    parts = re.split(r"(\d+)", name)
    return name == OUTSIDE, [(int(part), "") if part.isdecimal() else (0, part) for part in parts]


def _table(head: str, counts: Counter[str], order: list[str]) -> str:
    if not counts:
        return ""
    return "\n".join(columns([(head, "nodes"), *((name, grouped(counts[name])) for name in order)], "<>"))
