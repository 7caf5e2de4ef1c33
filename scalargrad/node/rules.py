"""How a node passes its gradient on without the op table: as a leaf, by a closure written by hand, by numbers, or not.

The op table's rows (table/row.py) are rules too.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from copy import copy
from functools import partial
from itertools import repeat
from types import MemberDescriptorType
from typing import TYPE_CHECKING, Any

from scalargrad.node.numbers import NumberLike, describe, gradient_of, number_in
from scalargrad.support.console import printable
from scalargrad.support.labels import quoted
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from scalargrad.engine import Value

Adjoints = dict["Value", Any]
"""From each node to the derivative of the output with respect to it, as far as it has been added up."""

NOTHING = float("0")
"""What stands in a table of adjoints until a contribution comes: a node that no contribution reached passes nothing on.

It is told from a 0.0 that was computed by being this very object: adding to it makes another.
"""

Hooks = dict[int, Callable[[Any], Any]]
"""The functions that `register_hook` was given for one node, by ticket."""


class Masked(dict["Value", Any]):
    """The table of adjoints for a graph of gradients.

    Such a graph may be recorded and run at other numbers, or differentiated, where an op chooses otherwise or nothing
    reaches a node. So what is passed on below an op that chooses is `where(mask, share, 0)`, and `reached` has for each
    node that is not always reached a Value that is not 0 where it is.
    """

    def __init__(self, order: Iterable[Value]) -> None:
        super().__init__(dict.fromkeys(order, NOTHING))
        self.reached: dict[Value, Any] = {}


class Rule:
    """What a node knows about its operation. Nodes share one: the op's row of the table (ops.py) or a leaf's kind."""

    text = ""
    """The operation as micrograd writes it in `_op`: '+', 'tanh'; empty for a leaf."""
    is_leaf = False
    is_parameter = False
    requires_grad = True
    hooks: Hooks | None = None
    """Those of the one node that has this rule; a rule that nodes share has none."""
    backward: Callable[[Value, Any, Adjoints], None]
    """backward(node, upstream, adjoints) adds upstream times each local derivative to the adjoints of the parents."""

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:  # noqa: ARG002
        """As `backward`, with Values in place of numbers; only parents that have an entry get anything."""
        raise TypeError(
            f"no graph of gradients through {describe(node)}: the hand-written _backward of {quoted(self.text)} "
            "computes numbers. Write the operation with @primitive or as a Function, or leave create_graph out"
        )

    def local_gradients(self, node: Value) -> tuple[Any, ...]:
        """The derivative with respect to each parent; if one is there twice, the first has it for both."""
        found: Adjoints = dict.fromkeys(node.parents, 0.0)
        self.backward(node, 1.0, found)
        if len(found) > len(set(node.parents)):
            raise ValueError(
                f"the local derivatives of {describe(node)} are more than its parents: its _backward reaches Values "
                "that are not among them; call it, v._backward()"
            )
        return tuple(found.pop(parent, 0.0) for parent in node.parents)


class Leaf(Rule):
    """The rule of a Value that no operation made: there is nobody to pass a gradient to."""

    is_leaf = True

    def __init__(self, requires_grad: bool, is_parameter: bool) -> None:
        self.requires_grad = requires_grad
        self.is_parameter = is_parameter

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Pass nothing on."""

    backward_as_graph = backward


LEAVES = {(grad, parameter): Leaf(grad, parameter) for grad in (True, False) for parameter in (True, False)}


