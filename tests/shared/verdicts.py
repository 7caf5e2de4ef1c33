"""Verdicts of the gradient checker, counted on functions whose derivatives are known; docs/checking-gradients.md tells them."""

import math
import random
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from hostile_functions import DIGITS, FAMILIES, WRONG, hostile

import scalargrad as sg
from scalargrad.checking import Verdict, check_gradients

FUNCTIONS = {
    "sin 100x": (lambda x: sg.sin(100 * x), lambda x: 100 * math.cos(100 * x)),
    "sigmoid 30x": (lambda x: sg.sigmoid(30 * x), lambda x: 30 / (math.exp(15 * x) + math.exp(-15 * x)) ** 2),
    "exp": (sg.exp, math.exp),
    "x^5 - 3x": (lambda x: x**5 - 3 * x, lambda x: 5 * x**4 - 3),
    "tanh^2": (lambda x: sg.tanh(x) ** 2, lambda x: 2 * math.tanh(x) / math.cosh(x) ** 2),
    "log": (lambda x: sg.log(abs(x) + 0.5), lambda x: math.copysign(1 / (abs(x) + 0.5), x)),
    "1 / (1 + 25x^2)": (lambda x: 1 / (1 + 25 * x * x), lambda x: -50 * x / (1 + 25 * x * x) ** 2),
    "10^6 + sin": (lambda x: 1e6 + sg.sin(x), math.cos),
}


def points():
    rng = random.Random(0)
    return [(name, rng.uniform(-2, 2)) for name in FUNCTIONS for _ in range(60)]


def verdict(f, x, **options):
    return check_gradients(f, [x], **options).entries[0].verdict


@cache
def count_verdicts():
    """By function, the verdicts on the right gradient and on one that is wrong by 1 part in 10 000."""
    right, wrong = {name: Counter() for name in FUNCTIONS}, {name: Counter() for name in FUNCTIONS}
    for name, x in points():
        f, slope = FUNCTIONS[name]
        d = slope(x)
        assert sg.grad(f)(x) == pytest.approx(d, rel=1e-9, abs=1e-300) or name == "sigmoid 30x"
        right[name][verdict(f, x)] += 1
        wrong[name][verdict(f, x, gradient=lambda _, d=d: [d * (1 + 1e-4)])] += 1
    return right, wrong


