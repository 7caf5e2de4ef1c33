"""docs/accuracy.md: what was measured, in plain words and tables."""

import math
import platform
import re

import mpmath
from accuracy_helpers import VALUE_BARS, measured

from scalargrad.table import TABLE

NO_DIGIT = 2.0**52
"""So many units are at least half of the number."""

KINDS = {
    "cancellation": ("rounding", "inputs are rounded"),
    "underflow": ("underflow", "of underflow"),
    "plain": ("simple formula", "of simple formulas"),
}
"""What explains an error above the bar: in a word, and as the end of its section's title."""

FORMULAS = {
    ("arctan", 0): (
        "`1 / (1 + x * x)`",
        "From `abs(x)` = 1.34e154 on `x * x` is `inf` and the slope 0; exact would be at most 5.6e-309.",
        "`1 / hypot(x, 1) / hypot(x, 1)`",
    ),
    ("arctan2", 0): (
        "`y / hypot(x, y) / hypot(x, y)`",
        "Where `hypot` overflows, near 1.8e308, the slope is 0; exact would be at most 5.6e-309.",
        "the same of `x / 4` and `y / 4`, divided by 4",
    ),
    ("arctan2", 1): (
        "`-x / hypot(x, y) / hypot(x, y)`",
        "As by x.",
        "as by x",
    ),
    ("elu", 0): (
        "`a * exp(x)`",
        "Below x = -745 `exp(x)` is 0, however large `a` is: absolute error up to 5e-324 times `a`.",
        "`a * exp(x / 2) * exp(x / 2)`",
    ),
    ("gelu", -1): (
        "`0.5 * x * erfc(-x / sqrt(2))`",
        (
            "For x far below 0 `erfc` is steep, and its operand is rounded twice: up to 8 units for each unit by which"
            " half a unit of x moves the result."
        ),
        "none that is short: `erfc` needs an operand of more digits",
    ),
    ("gelu", 0): (
        "`0.5 * erfc(-x / sqrt(2)) + x * exp(-0.5 * x * x) / sqrt(2 * pi)`",
        "For x between -2 and -0.5 the two terms nearly cancel: absolute error up to 4 units of the second.",
        "none that is short",
    ),
    ("logsumexp", -1): (
        "`max + log(sum of exp(x - max))`",
        "Where the result is near 0: absolute error up to `2**-50` (9e-16), or as many times the largest operand.",
        "`max + log1p(sum of the other exp(x - max))`",
    ),
    ("logsumexp", 0): (
        "`exp(x - z)`",
        "z is rounded: relative error about `1e-16 * abs(z)`, some hundred units where z is large.",
        "`exp(x - max) / sum of exp(x - max)`",
    ),
    ("mean", -1): (
        "`(x + y + ...) / n`, added from left to right",
        "Where terms cancel: absolute error up to `2**-52` (2e-16) times the sum of their sizes.",
        "`math.fsum(xs) / n`",
    ),
    ("power", 0): (
        "`y * x**(y - 1)`",
        (
            "For `abs(y)` below 1/2 `y - 1` is rounded: relative error about `1e-16 * abs(log(x))`, some hundred units"
            " where x is huge or tiny. Where `x**(y - 1)` overflows although the product with y would not (`abs(y)` below"
            " 1 and x below 7e-155; with y near 0, x below 6e-309), the slope is `inf`, and `NaN` for y = 0."
        ),
        "`y * x**y / x` for `abs(y)` below 1/2",
    ),
    ("sigmoid", 0): (
        "`z * (1 - z)`, as in every lecture",
        "Near z = 1 the subtraction cancels: absolute error up to `2**-52` (2e-16), exactly 0 from x = 36.8 on.",
        "`z * sigmoid(-x)`",
    ),
    ("tanh", 0): (
        "`1 - z * z`, as in every lecture",
        "Near z = ±1 the subtraction cancels: absolute error up to `2**-51` (4e-16), exactly 0 from `abs(x)` = 19.1.",
        "`1 / cosh(x) / cosh(x)`",
    ),
}
"""Of each limit for a formula that is simple on purpose: the formula, what it loses and where, and an accurate one."""


