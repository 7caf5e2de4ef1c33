"""One worksheet: a computation graph with numbers left blank, its answer key, its marks and its page."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

from scalargrad.drawing.build import GraphTooLargeError
from scalargrad.drawing.engines import available
from scalargrad.drawing.result import check_place
from scalargrad.engine import Value, topological_order
from scalargrad.node.errors import no_graph
from scalargrad.support.arguments import place, real
from scalargrad.support.console import Text, printable
from scalargrad.support.files import replace_file
from scalargrad.support.labels import clean_label
from scalargrad.tracing.blanks import Hide, choose_blanks
from scalargrad.tracing.hints import Diagnosis
from scalargrad.tracing.marking import Mark, Marks, agrees, read_answers
from scalargrad.tracing.sheet_picture import drawings, key_picture, sheet_picture
from scalargrad.tracing.trace import Trace
from scalargrad.words.texts import columns, counted, number_text, symbol_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from scalargrad.drawing.result import Drawing
    from scalargrad.node.variables import Names
    from scalargrad.tracing.blanks import Blank

MOST_VALUES, MOST_STEPS = 100, 400


class Worksheet:
    """A graph with blanks, its answer key, and a check that knows the typical mistakes. Made by `worksheet`.

    Jupyter shows the sheet, `print` shows it as text; the answers are in `blanks`, `key` and `key_drawing` alone.

    Attributes:
        blanks: what is asked, in the order in which it can be worked out; each with number, name, what and answer.
        trace: the steps, with all the numbers.
        title: the heading.
        variant: its number among sheets with different numbers; None if it is the only one.
        drawing: the picture with blanks.
        key_drawing: the picture with the answers.
    """

    def __init__(
        self,
        root: Value,
        hide: Hide,
        seed: int,
        *,
        with_locals: bool,
        title: str | None,
        expand: bool,
        names: Names = True,
        variant: int | None = None,
    ) -> None:
        if not isinstance(root, Value):
            raise no_graph("worksheet", root)
        check_size(len(topological_order(root)), "value", MOST_VALUES)
        self.trace = Trace(root, expand=expand, names=names)
        check_size(len(self.trace.graph.order), "value", MOST_VALUES)
        check_size(len(self.trace), "step", MOST_STEPS)
        self.blanks: tuple[Blank, ...] = tuple(choose_blanks(self.trace.graph, hide, seed))
        kinds = {blank.what for blank in self.blanks}
        # Gradients beside missing values would give these away where a product passes them on.
        with_gradients = hide != "values"
        self.variant = variant
        self.title = clean_label(title, 200) if title is not None else _TITLES[" and ".join(sorted(kinds))]
        self._picture = sheet_picture(self.trace, self.blanks, with_locals=with_locals, with_gradients=with_gradients)
        self._key_picture = key_picture(self.trace, self.blanks, with_gradients=with_gradients)

    @property
    def task(self) -> str:
        """What to do, in a few sentences."""
        f = symbol_of(self.trace.graph.names[self.trace.graph.root])
        kinds = {blank.what for blank in self.blanks}
        sentences = []
        if "value" in kinds:
            sentences.append("Work out the missing values, from the inputs on: each from the numbers that lead to it.")
        if "gradient" in kinds:
            sentences.append(
                f"Work out the missing gradients, backwards from {f}: {f}.grad is 1. An edge hands on the gradient of "
                "the value it leads to, times the local derivative; what is used several times gets the sum of all "
                "that comes back."
            )
        return " ".join([*sentences, "Give four decimals."])

    @property
    def drawing(self) -> Drawing:
        """The picture with blanks."""
        return drawings(self._picture, "auto")[0]

    @property
    def key_drawing(self) -> Drawing:
        """The picture with the answers."""
        return drawings(self._key_picture, "auto")[0]

    @property
    def heading(self) -> str:
        """The title, and which variant it is."""
        return self.title if self.variant is None else f"{self.title}, variant {self.variant}"

    @property
    def key(self) -> str:
        """The answers as text, each with the steps that lead to it."""
        rows = []
        for blank, how in self.solutions():
            rows.append([blank.sign, f"{blank.question} = {number_text(blank.answer)}"])
            rows += [["", f"  {text}"] for text in how]
        return Text("\n".join([f"Answer key: {self.heading}", *columns(rows)]))

    def solutions(self) -> list[tuple[Blank, list[str]]]:
        """Every blank with the equations of the steps that lead to it."""
        found = []
        for blank in self.blanks:
            phase = "forward" if blank.what == "value" else "backward"
            found.append((blank, [s.text for s in self.trace if s.node is blank.node and s.phase == phase]))
        return found

    def check(self, answers: Mapping[Any, Any] | Iterable[Any], tolerance: float = 0.0) -> Marks:
        """Mark the answers.

        Args:
            answers: a dict by number, by name or by Value, or a list in the order of the blanks. An answer is a number
                or text, as `−0.3932`, `-0,3932`, `1/3` or `1e-7`; None or an empty text leaves a blank open.
            tolerance: how far an answer may be off, relative to the right number. What is right to four decimals
                (below 0.001 and above 100 000: to four decimals of the mantissa) is right in any case.

        Returns:
            Marks: true if every answer is right; printed, it gives for each wrong one a hint that names the edge to
            look at, as "a is used 2 times, and the contribution through edge a → v3 is missing".

        Raises:
            ValueError: for a blank that does not exist, or an answer that is not a number; the message names the blank;
                for a tolerance that is negative, or 1 and more.
            TypeError: if `answers` is neither a dict nor a list.

        >>> from scalargrad import Value, worksheet
        >>> a = Value(3.0, label='a')
        >>> b = a + 2
        >>> b.label = 'b'
        >>> sheet = worksheet(b * a)
        >>> print(sheet.check({'b': 3, 'a': 5}))
        ①  b.grad  right
        ②  a.grad  not yet: a is used 2 times, and the contribution through edge a → b is missing
        1 of 2 right
        """
        given = read_answers(self.blanks, answers)
        tolerance = real(tolerance, "tolerance")
        if not 0.0 <= tolerance < 1.0:
            raise ValueError(f"tolerance must be a share of the right number, from 0 to below 1, not {tolerance}")
        diagnosis = Diagnosis(self.trace.graph, given, tolerance)
        marks = []
        for blank in self.blanks:
            answer = given.get(blank)
            if answer is None:
                marks.append(Mark(blank, None, "open"))
            elif agrees(answer, blank.answer, tolerance):
                marks.append(Mark(blank, answer, "right"))
            else:
                marks.append(Mark(blank, answer, "wrong", diagnosis.hint(blank, answer)))
        return Marks(marks)

    @property
    def html(self) -> str:
        """The sheet as a page to print."""
        from scalargrad.tracing.sheet_page import pages

        return pages([self], sheets=True, keys=False)

    @property
    def key_html(self) -> str:
        """The answer key as a page to print."""
        from scalargrad.tracing.sheet_page import pages

        return pages([self], sheets=False, keys=True)

    @property
    def fields_html(self) -> str:
        """The sheet as a page to fill in on a screen, which says what is right and what to look at; it has no key."""
        from scalargrad.tracing.fields import page

        return page(self)

    def save(
        self, path: str | os.PathLike[str], key: bool | str | os.PathLike[str] = False, *, fields: bool = False
    ) -> Path:
        """Write the sheet as a page to print, on A4 or Letter; it needs no network. Returns the path.

        Args:
            path: where; the suffix is .html.
            key: True puts the answer key behind it, on paper of its own; a path writes the key to that file.
            fields: whether the page is to be filled in on a screen instead: it marks each answer, with the hints of
                `check`. The answers are in the page, but nowhere as they are written.

        Raises:
            ValueError: for another suffix, or a key on a page to fill in.
            OSError: if a file cannot be written.
        """
        if fields and key is True:
            raise ValueError("save: a page to fill in has no key: give the key a file of its own, key='key.html'")
        return save_pages([self], path, key, self.fields_html if fields else None)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the sheet, with fields where scripts may run; without a layout engine its text."""
        from scalargrad.tracing.fields import fragment

        return {"text/plain": self.text} | ({} if available() == "text" else {"text/html": fragment(self)})

    @property
    def text(self) -> str:
        """The sheet as text: the task, the graph, and the questions."""
        asked = "\n".join(f"{blank.sign}  {blank.question} = ?" for blank in self.blanks)
        return Text(f"{self.heading}\n{self.task}\n\n{self.drawing.text}\n{asked}")

    @property
    def _name(self) -> str:
        return self.trace.graph.names[self.trace.graph.root]

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        which = "" if self.variant is None else f", variant {self.variant}"
        return f"<worksheet on {self._name}{which}: {counted(len(self.blanks), 'blank')}>"


