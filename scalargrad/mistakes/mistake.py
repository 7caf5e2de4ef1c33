"""What a mistake is: a story, the code as it was written, a graph on which it shows, and the gradients it gives."""

from __future__ import annotations

import inspect
import math
from typing import TYPE_CHECKING, Any

from scalargrad.engine import Value, topological_order
from scalargrad.mistakes import engines
from scalargrad.mistakes.comparison import Comparison
from scalargrad.support.arguments import function

if TYPE_CHECKING:
    from collections.abc import Callable

    from scalargrad.mistakes.engines import Locals, Sweep
    from scalargrad.node.rules import Adjoints
    from scalargrad.node.variables import Names

_LABELS = "cdefgh"


class Mistake:
    """One wrong engine. Jupyter shows it beside the right one on the smallest graph where it makes a difference.

    Attributes:
        name: what it is called in `scalargrad.mistakes`.
        story: what was done, and why it is wrong, in one sentence.
        code: the lines as they might have been written, in the manner of micrograd.
        function: builds the smallest graph on which it shows, from Values or floats.
        point: and at which numbers.
    """

    def __init__(
        self,
        name: str,
        story: str,
        code: str,
        function: Callable[..., Any],
        point: tuple[float, ...],
        *,
        locals_of: Locals = engines.locals_of_table,
        sweep: Sweep = engines.right,
    ) -> None:
        self.name = name
        self.story = story
        self.code = inspect.cleandoc(code)
        self.function = function
        self.point = point
        self._locals_of = locals_of
        self._sweep = sweep

    def graph(self) -> tuple[Value, list[Value]]:
        """The smallest graph on which it shows, made anew: the root y, and the leaves a, b."""
        leaves = [Value(x, label=label) for x, label in zip(self.point, "ab", strict=False)]
        root = self.function(*leaves)
        computed = [node for node in topological_order(root) if not node.is_leaf]
        for node, label in zip(computed[:-1], _LABELS, strict=False):
            node.label = label
        root.label = "y"
        return root, leaves

    def gradients(self, root: Value) -> Adjoints:
        """What this engine takes for the gradients of the root; no `grad` is touched.

        Args:
            root: the output of any graph of operations of the table.

        Returns:
            A dict from every node of the graph to its wrong gradient; on many a graph some or all of them are right.

        Raises:
            TypeError: if a node was made by a hand-written closure.
            TooManyVisitsError: by `no_sorting`, whose time grows with the number of paths.
        """
        _check(root)
        return self._sweep(root, self._locals_of)

    def local_derivatives(self, node: Value) -> list[float | None]:
        """What this engine takes for the local derivatives of a node; None where nothing is handed on."""
        _check(node)
        return self._locals_of(node)

    def gradient_of(self, f: Callable[..., Any]) -> Callable[..., list[float]]:
        """The gradient of f as this engine has it: a function of floats, to be given to a gradient checker.

        >>> from scalargrad import mistakes
        >>> mistakes.own_factor.gradient_of(lambda x, y: x * y)(2.0, 3.0)
        [2.0, 3.0]
        """
        f = function(f, "f")

        def gradient(*xs: float) -> list[float]:
            leaves = [Value(x) for x in xs]
            root = f(*leaves)
            found = self.gradients(root) if isinstance(root, Value) else {}
            return [found.get(leaf, 0.0) for leaf in leaves]

        return gradient

    def wrong_nodes(self, root: Value) -> list[Value]:
        """The nodes of a graph whose gradient it gets wrong, in topological order."""
        _check(root)
        truth, claimed = engines.right(root, engines.locals_of_table), self.gradients(root)
        return [
            node for node in truth if (not node.is_leaf or node.requires_grad) and differ(truth[node], claimed[node])
        ]

    def show(self, root: Value | None = None, *, names: Names = True) -> Comparison:
        """Two pictures side by side, the right gradients and these, with the wrong numbers marked.

        Args:
            root: the output of a graph; by default of the smallest on which the mistake shows.
            names: whether Values without a label are called as the caller's variables are, as in `draw`.

        Returns:
            A Comparison: Jupyter shows the pictures, `print` a table.

        Raises:
            TypeError: as `gradients`.
            ValueError: if the graph has more than 200 Values.
        """
        if root is None:
            root, _ = self.graph()
        _check(root)
        return Comparison(self, root, names)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:
        return self.show()._repr_mimebundle_(include, exclude)

    def __str__(self) -> str:
        return str(self.show())

    def __repr__(self) -> str:
        return f"<mistake {self.name}: {self.story}>"


def differ(right: float, claimed: float) -> bool:
    """Whether two gradients are different numbers, beyond what the order of additions does.

    >>> differ(0.1 + 0.2, 0.3), differ(1.0, 2.0), differ(float("nan"), float("nan"))
    (False, True, False)
    """
    if right != right or claimed != claimed:
        return (right == right) != (claimed == claimed)
    return not math.isclose(right, claimed, rel_tol=1e-9, abs_tol=1e-12)


def _check(root: Any) -> None:
    if not isinstance(root, Value):
        raise TypeError(f"a mistake is made on a graph: give its output, a Value, not {type(root).__name__}")
