"""`check_op`: a student's operation in any of the three shapes, checked in one line, its simplest failure found."""

import sys

import pytest
from helpers import cube_by_function

import scalargrad as sg
from scalargrad import Value, check_op, primitive
from scalargrad.checking import GradientError, Verdict
from scalargrad.table import Domain


def cube_by_closure(factor):
    def cube(x):
        out = Value(x.data**3, (x,), "cube")

        def _backward():
            x.grad += factor * x.data**2 * out.grad

        out._backward = _backward
        return out

    return cube


def cube_by_primitive(factor):
    return primitive(lambda x: x**3, partials=lambda x: factor * x**2, name="cube")


@pytest.mark.parametrize("make", [cube_by_closure, cube_by_function, cube_by_primitive])
def test_each_shape_of_custom_operation(make):
    verdicts = check_op(make(3.0), examples=30)
    assert verdicts[Verdict.FAIL] == 0
    assert verdicts[Verdict.PASS] >= 20
    second = make is not cube_by_closure  # a closure computes numbers, so there is no second derivative to check
    assert (verdicts.total() > 40) == second
    with pytest.raises(GradientError, match="WRONG") as caught:
        check_op(make(3.01), examples=30)
    assert "'cube'" in str(caught.value).lower()


def test_without_hypothesis_it_says_what_to_install(monkeypatch):
    monkeypatch.setitem(sys.modules, "hypothesis", None)
    with pytest.raises(ImportError, match="check_op needs hypothesis .the extra `test`.: pip install hypothesis"):
        check_op(sg.tanh)


def test_the_simplest_failing_point_is_found():
    wrong = primitive(lambda x, y: x * y, partials=[lambda x, y: y, lambda x, y: sg.maximum(x, 1.0)], name="times")
    with pytest.raises(GradientError) as caught:
        check_op(wrong)
    culprit = caught.value.report.culprit
    assert (culprit.name, culprit.argument) == ("times", 1)
    assert all(abs(x) <= 1.0 for x in culprit.at)


def test_domains():
    root = primitive(lambda x: x**0.5, partials=lambda x, z: 0.5 / z, domain=(0.0, 9.0), name="root")
    assert check_op(root, examples=20)[Verdict.FAIL] == 0
    assert check_op(lambda x: sg.log(x), domain=Domain(low=0.0, open=True), examples=20)[Verdict.PASS] > 10
    assert check_op(lambda x, y: x**y, domain=[(0.5, 3.0), (-2.0, 2.0)], examples=20)[Verdict.PASS] > 10
    with pytest.raises(ValueError, match="takes 2 arguments, but 1 domains"):
        check_op(lambda x, y: x * y, domain=[(0.0, 1.0)])
    with pytest.raises(TypeError, match="a fixed number of arguments"):
        check_op(lambda *xs: xs[0])


def test_what_is_no_function_is_refused_however_deep_it_is():
    deep = 1.0
    for _ in range(3000):  # of which Python cannot make a repr
        deep = [deep]
    for wrong in (deep, "tanh", None):
        with pytest.raises(TypeError, match="check_op needs a function with a fixed number of arguments, not"):
            check_op(wrong)


def test_nothing_decided_is_no_pass():
    with pytest.raises(GradientError, match="could be decided"):
        check_op(lambda x: sg.tanh(x), domain=(30.0, 40.0), examples=5, order=1)
    assert repr(check_op(sg.sin, examples=5, order=1)).startswith("<op check, ok: ")
