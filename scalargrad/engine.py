"""The engine: a Value remembers how it was computed, and backward() retraces it with the chain rule.

The whole idea in four lines:

1. computing `c = a * b` makes a node that remembers its parents `a` and `b`, the numbers they held, and its rule;
2. `backward()` sorts the nodes so that parents come before children;
3. it walks that order in reverse, from the output, whose gradient with respect to itself is 1.0;
4. each node hands every parent its own gradient times the local derivative, and contributions add up.

Which operations exist, and what their derivatives are, is written in one place: the table in ops.py.
"""

from __future__ import annotations

from collections.abc import Generator, Iterable, Sequence
from itertools import repeat
from typing import Any

from scalargrad.in_c import in_c, let_cycles_close, set_up
from scalargrad.node.by_hand import make_by_hand
from scalargrad.node.contexts import with_recording
from scalargrad.node.copying import deepcopied
from scalargrad.node.errors import no_graph
from scalargrad.node.identity import by_identity, tell_apart
from scalargrad.node.large import LARGE, totals_of_large_graph
from scalargrad.node.mode import Watch, looked_at, made, mode, modes_were_used, standing_watches
from scalargrad.node.node import Node, ancestors, descendants
from scalargrad.node.numbers import describe, gradient_plus, number_in
from scalargrad.node.overwritten import refuse_overwritten
from scalargrad.node.rebinding import rebound_among
from scalargrad.node.rules import LEAVES, NOTHING, Adjoints, Masked, Rule, take_rule
from scalargrad.node.watched_data import let_data_be_watched
from scalargrad.support.at_once import assignments
from scalargrad.support.labels import label_text
from scalargrad.support.reals import number


