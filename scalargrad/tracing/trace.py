"""`trace`: from a Value to the steps that compute it and its gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, overload

from scalargrad.drawing.result import check_place
from scalargrad.engine import Value
from scalargrad.node.errors import no_graph
from scalargrad.support.arguments import place
from scalargrad.support.browser import show_page
from scalargrad.support.console import Text, printable
from scalargrad.support.files import replace_file
from scalargrad.support.spelling import explained
from scalargrad.tracing import page, terminal
from scalargrad.tracing.steps import Step, record_steps

if TYPE_CHECKING:
    import os
    from pathlib import Path

    from scalargrad.node.variables import Names


class Trace(Sequence[Step]):
    """The steps of a forward and a backward pass, in order. Jupyter shows it as a stepper, `print` as a table.

    Attributes:
        graph: what the steps share: root, order, names and gradients.

    >>> from scalargrad import Value, trace
    >>> x, y = Value(3.0, label='x'), Value(2.0, label='y')
    >>> f = x * y + x
    >>> f.label = 'f'
    >>> steps = trace(f)
    >>> len(steps), steps[5].text
    (9, 'v1.grad += f.grad × local = 1 × 1 = 1')
    """

    def __init__(self, value: Value, seed: float = 1.0, *, expand: bool = False, names: Names = True) -> None:
        if not isinstance(value, Value):
            raise no_graph("trace", value)
        self.graph = record_steps(value, seed, expand, page.step_shown, names)
        self._steps = self.graph.steps

    @overload
    def __getitem__(self, index: int) -> Step: ...
    @overload
    def __getitem__(self, index: slice) -> list[Step]: ...
    def __getitem__(self, index: int | slice) -> Step | list[Step]:
        return self._steps[index]

    def __len__(self) -> int:
        return len(self._steps)

    def __iter__(self) -> Iterator[Step]:
        return iter(self._steps)

    def table(self, limit: int | None = terminal.MOST) -> str:
        """Every step as a line: its number, phase and equation. `print(trace)` shows this table.

        Steps are numbered from 1, so `trace[i]` is step i + 1.

        Args:
            limit: how many steps at most; None for all of them.

        >>> from scalargrad import Value, trace
        >>> print(trace(Value(3.0, label='x').tanh()).table())
        step  phase     equation
           1  forward   x = 3
           2  forward   v1 = tanh(x) = tanh(3) = 0.9951
           3  seed      v1.grad = 1
           4  backward  x.grad += v1.grad × local = 1 × 0.0099 = 0.0099
        """
        return Text(terminal.step_table(self, limit))

    def play(self) -> None:
        """Step through it in a terminal: equation, explanation and all the numbers so far.

        The arrow keys go on and back, a number and Enter to that step, q leaves. Where there is no terminal, as in a
        notebook or a pipe, the table is written. What cannot show × gets ASCII; NO_COLOR=1 turns colours off.
        """
        terminal.play(self)

    @property
    def html(self) -> str:
        """The stepper as a piece of HTML that needs nothing else: a picture, a table of all steps, and one script.

        Raises:
            TraceTooLongError: if there are more than 300 steps.
        """
        return page.fragment(self.graph)

    def save(self, path: str | os.PathLike[str], *, max_steps: int = page.MAX_STEPS) -> Path:
        """Write the stepper as a page, `walk.html`, that opens from the file without any network. Returns the path.

        Args:
            path: where; the suffix is .html.
            max_steps: how many steps at most.

        Raises:
            ValueError: for another suffix.
            TraceTooLongError: if there are more than `max_steps` steps.
            OSError: if the file cannot be written.
        """
        path = place(path, "save: path")
        check_place(path, "trace", [".html"])
        replace_file(path, page.page(self.graph, max_steps).encode())
        return path

    def show(self) -> Path:
        """Open the stepper in a browser, as a page in the folder for temporary files, and return the page's path.

        Where there is no display, it says where the page is.

        Raises:
            TraceTooLongError: if there are more than 300 steps.
            OSError: if the page cannot be written.
        """
        return show_page(page.page(self.graph, page.MAX_STEPS))

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the stepper; of a trace too long for it the first steps."""
        return {"text/html": page.shown(self.graph), "text/plain": repr(self)}

    def __str__(self) -> str:
        return printable(self.table())

    def __repr__(self) -> str:
        root = self.graph.root
        return f"<trace of {self.graph.names[root]}: {len(self.graph.order)} values, {len(self)} steps>"


@explained("trace(y)")
def trace(value: Value, seed: float = 1.0, *, expand: bool = False, names: Names = True) -> Trace:
    """Record every step of forward and backward propagation. No `grad` is touched.

    Args:
        value: the output of the graph.
        seed: the gradient to start from.
        expand: whether fused nodes, as sum, dot and logsumexp, are traced as the elementary nodes they stand for.
        names: whether Values without a label are called as the caller's variables are; False leaves them v1, v2, ...;
            a mapping such as `locals()` is read instead of the caller's variables.

    Returns:
        A Trace: a step for each value in topological order, one for the seed, then one for each edge.

    Raises:
        TypeError: if `value` is not a Value.
        ValueError: as `backward()`, if there is nothing to differentiate.
    """
    return Trace(value, seed, expand=expand, names=names)