class HandWritten(Rule):
    """An operation written micrograd's way: a closure that reads `out.grad` and adds to its parents' `grad`."""

    def __init__(self, text: str, closure: Callable[[], None] | None = None, is_leaf: bool = False) -> None:
        self.text = text
        self.closure = closure
        self.is_leaf = is_leaf

    def unlisted(self, node: Value) -> list[Value]:
        """The Values beside the node's parents that the closure refers to, and so may give gradients to."""
        if self.closure is None:
            return []
        listed = {node, *node.parents}
        return [value for value in dict.fromkeys(_values_in(self.closure)) if value not in listed]

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Run the closure and take what it added."""
        if self.closure is None:
            if node._rule.is_leaf or not node.requires_grad:  # there is nobody who would miss a gradient
                return
            raise ValueError(
                f"no gradient passes through {describe(node)}, which was made by hand"
                f"{f' as {quoted(self.text)}' if self.text else ''}: set its _backward, or give its local derivatives, "
                "one for each parent, as in Value(data, (a, b), (da, db))"
            )
        # The closure works on `grad`, the sweep on adjoints: lend it clean gradients and take them back, so that
        # repeated backward stays exact and an exception in the closure leaves nothing behind.
        reached = dict.fromkeys((*node.parents, *self.unlisted(node)))
        lent = (*reached, node)
        # As write_gradients, and without a call of a function of ours, at whose beginning a signal might be handled.
        give_back = partial(any, map(setattr, lent, repeat("grad"), [value.grad for value in lent]))
        try:
            for value in reached:
                value.grad = NOTHING
            node.grad = upstream
            self.closure()
            contributions = {value: number(value.grad) for value in reached if value.grad is not NOTHING}
        finally:
            give_back()
        parents = set(node.parents)
        for value, contribution in contributions.items():
            if value not in parents and not value._rule.is_leaf and contribution:
                raise ValueError(
                    f"the _backward of '{self.text}' gives a gradient to {describe(value)}, which is not among its "
                    "parents, so that its turn may be over: list it, as in Value(data, (a, b), 'op')"
                )
            adjoints[value] = adjoints.get(value, 0.0) + contribution


class GivenPartials(Rule):
    """An operation written microgpt's way: the local derivatives are numbers, given with the node.

    They hold at the numbers that the node was made at and nowhere else.
    """

    text = "given"

    def __init__(self, partials: tuple[Any, ...]) -> None:
        self.partials = partials

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Hand every parent its local derivative times what comes from above."""
        for parent, local in zip(node._x, self.partials, strict=True):
            adjoints[parent] += upstream * local

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:  # noqa: ARG002
        """Refuse, if a gradient comes this way: nobody knows how the numbers would change with the parents."""
        if type(upstream) is float and upstream == 0.0:
            return
        raise TypeError(
            f"no graph of gradients through {describe(node)}: its local derivatives were given as numbers, and how "
            "they change with its parents is not known. Write the operation with @primitive or as a Function, or leave "
            "create_graph out"
        )

    def local_gradients(self, node: Value) -> tuple[Any, ...]:  # noqa: ARG002
        """Those that were given."""
        return self.partials


def partials_given(given: Any, count: int, node: Value) -> tuple[Any, ...]:
    """Local derivatives as numbers, one for each of so many parents of the node that is being made."""
    if not isinstance(given, (tuple, list)):
        raise TypeError(
            "_op must be the text of the operation, as '+', or a tuple of local derivatives, one for each of _children,"
            f" not {type(given).__name__}"
        )
    partials: Sequence[Any] = [_partial(x, i, node) for i, x in enumerate(given)]
    if len(partials) != count:
        raise ValueError(
            f"{len(partials)} local derivatives were given for {count} _children: give one for each, as in "
            "Value(data, (a, b), (da, db))"
        )
    return tuple(partials)


def _partial(x: Any, index: int, node: Value) -> Any:
    try:
        return number(x)
    except TypeError:
        hint = ": take its number with .data" if isinstance(x, NumberLike) else ""
        raise TypeError(f"local derivative {index} must be a real number, not {type(x).__name__}{hint}") from None
    except OverflowError:
        raise OverflowError(
            f"local derivative {index} of {describe(node)} is an integer too large for a float"
        ) from None


