"""`worksheet`: a computation graph with numbers left blank, to be worked out on paper and checked; or a set of them."""

from __future__ import annotations

import os
from collections.abc import Collection
from html import escape
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, overload

from scalargrad.engine import Value
from scalargrad.node.contexts import with_recording
from scalargrad.support.arguments import generator, whole
from scalargrad.support.console import Text, printable
from scalargrad.support.spelling import explained
from scalargrad.tracing.sheet import MOST_VALUES, Worksheet, check_size, save_pages
from scalargrad.words.texts import columns, counted, number_text

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from scalargrad.node.variables import Names
    from scalargrad.tracing.blanks import Hide

MOST_VARIANTS = 500


class Worksheets(Collection[Worksheet]):
    """The same worksheet with different numbers, from 1 on: `sheets[7]` is the one that says "Variant 7".

    Made by `worksheet(..., variants=30)`. Printed pages have one sheet for each; the key has one for each, too, and
    begins with a table of all answers.

    Attributes:
        title: the heading.
    """

    def __init__(self, sheets: Sequence[Worksheet]) -> None:
        self._sheets = tuple(sheets)
        self.title = sheets[0].title

    def __getitem__(self, variant: int) -> Worksheet:
        number = whole(variant, "sheets[...]: the number of the variant", "sheets[1]", least=None)
        if not 1 <= number <= len(self):
            raise IndexError(f"there is no variant {number}: they are 1 to {len(self)}")
        return self._sheets[number - 1]

    def __len__(self) -> int:
        return len(self._sheets)

    def __iter__(self) -> Iterator[Worksheet]:
        return iter(self._sheets)

    def __contains__(self, sheet: object) -> bool:
        return any(sheet is other for other in self._sheets)

    @property
    def key(self) -> str:
        """The answers to every variant as a table: a row for each."""
        head = ["variant", *(f"{blank.sign} {blank.question}" for blank in self._sheets[0].blanks)]
        rows = [[str(sheet.variant), *(number_text(blank.answer) for blank in sheet.blanks)] for sheet in self]
        return Text("\n".join([f"Answer key: {self.title}", *columns([head, *rows], ">" * len(head))]))

    @property
    def html(self) -> str:
        """All the sheets as pages to print."""
        from scalargrad.tracing.sheet_page import pages

        return pages(self._sheets, sheets=True, keys=False)

    @property
    def key_html(self) -> str:
        """The answer keys as pages to print: a table of all answers, then for each variant the steps."""
        from scalargrad.tracing.sheet_page import pages

        return pages(self._sheets, sheets=False, keys=True)

    def save(self, path: str | os.PathLike[str], key: bool | str | os.PathLike[str] = False) -> Path:
        """Write all the sheets as one file to print, on A4 or Letter; it needs no network. Returns the path.

        Args:
            path: where; the suffix is .html.
            key: True puts the answer keys behind the sheets; a path writes them to that file.

        Raises:
            ValueError: for another suffix.
            OSError: if a file cannot be written.
        """
        return save_pages(self._sheets, path, key)

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, Any]:  # noqa: ARG002
        """What Jupyter shows: the first sheet, and how to get at the others."""
        shown = dict(self._sheets[0]._repr_mimebundle_())
        if "text/html" in shown:
            shown["text/html"] += f"<p>{escape(self._how())}</p>\n"
        return shown | {"text/plain": repr(self)}

    def _how(self) -> str:
        n = len(self)
        return (
            f"{counted(n, 'variant')}: sheets[{n}] is the last, sheets.save('sheets.html', key='keys.html') prints all."
        )

    def __str__(self) -> str:
        return printable("\n\n".join(sheet.text for sheet in self))

    def __repr__(self) -> str:
        return f"<{counted(len(self), 'worksheet')} on {self._sheets[0]._name}: {self._how()}>"


