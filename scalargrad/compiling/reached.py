"""What recordings take for granted: that the leaves they have reached are trained or frozen, and what lies around."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

from scalargrad.node.extras import hooks_of
from scalargrad.node.numbers import number_in
from scalargrad.node.rules import last_change

if TYPE_CHECKING:
    from scalargrad.compiling.surroundings import Surroundings
    from scalargrad.engine import Value


def numbers_of(leaves: Iterable[Value]) -> list[float]:
    """The numbers that they hold now."""
    leaves = list(leaves)
    numbers = [leaf._data for leaf in leaves]
    return numbers if set(map(type, numbers)) <= _FLOAT else list(map(number_in, leaves))


_FLOAT = {float}


Numbers = Callable[[], Sequence[float]]
"""What gives the numbers of some leaves as they are now."""


def parameters_for(run: Any, leaves: Iterable[Value]) -> Numbers:
    """What gives a backend's run the numbers of its leaves: anew each time, unless it reads them from the Values."""
    held = getattr(run, "leaves", None)
    return partial(numbers_of, leaves) if held is None else partial(_itself, held(leaves))


def _itself(x: Any) -> Any:
    return x


class Reached:
    """Leaves, in the order in which they were reached, and the surroundings of the function.

    Args:
        surroundings: those of the function that is recorded.
    """

    def __init__(self, surroundings: Surroundings) -> None:
        self.surroundings = surroundings
        # In one tuple: another thread sees the leaves and what they were at the same moment.
        self._state: tuple[dict[Value, None], list[Any], object] = ({}, [], last_change[0])

    @property
    def leaves(self) -> list[Value]:
        """All of them."""
        return list(self._state[0])

    @property
    def known(self) -> Mapping[Value, None]:
        """The same as keys; another mapping whenever some were added."""
        return self._state[0]

    def add(self, leaves: Iterable[Value], *, recorded: bool = False) -> None:
        """What these are now is taken for granted, and what the others are; a recording has reached them, perhaps."""
        change = last_change[0]
        before, granted, _ = self._state
        known = {**before, **dict.fromkeys(leaves)}
        if recorded:
            self.surroundings.after_a_run()
        else:
            self.surroundings.look()
        now: Any = _granted(known)
        if recorded and _granted(before) != granted:  # by another thread: who knows which of both was recorded
            now, change = None, None
        self._state = known, now, change

    def is_empty(self) -> bool:
        """Whether there is nothing that could change."""
        return not self._state[0] and self.surroundings.is_empty()

    def have_changed(self) -> bool:
        """Whether something does not hold any more."""
        if last_change[0] is not self._state[2] and self.leaves_have_changed():
            return True
        return self.surroundings.have_changed()

    def leaves_have_changed(self) -> bool:
        """Whether one of them was frozen, is trained now, or has another hook."""
        leaves, granted, change = self._state
        now = last_change[0]
        if now is not change:  # some Value's rule has changed somewhere
            if _granted(leaves) != granted:
                return True
            self._state = leaves, granted, now
        return False


def _granted(leaves: Collection[Value]) -> list[Any]:
    """Of each whether it is trained; then the hooks of those that have any."""
    trained: list[Any] = [leaf._rule.requires_grad for leaf in leaves]
    # Only then can there be hooks (node/extras.py); there may be very many leaves.
    hooked = [leaf for leaf in leaves if type(leaf._b) is tuple or leaf._a is not None]
    return trained + [(id(leaf), *hooks) for leaf in hooked if (hooks := hooks_of(leaf))]
