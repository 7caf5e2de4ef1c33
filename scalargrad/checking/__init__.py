"""Gradient checks against finite differences that explain themselves."""

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
