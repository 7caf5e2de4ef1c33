"""States: the numbers of a model by name, taken and set all at once."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import repeat
from operator import attrgetter
from typing import TYPE_CHECKING, Any

from scalargrad.node.numbers import number_in
from scalargrad.node.rules import LEAVES, Rule
from scalargrad.support.at_once import assignments
from scalargrad.support.reals import number

if TYPE_CHECKING:
    from scalargrad.engine import Value

# Taking and setting are one call of the interpreter each, as an optimizer's step is: neither Ctrl-C nor another thread
# comes in between.


def numbers_of(values: Mapping[str, Value]) -> dict[str, float]:
    """Return the number of each Value."""
    numbers = list(map(attrgetter("_data"), values.values()))
    return {
        name: x if type(x) is float else number_in(value)
        for (name, value), x in zip(values.items(), numbers, strict=True)
    }


def set_all(changes: Iterable[tuple[Any, str, Any]]) -> None:
    """Set attributes, given as (object, name, what it becomes), all at once."""
    objects, names, new = zip(*changes, strict=True)
    assignments(objects, names, new)()


def frozen_rule(leaf: Value) -> Rule:
    """Return the rule of this leaf once it is frozen, as `leaf.requires_grad = False` gives it."""
    return LEAVES[False, leaf.is_parameter]


def assign(values: Mapping[str, Value], numbers: Sequence[float]) -> None:
    """Set the Values, in order."""
    assignments(list(values.values()), repeat("_data"), numbers)()


def matching_numbers(values: Iterable[str], state: Any, who: str) -> list[float]:
    """Return the state's numbers in the order of these names; the errors are those of `load_state_dict`."""
    if not isinstance(state, Mapping):
        raise TypeError(
            f"load_state_dict takes numbers by name, as state_dict() gives them, not {type(state).__name__}: "
            "for a file, use load(path)"
        )
    problem = name_mismatch(values, state)
    if problem:
        raise ValueError(f"the state does not fit this {who}: {problem}")
    numbers = []
    for name in values:
        try:
            numbers.append(number(state[name]))
        except (TypeError, OverflowError) as error:
            raise type(error)(f"load_state_dict: {quoted(name)}: {error}") from None
    return numbers


def name_mismatch(expected: Iterable[str], given: Iterable[Any]) -> str:
    """Return which names are missing and which unexpected; the empty text if they are the same."""
    expected, given = dict.fromkeys(expected), dict.fromkeys(given)
    missing = [name for name in expected if name not in given]
    unexpected = [name for name in given if name not in expected]
    return "; ".join(
        f"{what} {len(names)} name{'s' * (len(names) != 1)}: {', '.join(map(quoted, names[:6]))}"
        + (f" and {len(names) - 6} more" if len(names) > 6 else "")
        for what, names in (("missing", missing), ("unexpected", unexpected))
        if names
    )


def quoted(x: Any) -> str:
    """Return a name or number as messages show it: it may come from a file, so it is quoted and cut."""
    text = repr(x[:100]) if isinstance(x, str) else repr(x) if isinstance(x, (int, float)) else type(x).__name__
    return text if len(text) <= 80 else f"{text[:79]}…"


class Copies:
    """Makes the copies of a module with Values, as copy asks for them; pickle, which would store it, is told no."""

    def __init__(self, make: Callable[..., Any], owner: str) -> None:
        self._make, self._owner = make, owner

    def __call__(self, *args: Any) -> Any:
        """A new module, as yet without attributes."""
        return self._make(*args)

    def __reduce__(self) -> Any:
        raise TypeError(
            f"a module with Values, as this {self._owner}, cannot be pickled: model.save(path) stores it and "
            "nn.load(path) reads it again, model.state_dict() gives its numbers by name, and copy.deepcopy(model) "
            "copies it"
        )
