"""What is judged when a learner guesses a gradient before the stepper shows it, by the rules of worksheets."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

from scalargrad.tracing.blanks import Blank
from scalargrad.tracing.hints import CLOSE, NEAR, Diagnosis
from scalargrad.tracing.marking import leeway

if TYPE_CHECKING:
    from scalargrad.tracing.steps import Step, TracedGraph

_MOST = 4000
"""How many mistakes are recognised in a whole trace, so that its page stays small; the likeliest come first."""
_LEAST = 24
"""How many of them at each step at least."""
USUAL = leeway(1.0)
"""How far off an answer may be that is neither very small nor very large."""


def asked(step: Step) -> str:
    """What is asked before a backward step: `x.grad`."""
    return next(text for kind, text in step.pieces if kind == "target")


def guesses(graph: TracedGraph) -> tuple[list[Any], list[str]]:
    """For each step after the forward ones what a guess of the gradient after it is compared with, and the hints.

    Returns:
        For a backward step [what is asked, the right number, the typical mistakes, the number for answers that are
        close, the hint for those, the hint for all others], where a number is [number, its leeway], without the leeway
        if that is the usual one, a mistake is [hint, *number], and a hint an index into the list of hints; nan is None.
        For other steps None.
    """
    hints: dict[str, int] = {}
    diagnosis = Diagnosis(graph, {})
    later = [step for step in graph.steps if step.phase != "forward"]
    most = max(_LEAST, _MOST // len(later))
    found: list[Any] = []
    diagnosis.received.clear()  # filled again as the steps come: what comes later is no part of the question
    for step in later:
        if step.phase != "backward" or step.after is None:
            found.append(None)
            continue
        diagnosis.received.setdefault(step.node, []).append(step)
        question = asked(step)
        blank = Blank(0, step.name, "gradient", question, step.after, step.node)
        mistakes = [
            [hints.setdefault(text, len(hints)), *_number(number)] for number, text in diagnosis.likeliest(blank, most)
        ]
        found.append(
            [
                question, _number(step.after), mistakes, _number(step.after, NEAR),
                hints.setdefault(CLOSE, len(hints)), hints.setdefault(diagnosis.general(blank), len(hints)),
            ]
        )  # fmt: skip
    return found, list(hints)


def _number(number: float, tolerance: float = 0.0) -> list[float | None]:
    if not math.isfinite(number):
        return [None if math.isnan(number) else number]
    around = leeway(number, tolerance)
    return [number] if around == USUAL else [number, around]
