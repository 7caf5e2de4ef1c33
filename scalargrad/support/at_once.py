"""Many attributes set at once: Ctrl-C, or another thread, comes before the first of them or after the last."""

from collections.abc import Callable, Iterable
from functools import partial
from typing import Any


def assignments(objects: Iterable[Any], names: Iterable[str], values: Iterable[Any]) -> Callable[[], object]:
    """What sets one attribute of each object, in order, in a single call; it can be called once.

    Python handles signals and switches threads between its own instructions, also at the beginning of a function. `any`
    and `map` run outside them, and setattr returns None, so that `any` goes on to the end. That holds if no line of
    Python runs on the way: for slots and plain attributes, and for values that are there or come from C. It is returned
    and not run here, so that a `finally` has it ready: a call of this function would be an opportunity for a signal.

    >>> from types import SimpleNamespace
    >>> a, b = SimpleNamespace(grad=0.0), SimpleNamespace(grad=0.0)
    >>> write = assignments([a, b], ["grad", "grad"], [1.0, 2.0])
    >>> _ = write()
    >>> a.grad, b.grad
    (1.0, 2.0)
    """
    return partial(any, map(setattr, objects, names, values))