def save_pages(
    sheets: Sequence[Worksheet],
    path: str | os.PathLike[str],
    key: bool | str | os.PathLike[str],
    content: str | None = None,
) -> Path:
    """Write sheets, and their keys behind them or to a file of their own; `content` is what to write for the sheets."""
    from scalargrad.tracing.sheet_page import pages

    path = place(path, "save: path")
    check_place(path, "worksheet", [".html"])
    if isinstance(key, bool):
        replace_file(path, (content or pages(sheets, sheets=True, keys=key)).encode())
        return path
    key = place(key, "save: key")
    check_place(key, "worksheet", [".html"])
    if key.resolve() == path.resolve():
        raise ValueError("sheet and key would be the same file: give the key another name, or say key=True")
    replace_file(path, (content or pages(sheets, sheets=True, keys=False)).encode())
    replace_file(key, pages(sheets, sheets=False, keys=True).encode())
    return path


_TITLES = {
    "gradient": "Backpropagation by hand",
    "value": "Forward pass by hand",
    "gradient and value": "Forward and backward by hand",
}


def check_size(n: int, noun: str, most: int) -> None:
    """Refuse a graph that is too large for a sheet of paper."""
    if n > most:
        raise GraphTooLargeError(
            f"this graph has {counted(n, noun)}, and a worksheet is for at most {most}: make it of an earlier Value, "
            "or of a smaller network with one sample"
        )
