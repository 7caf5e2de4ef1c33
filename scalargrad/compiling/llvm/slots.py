"""Numbers of Values, read and written by machine code where CPython keeps them: lists would take longer than programs.

A Value has its number in a slot, the address of a float. Where the slots lie is found out by looking for floats that
were put there; where something is not as expected, as in another Python, lists are made after all. Lists of numbers,
of which samples come, are read in the same way.

Machine code is called with Python's lock held, so that nothing else runs meanwhile. It writes into a float that nobody
but the slot refers to: to assign another one would free its memory and take the same again.
"""

from __future__ import annotations

import ctypes
import platform
import sysconfig
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from itertools import chain, repeat
from typing import TYPE_CHECKING, Any, overload

from scalargrad.compiling.llvm.library import Machinery, once
from scalargrad.compiling.llvm.loops import element, loop
from scalargrad.compiling.reached import numbers_of
from scalargrad.engine import Value

if TYPE_CHECKING:
    from scalargrad.compiling.llvm.memory import Numbers

WORD = 8
_TYPE, _NUMBER, _SIZE, _ITEMS = 1, 2, 2, 3
"""In which word of an object stands its type; of a float its number; of a list its size and where its items are."""


def _word(address: int) -> int:
    return ctypes.c_int64.from_address(address).value


def _place(node: Value, x: float) -> int:
    """How many bytes behind the beginning of a node the address of this float stands."""
    (place,) = [at for at in range(2 * WORD, Value.__basicsize__, WORD) if _word(id(node) + at) == id(x)]
    return place


@once
def places() -> tuple[int, int] | None:
    """Where a Value has the addresses of its number and of its gradient, in bytes; None if that is unknown here."""
    if platform.python_implementation() != "CPython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        return None
    if (ctypes.sizeof(ctypes.c_void_p), object.__basicsize__, float.__basicsize__) != (WORD, 2 * WORD, 3 * WORD):
        return None
    probe, data, grad = Value(0.5), float("1.5"), float("2.5")
    probe._data, probe.grad = data, grad
    floats = [data, grad]
    is_known = (
        all(_word(id(x) + WORD * _TYPE) == id(float) for x in floats)
        and all(ctypes.c_double.from_address(id(x) + WORD * _NUMBER).value == x for x in floats)
        and (_word(id(floats) + WORD * _TYPE), _word(id(floats) + WORD * _SIZE)) == (id(list), 2)
        and [_word(_word(id(floats) + WORD * _ITEMS) + WORD * i) for i in range(2)] == list(map(id, floats))
    )
    try:
        return (_place(probe, data), _place(probe, grad)) if is_known else None
    except ValueError:
        return None


def _slot(name: str, place: str) -> str:
    """The lines that find a slot of the i-th node, and the float in it."""
    return f"""
{element("%node." + name, "%nodes", "%i", "ptr")}
  %{name}.at = getelementptr i8, ptr %node.{name}, i64 {place}
  %{name} = load ptr, ptr %{name}.at
{_checked(name, "%float")}
  %{name}.number = getelementptr double, ptr %{name}, i64 {_NUMBER}"""


def _checked(name: str, kind: str) -> str:
    """The lines that go on if there is an object, of this type."""
    return f"""
  %{name}.is = icmp ne ptr %{name}, null
  br i1 %{name}.is, label %{name}.look, label %no
{name}.look:
{element(f"%{name}.type", f"%{name}", str(_TYPE), "ptr")}
  %{name}.fits = icmp eq ptr %{name}.type, {kind}
  br i1 %{name}.fits, label %{name}.good, label %no
{name}.good:"""


def _items(size: str) -> str:
    """The lines that find the items of a list, if it has so many."""
    return f"""
{element("%size", "%list", str(_SIZE), "i64")}
  %as.many = icmp eq i64 %size, {size}
  br i1 %as.many, label %fits, label %no
fits:
{element("%items", "%list", str(_ITEMS), "ptr")}"""


def _sole(name: str) -> str:
    """The lines that go on if nobody but the slot refers to the float."""
    return f"""
  %{name}.count = load i64, ptr %{name}
  %{name}.sole = icmp eq i64 %{name}.count, 1
  br i1 %{name}.sole, label %{name}.free, label %no
{name}.free:"""


