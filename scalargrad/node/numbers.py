"""How a Value behaves as a Python object: what it accepts as a number, compares, prints, refuses and copies.

The engine (engine.py) adds what makes it a node of a graph, the op table (ops.py) its operators and methods.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from scalargrad.node.errors import calling_line, user_line
from scalargrad.node.misnamed import MATHEMATICS
from scalargrad.node.mode import mode
from scalargrad.support.console import printable
from scalargrad.support.labels import quoted
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from typing_extensions import Self

    from scalargrad._methods import TableMethods
else:
    TableMethods = object  # the op table installs the methods; the stub shows them to editors and type checkers


class NumberLike(TableMethods):
    """Comparison, printing and the conversions that a Value refuses, over `data`, `grad` and `label`."""

    __slots__ = ()

    if TYPE_CHECKING:
        grad: float
        label: str
        data: float
        _data: float
        _kept: Any
        _a: Any

    # == and hash are object identity: a Value is a node, and nodes live in sets and dicts. Only while a function is
    # recorded, a Value that takes a number's place is equal to what the number is equal to.

    def __eq__(self, other: object) -> bool:
        judge = mode.get().equal
        found = None if judge is None else judge(self, other)
        return NotImplemented if found is None else found

    __hash__ = object.__hash__

    def __lt__(self, other: Any) -> bool:
        x = _compared(self, other, "<")
        return NotImplemented if x is None else number_in(self) < x

    def __le__(self, other: Any) -> bool:
        x = _compared(self, other, "<=")
        return NotImplemented if x is None else number_in(self) <= x

    def __gt__(self, other: Any) -> bool:
        x = _compared(self, other, ">")
        return NotImplemented if x is None else number_in(self) > x

    def __ge__(self, other: Any) -> bool:
        x = _compared(self, other, ">=")
        return NotImplemented if x is None else number_in(self) >= x

    def __bool__(self) -> bool:
        raise TypeError(f"the truth of {describe(self)} is ambiguous: write `v.data != 0` or compare, `v > 0`")

    def __float__(self) -> float:
        raise TypeError(
            f"float() and math.* would silently cut {describe(self)} out of the graph: "
            f"use scalargrad's functions, as in {_as_ours(type(self), calling_line())}, or take the number with v.data"
        )

    def __complex__(self) -> complex:
        raise TypeError(
            f"complex() would silently cut {describe(self)} out of the graph: take the number, complex(v.data)"
        )

    def __int__(self) -> int:
        raise TypeError(
            f"int() would silently cut {describe(self)} out of the graph: take the number, int(v.data), "
            "or stay in the graph with scalargrad.floor(v)"
        )

    __trunc__ = __int__

    def __index__(self) -> int:
        raise TypeError(
            f"{describe(self)} cannot be an index, a slice's end, a count or an argument of range(): Python asks for "
            f"an int there, which no graph follows. {_as_index()}"
        )

    def __round__(self, ndigits: Any = None) -> Any:
        if ndigits is None:
            return self.rint()
        raise TypeError(
            f"round(v, {ndigits!r}): a node of the graph is rounded to whole numbers only, with round(v). To show "
            f"{describe(self)}, write round(v.data, {ndigits!r}) or f'{{v:.2f}}'"
        )

    def __xor__(self, other: Any) -> Any:
        raise TypeError(f"^ is no power in Python: write {_operand(self)} ** {_operand(other)}")

    def __rxor__(self, other: Any) -> Any:
        raise TypeError(f"^ is no power in Python: write {_operand(other)} ** {_operand(self)}")

    def __matmul__(self, other: Any) -> Any:
        raise TypeError(
            f"@ is for matrices, and {describe(self)} is one number: write * for a product, or scalargrad.dot(xs, ys) "
            "for lists of Values"
        )

    def __pos__(self) -> Self:
        return self

    def __divmod__(self, other: Any) -> Any:
        quotient = self.__floordiv__(other)
        return NotImplemented if quotient is NotImplemented else (quotient, self % other)

    def __rdivmod__(self, other: Any) -> Any:
        quotient = self.__rfloordiv__(other)
        return NotImplemented if quotient is NotImplemented else (quotient, other % self)

    def __repr__(self) -> str:
        label = f", label={quoted(self.label)}" if self.label else ""
        return f"Value(data={_shown(self, 'data')}, grad={_shown(self, 'grad')}{label})"

    def __str__(self) -> str:
        return printable(repr(self))

    def __format__(self, spec: str) -> str:
        return format(number_in(self) if _shown(self, "data") == DELETED else self.data, spec) if spec else repr(self)

    def __reduce__(self) -> Any:
        raise TypeError(
            "a Value cannot be pickled: model.save(path) stores a model and nn.load(path) reads it again, "
            "model.state_dict() gives its numbers by name, v.data is the number of one Value, and copy.deepcopy(v) "
            "copies a graph"
        )


def _as_ours(kind: type, line: str) -> str:
    """How the call of a function of `math` in a line of code is written here; if there is none, an example."""
    names = [name for name in re.findall(r"\bmath\.(\w+)\(", line) if hasattr(kind, MATHEMATICS.get(name, name))]
    return f"scalargrad.{MATHEMATICS.get(names[0], names[0])}(v)" if names else "v.tanh() or scalargrad.tanh(v)"


def _as_index() -> str:
    """What to write in place of a Value where Python asks for an int, in the words of the calling line."""
    line = calling_line()
    ranged = re.search(r"\brange\(|\[[^\[\]]*:", line)
    table, token = next(iter(re.findall(r"([A-Za-z_][\w.]*)\[([A-Za-z_][\w.]*)\]", line)), ("table", "token"))
    taken = f"For an entry or a row write scalargrad.take({table}, {token}), whose gradient goes to what is taken"
    counted = (
        "Write int(v.data) for a number that shapes the computation, as a length; of an argument of a function that is "
        "compiled, name it in static="
    )
    return f"{counted}. {taken}" if ranged else f"{taken}. {counted}"


def _operand(x: Any) -> str:
    """An operand as a message writes it: a label that is a name as it is, a number as it is."""
    if isinstance(x, NumberLike):
        return x.label if x.label.isidentifier() else "v"
    return repr(x) if isinstance(x, (int, float)) else "y"


DELETED = "<deleted>"


def _shown(value: NumberLike, name: str) -> str:
    """An attribute as repr shows it; `del v.data` empties a slot, and a picture of what is left must still be there."""
    try:
        return repr(getattr(value, name))
    except AttributeError:
        return DELETED


def gradient_of(value: NumberLike) -> Any:
    """Its `grad`; None, which PyTorch's users assign between two steps, counts as 0.0."""
    return 0.0 if value.grad is None else value.grad


