"""Gradient checks against finite differences that explain themselves.

- checker.py: `check_gradients` and `assert_gradients`. report.py: the verdicts and what is printed of them.
- slopes.py: the slope in one input as differences see it, kinks included. ladder.py: that of one smooth curve.
  differences.py: single differences and Ridders' extrapolation. samples.py: the function at points nearby.
- chain.py: differences of each operation at its own operands, and the chain rule. rational.py: exact fractions.
- culprit.py: which operation's rule is wrong.
- op_check.py: `check_op`, one operation over its whole domain.
"""

from scalargrad.checking.checker import GradientError, assert_gradients, check_gradients
from scalargrad.checking.differences import central_difference, ridders
from scalargrad.checking.op_check import check_op
from scalargrad.checking.report import Entry, Report, Verdict

__all__ = [
    "Entry",
    "GradientError",
    "Report",
    "Verdict",
    "assert_gradients",
    "central_difference",
    "check_gradients",
    "check_op",
    "ridders",
]