def _values_in(closure: Callable[[], None]) -> Iterator[Any]:
    """The Values that a function refers to from outside: what its body may give gradients to."""
    for content in _outside(closure):
        yield from (
            x for x in (content if isinstance(content, (list, tuple)) else (content,)) if isinstance(x, NumberLike)
        )


def _outside(closure: Callable[[], None]) -> Iterator[Any]:
    """What the names in a function's body mean that are not its own: variables around it, and of its module."""
    for cell in getattr(closure, "__closure__", None) or ():
        with suppress(ValueError):  # a variable without a value yet
            yield cell.cell_contents
    module = getattr(closure, "__globals__", {})
    for name in getattr(getattr(closure, "__code__", None), "co_names", ()):
        if name in module:
            yield module[name]


def label_of(node: Value) -> str:
    """The name shown in pictures and messages; empty if none was given."""
    if node._a is None:
        return node._b  # type: ignore[no-any-return]
    return node._kept[0] if type(node._kept) is tuple else ""


def give_label(node: Value, label: str) -> None:
    """Name a node. The number that its op computed stays known."""
    if node._a is None:
        node._b = label
    else:
        kept = node._kept
        node._kept = (label, kept[1] if type(kept) is tuple else kept)


def was_overwritten(node: Value) -> bool:
    """Whether a computed node's data was assigned afterwards: its number no longer follows from its parents."""
    kept = node._kept[1] if type(node._kept) is tuple else node._kept
    # repr tells 0.0 from -0.0, and nan is equal to nan.
    return kept is not node._data and not node._rule.is_leaf and repr(kept) != repr(node._data)


def refuse_overwritten(node: Value) -> None:
    """Raise ValueError if the node's data was assigned after its op computed it."""
    if was_overwritten(node):
        raise ValueError(
            f"the data of {describe(node)} was assigned after '{node._rule.text}' computed it, so its gradient is "
            "undefined: assign to leaves and compute again, or make it a leaf with Value(...)"
        )


class Rebound(Rule):
    """The constant that `a -= 0.1 * a.grad` makes inside no_grad(), and that has the name `a` from then on.

    PyTorch would change the leaf in place. Here `act = b; act += 1.0` must not change b, so the leaf stays as it was;
    but a program that goes on with the constant would train nothing, so no gradient may come to it: unless the leaf
    takes part in the same graph, beside the constant. Then its name was not lost, and the constant is one like others.
    """

    is_leaf = True
    requires_grad = False

    def __init__(self, operator: str, line: str, leaf: Callable[[], Value | None]) -> None:
        self.operator, self.line, self.leaf = operator, line, leaf

    def __str__(self) -> str:
        return (
            f"inside no_grad(), `a {self.operator} ...` made a new constant of this name, and the leaf that required "
            f"grad stayed as it was: write `a.data {self.operator} ...`, as in `a.data -= lr * a.grad`{self.line}"
        )

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:  # noqa: ARG002
        """Refuse, unless the leaf is in the table too."""
        leaf = self.leaf()
        if leaf is None or leaf not in adjoints:
            raise ValueError(f"no gradient comes to {describe(node)}: {self}")
        adjoints[node] = NOTHING  # a constant keeps none

    backward_as_graph = backward


def rebound_among(order: Iterable[Value]) -> str:
    """For a message: how the first of these that was rebound came about."""
    return next((f"; {node._rule}" for node in order if isinstance(node._rule, Rebound)), "")


def check_unchanged(node: Value) -> None:
    """Raise ValueError if an operand has another number now than when the node was computed."""
    for parent, a in node.operands:
        if parent is not None and number_in(parent) != a and a == a:
            raise ValueError(
                f"{describe(parent)} was changed after '{node._rule.text}' used it at {a!r}: a graph of gradients "
                "would mix both numbers; compute again"
            )


last_change: list[object] = [object()]
"""Another object whenever a Value has taken another rule, as when it is frozen or gets a hook: whoever takes rules for
granted looks at them again only then."""


def rule_has_changed() -> None:
    """To be called after the change."""
    last_change[:] = [object()]


