"""What the user's variables call a Value: read off the caller's frame, or out of a mapping. No label is given."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from itertools import islice
from typing import TYPE_CHECKING, Any

from scalargrad.node.errors import PACKAGE
from scalargrad.support.arguments import brief

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import FrameType

Names = bool | Mapping[str, Any]
"""What `names=` takes in all that show a graph: True, False, or the variables themselves, as `locals()`."""

MOST_VARIABLES = 10_000
MOST_IN_ONE, MOST_IN_ALL = 20_000, 100_000
"""What is looked at: so many variables of a namespace; so many elements of one variable, and of all of them."""

_HISTORY = ("In", "Out")
"""Where IPython keeps what cells said and returned."""
_STANDARD_LIBRARY = os.path.dirname(os.path.abspath(os.__file__)) + os.sep
_NOTEBOOKS = tuple(
    f"{os.sep}{folder}{os.sep}{package}"
    for folder in ("site-packages", "dist-packages")
    for package in ("IPython", "ipykernel", "traitlets", "decorator")
)
_COMPREHENSIONS = ("<listcomp>", "<setcomp>", "<dictcomp>", "<genexpr>")
_IN_SLOTS = 1
"""The flag of a function's code, whose variables the interpreter keeps itself; a class body may have any mapping."""


def variable_names(values: Iterable[Any], names: Names, who: str) -> dict[Any, str]:
    """For those of the Values that have no label the names of the variables that hold them.

    Lists, tuples and dicts are looked into, but a list of the whole graph, as `topological_order` gives, names nothing.
    A Value in several variables is named after the first of them in the order of the namespace, usually the one
    assigned first. Objects are told apart by identity and exact type: nothing of what the variables hold is run.

    Args:
        values: the Values of a graph.
        names: True reads the variables that can be seen from the line that called the package; False none; a mapping is
            read instead of them.
        who: the function that was called, as messages name it.

    Raises:
        TypeError: if `names` is none of these.
    """
    if not isinstance(names, (bool, Mapping)):
        raise TypeError(
            f"{who}: names must be True, which reads the caller's variables, False, which does not, or a mapping such "
            f"as locals(), not {brief(names)}"
        )
    if names is False:
        return {}
    graph = {id(value): value for value in values}
    labels = {str(value.label) for value in graph.values() if value.label}
    wanted = {key: value for key, value in graph.items() if not value.label}
    if not wanted:
        return {}
    variables = _seen_by_caller() if names is True else list(names.items())
    variables = [(name, content) for name, content in variables if type(name) is str and name.isidentifier()]
    taken = labels | {name for name, _ in variables}
    found: dict[Any, str] = {}
    ticks = iter(range(MOST_IN_ALL))
    for variable, content in variables:
        if is_hidden(variable, is_value=id(content) in wanted):
            continue
        held = list(
            elements(variable, content, lambda x: id(x) in graph, _is_exact_container, islice(ticks, MOST_IN_ONE))
        )
        if len(held) > 1 and len({id(x) for _, _, x in held}) == len(graph):
            continue
        for text, in_full, x in held:
            if id(x) in wanted:
                name = text if in_full == variable or text not in taken else in_full
                taken.add(name)
                found[wanted.pop(id(x))] = name
        if not wanted:
            break
    return found


def is_hidden(variable: str, *, is_value: bool) -> bool:
    """Whether a variable gives no name: a private one, and IPython's history."""
    return variable.startswith("_") or (variable in _HISTORY and not is_value)


def elements(
    variable: str,
    content: Any,
    is_value: Callable[[Any], bool],
    is_container: Callable[[Any], bool],
    ticks: Iterator[int],
) -> Iterator[tuple[str, str, Any]]:
    """The Values in a variable: for each a label, its name in Python, and the Value.

    Args:
        variable: the name.
        content: what it stands for.
        is_value: whether something is a Value that is looked for.
        is_container: whether something is a list, a tuple or a dict that is looked into.
        ticks: each element costs one; when there are none left, no more are looked at.
    """
    if not is_container(content):
        if is_value(content):
            yield variable, variable, content
        return
    stack: list[tuple[tuple[int | str, ...], Any]] = [((), content)]
    entered = set()  # a list may contain itself
    while stack:
        path, item = stack.pop()
        if not is_container(item):
            yield _joined(variable, path), variable + "".join(f"[{key!r}]" for key in path), item
        elif id(item) not in entered:
            entered.add(id(item))
            items = item.items() if isinstance(item, dict) else enumerate(item)
            inner = [
                ((*path, key), x)
                for (key, x), _ in zip(items, ticks)  # noqa: B905  (whichever ends first)
                if (is_value(x) or is_container(x)) and type(key) in (int, str)
            ]
            stack += reversed(inner)


def _joined(variable: str, path: tuple[int | str, ...]) -> str:
    """The variable with the keys behind it: w0, w12, w1_10, p_w."""
    words = [variable, *(key for key in path if isinstance(key, str))]
    numbers = [key for key in path if isinstance(key, int)]
    clear = all(0 <= n <= 9 for n in numbers) and not any(word[-1:].isdigit() for word in words)
    text = variable
    for key in path:
        text += ("_" if isinstance(key, str) or (text[-1:].isdigit() and not clear) else "") + str(key)
    return text


def _is_exact_container(x: Any) -> bool:
    return type(x) in (list, tuple, dict)


def _seen_by_caller() -> list[tuple[str, Any]]:
    """The variables that can be seen from the nearest line of the user's: local ones first, then the module's.

    Those of a comprehension follow those of the function that it stands in, as if they were that function's.
    """
    frame = _users_frame()
    if frame is None:
        return []
    spaces = [_local(frame)]
    module, of_module = frame.f_globals, _first(frame.f_globals)
    while frame.f_code.co_name in _COMPREHENSIONS and frame.f_back is not None and frame.f_back.f_globals is module:
        frame = frame.f_back
        spaces.append(_local(frame))
    seen: dict[str, Any] = {}
    for space in [*reversed(spaces), of_module]:
        for name, _ in space:
            seen.setdefault(name, None)
    for space in [of_module, *reversed(spaces)]:
        seen.update(space)
    return list(seen.items())


def _users_frame() -> FrameType | None:
    """The nearest frame that is not of the package, nor of what runs notebooks or of the standard library around it."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None:
        path = frame.f_code.co_filename
        is_standard = path.startswith("<frozen ") or (path.startswith(_STANDARD_LIBRARY) and "-packages" not in path)
        if not (path.startswith(PACKAGE) or is_standard or any(part in path for part in _NOTEBOOKS)):
            return frame
        frame = frame.f_back
    return None


def _local(frame: FrameType) -> list[tuple[str, Any]]:
    if frame.f_code.co_flags & _IN_SLOTS:
        return _text_keys(frame.f_locals.items())
    return _first(frame.f_locals)


def _first(space: Any) -> list[tuple[str, Any]]:
    """The first variables of a module or a class body; a mapping with code of its own is not asked."""
    return _text_keys(dict.items(space)) if isinstance(space, dict) else []


def _text_keys(items: Iterable[tuple[Any, Any]]) -> list[tuple[str, Any]]:
    try:
        return [pair for pair in list(islice(items, MOST_VARIABLES)) if type(pair[0]) is str]
    except RuntimeError:  # another thread assigned a variable meanwhile
        return []