def gradient_plus(value: NumberLike, adjoint: Any) -> Any:
    """Its `grad` plus the adjoint, where plain addition raised TypeError.

    Raises:
        TypeError: if what somebody assigned to `grad` is neither None nor a number.
    """
    try:
        return gradient_of(value) + adjoint
    except TypeError:
        raise TypeError(
            f"the grad of {describe(value)} is of type {type(value.grad).__name__}, and a gradient cannot be added to "
            "it: assign a number or None to grad, or call zero_grad(), before backward()"
        ) from None


def plain_gradient(value: NumberLike) -> Any:
    """Its `grad` as a number: after `backward(create_graph=True)` it is a Value, and None counts as 0.0."""
    gradient: Any = value.grad
    if type(gradient) is float:
        return gradient
    return 0.0 if gradient is None else gradient._data if isinstance(gradient, NumberLike) else gradient


def plain_number(x: Any) -> Any:
    """The number of a Value; anything else as it is."""
    return x.data if isinstance(x, NumberLike) else x


def number_in(value: NumberLike) -> float:
    """The number of a Value. What was assigned to its data is checked here, when it is next used, and made a float.

    Raises:
        TypeError: if it is not a real number.
        OverflowError: if it is an integer too large for a float.
        AttributeError: if it was deleted.
    """
    kept: Any = value._kept
    try:
        x = value._data
    except AttributeError:
        raise AttributeError(
            f"{describe(value)} has no number: its data was deleted; assign one, v.data = 0.0"
        ) from None
    unchanged = x is (kept[1] if type(kept) is tuple else kept)
    if unchanged:
        return x
    if type(x) is not float:
        try:
            value._data = x = number(x)
        except (TypeError, OverflowError) as error:
            name = f"Value {quoted(value.label)}" if value.label else "a Value"
            raise type(error)(f"{error}, which was assigned to the data of {name}{user_line()}") from None
    if value._a is None:  # a leaf keeps the number that was checked last
        value._kept = x
    return x


def describe(value: NumberLike) -> str:
    """A Value as messages name it."""
    return f"Value {quoted(value.label)}" if value.label else f"Value({_shown(value, 'data')})"


def _compared(value: NumberLike, other: Any, symbol: str) -> float | None:
    """The number to compare with; None if there is none."""
    if isinstance(other, NumberLike):
        x = number_in(other)
    else:
        try:
            x = number(other)
        except TypeError:
            return None
    told = mode.get().on_comparison
    if told is not None:
        told(value, other, symbol, x)
    return x
