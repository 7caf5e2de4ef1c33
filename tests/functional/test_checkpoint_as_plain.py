"""checkpoint(f) is f in numbers, gradients, flags and hooks; f meets the arguments that it was called with."""

from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value
from scalargrad.functional.call import plain_number
from scalargrad.functional.checkpointing import checkpoint

plain = lambda f: f  # noqa: E731
twice = lambda f: checkpoint(checkpoint(f))  # noqa: E731
WAYS = {"once": checkpoint, "within itself": twice}
HOOKS = {
    "scale": lambda g: g * 2,
    "shift": lambda g: 1 - g,
    "clip": lambda g: g if -2 < g < 2 else 2.0,
    "look": lambda g: None,
}


def both(story):
    """What the story tells of the function itself, and that it tells the same of every way to checkpoint it."""
    wanted = story(plain)
    for way, made in WAYS.items():
        assert (way, story(made)) == (way, wanted)
    return wanted


# -------------------------------------------------------------------- any program

small = st.integers(-3, 3)
step = st.tuples(st.sampled_from(["+", "-", "*", "is", "times", "hook", "detach"]), small, small)
program = st.fixed_dictionaries(
    {
        "numbers": st.lists(small, min_size=3, max_size=3),
        "trained": st.lists(st.booleans(), min_size=3, max_size=3),
        "hooks": st.lists(st.tuples(st.integers(0, 3), st.sampled_from(sorted(HOOKS))), max_size=4),
        "arguments": st.lists(
            st.integers(0, 3) | st.sampled_from([True, False, Fraction(2), 2.0, "int"]), min_size=1, max_size=4
        ),
        "steps": st.lists(step, min_size=1, max_size=7),
        "outputs": st.lists(small, min_size=1, max_size=3),
        "create_graph": st.booleans(),
    }
)


def told(made, p):
    """Everything that can be seen of a program when its function is made so."""
    leaves = [
        Value(n, label=f"x{i}", requires_grad=on)
        for i, (n, on) in enumerate(zip(p["numbers"], p["trained"], strict=True))
    ]
    captured = leaves[0] * leaves[2] + 1
    outside = [*leaves, captured]
    seen = []

    def hooked(value, name, who):
        def hook(gradient):
            seen.append((who, plain_number(gradient)))
            return HOOKS[name](gradient)

        value.register_hook(hook)

    for i, name in p["hooks"]:
        hooked(outside[i], name, i)
    met = []

    def f(given, *, more):
        stack = [*given, more["last"], leaves[1], captured]
        met.append([(type(x), x if not isinstance(x, Value) else (x.label, x.requires_grad)) for x in stack])
        for k, (op, i, j) in enumerate(p["steps"]):
            a, b = stack[i], stack[j]
            if op == "is":
                stack.append(a + 1 if a is b else a * 2)
            elif op == "times":
                stack.append(sum(a for _ in range(b)) if type(b) is int and b > 0 else a)
            elif op == "hook" and isinstance(a, Value):
                stack.append(a * 2)
                hooked(stack[-1], sorted(HOOKS)[j % 4], f"inside {k}")
            elif op == "detach" and isinstance(a, Value):
                stack.append(a.detach() * b)
            else:
                stack.append(a - b if op == "-" else a * b if op == "*" else a + b)
            stack[-1] = max(-9, stack[-1]) if not isinstance(stack[-1], Value) else stack[-1]
        return {"results": [stack[i] for i in p["outputs"]], "count": len(stack)}

    arguments = [outside[a] if type(a) is int else 3 if a == "int" else a for a in p["arguments"]]
    found = made(f)(arguments, more={"last": arguments[0]})
    results = found["results"]
    root = sum((x * (k + 1) for k, x in enumerate(results)), start=leaves[0] + leaves[1] * captured)
    flags = [(type(x), isinstance(x, Value) and (x.requires_grad, x.data)) for x in results]
    if root.requires_grad:
        root.backward(create_graph=p["create_graph"])
    gradients = [plain_number(x.grad) for x in outside]
    second = []
    total = sum((x.grad * (k + 2) for k, x in enumerate(outside)), start=Value(0.0, requires_grad=False))
    for x in outside:
        x.grad = 0.0
    if total.requires_grad:
        total.backward()
        second = [plain_number(x.grad) for x in outside]
    return {
        "met": met[0],
        "flags": flags,
        "count": found["count"],
        "root": root.data,
        "gradients": gradients,
        "second": second,
        "hooks": [] if second else sorted(seen, key=str),
    }


