"""Hooks on a Value's gradient and on the whole sweep; `detect_anomaly`, which finds the first nan or inf."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator
from contextvars import ContextVar
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

from scalargrad.engine import Value
from scalargrad.in_c import let_cycles_close
from scalargrad.node.by_hand import HandWritten, values_in
from scalargrad.node.contexts import observed
from scalargrad.node.errors import labels_of, listed, user_line
from scalargrad.node.extras import hooks_of, keep, label_of, number_kept
from scalargrad.node.mode import mode, standing_watches
from scalargrad.node.numbers import describe, plain_number
from scalargrad.node.rules import NOTHING, rule_has_changed
from scalargrad.support.labels import clean_label
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from scalargrad.node.rules import Adjoints

Hook = Callable[[Any], Any]

_tickets = itertools.count()


class Handle:
    """What `register_hook` returns; `remove()` takes the hook away again."""

    def __init__(self, value: Value, ticket: int) -> None:
        self._value, self._ticket = value, ticket

    def remove(self) -> None:
        """Take the hook away; a second time does nothing."""
        (hooks_of(self._value) or {}).pop(self._ticket, None)
        rule_has_changed()


def register_hook(value: Value, hook: Hook) -> Handle:
    """Call `hook(gradient)` in every sweep as soon as this Value's gradient is complete, before it is passed on.

    A hook stays when the Value's data, `requires_grad` or `_backward` is set. A copy, as of `copy.deepcopy`, has the
    same gradients, so it begins with the same hooks (in PyTorch with none); removing one here leaves it there.

    Args:
        value: the Value, a leaf or a computed one.
        hook: may return a number to take the gradient's place, or None to leave it.

    >>> x = Value(2.0)
    >>> y = x * 3
    >>> handle = register_hook(y, lambda gradient: gradient * 10)
    >>> (y + 1).backward()
    >>> x.grad
    30.0
    """
    if not isinstance(value, Value):
        raise TypeError(f"register_hook takes a Value, not {type(value).__name__}")
    if not callable(hook):
        raise TypeError(f"a hook is a function of the gradient, not {type(hook).__name__}")
    if _run_hooks not in standing_watches:
        standing_watches.append(_run_hooks)
    let_cycles_close([value, *values_in(hook)])
    hooks = hooks_of(value)
    if hooks is None:
        keep(value, label_of(value), number_kept(value), hooks := {})
    handle = Handle(value, next(_tickets))
    hooks[handle._ticket] = hook
    rule_has_changed()
    return handle


def _run_hooks(turns: Iterator[Value], adjoints: Adjoints) -> Iterator[Value]:
    for node in turns:
        for hook in tuple((hooks_of(node) or {}).values()):
            gradient = adjoints[node]
            replacement = hook(gradient)
            if gradient is NOTHING and _is_zero(replacement):
                continue  # a hook that scales what is not there: nothing is passed on still
            if isinstance(replacement, Value):
                adjoints[node] = replacement if isinstance(gradient, Value) else replacement.data
            elif replacement is not None:
                adjoints[node] = number(replacement)
        yield node


def _is_zero(replacement: Any) -> bool:
    return replacement is None or bool(plain_number(replacement) == 0.0)


def sweep_hook(hook: Callable[[Value, Any], None]) -> observed:
    """A context: every sweep inside it calls `hook(node, gradient)` for each node, children first.

    >>> x = Value(2.0, label="x")
    >>> seen = []
    >>> with sweep_hook(lambda node, gradient: seen.append((node.label, gradient))):
    ...     (x * x).backward()
    >>> seen
    [('', 1.0), ('x', 4.0)]
    """

    def watch(turns: Iterator[Value], adjoints: Adjoints) -> Iterator[Value]:
        for node in turns:
            hook(node, adjoints[node])
            yield node

    return observed(watch=watch)


# -------------------------------------------------------------------- nan and inf


class AnomalyError(ArithmeticError):
    """A nan or inf came up inside `detect_anomaly`."""


def detect_anomaly() -> observed:
    """A context: the first nan or inf inside it raises, forward or backward.

    The message names the operation, the labels and numbers of its operands, and the source line that computed it. For
    looking for an error: it makes every operation slower.

    >>> x = Value(800.0, label="x")
    >>> with detect_anomaly():
    ...     y = x.exp()
    Traceback (most recent call last):
    scalargrad.hooks.AnomalyError: exp gave inf at 800.0 (label 'x')
    ...
    """
    lines: WeakKeyDictionary[Value, str] = WeakKeyDictionary()
    sweeping: ContextVar[bool] = ContextVar("sweeping", default=False)

    def inspect(node: Value) -> None:
        if mode.get().follows_ieee or sweeping.get():  # sweeps are watched as a whole
            return
        lines[node] = user_line()
        if not math.isfinite(node.data):
            raise AnomalyError(f"{_name(node)} gave {node.data!r} at {_operands(node)}{lines[node]}")

    def watch(turns: Iterator[Value], adjoints: Adjoints) -> Iterator[Value]:
        for node in turns:
            upstream = plain_number(adjoints[node])
            if not math.isfinite(upstream):  # a seed or a hook: rules are looked at below
                raise AnomalyError(f"the gradient of {describe(node)} is {upstream!r}{lines.get(node, '')}")
            token = sweeping.set(True)
            try:
                yield node
            finally:
                sweeping.reset(token)
            for parent in node.parents:
                if not math.isfinite(plain_number(adjoints.get(parent, 0.0))):
                    raise AnomalyError(
                        f"the backward of {_name(node)} at {_operands(node)} gave {describe(parent)} the gradient "
                        f"{plain_number(adjoints[parent])!r}, from {upstream!r} upstream{lines.get(node, '')}"
                    )

    return observed(inspect, watch)


def _name(node: Value) -> str:
    rule = node._rule
    text = getattr(rule, "name", "") or clean_label(rule.text)
    return text or ("a hand-made node" if isinstance(rule, HandWritten) else "a leaf")


def _operands(node: Value) -> str:
    return listed(a for _, a in node.operands) + labels_of(p for p, _ in node.operands)