def machine():
    """What the figures depend on: Python's and the C library's functions."""
    library = " ".join(filter(None, platform.libc_ver())) or platform.system()
    return f"CPython {platform.python_version()}, {library}, {platform.machine()}"


def quantity(name, index):
    """Which number of an op: value, by x, by y, by each."""
    return "value" if index < 0 else f"by {'xy'[index] if TABLE[name].arity else 'each'}"


def title(accuracy):
    """Its name where quantities are listed: power, power by y."""
    op = TABLE[accuracy.name]
    if accuracy.index < 0 or op.arity == 1:
        return accuracy.name
    return f"{accuracy.name} {quantity(accuracy.name, accuracy.index)}"


def units(ulps):
    """A number of units: 0, 0.50, 12.3, 1950, 4.57e13."""
    if ulps == 0:
        return "0"
    digits = next((f".{n}f" for limit, n in ((10, 2), (100, 1), (1e5, 0)) if ulps < limit), ".3g")
    return short(f"{ulps:{digits}}")


def short(number):
    """4.57e13 for 4.57e+13, and 1e7 for 1e+07."""
    return re.sub(r"e(-?)\+?0*", r"e\1", number)


def usual(errors):
    """The error that 99 % of these do not exceed."""
    return sorted(errors)[math.ceil(0.99 * len(errors)) - 1]


def largest(ulps):
    """A number of units, or that nothing of the result is right."""
    return units(ulps) if ulps < NO_DIGIT else "no digit right"


def anchor(kind):
    """The address of a kind's section on the page."""
    return "#larger-errors-because-" + KINDS[kind][1].replace(" ", "-")


def overview(found):
    """A row for each number that ops give."""
    for accuracy in found:
        some = [(kind, getattr(accuracy, kind).count) for kind in KINDS]
        above = ", ".join(f"{count} [{KINDS[kind][0]}]({anchor(kind)})" for kind, count in some if count)
        yield (
            f"| {accuracy.name} | {quantity(accuracy.name, accuracy.index)} | {largest(usual(accuracy.errors))}"
            f" | {largest(max(accuracy.errors))} | {above or 0} of {len(accuracy.errors)} |"
        )


def place(xs):
    """Operands to the last digit, or how many they are."""
    return ", ".join(f"`{x!r}`" for x in xs) if len(xs) < 3 else f"{len(xs)} numbers"


def table_of(kind, found):
    """A section's rows: the largest errors of a kind."""
    yield from ("| operation and quantity | largest error (units) | absolute error | at |", "|---|---|---|---|")
    for accuracy in found:
        worst = getattr(accuracy, kind)
        what = f"{accuracy.name}, {quantity(accuracy.name, accuracy.index)}"
        if worst.infinite:
            yield f"| {what} | `inf` or `NaN` | `inf` or `NaN` | {place(worst.at_infinite)} |"
        if worst.count > worst.infinite:
            yield f"| {what} | {units(worst.ulps)} | {short(mpmath.nstr(worst.absolute, 2))} | {place(worst.at)} |"


def formulas():
    """The rows of the formulas that are simple on purpose."""
    for (name, index), cells in FORMULAS.items():
        yield f"| {name}, {quantity(name, index)} | {' | '.join(cells)} |"


def kept(found):
    """How many of these keep to their bar at every point, and the percentage of all comparisons that do."""
    good = sum(max(a.errors) <= a.bar for a in found)
    return good, 100 * sum(a.within.count for a in found) / sum(len(a.errors) for a in found)