def take_rule(node: Value, rule: Rule, hooks: Hooks | None = None) -> None:
    """Give the node another rule. Its hooks stay with it, unless others are given.

    Nodes share rules, so one with hooks is a copy of the node's own. (A slot would cost every node 8 bytes.)
    """
    node._rule = with_hooks(rule, node._rule.hooks if hooks is None else hooks)
    rule_has_changed()


def with_hooks(rule: Rule, hooks: Hooks | None) -> Rule:
    """The rule, or one of the node's own that has its hooks."""
    if rule.hooks is not hooks:
        rule = copy(rule)
        rule.hooks = hooks
    return rule


class LocalBackward:
    """One node's local backward closure, as micrograd's `_backward`: call it to run the chain rule for this node."""

    def __init__(self, node: Value) -> None:
        self.node = node
        self.as_computed = copy_node(node, {})  # a closure of the user's may take the node's place and call this one

    def __str__(self) -> str:
        return printable(repr(self))

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, LocalBackward)
            and self.node is other.node
            and self.as_computed._rule is other.as_computed._rule
        )

    def __hash__(self) -> int:
        return object.__hash__(self.node)

    def __call__(self) -> None:
        """Add this node's `grad` times each local derivative to its parents' `grad`."""
        contributions: Adjoints = dict.fromkeys(self.as_computed.parents, 0.0)
        if not self.as_computed.is_leaf:
            refuse_overwritten(self.as_computed)
            self.as_computed._rule.backward(self.as_computed, gradient_of(self.node), contributions)
        for parent, contribution in contributions.items():
            parent.grad = gradient_of(parent) + contribution


def write_gradients(nodes: Iterable[Value], gradients: Iterable[Any]) -> None:
    """Give every node its `grad`, in one call of the interpreter, in which no signal is handled.

    So Ctrl-C comes before the first is written or after the last.
    """
    any(map(setattr, nodes, repeat("grad"), gradients))  # setattr returns None, so any goes on to the end


def copy_node(node: Value, copies: dict[Value, Value]) -> Value:
    """A new node like this one whose parents are the copies, where there are any. Its hooks are its own.

    What a subclass's object has beside is shared, as by `copy.copy`.
    """
    if isinstance(node._rule, HandWritten) and node._rule.closure is not None:
        raise TypeError(f"cannot copy {describe(node)}: its hand-written _backward closure refers to the original")
    twin: Value = object.__new__(type(node))
    twin._data, twin.grad, twin._kept = node._data, node.grad, node._kept
    twin._rule = with_hooks(node._rule, dict(node._rule.hooks) if node._rule.hooks else None)
    twin._a, twin._b = node._a, node._b
    x, y = node._x, node._y
    twin._x = tuple(copies.get(p, p) for p in x) if type(x) is tuple else copies.get(x, x)
    twin._y = tuple(copies.get(p, p) for p in y) if type(y) is tuple else copies.get(y, y)
    if type(node).__base__ is not NumberLike:
        give_attributes(twin, *attributes_of(node))
    return twin


def attributes_of(node: Value) -> tuple[dict[str, Any], dict[str, Any]]:
    """What an object of a subclass has beside a Value's slots: in its `__dict__`, and in slots of its own."""
    slots: dict[str, Any] = {}
    for cls in type(node).__mro__:
        if cls.__base__ is NumberLike:  # Value itself
            break
        for name, slot in vars(cls).items():
            if isinstance(slot, MemberDescriptorType):
                with suppress(AttributeError):  # empty
                    slots.setdefault(name, slot.__get__(node))
    return getattr(node, "__dict__", {}), slots


def give_attributes(node: Value, attributes: dict[str, Any], slots: dict[str, Any]) -> None:
    """Give a node what `attributes_of` found."""
    if attributes:
        vars(node).update(attributes)
    for name, content in slots.items():
        object.__setattr__(node, name, content)
