"""Sizes and inputs of layers, and tables of samples, checked; the errors say what was given and what to do.

What counts as several numbers, and what as one, is decided here for the whole package nn.
"""

from __future__ import annotations

from array import array
from collections.abc import Callable, Mapping, MutableMapping, MutableSequence, Sequence
from contextlib import suppress
from copy import copy, deepcopy
from itertools import chain
from operator import is_
from typing import Any

from scalargrad.engine import Value
from scalargrad.node.numbers import plain_number
from scalargrad.node.structures import flatten
from scalargrad.support.arguments import MAX_DEPTH, brief, too_deep, whole


def count(n: Any, name: str, example: str, most: int | None = None) -> int:
    """Return n as an int, if it is a positive integer; the error names the argument and shows a call that works."""
    return whole(n, name, example, most=most)


_MUTABLE = (MutableSequence, MutableMapping)
_SINGLE = {Value, float, int}  # the usual kinds, told apart by their type alone: this is asked of every number


def is_sequence(x: Any) -> bool:
    """Return whether x is a list, tuple or array. A Value, number or string is not, nor an array without dimensions."""
    if type(x) in _SINGLE:
        return False
    if hasattr(x, "ndim"):
        return bool(x.ndim) and hasattr(x, "__len__")
    return hasattr(x, "__len__") and hasattr(x, "__getitem__") and not isinstance(x, (str, bytes, Mapping))


def as_array(x: Any) -> Any:
    """Return a table of columns, as a DataFrame of pandas is one, as an array of its rows; anything else as it is."""
    return x.to_numpy() if hasattr(x, "to_numpy") else x


def as_sequence(x: Any) -> Any:
    """Return x, or, if it can be looped over only, as an iterator or a set, a list of what it holds; tables by row."""
    if type(x) in _SINGLE:
        return x
    x = as_array(x)
    if is_sequence(x) or isinstance(x, (str, bytes)) or hasattr(x, "ndim"):
        return x
    return list(x) if hasattr(x, "__iter__") else x


def as_row(x: Any) -> Sequence[Any]:
    """Return one sample's inputs as a sequence, where they are an iterator, or one number or Value by itself."""
    if isinstance(x, (str, bytes)):
        raise TypeError(f"the inputs must be Values or real numbers, not {type(x).__name__}: give a list of numbers")
    if x is None or callable(x):
        raise TypeError(f"the inputs must be a list of Values or numbers, as [1.0, 2.0], not {type(x).__name__}")
    x = as_sequence(x)
    row: Sequence[Any] = x if is_sequence(x) else [x]
    return row


def inputs(x: Any, nin: int, who: Callable[[], str]) -> Sequence[Any]:
    """Return one sample's inputs as Values: numbers become constants, made once for all neurons of the layer.

    `who` gives the layer's name for an error: to make it beforehand would be a twentieth of a forward pass.
    """
    row: Sequence[Any] = x if type(x) is list else as_row(x)
    if len(row) != nin:
        raise input_error(who(), nin, row)
    return row if set(map(type, row)) == _ALL_VALUES else constants(row, who)


def constants(x: Sequence[Any], who: str | Callable[[], str], letter: str = "x") -> list[Value]:
    """Return x with each number as a constant Value labelled x0, x1, ...; Values stay as they are."""
    values = []
    for i, value in enumerate(x):
        try:
            values.append(
                value if isinstance(value, Value) else Value(value, label=f"{letter}{i}", requires_grad=False)
            )
        except TypeError:
            hint = ": give one row at a time" if is_sequence(value) else ""
            name = who if isinstance(who, str) else who()
            raise TypeError(
                f"{name}: input {i} must be a Value or a real number, not {type(value).__name__}{hint}"
            ) from None
    return values


_ALL_VALUES = {Value}


def not_in_a_list(who: str, *given: Any) -> TypeError:
    """Return the error for a sample whose inputs were given one by one."""
    shown = ", ".join(brief(plain_number(x)) for x in given)
    name = who.lower() if who in ("Layer", "Neuron") else "model"
    return TypeError(f"{who} takes one list of inputs, but {len(given)} arguments were given: write {name}([{shown}])")


def input_error(who: str, expected: int, x: Any) -> ValueError:
    """Return the error for a sample with the wrong number of inputs."""
    first: Any = next(iter(x), None)
    hint = (
        "; it looks like an image: flatten it before, by nn.Flatten()"
        if is_sequence(first) and is_sequence(next(iter(first), None))
        else "; it looks like several rows: call the model once for each"
        if is_sequence(first)
        else f"; give a list of {expected} numbers{f', or make the layer with nin = {len(x)}' * (len(x) > 0)}"
    )
    given = "1 was" if len(x) == 1 else f"{len(x)} were"
    return ValueError(f"{who} takes {expected} input{'s' * (expected != 1)}, but {given} given{hint}")