def _written(name: str, place: str, numbers: str) -> str:
    return f"""
{element("%node." + name, "%nodes", "%k", "ptr")}
  %{name}.at = getelementptr i8, ptr %node.{name}, i64 {place}
  %{name} = load ptr, ptr %{name}.at
  %{name}.number = getelementptr double, ptr %{name}, i64 {_NUMBER}
{element(f"%{name}.x", numbers, "%k", "double")}
  store double %{name}.x, ptr %{name}.number"""


def _swapped(name: str, place: str, items: str) -> str:
    return f"""
{element("%node." + name, "%nodes", "%i", "ptr")}
  %{name}.at = getelementptr i8, ptr %node.{name}, i64 {place}
  %{name}.old = load ptr, ptr %{name}.at
{element(f"%{name}.new", items, "%i", "ptr")}
  store ptr %{name}.new, ptr %{name}.at
  store ptr %{name}.old, ptr %{name}.new.p"""


_BOTH = "ptr %nodes, i64 %count, i64 %place, ptr %numbers, i64 %grad_place, ptr %gradients, ptr %float"
_ENDS = "\n  ret i64 0\nno:\n  ret i64 1\n}"


@once
def _reading() -> Machinery:
    number = "\n  %x = load double, ptr %data.number, align 8"
    kept = f"""
{_slot("data", "%place")}
{number}
  %is.read = icmp slt i64 %i, %read
  br i1 %is.read, label %keep, label %kept
keep:
  %to = getelementptr double, ptr %into, i64 %i
  store double %x, ptr %to
  br label %kept
kept:"""
    return Machinery(f"""
define i64 @read(ptr %nodes, i64 %count, i64 %place, ptr %float, i64 %read, ptr %into) {{
{loop("i", "%count", kept)}{_ENDS}""", ["read"], 2)  # fmt: skip


@once
def _writing() -> Machinery:
    checked = _slot("data", "%place") + _sole("data") + _slot("grad", "%grad_place") + _sole("grad")
    written = _written("d", "%place", "%numbers") + _written("g", "%grad_place", "%gradients")
    swapped = _swapped("d", "%place", "%numbers") + _swapped("g", "%grad_place", "%gradients")
    return Machinery(f"""
define i64 @write({_BOTH}) {{
{loop("i", "%count", checked)}
{loop("k", "%count", written)}{_ENDS}
define i64 @swap({_BOTH}) {{
{loop("i", "%count", swapped)}
  ret i64 0
}}""", ["write", "swap"], 0)  # fmt: skip


@once
def _reading_lists() -> Machinery:
    item = f"""
{element("%x", "%items", "%i", "ptr")}
{_checked("x", "%float")}
{element("%x.value", "%x", str(_NUMBER), "double")}
  %to = getelementptr double, ptr %into, i64 %i
  store double %x.value, ptr %to"""
    row = f"""
{element("%row", "%items", "%r", "ptr")}
{_checked("row", "%rows")}
  %skip = mul i64 %r, %width
  %there = getelementptr double, ptr %into, i64 %skip
  %bad = call i64 @numbers(ptr %row, i64 %width, ptr %float, ptr %there)
  %is.bad = icmp ne i64 %bad, 0
  br i1 %is.bad, label %no, label %row.done
row.done:"""
    return Machinery(f"""
define i64 @numbers(ptr %list, i64 %n, ptr %float, ptr %into) {{
{_items("%n")}
{loop("i", "%n", item)}{_ENDS}
define i64 @rows(ptr %list, i64 %n, ptr %float, ptr %into, i64 %width, ptr %rows) {{
{_items("%n")}
{loop("r", "%n", row)}{_ENDS}""", ["numbers", "rows"], 2)  # fmt: skip


@once
def _functions() -> tuple[Any, Any, Any]:
    """read, write and swap, called without giving up Python's lock."""
    p, i, at = ctypes.c_void_p, ctypes.c_int64, {**_reading().addresses, **_writing().addresses}
    both = p, i, i, p, i, p, p
    return (
        ctypes.PYFUNCTYPE(i, p, i, i, p, i, p)(at["read"]),
        ctypes.PYFUNCTYPE(i, *both)(at["write"]),
        ctypes.PYFUNCTYPE(i, *both)(at["swap"]),
    )


