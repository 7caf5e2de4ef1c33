"""Backpropagation step by step: `trace` and its front ends, `explain`, `diff`, worksheets."""

from scalargrad.tracing.steps import Step
from scalargrad.tracing.trace import Trace, trace

__all__ = ["Step", "Trace", "trace"]
