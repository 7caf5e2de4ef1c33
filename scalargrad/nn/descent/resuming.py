"""An optimizer's progress as plain data: what it has to remember so that training goes on as if it had not stopped."""

from __future__ import annotations

import copy
import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from scalargrad.nn.modules.states import name_mismatch, quoted
from scalargrad.support.arguments import brief, items, real
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from scalargrad.nn.modules.resumable import Resumable

MOST_STEPS = 2**53
"""A compiled training counts steps in a double."""

# -------------------------------------------------------------------- settings, checked


def not_negative(x: Any, name: str) -> float:
    """Return a number from 0 up as a float."""
    return _within(x, name, math.inf)


def fraction(x: Any, name: str) -> float:
    """Return a number from 0 to below 1 as a float."""
    return _within(x, name, 1.0)


def positive(given: Any, name: str) -> float:
    """Return a number that may be added to a divisor to keep it from 0, as a float."""
    x = real(given, name)
    if not 0 < x < math.inf:
        raise ValueError(f"{name} keeps a division by zero away, so it must be positive and finite, not {x!r}")
    return x


def flag(x: Any, name: str) -> bool:
    """Return True or False."""
    if isinstance(x, (list, tuple, str, dict)) or x is None:
        raise TypeError(f"{name} must be True or False, not {brief(x)}")
    return bool(x)


def pair(xs: Any, name: str) -> tuple[float, float]:
    """Return two fractions."""
    found = items(xs, name, "(0.9, 0.999)")
    if len(found) != 2:
        raise ValueError(f"{name} must be two numbers, as in (0.9, 0.999), not {brief(xs)}")
    return fraction(found[0], f"the first of {name}"), fraction(found[1], f"the second of {name}")


def _within(given: Any, name: str, high: float) -> float:
    x = real(given, name)
    if not 0 <= x < high:
        bounds = "at least 0" + (f" and below {high:g}" if high < math.inf else " and finite")
        raise ValueError(f"{name} must be {bounds}, not {x!r}")
    return x


# -------------------------------------------------------------------- to data and back

ENTRIES = ("kind", "steps", "settings", "counts", "averages")


def progress_of(optimizer: Resumable) -> dict[str, Any]:
    """Return what `Optimizer.state_dict` describes."""
    settings = {name: getattr(optimizer, name) for name in optimizer.settings}
    return {
        "kind": type(optimizer).__name__,
        "steps": optimizer.steps,
        "settings": {name: list(x) if isinstance(x, tuple) else x for name, x in settings.items()},
        "counts": list(optimizer._counts),
        "averages": [[state[k] for state in optimizer._states] for k in range(optimizer.averages)],
    }


def changes(optimizer: Resumable, state: Any) -> list[tuple[Any, str, Any]]:
    """Return what to set so that the optimizer goes on from the state, as `set_all` takes it; the state is checked.

    Raises:
        ValueError, TypeError: as `Optimizer.load_state_dict`.
    """
    who, n = type(optimizer).__name__, len(optimizer.parameters)
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict takes what an optimizer's state_dict() gave, not {type(state).__name__}: for a file, use "
            "nn.load(path, model, optimizer=optimizer)"
        )
    problem = name_mismatch(ENTRIES, state)
    if problem:
        raise ValueError(f"this is no state of an optimizer: {problem}")
    if state["kind"] != who:
        raise ValueError(
            f"the state is of {_named(state['kind'])}, but this optimizer is {who}: build one of that kind"
        )
    steps = whole_number(state["steps"], "steps")
    settings = checked_settings(optimizer, state["settings"])
    counts = [whole_number(x, f"counts, {i}") for i, x in enumerate(a_list(state["counts"], "counts", n, who))]
    for i, count in enumerate(counts):
        if count > steps:
            raise ValueError(
                f"counts, {i} is {count}, but a parameter cannot have moved more often than steps, {steps}"
            )
    columns = a_list(state["averages"], "averages", optimizer.averages, f"{who}, for each kind of them")
    averages = []
    for k, column in enumerate(columns):
        name, is_square = f"averages, {k}", k in optimizer.squares
        averages.append([_average(x, is_square, f"{name}, {i}") for i, x in enumerate(a_list(column, name, n, who))])
    states = list(zip(*averages, strict=True)) if averages else [()] * n
    return [
        *((optimizer, "_lr" if name == "lr" else name, x) for name, x in settings.items()),
        (optimizer, "_states", states),
        (optimizer, "_counts", counts),
        (optimizer, "steps", steps),
    ]


def checked_settings(optimizer: Resumable, settings: Any) -> dict[str, Any]:
    """Return the settings as the optimizer keeps them, if it could have been built with them."""
    if not isinstance(settings, Mapping):
        raise TypeError(f"the settings must be a dict, not {type(settings).__name__}")
    problem = name_mismatch(optimizer.settings, settings)
    if problem:
        raise ValueError(f"the settings do not fit this {type(optimizer).__name__}: {problem}")
    found = {name: check(settings[name], name) for name, check in optimizer.settings.items()}
    trial = copy.copy(optimizer)
    vars(trial).update(found)
    trial._fit_together()
    return found


def a_list(xs: Any, name: str, n: int, whose: str) -> Sequence[Any]:
    """Return a list of n."""
    if not isinstance(xs, (list, tuple)):
        raise TypeError(f"{name} must be a list, not {type(xs).__name__}")
    if len(xs) != n:
        raise ValueError(f"{name} has {len(xs)} entries, but there must be {n} for this {whose}")
    return xs


def whole_number(x: Any, name: str) -> int:
    """Return a count of steps."""
    if type(x) is not int:
        raise TypeError(f"{name} must be a whole number, not {quoted(x)}")
    if not 0 <= x < MOST_STEPS:
        raise ValueError(f"{name} must be from 0 to below 2**53, not {quoted(x)}")
    return x


def _average(x: Any, is_square: bool, name: str) -> float:
    if isinstance(x, bool) or not isinstance(x, (int, float)):
        raise TypeError(f"{name} must be a number, not {quoted(x)}")
    if is_square and x < 0:
        raise ValueError(f"{name} is an average of squares, so it cannot be {quoted(x)}")
    try:
        return number(x)  # inf and nan too: a training that diverged has them, and its state can be put back
    except OverflowError:
        raise ValueError(f"{name} is an integer too large for a float") from None


def _named(kind: Any) -> str:
    return kind[:100] if isinstance(kind, str) and kind.isidentifier() else quoted(kind)
