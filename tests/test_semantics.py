"""The table of hard points: what every op gives where floating point, or calculus, has no obvious answer."""

import math
import warnings
from decimal import Decimal
from fractions import Fraction
from pathlib import Path

import pytest
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value

inf, nan = math.inf, math.nan

# expression of its arguments; the arguments; the value; the gradients
HARD_POINTS = [
    ("relu(0)", sg.relu, (0,), 0, (0,)),
    ("relu(-0.0)", sg.relu, (-0.0,), 0, (0,)),
    ("abs(0)", abs, (0,), 0, (0,)),
    ("leaky_relu(0)", sg.leaky_relu, (0, 0.25), 0, (0.25, 0)),
    ("leaky_relu above 0, huge slope", sg.leaky_relu, (1, 1e17), 1, (1, 0)),
    ("leaky_relu(inf)", sg.leaky_relu, (inf, 0.1), inf, (1, 0)),
    ("elu far below 0", sg.elu, (-40, 1), -1, (4.248354255291589e-18, -1)),
    ("elu(0, a)", sg.elu, (0, 0.25), 0, (0.25, 0)),
    ("maximum tie", sg.maximum, (3, 3), 3, (0.5, 0.5)),
    ("minimum tie", sg.minimum, (3, 3), 3, (0.5, 0.5)),
    ("maximum tie at inf", sg.maximum, (inf, inf), inf, (0.5, 0.5)),
    ("max of many, two at the top", lambda *xs: sg.max(xs), (3, 1, 3), 3, (0.5, 0, 0.5)),
    ("min of many, two at the bottom", lambda *xs: sg.min(xs), (1, 1, 3), 1, (0.5, 0.5, 0)),
    ("clip at the lower bound", lambda x: sg.clip(x, -1, 1), (-1,), -1, (1,)),
    ("clip at the upper bound", lambda x: sg.clip(x, -1, 1), (1,), 1, (1,)),
    ("clip outside", lambda x: sg.clip(x, -1, 1), (2,), 1, (0,)),
    ("sqrt(0)", sg.sqrt, (0,), 0, (inf,)),
    ("x**0.5 at 0", lambda x: x**0.5, (0,), 0, (inf,)),
    ("cbrt(0)", sg.cbrt, (0,), 0, (inf,)),
    ("arcsin(1)", sg.arcsin, (1,), math.pi / 2, (inf,)),
    ("arccos(1)", sg.arccos, (1,), 0, (-inf,)),
    ("arccosh(1)", sg.arccosh, (1,), 0, (inf,)),
    ("x/y, tiny", lambda x, y: x / y, (1e-200, 1e-200), 1, (1e200, -1e200)),
    ("0**0", lambda x, y: x**y, (0, 0), 1, (0, 0)),
    ("x**0 at 0", lambda x: x**0, (0,), 1, (0,)),
    ("x**0", lambda x: x**0, (3,), 1, (0,)),
    ("0**1", lambda x, y: x**y, (0, 1), 0, (1, 0)),
    ("0**2", lambda x, y: x**y, (0, 2), 0, (0, 0)),
    ("0**0.5", lambda x, y: x**y, (0, 0.5), 0, (inf, 0)),
    ("(-2)**3", lambda x: x**3, (-2,), -8, (12,)),
    ("(-2)**-1", lambda x: x**-1, (-2,), -0.5, (-0.25,)),
    ("exp(710)", sg.exp, (710,), inf, (inf,)),
    ("10.0**400", lambda x: x**400, (10,), inf, (inf,)),
    ("(-10)**401", lambda x: x**401, (-10,), -inf, (inf,)),
    ("cosh(1000)", sg.cosh, (1000,), inf, (inf,)),
    ("sinh(-1000)", sg.sinh, (-1000,), -inf, (inf,)),
    ("exp2(2000)", sg.exp2, (2000,), inf, (inf,)),
    ("expm1(1000)", sg.expm1, (1000,), inf, (inf,)),
    *((f"{f.__name__}({x})", f, (x,), value, (0,)) for f, x, value in [
        (sg.tanh, 1000, 1), (sg.tanh, -1000, -1), (sg.tanh, inf, 1), (sg.tanh, -inf, -1),
        (sg.sigmoid, 1000, 1), (sg.sigmoid, -1000, 0), (sg.sigmoid, inf, 1), (sg.sigmoid, -inf, 0),
    ]),
    ("softplus(1000)", sg.softplus, (1000,), 1000, (1,)),
    ("softplus(-1000)", sg.softplus, (-1000,), 0, (0,)),
    ("logsigmoid(-1000)", sg.logsigmoid, (-1000,), -1000, (1,)),
    ("logsumexp(1000, -1000)", lambda x, y: sg.logsumexp([x, y]), (1000, -1000), 1000, (1, 0)),
    ("cross-entropy of logits (-1000, 1000), target 0", lambda x, y: sg.logsumexp([x, y]) - x, (-1000, 1000), 2000, (-1, 1)),
    ("silu(-inf)", sg.silu, (-inf,), 0, (0,)),
    ("silu(inf)", sg.silu, (inf,), inf, (1,)),
    ("gelu(-inf)", sg.gelu, (-inf,), 0, (0,)),
    ("gelu(inf)", sg.gelu, (inf,), inf, (1,)),
    ("arctan2(0, 0)", sg.arctan2, (0, 0), 0, (0, 0)),
    ("hypot(0, 0)", sg.hypot, (0, 0), 0, (0, 0)),
    ("hypot, huge", sg.hypot, (3e200, 4e200), 5e200, (0.6, 0.8)),
    ("arcsinh, huge", sg.arcsinh, (1e200,), math.asinh(1e200), (1e-200,)),
    ("prod with a zero", lambda *xs: sg.prod(xs), (2, 0, 3), 0, (0, 6, 0)),
    ("prod with two zeros", lambda *xs: sg.prod(xs), (0, 0, 3), 0, (0, 0, 0)),
    ("relu(nan)", sg.relu, (nan,), nan, (nan,)),
    ("max(1, nan)", sg.maximum, (1, nan), nan, (nan, nan)),
    ("max(nan, 1)", sg.maximum, (nan, 1), nan, (nan, nan)),
    ("step(nan)", sg.step, (nan,), nan, (0,)),
    ("clip(nan)", lambda x: sg.clip(x, -1, 1), (nan,), nan, (nan,)),
    ("a subnormal", lambda x: x * 1.0, (5e-324,), 5e-324, (1,)),
    ("sign(0)", sg.sign, (0,), 0, (0,)),
    ("step(0)", sg.step, (0,), 0, (0,)),
    ("floor(-0.5)", sg.floor, (-0.5,), -1, (0,)),
    ("floor(inf)", sg.floor, (inf,), inf, (0,)),
    ("-7 // 2", lambda x, y: x // y, (-7, 2), -4, (0, 0)),
    ("-7 % 2", lambda x, y: x % y, (-7, 2), 1, (1, 4)),
    ("where picks", sg.where, (1, 2, 3), 2, (0, 1, 0)),
    ("where picks the other", sg.where, (0, 2, 3), 3, (0, 0, 1)),
]  # fmt: skip


DOCUMENT = Path(__file__).parents[1] / "docs" / "hard-points.md"


def document() -> str:
    """The table as docs/hard-points.md shows it; `python tests/test_semantics.py` writes it anew."""
    from parity_hard_points import DIFFERENT, INSTEAD_OF_AN_ERROR
    from test_choosing import EXAMPLES

    lines = [
        "# Hard points",
        "",
        "What every operation gives where floating point, or calculus, has no obvious answer. Each line is a test in",
        "`tests/test_semantics.py`, from which this page is written. The rules behind it:",
        "",
        "1. The number PyTorch gives where that is finite, unless a NaN went in (rule 5) or PyTorch loses it to an overflow on",
        "   the way, as the slope of arcsinh at 1e200.",
        "2. Outside its domain, or at a pole, an operation raises, naming itself, the operands, their labels and your line.",
        "3. An infinite slope at a finite value is inf.",
        "4. Overflow gives inf.",
        "5. NaN in, NaN out; the exceptions are IEEE's: `nan ** 0` and `1 ** nan` are 1, `hypot(inf, nan)` is inf, and a",
        "   step is flat at NaN too.",
        "6. Never silently a complex number, a big integer or an array.",
        "7. `backward()` never raises because of a number.",
        "8. An operation that chooses passes nothing to what it did not choose, inf and nan included, and a node that nothing",
        "   reached passes nothing on: see [below](#what-was-not-chosen).",
        "",
        '"At" lists the operands, "gradients" has one for each of them. The last column has what PyTorch 2.13.0 and JAX',
        "0.10.2 were seen to give where that is something else: the value, then the gradients.",
        "",
        "| case | at | value | gradients | elsewhere |",
        "|---|---|---|---|---|",
    ]
    for name, _, xs, value, slopes in HARD_POINTS:
        others = [f"{PEERS[peer]}: {numbers(found)}" for peer, found in DIFFERENT.get(name, {}).items()]
        lines.append(f"| {name} | {numbers(xs)} | {numbers([value])} | {numbers(slopes)} | {'; '.join(others)} |")
    lines += ["", "| case | at | raises | PyTorch and JAX give |", "|---|---|---|---|"]
    for name, _, xs, error, _ in ERRORS:
        instead = numbers(INSTEAD_OF_AN_ERROR.get(name, ()))
        lines.append(f"| {name} | {numbers(xs)} | {error.__name__} | {instead} |")
    lines += [
        "",
        "## What was not chosen",
        "",
        "`relu`, `leaky_relu`, `elu` (their slope), `maximum`, `minimum`, `max`, `min`, `clip`, `where`, and the flat ones,",
        "`floor`, `ceil`, `rint`, `step`, `sign`, `greater` and `//`, choose. To what such an operation did not choose it passes",
        "nothing: not 0 times the gradient from above, which is nan where that is infinite. So",
        "`where(greater(x, 0), sqrt(x), 0)` has the gradient 0 at 0, where PyTorch and JAX give nan and ask for a second",
        "`where` inside the root. It is so in `backward()`, `grad`, `jvp`, with `create_graph`, in recorded, replayed and",
        "compiled functions, on every backend. (In what `to_jax` gives, JAX differentiates, and it has no such rule.)",
        "",
        "The rule goes by what was chosen, never by a number that happens to be 0: an honest nan is better than a 0 that may be",
        "wrong. The last lines show such.",
        "",
        "| function | at | gradient |",
        "|---|---|---|",
        *(f"| {name} | {numbers([x])} | {numbers([slope])} |" for name, (_, x, slope) in EXAMPLES.items()),
        "",
        "The same at second order: `derivative(x**1.5, 2)` at 0 is inf and that of `x**0.5` is -inf, as calculus says; second",
        "derivatives of `hypot` and `arctan2` at (0, 0), which do not exist, are nan.",
        "",
        "## And",
        "",
        "`(-2) ** Value(3)` is -8; its gradient in the exponent is nan, with one warning. A change of `.data` after the",
        "forward pass does not change the gradient: each node keeps the numbers it saw. Assigning another number to the",
        "`.data` of a computed Value makes `backward()` through it an error. What is assigned is looked at where it is",
        "next used: a real number of any kind becomes a float there, anything else is a TypeError that names the line.",
    ]
    return "\n".join(lines) + "\n"


PEERS = {"torch": "PyTorch", "jax": "JAX"}


def numbers(xs) -> str:
    return ", ".join(f"{x:.6g}" for x in xs)


def test_the_page_shows_these_tables():
    assert DOCUMENT.read_text(encoding="utf-8") == document()


@pytest.mark.parametrize(
    ("f", "xs", "value", "slopes"), [row[1:] for row in HARD_POINTS], ids=[row[0] for row in HARD_POINTS]
)
def test_hard_point(f, xs, value, slopes):
    values = [Value(x) for x in xs]
    z = f(*values)
    assert z.data == pytest.approx(value, rel=1e-15, abs=0, nan_ok=True)
    z.backward()
    assert [x.grad for x in values] == pytest.approx(list(slopes), rel=1e-12, abs=0, nan_ok=True)


ERRORS = [
    ("sqrt(-1)", sg.sqrt, (-1,), ValueError, r"sqrt: domain error at -1\.0 \(label 'x'\)"),
    ("log(-1)", sg.log, (-1,), ValueError, r"log: domain error at -1\.0 \(label 'x'\)"),
    ("arcsin(2)", sg.arcsin, (2,), ValueError, r"arcsin: domain error at 2\.0 \(label 'x'\)"),
    ("(-2)**0.5", lambda x: x**0.5, (-2,), ValueError, r"power: a negative number has no real fractional power, at -2\.0, 0\.5 "),
    ("(-8)**(1/3)", lambda x: x ** (1 / 3), (-8,), ValueError, "power: a negative number"),
    ("log(0)", sg.log, (0,), ValueError, r"log: domain error at 0\.0"),
    ("log1p(-1)", sg.log1p, (-1,), ValueError, r"log1p: domain error at -1\.0"),
    ("arctanh(1)", sg.arctanh, (1,), ValueError, r"arctanh: domain error at 1\.0"),
    ("1/0", lambda x: 1 / x, (0,), ZeroDivisionError, r"divide: division by zero at 1\.0, 0\.0 \(label 'x'\)"),
    ("0/0", lambda x, y: x / y, (0, 0), ZeroDivisionError, r"divide: division by zero at 0\.0, 0\.0 \(labels 'x', 'y'\)"),
    ("0**-1", lambda x: x**-1, (0,), ZeroDivisionError, r"power: division by zero at 0\.0, -1\.0"),
    ("1 // 0", lambda x: 1 // x, (0,), ZeroDivisionError, "floor_divide: division by zero"),
    ("1 % 0", lambda x: 1 % x, (0,), ZeroDivisionError, "remainder: division by zero"),
    ("clip, bounds exchanged", lambda x: sg.clip(x, 2, 1), (0,), ValueError, r"clip: the lower bound 2\.0 is above the upper bound 1\.0"),
    ("max of nothing", lambda x: sg.max([]), (0,), ValueError, "max: no operands"),
    ("dot, lengths", lambda x: sg.dot([x], [1, 2]), (0,), ValueError, "dot: the vectors have 1 and 2 elements"),
]  # fmt: skip


@pytest.mark.parametrize(("f", "xs", "error", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_outside_the_domain(f, xs, error, message):
    with pytest.raises(error, match=message):
        f(*(Value(x, label=label) for x, label in zip(xs, "xyz", strict=False)))


def test_an_error_names_the_users_line():
    x = Value(-1.0, label="x")
    with pytest.raises(ValueError, match="test_semantics.py") as caught:
        sg.log(x)  # the line in question
    assert str(caught.value).endswith("sg.log(x)  # the line in question")
    with pytest.raises(TypeError, match="tanh: operand 1 must be a Value or a real number, not str") as caught:
        sg.tanh("0.5")
    assert str(caught.value).endswith('sg.tanh("0.5")')


def test_a_negative_base_has_no_slope_in_its_exponent_and_says_so_once():
    x, y = Value(-2.0), Value(3.0, label="y")
    z = x**y
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        z.backward()
    assert [str(w.message) for w in caught] == [
        "power has no derivative with respect to its second operand at -2.0, 3.0 (label 'y'): the gradient is nan"
    ]
    assert caught[0].filename == __file__
    assert (z.data, x.grad) == (-8, 12)
    assert math.isnan(y.grad)


@pytest.mark.parametrize(
    ("given", "stored"),
    [(True, 1.0), (np.int8(100), 100.0), (np.float32(0.5), 0.5), (np.bool_(True), 1.0), (np.array(2.5), 2.5),
     (Fraction(1, 4), 0.25), (7, 7.0), (np.float64(0.1), 0.1)],
)  # fmt: skip
def test_real_numbers_of_every_kind_become_floats(given, stored):
    v = Value(given)
    assert (v.data, type(v.data)) == (stored, float)
    w = Value(2.0)
    for result in (w * given, given * w, w + given, sg.maximum(w, given)):
        assert type(result) is Value
        assert type(result.data) is float
    v.data = given
    assert type((v * 1.0).data) is float
    assert (v.data, type(v.data)) == (stored, float)


@pytest.mark.parametrize(
    "given",
    [
        "1.5",
        None,
        [1.0],
        1j,
        Decimal("1.5"),
        np.array([1.0, 2.0]),
        np.array("1.5"),
        np.complex128(1),
        {},
        Value(1.0),
        np.datetime64("2020-01-01", "ns"),
    ],
)
def test_nothing_else_becomes_a_value(given):
    with pytest.raises(
        TypeError, match=f"^Value data must be a real number, not {type(given).__name__}|not str|not complex"
    ):
        Value(given)
    v = Value(2.0)
    v.data = given  # which is looked at where it is used
    with pytest.raises(TypeError, match="Value data must be a real number"):
        v * 1.0
    v.data = 2.0
    if not isinstance(given, (Value, np.ndarray, np.generic)):
        assert v.__add__(given) is NotImplemented
        assert v.__rmul__(given) is NotImplemented
        with pytest.raises(TypeError):
            v + given
        with pytest.raises(TypeError):
            v < given


def test_an_integer_too_large_for_a_float_is_an_error_everywhere():
    v = Value(2.0)
    for attempt in (lambda: Value(10**400), lambda: v + 10**400, lambda: 10**400 * v, lambda: sg.tanh(10**400)):
        with pytest.raises(OverflowError):
            attempt()


def test_numpys_functions_and_scalars_keep_the_graph():
    v = Value(0.5)
    for result in (
        np.tanh(v),
        np.float64(2) * v,
        v * np.float64(2),
        np.maximum(v, 0.1),
        np.arctan2(v, 1.0),
        np.abs(v),
        np.true_divide(v, 2),
    ):
        assert type(result) is Value
        assert result.parents == (v,)
    for ufunc in ("exp log sqrt cbrt square reciprocal sin cos tan arcsin arccos arctan sinh cosh tanh arcsinh arctanh "
                  "exp2 expm1 log2 log10 log1p negative absolute sign floor ceil rint").split():  # fmt: skip
        assert getattr(np, ufunc)(v).data == pytest.approx(float(getattr(np, ufunc)(0.5)), rel=1e-15)
        if ufunc != "sign":  # numpy answers this one for objects itself, by comparing
            array = np.array([v], dtype=object)
            assert getattr(np, ufunc)(array)[0].data == pytest.approx(float(getattr(np, ufunc)(0.5)), rel=1e-15)
    row = v * np.array([1.0, 2.0])
    assert [x.data for x in row] == [0.5, 1.0]
    assert [x.data for x in np.array([1.0, 2.0]) * v] == [0.5, 1.0]
    assert np.less(v, 1.0)
    assert np.float64(0.25) < v
    assert np.int64(1) >= v
    assert v < np.array(1.0)
    assert v not in [np.float64(0.5)]
    assert (v == np.float64(0.5), v != np.float64(0.5)) == (False, True)
    assert list(np.array([0.25, 0.75]) < v) == [True, False]
    with pytest.raises(TypeError):
        v < np.complex128(1)
    assert np.clip(v, 0, 0.25).parents == (v,)
    assert np.sum(v).parents == (v,)
    with pytest.raises(TypeError, match="numpy.isnan has no counterpart"):
        np.isnan(v)
    with pytest.raises(TypeError, match="plain call"):
        np.add.outer(v, v)


def test_a_value_is_not_silently_a_number_or_a_truth():
    v = Value(0.5, label="v")
    for attempt in (lambda: float(v), lambda: int(v), lambda: math.sin(v), lambda: complex(v)):
        with pytest.raises(TypeError, match=r"Value 'v' out of the graph.*v\.data"):
            attempt()
    with pytest.raises(TypeError, match="truth of Value 'v'"):
        bool(v)
    assert f"{v:.3f}" == "0.500"
    assert f"{v}" == repr(v) == "Value(data=0.5, grad=0.0, label='v')"
    assert "Value(data=2.0, grad=0.0)" in f"{[Value(2)]}"


def test_comparison_is_of_numbers_equality_is_of_objects():
    a, b = Value(1.0), Value(1.0)
    assert a != b
    assert a == a
    assert len({a, b, a}) == 2
    assert a <= b
    assert a >= 1
    assert a < 2
    assert not a > np.float64(3)
    assert sorted([Value(2.0), Value(1.0)])[0].data == 1.0
    assert not Value(nan) < Value(nan)
    assert max(a, Value(3.0)).data == 3.0


if __name__ == "__main__":
    DOCUMENT.write_text(document(), encoding="utf-8")