@overload
def worksheet(
    root: Value, hide: Hide = ..., seed: int = ..., *, variants: None = ..., local_derivatives: bool = ...,
    title: str | None = ..., expand: bool = ..., names: Names = ...,
) -> Worksheet: ...  # fmt: skip
@overload
def worksheet(
    root: Value | Callable[..., Value], hide: Hide = ..., seed: int = ..., *, variants: int,
    local_derivatives: bool = ..., title: str | None = ..., expand: bool = ..., names: Names = ...,
) -> Worksheets: ...  # fmt: skip
@explained("worksheet(y)")
def worksheet(
    root: Value | Callable[..., Value],
    hide: Hide = "gradients",
    seed: int = 0,
    *,
    variants: int | None = None,
    local_derivatives: bool = False,
    title: str | None = None,
    expand: bool = False,
    names: Names = True,
) -> Worksheet | Worksheets:
    """The graph of this Value as an exercise: some numbers left blank, with an answer key and a check.

    No `grad` is touched. Blanks are numbered in the order in which they can be worked out; inputs are always given.

    With `variants` there are that many sheets, each with numbers of its own, so that neighbours cannot copy: small
    integers, or one decimal where the graph's own numbers have some; off kinks and ties, gradients that differ, results
    with few digits. What does not require a gradient, and constants in the formula, stay as they are. Instead of a
    Value a function of the inputs can be given, whose defaults say of what kind the numbers are.

    Args:
        root: the output of the graph, of at most 100 values; for variants also a function.
        hide: 'gradients' asks for all of them but the output's; 'values' for all that are computed, and shows no
            gradients; 'both'. A number above 0, at most 1, asks for that share of both, picked by `seed`. A collection
            of Values or names asks for their gradients.
        seed: picks the share, and the numbers of variants; the same seed gives the same sheets.
        variants: how many sheets; None for one, with the graph's own numbers.
        local_derivatives: whether edges show them, which leaves only multiplying and adding: an easier sheet. Never
            shown are those that a missing value can be read off.
        title: the heading.
        expand: whether fused nodes, as sums and dot products, are spelled out.
        names: whether Values without a label are called as the caller's variables are, as in `draw`.

    Returns:
        A Worksheet: Jupyter shows it, with fields to fill in; `save('sheet.html', key='key.html')` prints it;
        `check(answers)` marks answers. With `variants` Worksheets, of which `sheets[7]` is the seventh.

    Raises:
        GraphTooLargeError: of a graph too large for paper.
        ValueError: for another `hide`, if nothing would be left blank, or if there are no such numbers.
        TypeError: if `root` is not a Value.

    >>> x, y, z = Value(-2.0, label='x'), Value(5.0, label='y'), Value(-4.0, label='z')
    >>> f = (x + y) * z
    >>> sheet = worksheet(f)
    >>> [(blank.number, blank.question) for blank in sheet.blanks]
    [(1, 'v1.grad'), (2, 'z.grad'), (3, 'x.grad'), (4, 'y.grad')]
    >>> sheet.check({1: -4, 2: 3, 3: '−4', 'y': 1}).wrong
    {4: 'edge y → v1: that is the local derivative alone; multiply it by the gradient of v1'}
    >>> sheets = worksheet(f, variants=3)
    >>> print(sheets.key)
    Answer key: Backpropagation by hand
    variant  ① v1.grad  ② z.grad  ③ x.grad  ④ y.grad
          1          2         4         2         2
          2         −6        −1        −6        −6
          3          3         1         3         3
    """
    options: dict[str, Any] = {"with_locals": local_derivatives, "title": title, "expand": expand}
    if variants is None:
        return Worksheet(root, hide, seed, names=names, **options)  # type: ignore[arg-type]  # a function is refused
    from scalargrad.tracing.variants import exercise_of, numbers_for

    count = whole(variants, "variants", "worksheet(y, variants=30)", most=MOST_VARIANTS)
    exercise = exercise_of(root, names)
    check_size(exercise.size, "value", MOST_VALUES)
    sheets = []
    for variant, numbers in enumerate(islice(numbers_for(exercise, generator(seed)), count), 1):
        made, twins = with_recording(exercise.make, numbers)
        asked = hide
        if isinstance(hide, Collection) and not isinstance(hide, str):
            asked = [twins.get(item, item) if isinstance(item, Value) else item for item in hide]
        sheets.append(Worksheet(made, asked, seed, names=False, variant=variant, **options))
    return Worksheets(sheets)