class Value(Node):
    """A number that remembers how it was computed.

    `Value(2.0)` is a leaf. Arithmetic and the functions of the op table make the other nodes. The signature is
    micrograd's: `Value(data, (a, b), 'op')` with a hand-written `out._backward = closure` makes a node of your own; and
    microgpt's: so does `Value(data, (a, b), (da, db))`, with the local derivative with respect to each parent.

    Args:
        data: a real number: int, float, bool, Fraction, a numpy scalar. It is stored as a float.
        _children: the parents of a hand-made node (micrograd's name for them).
        _op: the text of a hand-made node's operation; or a tuple of its local derivatives, one for each parent.
        label: a name to show in pictures and messages.
        requires_grad: False makes a constant: backward() leaves its `grad` alone.
        parameter: True marks a trained number; pictures tint it.

    Raises:
        TypeError: if data is not a real number, a parent not a Value, or _op neither a text nor such a tuple.
        ValueError: if there are not as many local derivatives as parents.
        OverflowError: if data is an integer too large for a float.

    >>> a, b = Value(2.0, label='a'), Value(-3.0, label='b')
    >>> c = a * b + a
    >>> c.backward()
    >>> c.data, a.grad, b.grad
    (-4.0, -2.0, 2.0)
    """

    # A node is a gate that keeps its inputs, and the numbers that they held at the time: a later change of their data
    # cannot falsify the gradient. Two slots instead of a tuple make 126 bytes a node and not 168.
    #
    #   slot     of a leaf             of c = a * b    of many operands, as sum   of a dot product, as in a neuron
    #   _x, _y   None                  parents a, b    a tuple of parents, None   two tuples, one for each vector
    #   _a, _b   None, its label       their numbers   a tuple of numbers, None   two tuples
    #   _rule    LEAVES[...]           the row of the op table, TABLE["multiply"]
    #   _data    the number            the result
    #   _kept    as an op saw it last  the result, or (label, result)
    #
    # A constant operand has a number and no parent: None. So `_a is not None` says that a node was computed. Anything
    # can be assigned to `data`, a plain slot (7 ns to read; a property takes 50). While the very object in _kept is in
    # `data`, nothing was; else an op checks it before it computes, and the sweep refuses a computed node.
    __slots__ = {
        "_data": "The number. Assigning changes this node only; what was computed from it keeps the number it saw.",
        **dict.fromkeys(("__weakref__", "_a", "_b", "_kept", "_rule", "_x", "_y", "grad")),
    }

    data: float
    """The number. Assigning changes this node only; what was computed from it keeps the number it saw.

    What is assigned must be a real number. It is checked, and made a float, when it is next used.
    """
    _data: float  # the same slot, by the name that is never watched
    grad: float
    _kept: Any
    _rule: Rule
    _x: Any
    _y: Any
    _a: Any
    _b: Any

    def __init__(
        self,
        data: Any,
        _children: Iterable[Value] = (),
        _op: str | Sequence[float] = "",
        label: str = "",
        *,
        requires_grad: bool = True,
        parameter: bool = False,
    ) -> None:
        if type(self) is not Value and type(self) not in by_identity:
            tell_apart(type(self))
        self._data = self._kept = data if type(data) is float else number(data)
        self.grad = 0.0
        self._x = self._y = self._a = None
        self._b = label if type(label) is str else label_text(label)
        if _children or _op != "":
            make_by_hand(self, _children, _op, label, requires_grad=requires_grad, parameter=parameter)
            return
        self._rule = LEAVES[bool(requires_grad), bool(parameter)]
        if modes_were_used:
            made(self)

    @property
    def parents(self) -> tuple[Value, ...]:
        """The Values this one was computed from, in operand order; `a + a` has two. Constants are not among them."""
        return tuple(parent for parent, _ in self.operands if parent is not None)

    @property
    def operands(self) -> tuple[tuple[Value | None, float], ...]:
        """Every operand in order, as (parent, the number it held); a constant has None for a parent."""
        if self._a is None:
            return ()
        xs = tuple(zip(self._x, self._a, strict=True)) if type(self._x) is tuple else ((self._x, self._a),)
        if type(self._y) is tuple:  # a bias, if there is one, is the last of the first vector
            n = len(self._y)
            return (*xs[:n], *zip(self._y, self._b, strict=False), *xs[n:])
        return tuple(pair for pair in (*xs, (self._y, self._b)) if pair[1] is not None)

    @property
    def requires_grad(self) -> bool:
        """Whether backward() reaches this Value: a leaf's own setting; else, whether a leaf below does."""
        if self._rule.is_leaf:
            return self._rule.requires_grad
        return any(node._rule.requires_grad for node in ancestors(self) if node._rule.is_leaf)

    @requires_grad.setter
    def requires_grad(self, flag: bool) -> None:
        if not self._rule.is_leaf:
            raise ValueError(f"requires_grad can be set on leaves only; {describe(self)} was computed: use detach()")
        take_rule(self, LEAVES[bool(flag), self._rule.is_parameter])

    def backward(self, seed: float = 1.0, *, create_graph: bool = False) -> None:
        """Add to every node's `grad` the derivative of this Value with respect to it, times `seed`.

        The chain rule: `parent.grad += local derivative * child.grad`, children first. Gradients accumulate over
        calls, so call `zero_grad()` between steps. All of them are computed before the first is written, and then all
        are written at once: if anything raises, or Ctrl-C interrupts, every `grad` is as it was, or every one is new.

        Args:
            seed: the gradient of this Value itself.
            create_graph: whether each `grad` becomes a Value, computed from the nodes of this graph, so that it can be
                differentiated again. `scalargrad.grad` gives the same without touching any `grad`.

        Raises:
            ValueError: if no leaf below requires grad, or a computed Value's data was overwritten.

        >>> x = Value(3.0)
        >>> (x ** 4).backward()
        >>> x.grad
        108.0
        """
        if modes_were_used and not create_graph:
            looked_at(self, "backward()")

        # The lecture's version:
        #
        #     self.grad = seed
        #     for node in reversed(topological_order(self)):
        #         for parent, local in zip(node.parents, local_derivatives(node)):
        #             parent.grad += local * node.grad
        #
        # Here the loop, in `gradients`, adds up in a table beside the nodes, and `grad` is written at the end.
        nodes, totals = with_recording(_totals, self, seed, True) if create_graph else _totals(self, seed, False)
        assignments(nodes, repeat("grad"), totals)()  # all at once: Ctrl-C comes before the first or after the last

    def zero_grad(self) -> None:
        """Set `grad` to 0.0 on this Value and on everything it was computed from."""
        for node in ancestors(self):
            node.grad = 0.0

    def detach(self) -> Value:
        """The same number as a new constant leaf: gradients stop here."""
        if modes_were_used:
            looked_at(self, "detach()")
        return Value(number_in(self), label=self.label, requires_grad=False)

    def __deepcopy__(self, memo: dict[int, Any]) -> Value:
        if modes_were_used:
            looked_at(self, "deepcopy")
        return deepcopied(topological_order(self), memo)  # type: ignore[no-any-return]


# -------------------------------------------------------------------- the sort and the sweep


def topological_order(*roots: Value) -> list[Value]:
    """Everything the roots were computed from, and the roots, parents before children, each node once.

    >>> a = Value(2.0, label='a')
    >>> b = a * a
    >>> [node.label for node in topological_order(a + b)]
    ['a', '', '']
    """
    # The lecture's version:
    #
    #     def visit(node):
    #         if node not in finished:
    #             for parent in node.parents:
    #                 visit(parent)
    #             finished.add(node)
    #             order.append(node)
    #
    # Graphs are deeper than Python's stack, so here is a stack instead of recursion. The node in hand stays in a
    # variable and a leaf is finished on sight, 1.5 times as fast as a stack that every node passes through.
    order: list[Value] = []
    finished: set[Value | None] = {None}  # None stands for a constant operand
    finish, put_last = finished.add, order.append
    for root in roots:
        if not isinstance(root, Value):
            raise no_graph("topological_order", root)
        stack: list[Any] = [root]
        push, pop = stack.append, stack.pop
        while stack:
            node = pop()
            if node is None:  # it says of the node below it that its parents are finished by now
                node = pop()
                finish(node)
                put_last(node)
                continue
            while node not in finished:
                x, y = node._x, node._y
                if type(x) is tuple:
                    if not finished.issuperset(x) or (y is not None and not finished.issuperset(y)):
                        stack += (node, None)
                        stack += [parent for parent in reversed((*x, *(y or ()))) if parent not in finished]
                        break
                else:
                    if x not in finished:
                        if x._a is not None:
                            push(node)
                            node = x
                            continue
                        finish(x)
                        put_last(x)
                    if y not in finished:
                        below = y._x  # a product whose factors are finished is finished on sight, too
                        if y._a is not None and (type(below) is tuple or below not in finished or y._y not in finished):
                            push(node)
                            node = y
                            continue
                        finish(y)
                        put_last(y)
                finish(node)
                put_last(node)
    return order


