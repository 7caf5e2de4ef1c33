"""The mistakes, one by one: what was written, and the smallest graph on which it shows."""

from __future__ import annotations

from typing import Any

from scalargrad.mistakes import engines
from scalargrad.mistakes.mistake import Mistake


def _used_twice(a: Any, b: Any) -> Any:
    c = a * b
    return c + c


def _used_early_and_late(a: Any) -> Any:
    c = a + a
    d = a + c
    return c + d


def _chain(a: Any, b: Any) -> Any:
    return (a + b) * b


def _sum(a: Any, b: Any) -> Any:
    return a + b


def _product(a: Any, b: Any) -> Any:
    return a * b


no_sorting = Mistake(
    "no_sorting",
    "The graph is walked depth first without sorting it, so a node that is reached twice hands on twice, and what "
    "arrived first is counted again.",
    """
    def backward(self):
        self.grad = 1.0
        stack = [self]
        while stack:
            node = stack.pop()
            node._backward()
            stack += node._prev
    """,
    _used_twice,
    (2.0, 3.0),
    sweep=engines.without_sorting,
)

at_first_visit = Mistake(
    "at_first_visit",
    "Each node hands its gradient on when it is first reached, before all who use it have had their turn, so what "
    "arrives later goes no further.",
    """
    def backward(self):
        self.grad = 1.0
        visited = set()
        def visit(node):
            if node not in visited:
                visited.add(node)
                node._backward()
                for parent in node._prev:
                    visit(parent)
        visit(self)
    """,
    _used_early_and_late,
    (2.0,),
    sweep=engines.at_first_visit,
)

breadth_first = Mistake(
    "breadth_first",
    "Nodes take turns by their distance from the output, but one that is near by one path and far by another has its "
    "turn too early.",
    """
    def backward(self):
        self.grad = 1.0
        queue, visited = [self], {self}
        while queue:
            node = queue.pop(0)
            node._backward()
            for parent in node._prev:
                if parent not in visited:
                    visited.add(parent)
                    queue.append(parent)
    """,
    _used_early_and_late,
    (2.0,),
    sweep=engines.breadth_first,
)

overwriting = Mistake(
    "overwriting",
    "A contribution is assigned with = where it must be added with +=, so of a Value that is used twice only the last "
    "use counts.",
    """
    def __add__(self, other):
        out = Value(self.data + other.data, (self, other), '+')
        def _backward():
            self.grad = out.grad
            other.grad = out.grad
        out._backward = _backward
        return out
    """,
    lambda a: a + a,
    (2.0,),
    sweep=engines.overwriting,
)

parents_in_a_set = Mistake(
    "parents_in_a_set",
    "A node keeps its parents in a set and hands gradient to each member, so a + a has one parent only and one of its "
    "two edges is lost.",
    """
    def backward(self):
        self.grad = 1.0
        for node in reversed(topological_order(self)):
            for parent in set(node._prev):
                parent.grad += local_derivative(node, parent) * node.grad
    """,
    lambda a: a + a,
    (2.0,),
    locals_of=engines.once_per_parent,
)

subtraction_sign = Mistake(
    "subtraction_sign",
    "The rule of subtraction is copied from addition and its minus sign is lost: in a − b the local derivative of b "
    "is −1.",
    """
    def __sub__(self, other):
        out = Value(self.data - other.data, (self, other), '-')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out
    """,
    lambda a, b: a - b,
    (2.0, 3.0),
    locals_of=engines.negated_when_subtracted,
)

own_factor = Mistake(
    "own_factor",
    "In a product each factor is multiplied by itself, where the local derivative of a factor is the other one.",
    """
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += self.data * out.grad
            other.grad += other.data * out.grad
        out._backward = _backward
        return out
    """,
    _product,
    (2.0, 3.0),
    locals_of=engines.own_factor,
)

forgotten_upstream = Mistake(
    "forgotten_upstream",
    "A node hands on its local derivatives alone and not their product with its own gradient: right next to the "
    "output, wrong from there on.",
    """
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += other.data
            other.grad += self.data
        out._backward = _backward
        return out
    """,
    lambda a, b: (a * b) * b,
    (2.0, 3.0),
    sweep=engines.without_upstream,
)

forgotten_local = Mistake(
    "forgotten_local",
    "A node hands its gradient on as it is, without the local derivative, as if every operation were an addition.",
    """
    def __mul__(self, other):
        out = Value(self.data * other.data, (self, other), '*')
        def _backward():
            self.grad += out.grad
            other.grad += out.grad
        out._backward = _backward
        return out
    """,
    _product,
    (2.0, 3.0),
    locals_of=engines.ones,
)

seed_zero = Mistake(
    "seed_zero",
    "The gradient of the output is left at 0, where y.grad = 1 is due, so every product along the way is 0.",
    """
    def backward(self):
        for node in reversed(topological_order(self)):
            node._backward()
    """,
    _sum,
    (2.0, 3.0),
    sweep=engines.seeded_with_zero,
)

seed_value = Mistake(
    "seed_value",
    "The output's gradient starts from its value instead of from y.grad = 1, so every gradient is off by that factor.",
    """
    def backward(self):
        self.grad = self.data
        for node in reversed(topological_order(self)):
            node._backward()
    """,
    _sum,
    (2.0, 3.0),
    sweep=engines.seeded_with_value,
)

no_zeroing = Mistake(
    "no_zeroing",
    "backward() is called twice without zeroing in between, so every gradient adds to what the first call has left, "
    "and those inside the graph are handed on again with it.",
    """
    y.backward()
    y.backward()
    """,
    _sum,
    (2.0, 3.0),
    sweep=engines.without_zeroing,
)

leaves_zeroed_only = Mistake(
    "leaves_zeroed_only",
    "Between two calls of backward() only the leaves are set to 0, and the nodes between them and the output hand on "
    "what they still hold from the first call.",
    """
    y.backward()
    for leaf in leaves:
        leaf.grad = 0.0
    y.backward()
    """,
    _chain,
    (2.0, 3.0),
    sweep=engines.with_leaves_zeroed,
)

data_changed = Mistake(
    "data_changed",
    "The inputs are changed between the forward pass and backward(), whose rules read the numbers of now and not "
    "those that y was computed from.",
    """
    for leaf in leaves:
        leaf.data += 1.0
    y.backward()
    """,
    _product,
    (2.0, 3.0),
    locals_of=engines.at_leaves_moved_by_one,
)

GALLERY: tuple[Mistake, ...] = (
    overwriting,
    no_sorting,
    at_first_visit,
    breadth_first,
    parents_in_a_set,
    no_zeroing,
    leaves_zeroed_only,
    seed_zero,
    seed_value,
    forgotten_upstream,
    forgotten_local,
    own_factor,
    subtraction_sign,
    data_changed,
)
"""All of them, those of the sweep first, then those of a rule."""
