"""Transforms inside transforms: plain numbers in, plain numbers out, at any depth; a Value in, Values out."""

from __future__ import annotations

import itertools
import math

import pytest

import scalargrad as sg
from scalargrad import Value

# Each takes a function of one number and gives its derivative at t, in the words of one transform.
OPERATORS = {
    "grad": lambda f: lambda t: sg.grad(f)(t),
    "value_and_grad": lambda f: lambda t: sg.value_and_grad(f)(t)[1],
    "jvp": lambda f: lambda t: sg.jvp(f, (t,), (1.0,))[1],
    "vjp": lambda f: lambda t: sg.vjp(f, t)[1](1.0)[0],
    "jacobian": lambda f: lambda t: sg.jacobian(f)(t),
    "jacrev": lambda f: lambda t: sg.jacrev(f)(t),
    "jacfwd": lambda f: lambda t: sg.jacfwd(f)(t),
    "hessian": lambda f: lambda t: sg.hessian(lambda u: f(u) * 1.0)(t),
    "hvp": lambda f: lambda t: sg.hvp(f, (t,), (1.0,)),
    "derivative": lambda f: lambda t: sg.derivative(f)(t),
}
TWICE = {"hessian", "hvp"}


@pytest.mark.parametrize("outer", OPERATORS)
@pytest.mark.parametrize("inner", OPERATORS)
def test_the_inner_closes_over_the_outer_input(outer, inner):
    """d/dx of the derivative in t of x**3 * t**3 at t = 3."""
    by_t = 27.0 if inner not in TWICE else 18.0
    by_x = 12.0  # the first derivative of x**3 at 2, and the second
    f = OPERATORS[outer](lambda x: OPERATORS[inner](lambda t: x**3 * t**3)(3.0))
    found = f(2.0)
    assert type(found) is float
    assert found == pytest.approx(by_t * by_x)
    assert type(sg.value_and_grad(lambda x: OPERATORS[inner](lambda t: x**3 * t**3)(3.0))(2.0)[0]) is float
    among = f(Value(2.0))
    assert isinstance(among, Value)
    assert among.data == pytest.approx(by_t * by_x)


@pytest.mark.parametrize("names", list(itertools.product(["grad", "jvp", "vjp", "jacobian"], repeat=3)), ids="-".join)
def test_three_deep(names):
    a, b, c = (OPERATORS[name] for name in names)
    f = a(lambda x: b(lambda y: c(lambda z: sg.sin(x * y * z) + y * z)(0.5) * x)(1.5))
    x, y, z = 2.0, 1.5, 0.5
    u = x * y * z
    # c: xy cos u + y; times x, by y: x(x cos u - x*x*y*z sin u + 1); by x, with d sin u = yz cos u:
    expected = 2 * x * math.cos(u) - x * x * y * z * math.sin(u) - 3 * x**2 * y * z * math.sin(u)
    expected += -(x**3) * (y * z) ** 2 * math.cos(u) + 1
    assert type(f(x)) is float
    assert f(x) == pytest.approx(expected)


def test_a_value_from_outside_keeps_results_values():
    w = Value(3.0)
    found = sg.grad(lambda x: sg.grad(lambda t: w * x * t * t)(3.0))(2.0)
    assert isinstance(found, Value)
    assert sg.grad(found, w) == 6.0
    inner = []

    def f(x):
        inner.append(sg.grad(lambda t: x * x * t)(1.0))
        return inner[-1] * x

    assert type(sg.grad(f)(2.0)) is float
    assert isinstance(inner[0], Value)  # the outer needs the graph
    assert sg.grad(lambda t: t * t)(3.0) == 6.0


def test_structures_and_aux_are_plain():
    found, aux = sg.grad(
        lambda w: (sg.grad(lambda t: w["a"] * t * t)(w["b"]), sg.grad(lambda t: w["a"] * t)(1.0)), has_aux=True
    )({"a": 2.0, "b": 5.0})
    assert (found, aux) == ({"a": 10.0, "b": 4.0}, 2.0)
    assert {type(x) for x in (*found.values(), aux)} == {float}


def test_compiled_nests_follow_their_input():
    f = sg.compile(sg.grad(lambda x: sg.grad(lambda t: x * x * t * t)(3.0)), backend="python")
    assert [f(2.0), f(5.0)] == [24.0, 60.0]