@given(program)
def test_any_program(p):
    wanted = told(plain, p)
    for way, made in WAYS.items():
        try:
            found = told(made, p)
        except ValueError as error:
            why = str(error)
        else:
            assert (way, found) == (way, wanted)
            continue
        assert "from which several of its results are computed" in why
        assert len(set(p["outputs"])) > 1
        assert any(op == "hook" for op, *_ in p["steps"])


# -------------------------------------------------------------------- hooks


@pytest.mark.parametrize("create_graph", [False, True])
@pytest.mark.parametrize("name", HOOKS)
def test_hooks_of_what_is_captured_run_once_on_the_whole_gradient(name, create_graph):
    def story(made):
        x, w = Value(2.0), Value(3.0)
        h = w * 2
        calls = []
        for v in (x, w, h):
            v.register_hook(HOOKS[name])
            v.register_hook(lambda g: calls.append(plain_number(g)))
        (made(lambda a: a * h * w)(x) + h + w * x).backward(create_graph=create_graph)
        return [plain_number(v.grad) for v in (x, w, h)], calls

    both(story)


def test_a_hook_that_f_registers_on_its_argument_or_on_what_it_captures_stays_as_it_would():
    def story(made):
        x, w = Value(2.0), Value(3.0)

        def f(a):
            a.register_hook(lambda g: g * 10)
            w.register_hook(lambda g: g * 100)
            return a * w

        y = made(f)(x) + x
        y.backward()
        first = x.grad, w.grad
        y.backward()
        return first, x.grad, w.grad

    assert both(story) == ((40.0, 200.0), 80.0, 400.0)


def test_a_hook_below_several_results_is_refused():
    def f(a):
        h = a * 3
        h.register_hook(HOOKS["clip"])
        return h * h, h + 1

    with pytest.raises(ValueError, match="hook on .* from which several of its results are computed"):
        checkpoint(f)(Value(2.0))

    def within(a):
        inner = checkpoint(lambda b: f(b)[0])(a)
        return inner * 2, inner + 1

    with pytest.raises(ValueError, match="from which several of its results are computed"):
        checkpoint(within)(Value(2.0))

    def story(made):
        x = Value(2.0)
        made(lambda a: f(a)[0])(x).backward()
        return x.grad

    assert both(story) == 6.0


# -------------------------------------------------------------------- arguments


class Row(list):
    pass


@pytest.mark.parametrize(
    "number",
    [3, True, Fraction(1, 3), np.float32(0.5), np.int64(3), 2.5, np.array([1.0, 2.0]), np.arange(6).reshape(2, 3)],
    ids=repr,
)
def test_numbers_and_arrays_come_as_they_were_given(number):
    met = []

    def f(a, n):
        met.append(n)
        return a * 2, n

    x = Value(1.0)
    y, n = checkpoint(f)(x, number)
    y.backward()
    for found in (*met, n):
        assert type(found) is type(number)
        assert getattr(found, "dtype", None) == getattr(number, "dtype", None)
        assert np.array_equal(found, number)
    assert x.grad == 2.0


def test_an_array_of_values_stays_one():
    def story(made):
        xs = np.array([Value(2.0), Value(3.0)], dtype=object)
        y = made(lambda a: (a * a).sum())(xs)
        y.backward()
        return y.data, [x.grad for x in xs]

    assert both(story) == (13.0, [4.0, 6.0])


def test_what_is_changed_after_the_call_is_as_it_was_in_the_call():
    def story(made):
        x, k, row, array = Value(2.0), Value(5.0, requires_grad=False), Row([3.0]), np.array([4.0])
        y = made(lambda a, b, r, n: a * a * b * r[0] * float(n[0]))(x, k, row, array)
        x.data, k.data, row[0], array[0] = 100.0, 100.0, 100.0, 100.0
        y.backward()
        return y.data, x.grad

    assert both(story) == (240.0, 240.0)


