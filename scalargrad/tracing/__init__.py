"""Backpropagation step by step: `trace` and its front ends, `explain`, `diff`, worksheets."""

from scalargrad.tracing.difference import Difference, diff
from scalargrad.tracing.explanation import Explanation, TooManyPathsError, explain
from scalargrad.tracing.names import name
from scalargrad.tracing.page import TraceTooLongError
from scalargrad.tracing.steps import Step
from scalargrad.tracing.trace import Trace, trace
from scalargrad.tracing.worksheet import Worksheet, worksheet

__all__ = [
    "Difference",
    "Explanation",
    "Step",
    "TooManyPathsError",
    "Trace",
    "TraceTooLongError",
    "Worksheet",
    "diff",
    "explain",
    "name",
    "trace",
    "worksheet",
]
