"""Where floating point, or calculus, has no obvious answer, every op gives what the table of hard points says."""

import itertools
import math
import operator
import warnings
from decimal import Decimal
from fractions import Fraction

import pytest
from hard_points import ERRORS, HARD_POINTS
from hard_points_page import DOCUMENT, document
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value

inf, nan = math.inf, math.nan


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


@pytest.mark.parametrize(("f", "xs", "error", "message"), [row[1:] for row in ERRORS], ids=[row[0] for row in ERRORS])
def test_outside_the_domain(f, xs, error, message):
    with pytest.raises(error, match=message):
        f(*(Value(x, label=label) for x, label in zip(xs, "xyz", strict=False)))


def test_an_error_names_the_users_line():
    x = Value(-1.0, label="x")
    with pytest.raises(ValueError, match="test_hard_points.py") as caught:
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
        if isinstance(given, str):  # nobody else can compute with a text and a Value, so it is told what to write
            for operate in (v.__add__, v.__rmul__):
                with pytest.raises(TypeError, match=r"not the text '1\.5': write 1\.5 without quotes"):
                    operate(given)
        elif given is None or isinstance(given, list):  # nor with these
            with pytest.raises(TypeError, match="takes numbers and Values, not"):
                v.__add__(given)
            with pytest.raises(TypeError, match="takes numbers and Values, not"):
                v.__rsub__(given)
        else:
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
    numbers = (-inf, -1.0, -0.0, 0.0, 1.0, 2.0, inf, nan)
    for x, y in itertools.product(numbers, numbers):
        for compare in (operator.lt, operator.le, operator.gt, operator.ge):
            assert compare(Value(x), Value(y)) is compare(Value(x), y) is compare(x, Value(y)) is compare(x, y)


@pytest.mark.parametrize(
    ("wrong", "error", "message"),
    [
        (lambda: Value(1j), TypeError, "not complex: take its real part, with .real"),
        (lambda: Value(Decimal("1.5")), TypeError, r"not Decimal: write float\(...\) of it"),
        (
            lambda: Value(10**400),
            OverflowError,
            "Value data must fit a float, and this int is too large: scalargrad.Exact",
        ),
        (lambda: Value(2.0) * Fraction(10**400, 3), OverflowError, "and this Fraction is too large: scalargrad.Exact"),
        (
            lambda: Value(2.0).backward("1"),
            TypeError,
            "^backward: seed must be a real number, not str: write 1 without",
        ),
        (
            lambda: Value(2.0).backward(Value(1.0)),
            TypeError,
            "^backward: seed .* not Value: take its number with .data",
        ),
        (lambda: Value(2.0).backward([1.0]), TypeError, "^backward: seed must be a real number, not list$"),
        (lambda: Value(2.0).backward(10**400), OverflowError, "^backward: seed must fit a float"),
        (lambda: sg.topological_order([Value(2.0)]), TypeError, "not list: give one of its elements"),
    ],
)
def test_what_is_no_number_here_is_told_what_to_write(wrong, error, message):
    with pytest.raises(error, match=message):
        wrong()
