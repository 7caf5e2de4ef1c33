"""Gradient checks

`check_gradients` must never PASS a wrong derivative and never FAIL a right one. Functions that are hard to check
(tests/shared/hostile_functions.py: frequencies, magnitudes, poles, narrow features, cancellation, kinks nearby) are drawn at
random; mpmath computes the right derivative; the wrong ones are infinite, nan, off by 1 part in 10 000, 0, of the other
sign. Each is given as a function of Values, which is checked operation by operation, and as one of floats, of which
nothing but its numbers is known.
"""

from collections import Counter

import pytest
from hostile_functions import WRONG, hostile
from sizes import LONG
from verdicts import KINDS, count_hostile

from scalargrad.checking import Verdict


@pytest.mark.parametrize("of_floats", [False, True], ids=["of Values", "of floats"])
def test_no_right_derivative_fails_and_no_wrong_one_passes(of_floats, figure):
    cases = hostile(2000 if LONG else 100, seed=1000 + of_floats)
    right, wrong = count_hostile(cases, of_floats, wrongs=list(WRONG))  # which asserts it of each
    right, wrong = (sum(counts.values(), Counter()) for counts in (right, wrong))
    assert right[Verdict.PASS] > 0.6 * right.total()
    told = [", ".join(f"{counts[kind]:,} {kind.value}" for kind in KINDS) for counts in (right, wrong)]
    what = "floats" if of_floats else "Values"
    figure(
        f"{len(cases):,} hostile functions of {what}, right and wrong derivatives",
        f"right: {told[0]}; wrong: {told[1]}",
    )
