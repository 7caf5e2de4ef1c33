"""Backpropagation step by step: `trace` and its front ends, `explain`, `diff`, worksheets.

- trace.py: `trace`, and the Trace that it returns. steps.py: its steps, and the equation and sentence of each.
- terminal.py: the table and the stepper of a terminal; keys.py: the keys that are pressed there.
- page.py: table and stepper of a page and of Jupyter, with stepper.js, stepper.css and page.css. stage.py: the picture
  as it stands after a step. guesses.py: what is judged if a step is guessed first.
- explanation.py: `explain`, a derivative as a sum over paths. between.py: those paths, and how many there are.
- difference.py: `diff`, what changed between two passes.
- worksheet.py: `worksheet`, and sets of variants; sheet.py: one of them. blanks.py: which numbers are left out.
  variants.py: the same with other numbers. sheet_picture.py and sheet_page.py, with sheet.css: its picture, and its
  pages to print. fields.py, with fields.js and fields.css: the sheet to fill in on a screen. marking.py: answers read
  and marked. hints.py: what probably went wrong with one. answers.js: what is read and compared in the browser, by the
  stepper too.
- names.py: `name`, labels from the names of variables.
"""

from scalargrad.tracing.difference import Difference, diff
from scalargrad.tracing.explanation import Explanation, TooManyPathsError, explain
from scalargrad.tracing.names import name
from scalargrad.tracing.page import TraceTooLongError
from scalargrad.tracing.sheet import Worksheet
from scalargrad.tracing.steps import Step
from scalargrad.tracing.trace import Trace, trace
from scalargrad.tracing.worksheet import Worksheets, worksheet

__all__ = [
    "Difference",
    "Explanation",
    "Step",
    "TooManyPathsError",
    "Trace",
    "TraceTooLongError",
    "Worksheet",
    "Worksheets",
    "diff",
    "explain",
    "name",
    "trace",
    "worksheet",
]
