"""replay: a function that builds a graph builds it once; later calls run the recorded program."""

from __future__ import annotations

import functools
from collections.abc import Callable, Collection, Iterable, Sequence
from typing import Any

from scalargrad.compiling.backends import check_backend
from scalargrad.compiling.branches import Broken, check_branches, first_broken
from scalargrad.compiling.pipeline import runner_with_gradient
from scalargrad.compiling.points import ByKeywords, wants_graph
from scalargrad.compiling.reached import numbers_of, parameters_for
from scalargrad.compiling.recordings import PointRecordings
from scalargrad.compiling.statics import Statics, unmarked
from scalargrad.compiling.taping import TapedCall
from scalargrad.compiling.watching import WatchedCall
from scalargrad.engine import Value
from scalargrad.node.mode import being_compiled, modes_were_used
from scalargrad.node.new_nodes import recorded_or_constant
from scalargrad.node.numbers import plain_number
from scalargrad.node.rules import Adjoints, Masked, Rule
from scalargrad.node.structures import flatten, structure


class Replayed(Rule):
    """The rule of a Value that a replay computed: its parents are the leaves, and their gradients are known."""

    text = "replay"

    def __init__(self, gradients: Sequence[float]) -> None:
        self.gradients = gradients

    def backward(self, node: Value, upstream: Any, adjoints: Adjoints) -> None:
        """Hand every leaf its gradient times what comes from above."""
        for leaf, gradient in zip(node._x, self.gradients, strict=True):
            adjoints[leaf] += upstream * gradient

    def backward_as_graph(self, node: Value, upstream: Any, adjoints: Masked) -> None:  # noqa: ARG002
        """Refuse: a replay leaves no graph."""
        raise TypeError(
            "what a replay returns has first derivatives only: for a graph of gradients call the function itself, "
            "which is the replay's __wrapped__"
        )


class ReplayProgram:
    """The program of one run of the function."""

    def __init__(
        self, fn: Callable[..., Any], args: Sequence[Any], numbers: Sequence[float], choice: str, name: str
    ) -> None:
        call = WatchedCall(fn, [flatten(arg)[1] for arg in args], numbers, name)
        if call.rebuild_output is not next or not isinstance(call.outputs[0], Value):
            raise TypeError(
                f"{name} must return one Value, the root of its graph: other numbers cannot follow a replay. Compute "
                "accuracy and the like outside"
            )
        taped = TapedCall(call, run_hooks=True)  # those of leaves, in the root's own backward()
        tape, (root,) = taped.tape, taped.outputs
        self.guards, self.leaves = taped.guards, taped.parameters
        self.has_indices = taped.has_indices
        self.trained = tuple(leaf for leaf in self.leaves if leaf.requires_grad)
        wanted = [taped.slots[leaf] for leaf in self.trained]
        self._run = runner_with_gradient(choice, tape, root, wanted, more=taped.violations())
        self._numbers = parameters_for(self._run, self.leaves)

    def run(self, numbers: Sequence[float]) -> tuple[Value, Broken | None]:
        """The root as a new Value, and the first guard that does not hold."""
        n = 1 + len(self.trained)
        found = self._run(self._numbers(), numbers)
        broken = first_broken(self.guards, found[n:]) if self.guards else None
        node: Value = object.__new__(Value)
        node._data = node._kept = found[0]
        node.grad, node._rule = 0.0, Replayed(found[1:n])
        node._x, node._a = self.trained, tuple(numbers_of(self.trained))
        node._y = node._b = None
        return recorded_or_constant(node) if modes_were_used else node, broken


class Replay:
    """A function whose graph is built once; made by `scalargrad.replay`."""

    def __init__(
        self, fn: Callable[..., Any], backend: str, branches: str, static: Iterable[str] = (),
        also: Collection[Any] | None = None,
    ) -> None:  # fmt: skip
        functools.update_wrapper(self, fn)
        self._fn = fn
        name = getattr(fn, "__name__", type(fn).__name__)
        self._statics = Statics(fn, name, static)
        also = self._statics.met if also is None else also
        self._recordings = PointRecordings(
            fn,
            name,
            branches,
            lambda args, numbers: ReplayProgram(fn, args, numbers, backend, name),
            lambda args, _: fn(*unmarked(args)),
            also,
        )
        self._with_keywords = ByKeywords(fn, name, lambda fn: Replay(fn, backend, branches, also=also)._called)

    def __call__(self, *args: Any, **keywords: Any) -> Value:
        """The root, with the numbers that the leaves and arguments have now.

        Where an argument is a Value that requires grad, the function itself runs, so that it gets its gradient.

        Raises:
            BranchError: if a comparison in the function comes out otherwise than when it was recorded.
        """
        args = tuple(self._statics.marked(args))
        if keywords:
            return self._with_keywords(args, self._statics.marked_keywords(keywords))  # type: ignore[no-any-return]
        return self._called(*args)

    def _called(self, *args: Any) -> Value:
        given = [x for i, arg in enumerate(args) for x in flatten(arg, f"argument {i}")[0]]
        if being_compiled() or wants_graph(given):
            return self._fn(*unmarked(args))  # type: ignore[no-any-return]
        numbers = list(map(plain_number, given))
        return self._recordings.result(tuple(map(structure, args)), args, numbers)  # type: ignore[no-any-return]


def replay(
    fn: Callable[..., Any] | None = None, *, backend: str = "auto", branches: str = "raise", static: Iterable[str] = ()
) -> Any:
    """Make a function that builds a graph of Values, as a loss does, build it once and replay it afterwards.

    A training loop in micrograd's style stays as it is: the root that a replay returns has `backward()`, which adds to
    the leaves' `grad`. Numbers of leaves are read at each call; arguments must be numbers or lists of them, or static.
    What the function decides by comparing Values is guarded; what it takes out of Values with `.data` is refused.

    Several threads may call it at once, the first time too: one of them records while the others wait. (That they do
    not change the data of leaves that others read at that moment, and do not run `backward()` into the same leaves,
    is for them to see to.)

    Args:
        fn: the function; it must return one Value.
        backend: as in `compile`.
        branches: "raise", or "record" to record every branch that is taken.
        static: as in `compile`.

    >>> import scalargrad
    >>> w = scalargrad.Value(0.0)
    >>> @scalargrad.replay(backend="python")
    ... def loss():
    ...     return (w * 2.0 - 3.0) ** 2
    >>> for _ in range(30):
    ...     w.grad = 0.0
    ...     loss().backward()
    ...     w.data -= 0.1 * w.grad
    >>> round(w.data, 6)
    1.5
    """
    if fn is None:
        return functools.partial(replay, backend=backend, branches=branches, static=static)
    if not callable(fn):
        raise TypeError(f"replay takes a function that returns a Value, not {type(fn).__name__}")
    check_backend(backend)
    check_branches(branches)
    return Replay(fn, backend, branches, static)
