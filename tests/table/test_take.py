"""take: the entry of a list, or the row of a table, at a place; its gradient goes there alone, and no place is guessed."""

import itertools
import math
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value, take

a, b, c = Value(2.0, label="a"), Value(3.0, label="b"), Value(5.0, label="c")


@pytest.mark.parametrize("index", [1, 1.0, np.int64(1), np.float32(1.0), np.array(1), Fraction(1)], ids=repr)
def test_a_plain_number_takes_the_very_entry_and_makes_no_node(index):
    row = [a, 4.0]
    assert take([a, b, c], index) is b
    assert take((a, b, c), index) is b
    assert take([[c, c], row, [b, b]], index) is row
    assert take([1.0, 2.5], index) == 2.5
    assert take(np.array([[1.0, 2.0], [3.0, 4.0]]), index).tolist() == [3.0, 4.0]
    assert take(iter([a, b, c]), index) is b


@given(st.integers(1, 6), st.integers(1, 3), st.data())
def test_a_value_takes_a_row_whose_gradient_goes_to_it_alone(n, width, data):
    table = [[Value(10.0 * i + j) for j in range(width)] for i in range(n)]
    i = data.draw(st.integers(0, n - 1))
    index = Value(float(i))
    row = take(table, index)
    assert [z.data for z in row] == [x.data for x in table[i]]
    assert all(z.parents == (index, *(rows[j] for rows in table)) for j, z in enumerate(row))
    sg.dot(row, [float(j + 1) for j in range(width)]).backward()
    assert index.grad == 0.0
    for k, rows in enumerate(table):
        assert [x.grad for x in rows] == [float(j + 1) * (k == i) for j in range(width)]


def test_rows_of_rows_and_of_numbers():
    index = Value(1.0)
    cube = [[[a, b], [b, c]], [[c, c], [a, 7.0]]]
    assert [[z.data for z in row] for row in take(cube, index)] == [[5.0, 5.0], [2.0, 7.0]]
    assert take([1.0, 2.0], index).data == 2.0
    assert take([[]] * 2, index) == []
    assert take(np.array([1.0, 4.0]), index).data == 4.0


def test_an_index_that_is_computed():
    x, y = Value(1.75), Value(0.5)
    z = take([x * y, x * x, y], sg.floor(x)) * 3.0
    z.backward()
    assert (z.data, x.grad, y.grad) == (3 * 1.75**2, 6 * 1.75, 0.0)


def test_derivatives_of_every_kind():
    def f(x, y):
        return take([x * x * y, x * y], Value(0.0)) * take([y, x], sg.floor(Value(1.25)))  # x**3 y

    second = sg.hessian(lambda v: f(*v))([2.0, 3.0])
    assert [[d.data for d in row] for row in second] == [[36.0, 12.0], [12.0, 0.0]]
    assert sg.jvp(f, (2.0, 3.0), (1.0, 0.5))[1].data == 3 * 4 * 3 + 0.5 * 8
    report = sg.check_gradients(lambda x, y, z: take([x * y, y.exp(), z], sg.floor(z)) + z, [0.7, 0.3, 1.5], order=2)
    assert report.ok, report
    assert sg.check_op(take, examples=20)


def test_what_was_not_taken_gets_nothing_even_of_an_infinite_gradient():
    x, y = Value(0.0), Value(0.0)
    sg.sqrt(take([x, y], Value(1.0))).backward()
    assert (x.grad, y.grad) == (0.0, math.inf)


def test_inside_no_grad_it_is_a_number_without_parents():
    with sg.no_grad():
        z = take([a, b], Value(1.0))
    assert (z.data, z.is_leaf) == (3.0, True)


# -------------------------------------------------------------------- no place is guessed

NOWHERE = {
    3: r"take: the index 3.* is out of range: there are 3 entries, from 0 to 2",
    -1: r"take: the index -1.* is negative, and nothing is counted from the end: there are 3 entries",
    0.5: r"take: the index 0\.5 is no whole number",
    math.nan: r"take: the index nan is no whole number",
    math.inf: r"take: the index inf is no whole number",
    -math.inf: r"take: the index -inf is no whole number",
    1e300: r"take: the index 1e\+300 is out of range",
    2.0000000000000004: r"take: the index 2\.0000000000000004 is no whole number",
}
MODES = [sg.no_grad, sg.detect_anomaly]


