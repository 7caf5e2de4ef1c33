"""The wrong sweeps and the wrong rules of the gallery. All local derivatives come from the op table."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TYPE_CHECKING

from scalargrad.engine import Value, topological_order
from scalargrad.node.copying import copy_node
from scalargrad.node.numbers import describe
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.support.labels import clean_label
from scalargrad.table.row import Op
from scalargrad.words.local_derivatives import local_derivatives

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints

Locals = Callable[[Value], list[float | None]]
"""From a node to the local derivative with respect to each operand; None where nothing is handed on."""
Sweep = Callable[[Value, Locals], "Adjoints"]
"""From a root and the local derivatives to the gradient of every node."""

MOST_VISITS = 100_000


class TooManyVisitsError(RuntimeError):
    """A sweep that visits a node once for every path to it would take too long on this graph."""


# -------------------------------------------------------------------- local derivatives


def locals_of_table(node: Value) -> list[float | None]:
    """The right ones.

    Raises:
        TypeError: for a computed node that is no operation of the table.
        ValueError: for one whose data was overwritten.
    """
    if node.parents and not isinstance(node._rule, Op):
        raise TypeError(
            f"the mistakes need local derivatives, and the table has none for {describe(node)}, made by "
            f"'{clean_label(node._op)}': build the graph from operations of the table, or make one of your own with "
            "@primitive"
        )
    refuse_overwritten(node)
    return local_derivatives(node)


def negated_when_subtracted(node: Value) -> list[float | None]:
    """Those of a difference without the minus sign."""
    found = locals_of_table(node)
    return [None if d is None else abs(d) for d in found] if node._op == "-" and len(found) == 2 else found


def own_factor(node: Value) -> list[float | None]:
    """Those of a product exchanged, so that each factor gets itself instead of the other one."""
    found = locals_of_table(node)
    if node._op != "*":
        return found
    exchanged = reversed(local_derivatives(node, constants=True))
    return [None if d is None else wrong for d, wrong in zip(found, exchanged, strict=True)]


def ones(node: Value) -> list[float | None]:
    """1 for every operand."""
    return [None if d is None else 1.0 for d in locals_of_table(node)]


def once_per_parent(node: Value) -> list[float | None]:
    """Those of the first use of each parent only."""
    seen: set[Value | None] = set()
    found = locals_of_table(node)
    for i, (parent, _) in enumerate(node.operands):
        if parent in seen:
            found[i] = None
        seen.add(parent)
    return found


def at_leaves_moved_by_one(node: Value) -> list[float | None]:
    """Those at the numbers of now, after each leaf has moved by 1; what was computed has the numbers of before."""
    locals_of_table(node)
    if not isinstance(node._rule, Op):
        return []
    twin = copy_node(node, {})
    parents = [parent for parent, _ in node.operands]
    moved = [a if parent is None or not parent.is_leaf else parent.data + 1.0 for parent, a in node.operands]
    node._rule.keep_operands(twin, parents, moved)
    return local_derivatives(twin)


# -------------------------------------------------------------------- sweeps


def edges(node: Value, locals_of: Locals) -> Iterator[tuple[Value, float]]:
    """Every parent that the node hands gradient to, with the local derivative."""
    for (parent, _), local in zip(node.operands, locals_of(node), strict=True):
        if parent is not None and local is not None:
            yield parent, local


def _start(root: Value, seed: float = 1.0) -> Adjoints:
    adjoints = dict.fromkeys(topological_order(root), 0.0)
    adjoints[root] = seed
    return adjoints


def _hand_on(turns: Iterable[Value], adjoints: Adjoints, locals_of: Locals) -> Adjoints:
    """Let the nodes add to their parents' gradients, in the order in which their turns come."""
    for node in turns:
        for parent, local in edges(node, locals_of):
            adjoints[parent] += local * adjoints[node]
    return adjoints


def _sorted(adjoints: Adjoints) -> list[Value]:
    return list(reversed(adjoints))


def right(root: Value, locals_of: Locals) -> Adjoints:
    """Children first, each once: as the engine does."""
    adjoints = _start(root)
    return _hand_on(_sorted(adjoints), adjoints, locals_of)


def without_sorting(root: Value, locals_of: Locals) -> Adjoints:
    """Depth first, and each visit hands on what has arrived by then, all of it again."""
    return _hand_on(_every_visit(root), _start(root), locals_of)


def _every_visit(root: Value) -> Iterator[Value]:
    stack, visits = [root], 0
    while stack:
        if (visits := visits + 1) > MOST_VISITS:
            raise TooManyVisitsError(
                f"without sorting, a node is visited once for every path that leads to it; {describe(root)} has more "
                f"than {MOST_VISITS} such visits. Take a smaller graph: sorting is what makes this one cheap"
            )
        node = stack.pop()
        yield node
        stack += node.parents


def at_first_visit(root: Value, locals_of: Locals) -> Adjoints:
    """Depth first, each node once, whether or not all of its children have had their turn."""
    return _hand_on(_depth_first(root), _start(root), locals_of)


def _depth_first(root: Value) -> Iterator[Value]:
    stack, seen = [root], set()
    while stack:
        node = stack.pop()
        if node not in seen:
            seen.add(node)
            yield node
            stack += reversed(node.parents)


def breadth_first(root: Value, locals_of: Locals) -> Adjoints:
    """By distance from the root, each node once."""
    turns = {root: None}
    ring = [root]
    while ring:
        ring = list(dict.fromkeys(parent for node in ring for parent in node.parents if parent not in turns))
        turns.update(dict.fromkeys(ring))
    return _hand_on(turns, _start(root), locals_of)


def overwriting(root: Value, locals_of: Locals) -> Adjoints:
    """Each contribution takes the place of those before it."""
    adjoints = _start(root)
    for node in _sorted(adjoints):
        for parent, local in edges(node, locals_of):
            adjoints[parent] = local * adjoints[node]
    return adjoints


def without_upstream(root: Value, locals_of: Locals) -> Adjoints:
    """Local derivatives added up, as if every node were the root."""
    adjoints = _start(root)
    for node in _sorted(adjoints):
        for parent, local in edges(node, locals_of):
            adjoints[parent] += local
    return adjoints


def seeded_with_zero(root: Value, locals_of: Locals) -> Adjoints:
    """From 0."""
    adjoints = _start(root, 0.0)
    return _hand_on(_sorted(adjoints), adjoints, locals_of)


def seeded_with_value(root: Value, locals_of: Locals) -> Adjoints:
    """From the root's own number."""
    adjoints = _start(root, root.data)
    return _hand_on(_sorted(adjoints), adjoints, locals_of)


def without_zeroing(root: Value, locals_of: Locals, calls: int = 2) -> Adjoints:
    """Several times in a row; each starts from the gradients that the one before has left.

    >>> from scalargrad import Value
    >>> x = Value(3.0)
    >>> y = (x * x) * (x * x)
    >>> [without_zeroing(y, locals_of_table, calls)[x] for calls in (1, 2, 3)]
    [108.0, 324.0, 648.0]
    """
    adjoints = _start(root)
    for _ in range(calls):
        _hand_on(_sorted(adjoints), adjoints, locals_of)
    return adjoints


def with_leaves_zeroed(root: Value, locals_of: Locals) -> Adjoints:
    """Twice in a row; in between only the leaves are set to 0."""
    adjoints = right(root, locals_of)
    adjoints.update((node, 0.0) for node in adjoints if node.is_leaf)
    adjoints[root] = 1.0
    return _hand_on(_sorted(adjoints), adjoints, locals_of)
