"""What a live graph runs anew for each position of a slider: an expression, a function, or a graph that there is."""

from __future__ import annotations

import inspect
from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, topological_order
from scalargrad.node.contexts import observed
from scalargrad.node.naming import display_names
from scalargrad.playground.messages import RefusedError
from scalargrad.support.labels import clean_label
from scalargrad.table.row import Op
from scalargrad.tracing.steps import record_steps
from scalargrad.words.expressions import ExpressionError, expression_function, expression_names

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from scalargrad.tracing.steps import TracedGraph

OUTPUT = "f"
"""What the output is called if nobody has named it."""


class Trouble(RefusedError):  # noqa: N818  (it is shown in the picture, not raised to anybody)
    """The function has no value at these inputs: what its last operation said."""


@dataclass(frozen=True)
class Run:
    """What a function gave at some inputs: the graph with all its steps, and in it the inputs by name."""

    graph: TracedGraph
    leaves: Mapping[str, Value]


@dataclass(frozen=True)
class Running:
    """A function of named inputs that gives a graph.

    Attributes:
        text: what was typed, or how the function is called; for the page.
        names: of the inputs.
        call: of a Value for each input, in this order, the output.
        typed: whether it came from an expression.
    """

    text: str
    names: tuple[str, ...]
    call: Callable[..., Any]
    typed: bool = False

    def at(self, numbers: Mapping[str, float]) -> Run:
        """The run at these inputs, a new graph.

        Raises:
            Trouble: if an operation has no value there, or the function or its gradient raises anything else.
            RefusedError: if what it returns is no Value.
        """
        leaves = {name: Value(numbers[name], label=name) for name in self.names}
        root = self._output(leaves)
        try:
            return Run(record_steps(root, 1.0, False, _not_shown, self.called(root)), leaves)
        except Exception as error:
            raise _trouble(error) from None

    def _output(self, leaves: Mapping[str, Value]) -> Value:
        try:
            root = self.call(*leaves.values())
        except ExpressionError as error:
            raise RefusedError(str(error), error.meant) from None
        except RecursionError:
            raise Trouble(f"{self.text} calls itself without end") from None
        except Exception as error:
            raise _trouble(error) from None
        if isinstance(root, (int, float)) and not isinstance(root, bool):
            root = Value(float(root))
        if not isinstance(root, Value):
            raise RefusedError(f"{self.text} must return a Value, not {type(root).__name__}")
        return root

    def called(self, root: Value) -> Mapping[str, Value]:
        """What an output without a label is called, as a variable would; nothing is written into it."""
        return {} if OUTPUT in self.names or root.is_leaf else {OUTPUT: root}

    def stopped(self, good: Mapping[str, float], bad: Mapping[str, float]) -> tuple[Run, int | None, dict[int, float]]:
        """Where a run ends that has no value, on the graph of one that has: as far as both make the same nodes.

        Args:
            good: inputs at which there is a value.
            bad: inputs at which there is none.

        Returns:
            The run at the good ones; the place, in its graph, of the operation at which the other one ended, if it is
            in that graph; and by place the numbers that the other one had come to.
        """
        made, run = self._nodes(good)
        begun, _ = self._nodes(bad)
        if run is None:
            raise RefusedError("the function does not give the same twice")
        rules = [node._rule for node in made]
        place = {node: i for i, node in enumerate(run.graph.order)}
        known = {place[leaf]: bad[name] for name, leaf in run.leaves.items() if leaf in place}
        if len(begun) >= len(made) or rules[: len(begun)] != [node._rule for node in begun]:
            return run, None, known
        known.update({place[one]: other.data for one, other in zip(made, begun, strict=False) if one in place})
        return run, place.get(made[len(begun)]), known

    def _nodes(self, numbers: Mapping[str, float]) -> tuple[list[Value], Run | None]:
        """The nodes that a run makes, in that order, up to where it has no value; and the run, if it has one."""
        made: list[Value] = []
        run = None
        with observed(inspector=made.append), suppress(RefusedError):
            run = self.at(numbers)
        return [node for node in made if not node.is_leaf], run


def _trouble(error: Exception) -> Trouble:
    """What to say of an exception that the function raised."""
    first = str(error).split("\n", 1)[0]
    plain = isinstance(error, (ValueError, ArithmeticError)) and first
    return Trouble(first if plain else f"{type(error).__name__}: {first}")


def _not_shown(_: Any) -> str:
    return ""


def of_expression(text: str, names: tuple[str, ...] | None = None) -> Running:
    """The function that an expression says; its inputs are the names in it.

    Raises:
        RefusedError: if it is no expression.
    """
    try:
        found = expression_names(text) if names is None else names
        return Running(text.strip(), tuple(found), expression_function(text, found), typed=True)
    except ExpressionError as error:
        raise RefusedError(str(error), error.meant) from None


def of_function(f: Callable[..., Any], names: tuple[str, ...]) -> Running:
    """A function of Python that takes these inputs by name, or else in this order.

    Raises:
        TypeError: if it cannot be called with them.
    """
    called = clean_label(getattr(f, "__name__", type(f).__name__))
    called = OUTPUT if called == "<lambda>" else called
    by_name = True
    try:
        signature = inspect.signature(f)
    except (TypeError, ValueError):  # some that are written in C say nothing about it
        by_name = False
    else:
        try:
            signature.bind(**dict.fromkeys(names))
        except TypeError:
            try:
                signature.bind(*names)
            except TypeError as error:
                wanted = ", ".join(f"{name}=(-5, 5)" for name in signature.parameters)
                raise TypeError(f"live: {called} is not called with {', '.join(names) or 'nothing'}: {error}; "
                                f"write live({called}, {wanted})") from None  # fmt: skip
            by_name = False
    text = f"{called}({', '.join(names)})"
    return Running(text, names, (lambda *xs: f(**dict(zip(names, xs, strict=True)))) if by_name else f)


def of_value(value: Value, variables: Mapping[Any, str]) -> tuple[Running, dict[str, float]]:
    """The graph that there is, with its leaves as inputs, and their numbers. The graph itself is left alone.

    Raises:
        TypeError: if a node's rule is hand-written: it cannot be run again.
    """
    order = topological_order(value)
    names = display_names(order, variables)
    for node in order:
        if not node.is_leaf and not isinstance(node._rule, Op):
            raise TypeError(
                f"live: {names[node]} was made by a hand-written closure or given its derivatives, and cannot be "
                "computed again at other inputs: hand in the function that makes the graph, live(f, x=(-5, 5))"
            )
    leaves = {names[node]: node for node in order if node.is_leaf and node.requires_grad}
    labels = {node: node.label or variables.get(node, "") for node in order}

    def again(*inputs: Value) -> Value:
        new: dict[Value | None, Value] = dict(zip(leaves.values(), inputs, strict=True))
        for node in order:
            if node in new or node.is_leaf:
                new.setdefault(node, node)
                continue
            rule: Any = node._rule
            parents = [None if parent is None else new[parent] for parent, _ in node.operands]
            numbers = [a if parent is None else new[parent].data for parent, a in node.operands]
            new[node] = rule.apply(tuple(parents), numbers)
            new[node].label = labels[node]
        return new[value]

    numbers = {name: node.data for name, node in leaves.items()}
    return Running(names[value], tuple(leaves), again), numbers