PAGE = Path(__file__).parents[2] / "docs" / "checking-gradients.md"
INTRODUCTION = """# Checking gradients

`check_gradients(f, inputs)` compares derivatives with finite differences that say how good they are. A wrong derivative
must never PASS, a right one never FAIL; what floats cannot tell is INCONCLUSIVE.

## How it decides

1. **A function of Values is checked operation by operation.** Each operation of the graph is moved by small steps at
   its own operands, and the slopes found there are multiplied and added by the chain rule. No derivative rule is asked.
   So a sine is looked at on the scale of a sine, however fast its argument moves; and a large number that is added
   first and subtracted later hides nothing. Before that, the function is called at points next to the input: if its
   graph is another one there, or holds other constants, because some number went round the graph with `.data`, then
   the graph is not the whole function.
2. **A function of floats, an operation written by hand, and what goes round the graph, is moved as a whole**, by steps
   of all sizes from larger than x down to the last places of x.
3. **A ladder of steps.** On each rung the differences with the steps h, h/2 and h/4 are extrapolated to step 0. A rung
   counts only if its samples also predict the function's number at x, as those of a function that varies within a step
   do not. Two neighbouring rungs must agree. Where nothing is known of the function, all smaller steps must bear the
   slope out as far as rounding lets them, and the smooth piece around x must not end in a jump, as the stairs do that
   rounding makes of a slope.
4. **An error E comes with each slope**: how far the rungs are apart, what their samples do not explain, the rounding of
   the samples. It is handed on by the chain rule. The graph is also computed with its numbers shaken in their last
   places, except where arithmetic was exact; what that does to the slope is added to E.
5. A derivative a **FAIL**s if |a - n| is above atol + rtol max(|a|, |n|) + 10 E, and 10 E is a tenth of that at most. An
   infinite derivative or nan FAILs where the slope is finite.
6. It **PASS**es if |a - n| is at most rtol max(|a|, |n|) + 10 E, and 10 E at most 49 times rtol of that size. A smaller
   slope PASSes in these cases only: the function is seen to be flat or symmetric there; the graph has sums, products,
   quotients and whole powers only, and the same arithmetic in fractions, without rounding, gives this slope (a slope that
   is 0 may be missed by 1e-14 of the parts that cancel); a and n are 0 and E is below 1e-100 of the function's slopes over
   ordinary steps, as of tanh(x)^3 at 0. The rest is **INCONCLUSIVE**: so is sigmoid at 40, whose slope of 4e-18 floats
   do not show, and a 0 that is left of rounded slopes of other functions, as of x - sin x at 0.
7. On a kink of a relu, abs, max, clip or comparison, which the op table knows, the slopes next to it on both sides
   count, and the derivative must lie between them: **KINK**.
8. If something FAILs, every operation's rule is compared with its own slope at its own operands, and only one that is
   seen to be wrong there is named.

What this cannot see: a function of floats, not of Values, in which rounding takes a slope away without a trace, as of
`(1e20 + sin(x)) - 1e20 + y` in x, is taken for the constant that it is in floats.

## What it says about 480 ordinary points

60 random points between -2 and 2 for each of 8 functions: first the right derivative, then one that is wrong by 1 part
in 10 000. `python tests/shared/verdicts.py` counts these and those below and writes this page; a test compares.

"""
HOSTILE = """
## What it says about hostile functions

{count:,} derivatives of {functions:,} functions that are hard to check, drawn at random (tests/shared/hostile_functions.py):
frequencies up to 1e8, magnitudes from 1e-300 to 1e300, points from 1e-70 to 1e300, poles 1e-13 away, bells 1e-10 wide,
numbers up to 1e18 added and subtracted again. mpmath computes the right derivative with {digits} digits. The wrong ones,
in turn: infinite, nan, wrong by 1 part in 10 000, 0, of the other sign. Nothing with a difference below atol, 1e-9, may
FAIL, so that wrong derivatives of tiny size are INCONCLUSIVE. So are right ones that floats cannot confirm: in
(1 - cos x) / x^2 at 1e-8 the difference is 0 or 1e-16, and no digit of the slope is left.

"""
HEAD = """| function | right: PASS | INCONCLUSIVE | FAIL | wrong: PASS | INCONCLUSIVE | FAIL |
|---|---|---|---|---|---|---|
"""
KINDS = (Verdict.PASS, Verdict.INCONCLUSIVE, Verdict.FAIL)
HOSTILE_FUNCTIONS = 2000


def count_hostile(cases, of_floats=False, wrongs=None):
    """By family, the verdicts on the right derivatives and on wrong ones, of each kind named or of each in turn."""
    right, wrong = {case.family: Counter() for case in cases}, {case.family: Counter() for case in cases}
    for i, case in enumerate(cases):
        f = case.function_of_floats() if of_floats else case.function()
        for entry in check_gradients(f, case.xs, gradient=lambda *_, case=case: case.slopes).entries:
            right[case.family][entry.verdict] += 1
            assert entry.verdict in KINDS[:2], (case.code, entry)
        for kind in wrongs or [list(WRONG)[i // len(FAMILIES) % len(WRONG)]]:
            spoilt = list(map(WRONG[kind], case.slopes))
            report = check_gradients(f, case.xs, gradient=lambda *_, spoilt=spoilt: spoilt)
            for entry, d in zip(report.entries, case.slopes, strict=True):
                if entry.analytic != d:  # a subnormal number has no neighbour 1e-4 away
                    wrong[case.family][entry.verdict] += 1
                    assert entry.verdict in KINDS[1:], (kind, case.code, entry)
    return right, wrong


def table(right, wrong):
    rows = [(name, right[name], wrong[name]) for name in right]
    rows.append(("all", sum(right.values(), Counter()), sum(wrong.values(), Counter())))
    return HEAD + "".join(
        f"| {name} | " + " | ".join(str(c[k]) for c in (r, w) for k in KINDS) + " |\n" for name, r, w in rows
    )


def page_text():
    right, wrong = count_hostile(hostile(HOSTILE_FUNCTIONS))
    count = sum(sum(counts.values()) for counts in right.values())
    told = HOSTILE.format(count=count, functions=HOSTILE_FUNCTIONS, digits=DIGITS)
    return INTRODUCTION + table(*count_verdicts()) + told + table(right, wrong)


if __name__ == "__main__":
    PAGE.write_text(page_text(), encoding="utf-8")