def test_an_argument_is_the_value_itself():
    def story(made):
        x, y, w = Value(2.0), Value(3.0, requires_grad=False), Value(5.0)
        weights = {x: 10.0, y: 20.0}

        def f(a, b, vs):
            return (
                sg.sum([v * weights[v] for v in vs if v is not a]) * (w if a is x and not b.requires_grad else 0.0) * a
            )

        z = made(f)(x, y, [x, y, y])
        z.backward()
        return z.data, x.grad, y.grad, w.grad

    both(story)


def test_a_function_that_changes_its_arguments():
    def story(made):
        row, x = [Value(2.0)], Value(3.0)

        def f(r, a):
            r.append(r[0] * a)
            return r[1] * r[1]

        y = made(f)(row, x)
        y.backward()
        return len(row), row[0].grad, x.grad

    assert both(story) == (2, 36.0, 24.0)


def test_backward_within_the_function_leaves_its_gradients_once():
    def story(made):
        x, w = Value(2.0), Value(3.0)

        def f(a):
            h = a * w
            h.backward()
            return h * h

        y = made(f)(x)
        y.backward()
        return x.grad, w.grad

    both(story)


# -------------------------------------------------------------------- results


def test_what_is_constant_is_a_constant():
    def story(made):
        x, k, w = Value(2.0), Value(5.0, requires_grad=False), Value(3.0)
        results = made(lambda a, b: [a.detach(), b, b * 2, Value(7.0, requires_grad=False), a * b, w * 1, 4])(x, k)
        return [isinstance(v, Value) and (v.requires_grad, v.is_leaf, v.data) for v in results]

    both(story)


def test_what_f_returns_as_it_was_is_itself():
    x, k, w = Value(2.0), Value(5.0, requires_grad=False), Value(3.0) * 2
    for way in WAYS.values():
        assert [v is u for v, u in zip(way(lambda a, b: [a, b, w])(x, k), [x, k, w], strict=True)] == [True] * 3


def test_a_result_that_is_there_twice_is_one():
    a, b = checkpoint(lambda x: [x * x] * 2)(Value(2.0))
    assert a is b


def test_what_is_trained_only_later():
    def story(made):
        x, w = Value(1.2), Value(0.7, requires_grad=False)
        y = made(lambda a: a * w)(x)
        w.requires_grad = True
        y.backward()
        return x.grad, w.grad

    both(story)


def test_a_closure_that_gives_to_leaves_that_are_no_parents():
    def story(made):
        x, w = Value(2.0), Value(3.0)

        def f(a):
            out = Value(a.data * w.data, (a,), "times w")

            def backward():
                a.grad += w.data * out.grad
                w.grad += a.data * out.grad

            out._backward = backward
            return out * 2

        made(f)(x).backward()
        return x.grad, w.grad

    assert both(story) == (6.0, 4.0)


def test_in_a_large_graph():
    def story(made):
        x, w = Value(2.0), Value(3.0)
        h = x
        for _ in range(100_001):
            h = h + 1.0
        made(lambda a: a * w)(h).backward()
        return x.grad, w.grad

    assert both(story) == (3.0, 100_003.0)


def test_a_compiled_function_is_compiled_through_it():
    w = Value(2.0)
    f = sg.compile(lambda x, y: checkpoint(lambda v: w * v[0] ** 3 * v[1])([x, y]), backend="python")
    assert (f(1.5, 2.0), f(-1.0, 4.0)) == (13.5, -8.0)


def test_statistics_are_taken_again():
    """As the docstring says."""
    norm = sg.nn.BatchNorm(1)
    checkpoint(norm)([[Value(1.0)], [Value(3.0)]])[0][0].backward()
    once = sg.nn.BatchNorm(1)
    for _ in range(2):
        once([[Value(1.0)], [Value(3.0)]])
    assert norm.state_dict() == once.state_dict()