@pytest.mark.parametrize("index", NOWHERE)
def test_an_index_of_nothing_is_refused_in_words_with_the_line(index):
    for given_as, entries in itertools.product((index, Value(float(index))), ([a, b, c], [[a], [b], [c]])):
        with pytest.raises(IndexError, match=NOWHERE[index] + r"(.|\n)*test_take.py:\d+: take\(entries"):
            take(entries, given_as)
        for mode in MODES:
            with mode(), pytest.raises(IndexError, match=NOWHERE[index]):
                take(entries, given_as)
    with pytest.raises(IndexError, match=r"\(label 'token'\)"):
        take([a, b, c], Value(float(index), label="token"))


def test_a_great_int_too():
    with pytest.raises(IndexError, match="the index of many digits is out of range"):
        take([a, b], 10**5000)
    with pytest.raises(IndexError, match="negative"):
        take([a, b], -(10**5000))


@pytest.mark.parametrize("index", [0, Value(0.0)], ids=["number", "Value"])
def test_of_nothing_nothing_is_taken(index):
    with pytest.raises(IndexError, match="the index is 0.*, but there are no entries"):
        take([], index)


@pytest.mark.parametrize("index", [True, np.bool_(True), "1", None, [1], 1j], ids=repr)
def test_an_index_of_another_kind_is_refused(index):
    with pytest.raises(TypeError, match="take: the index must be a whole number"):
        take([a, b], index)


@pytest.mark.parametrize("xs", [a, "ab", {0: a}, {a, b}, None, 3, np.array(2.0)], ids=lambda x: type(x).__name__)
@pytest.mark.parametrize("index", [0, Value(0.0)], ids=["number", "Value"])
def test_what_is_no_list_is_refused(xs, index):
    with pytest.raises(TypeError, match=r"take: the entries must be a list, .* as in take\(\[a, b, c\], index\): not "):
        take(xs, index)


@pytest.mark.parametrize("index", [0, Value(0.0)], ids=["number", "Value"])
def test_rows_must_be_alike(index):
    with pytest.raises(ValueError, match="take: row 2 has 1 numbers and row 0 has 2: all rows must have one length"):
        take([[a, b], [b, c], [c]], index)
    with pytest.raises(TypeError, match="take: entry 1 is a Value where entry 0 is a list: give numbers, or rows"):
        take([[a, b], b], index)
    with pytest.raises(TypeError, match="take: operand 3 must be a Value or a real number, not str"):
        take([a, "b"], Value(0.0))


# -------------------------------------------------------------------- read


def test_it_is_written_as_it_is_called():
    i = Value(1.0, label="i")
    z = take([a, b, c], i)
    assert z.formula() == z.formula("python") == "take([a, b, c], i)"
    assert z.formula("latex") == r"\operatorname{take}\left([a, b, c], i\right)"
    assert "a.grad += " in repr(z._backward)
    code = sg.to_python(z)
    assert "(a, b, c)[whole(i)]" in code
    named = {}
    exec(code, named)  # noqa: S102
    assert named["f"]()[0] == 3.0
    for place in (1.5, -1.0, math.nan, math.inf, 3.0):
        with pytest.raises((IndexError, ValueError, OverflowError)):
            named["f"](i=place)
    assert "take is a router" not in code


def test_the_steps_say_which_entry_was_taken():
    i = Value(1.0, label="i")
    why = {step.name: step.why for step in sg.trace(take([a, b], i)) if step.phase == "backward"}
    assert "take routes, and b is entry 1, the one taken, as i is 1" in why["b"]
    assert "take routes, and a is entry 0, not taken, as i is 1" in why["a"]
    assert "asks of i only which entry to take" in why["i"]
    assert "take([a, b], i)" in str(sg.trace(take([a, b], i)))
