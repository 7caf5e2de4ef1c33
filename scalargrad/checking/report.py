"""What a gradient check found: a verdict for each derivative, and a report that explains itself."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from enum import Enum
from html import escape
from typing import TYPE_CHECKING

from scalargrad.support.console import Text, printable
from scalargrad.words.texts import columns, number_text

if TYPE_CHECKING:
    from scalargrad.checking.culprit import Culprit


class Verdict(Enum):
    """The outcome of comparing one derivative with differences."""

    PASS = "PASS"  # noqa: S105  (not a password)
    KINK = "KINK"
    INCONCLUSIVE = "INCONCLUSIVE"
    FAIL = "FAIL"


@dataclass(frozen=True)
class Entry:
    """One derivative, checked.

    Attributes:
        name: what it is, as `d/dx0`.
        x: the number at which the input stood.
        analytic: the engine's derivative.
        numeric: what differences say; at a kink the nearer end of the interval of one-sided slopes.
        error: how far off the differences may be.
        verdict: PASS; KINK: between the slopes of both sides, accepted; INCONCLUSIVE: differences cannot tell; FAIL.
        note: why, in words.
        order: 1 for a first derivative, 2 for a second.
    """

    name: str
    x: float
    analytic: float
    numeric: float
    error: float
    verdict: Verdict
    note: str = ""
    order: int = 1


@dataclass(frozen=True)
class Report:
    """The result of `check_gradients`.

    Attributes:
        entries: one for each derivative.
        problems: what is wrong beside single derivatives, as a gradient that differs from one call to the next.
        culprit: the operation whose local rule is wrong, if one was found.
        remark: what the summary adds of a report that is neither ok nor wrong.
    """

    entries: list[Entry]
    problems: list[str] = field(default_factory=list)
    culprit: Culprit | None = None
    remark: str = "no first derivative could be decided"

    @property
    def ok(self) -> bool:
        """Whether nothing is wrong and some first derivative was decided: what is INCONCLUSIVE is no pass.

        Others may be INCONCLUSIVE beside it; `conclusive` tells, and the summary begins with that word.
        """
        first = [entry for entry in self.entries if entry.order == 1]
        return not self.wrong and (not first or any(entry.verdict is not Verdict.INCONCLUSIVE for entry in first))

    @property
    def wrong(self) -> bool:
        """Whether a derivative FAILed or there is another problem."""
        return bool(self.problems) or not self.agrees

    @property
    def agrees(self) -> bool:
        """Whether no derivative FAILed, whatever else is wrong."""
        return all(entry.verdict is not Verdict.FAIL for entry in self.entries)

    @property
    def conclusive(self) -> bool:
        """Whether every derivative was decided on."""
        return all(entry.verdict is not Verdict.INCONCLUSIVE for entry in self.entries)

    def __bool__(self) -> bool:
        return self.ok

    @property
    def summary(self) -> str:
        """One line: how many derivatives had which verdict, and the first of the problems.

        It begins with WRONG, with INCONCLUSIVE if a first derivative could not be decided, else with ok.
        """
        counts = Counter(entry.verdict for entry in self.entries)
        parts = ", ".join(f"{counts[verdict]} {verdict.value}" for verdict in Verdict if counts[verdict])
        n = len(self.entries)
        undecided = any(e.verdict is Verdict.INCONCLUSIVE and e.order == 1 for e in self.entries)
        head = "WRONG" if self.wrong else "INCONCLUSIVE" if undecided else "ok"
        line = f"{head}: {n} derivative{'' if n == 1 else 's'} checked: {parts or 'none'}"
        if self.problems:
            more = len(self.problems) - 1
            line += f"; {self.problems[0]}{f' (and {more} more)' if more else ''}"
        elif not self.ok and not self.wrong:
            line += f"; {self.remark}"
        return line

    @property
    def text(self) -> str:
        """The summary, and a line for each derivative."""
        rows = [("", "at", "analytic", "differences", "± error", "verdict"), *map(_cells, self.entries)]
        lines = columns(rows)
        lines += [f"{entry.name}: {entry.note}" for entry in self.entries if entry.note]
        lines += self.problems[1:]
        if self.culprit is not None:
            lines += ["", str(self.culprit)]
        return Text("\n".join([self.summary, *lines]))

    def __str__(self) -> str:
        return printable(self.text)

    def __repr__(self) -> str:
        return f"<gradient check, {self.summary}>"

    def _repr_html_(self) -> str:
        head = "".join(f"<th>{name}</th>" for name in ("", "at", "analytic", "differences", "± error", "verdict"))
        rows = "".join(
            "<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in _cells(entry)) + "</tr>" for entry in self.entries
        )
        notes = [f"{entry.name}: {entry.note}" for entry in self.entries if entry.note] + self.problems[1:]
        text = "".join(f"<p>{escape(note)}</p>" for note in [self.summary, *notes])
        culprit = f"<pre>{escape(str(self.culprit))}</pre>" if self.culprit is not None else ""
        return f"<div><table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>{text}{culprit}</div>"


def _cells(entry: Entry) -> tuple[str, ...]:
    known = entry.verdict is not Verdict.INCONCLUSIVE or entry.error < float("inf")
    return (
        entry.name, number_text(entry.x), f"{entry.analytic:.10g}", f"{entry.numeric:.10g}" if known else "–",
        f"{entry.error:.1e}" if known else "–", entry.verdict.value,
    )  # fmt: skip
