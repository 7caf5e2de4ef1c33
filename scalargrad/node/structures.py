"""Numbers in lists, tuples and dicts, nested as one likes: taken apart into a flat list and put together again."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator, Mapping
from copy import copy, deepcopy
from functools import partial
from typing import Any, NamedTuple

from scalargrad.node.copying import attributes_of, give_attributes
from scalargrad.node.numbers import NumberLike
from scalargrad.support.arguments import MAX_DEPTH, brief, too_deep
from scalargrad.support.exactly import DEEPEST, exactly, exactly_or_itself
from scalargrad.support.reals import number

Rebuild = Callable[[Iterator[Any]], Any]


class Static(NamedTuple):
    """Something that is part of a structure, as the lengths of its lists are, and no number in it.

    Attributes:
        value: it.
        key: what tells it from others.
    """

    value: Any
    key: Hashable


def flatten(tree: Any, what: str = "the argument", *, as_given: bool = False) -> tuple[list[Any], Rebuild]:
    """The numbers and Values of a structure from left to right, and the function that puts others in their places.

    Args:
        tree: a number, a Value, or lists, tuples and dicts of these; a numpy array counts as nested lists.
        what: how the message names it.
        as_given: leaves numbers what they are, an int, a bool or a Fraction, and not floats; and an array an array: a
            copy is made in its place, whose numbers are not among the leaves unless there are Values among them.

    Raises:
        TypeError: if anything else is in it.
        ValueError: if it is nested deeper than 100 levels.

    >>> leaves, rebuild = flatten([1.0, (2.0, {"a": 3.0})])
    >>> leaves, rebuild(iter("xyz"))
    ([1.0, 2.0, 3.0], ['x', ('y', {'a': 'z'})])
    """
    leaves: list[Any] = []
    return leaves, _collect(tree, leaves, what, 0, as_given)


def _collect(tree: Any, leaves: list[Any], what: str, depth: int, as_given: bool) -> Rebuild:
    if type(tree) is float:
        leaves.append(tree)
        return next
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep(f"{what[:60]}...")
    if type(tree) is Static:
        return lambda _: tree.value
    if getattr(tree, "ndim", 0) and hasattr(tree, "tolist"):
        if as_given:
            return _array(tree, leaves, what, depth)
        tree = tree.tolist()
    if isinstance(tree, Mapping):
        parts = {
            key: _collect(part, leaves, f"{what}[{brief(key)}]", depth + 1, as_given) for key, part in tree.items()
        }
        make_mapping = _maker(tree)
        if make_mapping is None:
            return lambda new: {key: rebuild(new) for key, rebuild in parts.items()}
        return lambda new: make_mapping({key: rebuild(new) for key, rebuild in parts.items()})
    if isinstance(tree, (list, tuple)):
        items = [_collect(part, leaves, f"{what}[{i}]", depth + 1, as_given) for i, part in enumerate(tree)]
        make = _maker(tree) or (list if isinstance(tree, list) else tuple)
        return lambda new: make([rebuild(new) for rebuild in items])
    if not isinstance(tree, NumberLike):
        try:
            x = number(tree)
        except TypeError:
            raise TypeError(
                f"{what} must be a number, a Value, or lists, tuples and dicts of them, not {type(tree).__name__}"
            ) from None
        tree = tree if as_given else x
    leaves.append(tree)
    return next


def _array(tree: Any, leaves: list[Any], what: str, depth: int) -> Rebuild:
    """Of an array that stays one: whoever writes into it later does not change the copies."""
    inside: list[Any] = []
    _collect(tree.tolist(), inside, what, depth, as_given=False)  # refuses what is no array of numbers
    if not any(isinstance(x, NumberLike) for x in inside):
        kept = deepcopy(tree)
        return lambda _: deepcopy(kept)
    leaves += inside
    like = copy(tree)

    def make(new: Iterator[Any]) -> Any:
        made = copy(like)
        made.flat = [next(new) for _ in inside]
        return made

    return make


def _maker(tree: Any) -> Callable[[Any], Any] | None:
    """What makes a list, tuple or dict of the same class; None for a plain one, and where only its content is known."""
    kind = type(tree)
    if kind in _WITHOUT_STATE or not isinstance(tree, (list, tuple, dict)):
        return None
    if isinstance(tree, tuple):
        filled = partial(tuple.__new__, kind)
        try:
            filled(tree)
        except TypeError:  # one of C's, as time.struct_time
            return None
        names, slots = attributes_of(tree)
        attributes = dict(names), slots
        if not any(attributes):
            return filled

        def new(content: Any) -> Any:
            made = filled(content)
            give_attributes(made, *attributes)
            return made

    else:
        empty: Any = copy(tree)
        empty.clear()
        attributes = attributes_of(empty)

        def new(content: Any) -> Any:
            made = copy(empty)
            if isinstance(made, list):
                made.extend(content)
            else:
                made.update(content)
            return made

        if not any(attributes):
            return new
    kept: list[Any] = []

    def make(content: Any) -> Any:
        """The first has the attributes themselves, others their lists and dicts as they were then, each its own."""
        made = new(content)
        if kept:
            give_attributes(made, *_own(kept[0]))
        else:
            kept.append(_own(attributes))
        return made

    return make


def _own(x: Any, depth: int = 0) -> Any:
    """Lists, dicts and sets of its own, as deep as `exactly_or_itself` looks into them; all else is shared."""
    kind = type(x)
    if depth >= DEEPEST:  # the cap allows recursion here
        return x
    if kind in (list, tuple):
        return kind([_own(part, depth + 1) for part in x])
    if kind is dict:
        return {key: _own(part, depth + 1) for key, part in x.items()}
    return set(x) if kind is set else x


def structure(tree: Any, depth: int = 0) -> Hashable:
    """The structure alone: the containers' types and attributes, and the keys in order. Equal are the same only.

    Raises:
        ValueError: if it is nested deeper than 100 levels.
    """
    if type(tree) is float:
        return None
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("an argument")
    if type(tree) is Static:
        return Static, tree.key
    if getattr(tree, "ndim", 0) and hasattr(tree, "tolist"):
        tree = tree.tolist()
    depth += 1
    if isinstance(tree, (list, tuple)):
        parts = tuple([structure(part, depth) for part in tree])
        # As many numbers as there are, or what they are.
        return type(tree), parts if any(parts) else len(parts), *_state_of(tree)
    if isinstance(tree, Mapping):
        keyed = tuple([(exactly(key), structure(part, depth)) for key, part in tree.items()])
        return type(tree), getattr(tree, "default_factory", None), keyed, *_state_of(tree)
    return None


def _state_of(tree: Any) -> tuple[Hashable, ...]:
    """The attributes of a list, tuple or dict of a class of the user's: what `flatten` hands on beside its content."""
    if type(tree) in _WITHOUT_STATE or not isinstance(tree, (list, tuple, dict)):
        return ()
    if isinstance(tree, tuple):  # it has no slots
        return (exactly_or_itself(vars(tree)),) if getattr(tree, "__dict__", None) else ()
    made_of: Any = tree.__reduce_ex__(2)  # how a copy is made: a class, its arguments, the state, ...
    state = made_of[2:3]
    return (exactly_or_itself(state[0]),) if any(state) else ()


_WITHOUT_STATE = {list, tuple, dict}


def skeleton(tree: Any, depth: int = 0) -> str:
    """The structure alone, a * for each number.

    Raises:
        ValueError: if it is nested deeper than 100 levels.

    >>> skeleton([1.0, (2.0, {"a": 3.0})])
    "[*, (*, {'a': *})]"
    """
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise too_deep("an argument")
    depth += 1
    if getattr(tree, "ndim", 0) and hasattr(tree, "tolist"):
        tree = tree.tolist()
    if isinstance(tree, Mapping):
        return "{" + ", ".join([f"{key!r}: {skeleton(part, depth)}" for key, part in tree.items()]) + "}"
    if isinstance(tree, list):
        return f"[{', '.join([skeleton(part, depth) for part in tree])}]"
    if isinstance(tree, tuple):
        return f"({', '.join([skeleton(part, depth) for part in tree])})"
    return "*"
