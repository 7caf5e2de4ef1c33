"""numpy's ufunc protocol: `np.tanh(v)`, `np.float64(2) * v` and arrays of Values work. numpy itself is not imported."""

from __future__ import annotations

import operator
import sys
from collections.abc import Callable
from typing import Any

from scalargrad.engine import Value, operand
from scalargrad.table.row import TABLE

# Where a ufunc and the row have different names; the comparisons answer with a bool and are no rows.
_OTHER_NAMES = {"true_divide": "divide", "fabs": "absolute", "mod": "remainder"}
_COMPARISONS = {
    "less": operator.lt, "less_equal": operator.le, "greater": operator.gt, "greater_equal": operator.ge,
}  # fmt: skip


def _equal(x: Any, y: Any) -> bool:
    """What `==` says: of a Value, which comes first as numpy's scalars would come back here, its own `__eq__`."""
    if not isinstance(x, Value):
        x, y = y, x
    if not isinstance(x, Value):
        return bool(x == y)
    found = x.__eq__(y)
    return x is y if found is NotImplemented else bool(found)


def _not_equal(x: Any, y: Any) -> bool:
    return not _equal(x, y)


_EQUALITY = {"equal": _equal, "not_equal": _not_equal}


def _array_ufunc(self: Value, ufunc: Any, method: str, *inputs: Any, **kwargs: Any) -> Any:  # noqa: ARG001
    """Apply the op named like the ufunc; over an array, to each element, giving an array of Values."""
    inputs = tuple(_unboxed(x) for x in inputs)
    name = _OTHER_NAMES.get(ufunc.__name__, ufunc.__name__)
    function: Callable[..., Any]
    if name in _COMPARISONS:
        compare = _COMPARISONS[name]

        def function(x: Any, y: Any) -> bool:  # of plain numbers: numpy's scalars would come back here
            return bool(compare(*(one if isinstance(one, Value) else operand(one)[1] for one in (x, y))))

    elif name in _EQUALITY:
        function = _EQUALITY[name]
    elif name == "positive":
        function = operator.pos
    elif name == "logaddexp":
        function = TABLE["logsumexp"].function
    elif name in TABLE:
        function = TABLE[name].function
    else:
        raise TypeError(f"numpy.{ufunc.__name__} has no counterpart in scalargrad: use .data for the number")
    if method != "__call__" or any(option is not None for option in kwargs.values()):
        raise TypeError(
            f"numpy.{ufunc.__name__} works on Values as a plain call only, not .{method} or with options like out="
        )
    if not any(getattr(x, "ndim", 0) for x in inputs):
        return function(*inputs)
    numpy = sys.modules["numpy"]
    boxed = []
    for x in inputs:  # inside an object array a Value is left alone by numpy, bare it would land here again
        if isinstance(x, Value):
            box = numpy.empty((), dtype=object)
            box[()] = x
            boxed.append(box)
        else:
            boxed.append(x)
    result = numpy.frompyfunc(function, len(inputs), 1)(*boxed)
    is_answer = name in _COMPARISONS or name in _EQUALITY  # `~` of Python's bools in an object array is -1 or -2
    return result.astype(bool) if is_answer else result


def _unboxed(x: Any) -> Any:
    """What an array without dimensions holds, as `np.asarray(v)` makes one."""
    is_box = getattr(x, "ndim", None) == 0 and getattr(getattr(x, "dtype", None), "kind", "") == "O"
    return x.item() if is_box else x


Value.__array_ufunc__ = _array_ufunc  # type: ignore[attr-defined]