def page_text(ops, count, write):
    """docs/accuracy.md, of these ops at so many points each; what writes it is told there."""
    found = [accuracy for name in ops for accuracy in measured(name, count)]
    values, slopes = ([a for a in found if (a.index < 0) is first] for first in (True, False))
    (good_values, share_values), (good_slopes, share_slopes) = kept(values), kept(slopes)
    return PAGE_TEXT.format(
        points=count,
        machine=machine(),
        write=write,
        exceptions=" and ".join(f"{bar} for {name}" for name, bar in VALUE_BARS.items()),
        values=len(values),
        slopes=len(slopes),
        good_values=good_values,
        good_slopes=good_slopes,
        share_values=share_values,
        share_slopes=share_slopes,
        overview="\n".join(overview(found)),
        formulas="\n".join(formulas()),
        **{kind: "\n".join(table_of(kind, found)) for kind in KINDS},
        **{f"of_{kind}": f"## Larger errors because {reason}" for kind, (_, reason) in KINDS.items()},
    )


PAGE_TEXT = """# Accuracy

A float has 53 bits, about 16 digits. A *unit* (unit in the last place, ulp) is the gap between a float and the next:
about 1e-16 of the number. The best possible result is off by up to 0.5 units.

**In short:** most values and derivatives are within 2 and 4 units. The exceptions below are near zeros of the result,
where a function is very steep, near the ends of the float range, and where the textbook formula is kept: the slopes
of tanh beyond `|x|` = 19.1 and of sigmoid beyond x = 37 are 0.

In numbers: {good_values} of {values} values and {good_slopes} of {slopes} derivatives keep to this at every point
that was tried (with {exceptions}); so do {share_values:.1f} % and {share_slopes:.1f} % of all comparisons, many of
which are at hard points on purpose. Functions such as exp, sin and erfc are the C library's, so other machines may
show other digits. This is {machine}.

## Each operation

All errors are in units. "by x" and "by y" are the derivatives by the first and the second operand, "by each" those by
all operands of an operation of many. "99 %" is the error that 99 of 100 comparisons do not exceed. "No digit right"
are `2**52` units or more: half of the number, or all of it. The bar is **2 units for a value (and {exceptions}, which
is the C library's) and 4 for a derivative**. The last column says how many comparisons are above it, why, and of how
many.

| operation | of | 99 % within | largest error | above the bar |
|---|---|---|---|---|
{overview}

{of_cancellation}

The input itself was rounded, by up to half a unit. Where the function is steep or near zero, that alone moves the
exact result by more than the bar. Such an error is accepted up to the bar times this movement.

A number such as 4.49e307 for sum and mean says little: the terms cancel, and the exact result is 0 or tiny, where a
unit is 5e-324. The absolute error says how small it is. The error of erfc's value is the C library's. Each row is the
point with the largest error in units; points of more than two numbers are left out.

{cancellation}

{of_underflow}

Below 2.2e-308 floats have fewer digits. If the result, or a number on the way to it, is that small, an absolute error
of 5e-321 is accepted. And where the value is that small, so that it has only a few digits, its derivatives need not
have more: they may be off by the same part of themselves as the value if it were off by 4 of its units (2e-323).

{underflow}

{of_plain}

These formulas are the ones on paper; the accurate ones would be harder to read. The tests accept what a formula loses
up to a limit of its own (`LIMITS` in tests/reliability/accuracy_helpers.py). x and y are the operands, z is the
value; elu's second operand is `a`.

| operation and quantity | formula here | what is lost, where | accurate formula |
|---|---|---|---|
{formulas}

The largest errors that were seen:

{plain}

## How it was measured

- {points} points of each operation, the same in every run: of all magnitudes and both signs, from the smallest
  subnormal numbers to the largest floats; between -8 and 8; between 1e-9 and 4096; a few floats, or any fraction,
  away from zeros, poles, kinks and the places where a formula changes; for sin, cos and tan also next to multiples of
  pi/2 up to 1e15; for operations of two operands equal, opposite and very different ones; sums and products of 2 to 6
  terms that do not overflow on their way.
- The exact numbers are mpmath's, of formulas written by hand and not read off the op table, with 50, 100, ... digits
  until two results agree to 30. Derivatives so written are compared with mpmath's own differentiation of the value.
- On kinks, and where the value overflows, derivatives are not compared: [Hard points](hard-points.md) has them. What
  should be beyond the largest float may be infinite.
- tests/reliability/test_accuracy.py does so in every run of the tests with 100 points, and in the long run with
  these. `{write}` writes this page.
"""