def is_table(X: Any) -> bool:
    """Return whether X is an array or a list of lists that holds equally many plain numbers in each row."""
    if hasattr(X, "__array_interface__"):
        return X.ndim == 2 and X.size > 0 and X.dtype.kind in "biuf"
    if type(X) is not list or set(map(type, X)) != {list} or len(set(map(len, X))) != 1 or not X[0]:
        return False
    return set(map(type, chain.from_iterable(X))) <= {float, int}


def as_samples(X: Any) -> list[Any]:
    """Return the samples of X, numbers as constant Values: rows, sequences of any length, lists in lists.

    Raises:
        TypeError: if X is not a sequence of samples made of numbers.
        ValueError: if X is empty.
    """
    return [_as_sample(sample, f"X, row {i}", constants) for i, sample in enumerate(_listed(X))]


def own_samples(X: Any) -> Any:
    """Return the samples of X as they are now, an array or lists of their own of plain numbers; Values stay the same.

    Raises:
        TypeError, ValueError: as `as_samples`.
    """
    if is_table(X):
        return X.astype("float64", order="C") if hasattr(X, "__array_interface__") else [row[:] for row in X]
    return [_as_sample(sample, f"X, row {i}", _numbers) for i, sample in enumerate(_listed(X))]


def _numbers(x: Sequence[Any], who: str) -> list[Any]:
    """As `constants`, but the numbers themselves."""
    return [new if new is given else new.data for given, new in zip(x, constants(x, who), strict=True)]


def own_targets(y: Sequence[Any]) -> list[Any]:
    """Return the targets as they are now, in containers and arrays of their own; Values and others stay the same.

    Raises:
        ValueError: if they are nested deeper than 100 levels.
    """
    return list(y) if set(map(type, y)) <= {float, int} else [_own(target, 0) for target in y]


def _own(target: Any, depth: int) -> Any:
    if type(target) in _SINGLE:
        return target
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("a target in y")
    if getattr(target, "ndim", 0):
        return deepcopy(target)  # a copy of a torch tensor shares its memory
    if isinstance(target, tuple):
        parts = [_own(x, depth + 1) for x in target]
        if all(map(is_, parts, target)):
            return target
        one = tuple.__new__(type(target), parts)
        if hasattr(target, "__dict__"):
            vars(one).update(vars(target))
        return one
    if not isinstance(target, (*_MUTABLE, array)):
        return target
    keys = target if isinstance(target, Mapping) else range(len(target))
    own = [(key, _own(target[key], depth + 1)) for key in keys]
    mine: Any = target
    with suppress(Exception):  # a class of the user's may refuse to be copied or changed
        mine = copy(target)  # of the same class
        for key, part in own:
            if part is not target[key]:
                mine[key] = part
    return mine


def _as_sample(sample: Any, what: str, made: Callable[[Sequence[Any], str], list[Any]]) -> Any:
    sample = sample.tolist() if hasattr(sample, "tolist") else sample
    if isinstance(sample, Mapping) or (
        is_sequence(sample) and any(is_sequence(x) or isinstance(x, Mapping) for x in sample)
    ):
        leaves, rebuild = flatten(sample, what)
        return rebuild(iter(made(leaves, what)))
    return made(sample if is_sequence(sample) else [sample], what)


def _is_structure(x: Any) -> bool:
    return is_sequence(x) or isinstance(x, Mapping)


def _listed(X: Any) -> Sequence[Any]:
    X = as_array(X)
    if hasattr(X, "tolist"):
        X = X.tolist()
    if not is_sequence(X):
        raise TypeError(f"X must be a list of rows, one for each sample, not {type(X).__name__}")
    if not X:
        raise ValueError("X is empty: there is no sample")
    samples: Sequence[Any] = X
    return samples


def as_rows(X: Any) -> list[Any]:
    """Return the rows of X, numbers as constant Values.

    Raises:
        TypeError: if X is not a sequence of rows of numbers.
        ValueError: if X is empty or its rows differ in length.
    """
    rows = []
    for i, row in enumerate(_listed(X)):
        row = row.tolist() if hasattr(row, "tolist") else row  # noqa: PLW2901
        rows.append(constants(row if is_sequence(row) else [row], f"X, row {i}"))
        if len(rows[i]) != len(rows[0]):
            raise ValueError(
                f"X: row {i} has {len(rows[i])} numbers, but row 0 has {len(rows[0])}: all must have equally many"
            )
    return rows