@once
def _functions_of_lists() -> tuple[Any, Any]:
    """Likewise numbers and rows."""
    p, i, at = ctypes.c_void_p, ctypes.c_int64, _reading_lists().addresses
    return (
        ctypes.PYFUNCTYPE(i, p, i, p, p)(at["numbers"]),
        ctypes.PYFUNCTYPE(i, p, i, p, p, i, p)(at["rows"]),
    )


def reader(n: int, width: int | None, address: int) -> Callable[[list[Any]], bool] | None:
    """What writes the floats of a list to an address; it returns False, having written some, if there is anything else.

    Args:
        n: how many items it is to have.
        width: of each, if they are lists; None if they are numbers.
        address: there must be room for all of them.

    Returns:
        None, if that cannot be done in this Python.
    """
    if places() is None:
        return None
    numbers, rows = _functions_of_lists()
    float_type, list_type = id(float), id(list)
    if width is None:
        return lambda given: not numbers(id(given), n, float_type, address)
    return lambda given: not rows(id(given), n, float_type, address, width, list_type)


class Leaves(Sequence[float]):
    """The numbers that leaves hold, whenever they are asked for.

    Args:
        leaves: the Values.
    """

    def __init__(self, leaves: Iterable[Value]) -> None:
        self.leaves = tuple(leaves)
        self._count, found = len(self.leaves), places()
        self._is_plain = found is not None and set(map(type, self.leaves)) <= {Value}
        if found is not None and self._is_plain:
            self._data, self._grad = found
            self._table = (ctypes.c_void_p * max(1, self._count))(*map(id, self.leaves))
            self._nodes = ctypes.addressof(self._table)
            self._read, self._write, self._swap = _functions()

    def put(self, address: int, count: int) -> bool:
        """Write the first so many to this address; returns whether that could be done without lists.

        It cannot if a leaf holds something else than a float.
        """
        return self._is_plain and not self._read(self._nodes, self._count, self._data, id(float), count, address)

    def putting(self, into: Numbers, count: int) -> Callable[[], int]:
        """What writes the first so many into memory; returns 0 if that could be done, as `put`."""
        if not self._is_plain:
            return lambda: 1
        return partial(self._read, self._nodes, self._count, self._data, id(float), count, into.address)

    def now(self) -> list[float]:
        """All of them, as floats.

        Raises:
            TypeError: if a leaf holds no number.
        """
        return numbers_of(self.leaves)

    def assign(self, numbers: Numbers, gradients: Numbers, more: Sequence[tuple[Any, str, Any]]) -> None:
        """Give all leaves numbers and gradients and set other attributes, all at once.

        Ctrl-C, or another thread, comes before or after: see support/at_once.py for why.

        Args:
            numbers: one for each leaf, from the first on.
            gradients: the same.
            more: (object, name, what it becomes).
        """
        objects, names, new = zip(*more, strict=True)
        if self._is_plain:
            given = self._nodes, self._count, self._data, numbers.address, self._grad, gradients.address, id(float)
            if not any(chain(map(self._write, *zip(given)), map(setattr, objects, names, new))):
                return
        n, leaves = self._count, self.leaves
        data, grads = numbers.view[:n].tolist(), gradients.view[:n].tolist()
        if self._is_plain:  # somebody refers to some of the floats
            items = [_word(id(found) + WORD * _ITEMS) for found in (data, grads)]
            given = self._nodes, n, self._data, items[0], self._grad, items[1], 0
            any(chain(map(self._swap, *zip(given)), map(setattr, objects, names, new)))
            return
        all_names = chain(repeat("_data", n), repeat("grad", n), names)
        any(map(setattr, chain(leaves, leaves, objects), all_names, chain(data, grads, new)))

    def __len__(self) -> int:
        return self._count

    @overload
    def __getitem__(self, i: int) -> float: ...
    @overload
    def __getitem__(self, i: slice) -> list[float]: ...
    def __getitem__(self, i: int | slice) -> float | list[float]:
        return self.now()[i]

    def __iter__(self) -> Iterator[float]:
        return iter(self.now())


def put(parameters: Sequence[float], into: Numbers, count: int) -> None:
    """Write the first so many of them into memory; of leaves without a list, where that can be."""
    if not (type(parameters) is Leaves and parameters.put(into.address, count)):
        into.fill(parameters[:count])