topological_order = in_c("order", topological_order)


def gradients(
    roots: Iterable[Value],
    seeds: Iterable[Any],
    *,
    create_graph: bool = False,
    wrt: Iterable[Value] | None = None,
    watch: Watch | None = None,
    order: list[Value] | None = None,
    adjoints: Adjoints | None = None,
) -> Adjoints:
    """The one sweep: the derivative of sum(seed * root) with respect to every node; no `grad` is touched.

    Args:
        roots: the outputs.
        seeds: a factor for each.
        create_graph: whether the adjoints are Values, computed from the nodes of this graph by the same rules.
        wrt: the nodes whose adjoints are wanted; a graph is created for what lies between them and the roots only.
        watch: a generator over (turns, adjoints) that hands on the nodes of `turns` one by one: it sees the adjoints
            before and after each node's turn. The stepper records with it.
        order: `topological_order(*roots)`, if that is known already.
        adjoints: the table to fill, if not one with NOTHING, which equals 0.0, for every node.

    Returns:
        A dict from node to adjoint in topological order, parents first.
    """
    roots, seeds = list(roots), list(seeds)
    order = topological_order(*roots) if order is None else order
    if wrt is None and not any(node._rule.requires_grad for node in order if node._rule.is_leaf):
        raise ValueError(
            f"nothing to differentiate: no leaf below {', '.join(map(describe, roots))} requires grad "
            f"(made by detach(), under no_grad(), or with requires_grad=False){rebound_among(order)}"
        )
    if create_graph:
        let_cycles_close(order[-1:])  # a grad may become a Value that was computed from its own node
    if create_graph and wrt is not None:
        order = descendants(order, wrt)
    onlookers = (*standing_watches, *mode.get().watches, *([watch] if watch else []))
    if adjoints is None:
        adjoints = Masked(order) if create_graph else dict.fromkeys(order, NOTHING)
    for root, seed in zip(roots, seeds, strict=True):
        number_in(root)  # refuses what was assigned to a leaf that no op used
        if root in adjoints:
            adjoints[root] += seed
    turns: Iterable[Value] = reversed(order)
    watching: list[Iterable[Value]] = []
    for observe in onlookers:
        turns = observe(iter(turns), adjoints)
        watching.append(turns)
    try:
        # When a node's turn comes, all its children have been seen, so its adjoint is complete. Computed nodes pass it
        # on, but what nothing reached, as what a relu at 0 was computed from, not even 0: 0 times inf would be nan.
        for node in turns:
            if node._a is None or (upstream := adjoints[node]) is NOTHING:  # a leaf, or nothing reached it
                continue
            if node._kept is not node._data:  # something was assigned, or it has a label
                refuse_overwritten(node)
            local_backward: Any = node._rule.backward_as_graph if create_graph else node._rule.backward
            local_backward(node, upstream, adjoints)
    finally:  # what raises leaves watches in the middle of a turn: they end now, not when they are collected
        for watched in reversed(watching):
            if isinstance(watched, Generator):
                watched.close()
    return adjoints


def _totals(root: Value, seed: Any, create_graph: bool) -> tuple[Iterable[Value], Iterable[Any]]:
    """The nodes that backward() writes to, and for each what its `grad` becomes: what is there, plus its adjoint."""
    order, seed = topological_order(root), number(seed, "backward: seed")
    if len(order) >= LARGE and not create_graph:
        return totals_of_large_graph(gradients, order, seed)
    adjoints = gradients([root], [seed], create_graph=create_graph, order=order)
    try:
        return adjoints, [
            node.grad + adjoint if node._a is not None or node._rule.requires_grad else node.grad
            for node, adjoint in adjoints.items()
        ]
    except TypeError:  # a grad of None
        return adjoints, [
            gradient_plus(node, adjoint) if node._a is not None or node._rule.requires_grad else node.grad
            for node, adjoint in adjoints.items()
        ]


def operand(x: Any) -> tuple[Value | None, float]:
    """An operand as (parent, number): a plain number has no parent."""
    return (x, number_in(x)) if isinstance(x, Value) else (None, number(x))


set_up(
    value=Value,
    mode=mode,
    modes_were_used=modes_were_used,
    standing_watches=standing_watches,
    leaves=tuple(rule for rule in LEAVES.values() if rule.requires_grad),
    constants=tuple(rule for rule in LEAVES.values() if not rule.requires_grad),
)
Value.backward = in_c("backward", Value.backward)  # type: ignore[method-assign]
let_data_be_watched(Value)
