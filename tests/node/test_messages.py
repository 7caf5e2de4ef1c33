"""What nodes and rows refuse they refuse in words: what was given, what was expected, what to write; word for word."""

import copy
import linecache
import math
import operator
import pickle
import warnings

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.engine import gradients
from scalargrad.node.mode import mode
from scalargrad.table.making import binary, nary, unary

GRAPHS = "Write the operation with @primitive or as a Function, or leave create_graph out"
NO_INDEX = "TypeError: Value 'v' cannot be an index, a slice's end, a count or an argument of range(): Python asks for an int there, which no graph follows. "
TAKEN = "For an entry or a row write scalargrad.take({}), whose gradient goes to what is taken"
COUNTED = (
    "Write int(v.data) for a number that shapes the computation, as a length; of an argument of a function that is "
    "compiled, name it in static="
)
REBOUND = (
    "; inside no_grad(), `a -= ...` made a new constant of this name, and the leaf that required grad stayed as it "
    "was: write `a.data -= ...`, as in `a.data -= lr * a.grad`@"
)

# A line of code, in which v is a Value, a a leaf, c = a * v, and y was made by hand from a; and what it says. "@" at the
# end stands for the place of the line.
MESSAGES = {
    # making a Value
    "Value(1.0, 3)": "TypeError: _children must be a tuple of Values, not int",
    "Value(1.0, (2.0,), '+')": "TypeError: _children must be Values, not float: wrap numbers in Value(...)",
    "Value(1.0, (v,), '+', parameter=True)": "ValueError: requires_grad and parameter are for leaves, and this Value has _children",
    "Value(1.0, (v,), 3)": "TypeError: _op must be the text of the operation, as '+', or a tuple of local derivatives, one for each of _children, not int",
    "Value(1.0, (v,), (1.0, 2.0))": "ValueError: 2 local derivatives were given for 1 _children: give one for each, as in Value(data, (a, b), (da, db))",
    "Value(1.0, (v,), ('1',))": "TypeError: local derivative 0 must be a real number, not str",
    "Value(1.0, (v,), (v,))": "TypeError: local derivative 0 must be a real number, not Value: take its number with .data",
    "Value(1.0, (v,), (10**400,))": "OverflowError: local derivative 0 of Value(1.0) is an integer too large for a float",
    "Value(1.0, label=3)": "TypeError: a label must be a string, not int",
    "c.requires_grad = False": "ValueError: requires_grad can be set on leaves only; Value 'c' was computed: use detach()",
    "v._backward = 3": "TypeError: _backward must be a function without arguments, not int",
    # what is no number, no truth, no index, no matrix
    "bool(v)": "TypeError: the truth of Value 'v' is ambiguous: write `v.data != 0` or compare, `v > 0`",
    "float(v)": "TypeError: float() and math.* would silently cut Value 'v' out of the graph: use scalargrad's functions, as in v.tanh() or scalargrad.tanh(v), or take the number with v.data",
    "math.atan(v)": "TypeError: float() and math.* would silently cut Value 'v' out of the graph: use scalargrad's functions, as in scalargrad.arctan(v), or take the number with v.data",
    "math.exp(v)": "TypeError: float() and math.* would silently cut Value 'v' out of the graph: use scalargrad's functions, as in scalargrad.exp(v), or take the number with v.data",
    "complex(v)": "TypeError: complex() would silently cut Value 'v' out of the graph: take the number, complex(v.data)",
    "int(v)": "TypeError: int() would silently cut Value 'v' out of the graph: take the number, int(v.data), or stay in the graph with scalargrad.floor(v)",
    "[1, 2][v]": f"{NO_INDEX}{TAKEN.format('table, token')}. {COUNTED}",
    "rows[v]": f"{NO_INDEX}{TAKEN.format('rows, v')}. {COUNTED}",
    "range(v)": f"{NO_INDEX}{COUNTED}. {TAKEN.format('table, token')}",
    "rows[:v]": f"{NO_INDEX}{COUNTED}. {TAKEN.format('table, token')}",
    "round(v, 2)": "TypeError: round(v, 2): a node of the graph is rounded to whole numbers only, with round(v). To show Value 'v', write round(v.data, 2) or f'{v:.2f}'",
    "v ^ 2": "TypeError: ^ is no power in Python: write v ** 2",
    "2 ^ v": "TypeError: ^ is no power in Python: write 2 ** v",
    "Value(1.0, label='two words') ^ 'x'": "TypeError: ^ is no power in Python: write v ** y",
    "v @ v": "TypeError: @ is for matrices, and Value 'v' is one number: write * for a product, or scalargrad.dot(xs, ys) for lists of Values",
    "pickle.dumps(v)": "TypeError: a Value cannot be pickled: model.save(path) stores a model and nn.load(path) reads it again, model.state_dict() gives its numbers by name, v.data is the number of one Value, and copy.deepcopy(v) copies a graph",
    # operands
    "v * None": "TypeError: * takes numbers and Values, not None, which is what a function without return gives",
    "None - v": "TypeError: - takes numbers and Values, not None, which is what a function without return gives",
    "v + [1.0]": "TypeError: + takes numbers and Values, not a list: write [v + x for x in xs] for each of its numbers",
    "(1.0,) - v": "TypeError: - takes numbers and Values, not a tuple: write [v - x for x in xs] for each of its numbers",
    "v + {}": "TypeError: unsupported operand type(s) for +: 'Value' and 'dict'",
    "v + '2.5'": "TypeError: + takes numbers and Values, not the text '2.5': write 2.5 without quotes, or float(...) of the text",
    "v + ' 2.5 '": "TypeError: + takes numbers and Values, not the text ' 2.5 ': write 2.5 without quotes, or float(...) of the text",
    "v + 'two'": "TypeError: + takes numbers and Values, not the text 'two': write f'{v}' to join a Value to a text",
    "v + 20 * 'x'": f"TypeError: + takes numbers and Values, not the text '{20 * 'x'}': write f'{{v}}' to join a Value to a text",
    "v + 21 * 'x'": f"TypeError: + takes numbers and Values, not the text '{19 * 'x'}…': write f'{{v}}' to join a Value to a text",
    "v * 'x'": f"{NO_INDEX}{TAKEN.format('table, token')}. {COUNTED}",
    "v * [1.0]": f"{NO_INDEX}{TAKEN.format('table, token')}. {COUNTED}",
    "pow(v, 2, 3)": "TypeError: pow() with a modulus is for integers (label 'v'): write v ** y % m, whose gradient is that of v ** y",
    "v.__rpow__(2, 3)": "TypeError: pow() with a modulus is for integers (label 'v'): write v ** y % m, whose gradient is that of v ** y",
    "v + 10**400": "OverflowError: Value data must fit a float, and this int is too large: scalargrad.Exact(...) keeps it exactly",
    "10**400 - v": "OverflowError: Value data must fit a float, and this int is too large: scalargrad.Exact(...) keeps it exactly",
    "sg.maximum(v)": "TypeError: maximum takes two operands, but one was given",
    "sg.tanh('x')": "TypeError: tanh: operand 1 must be a Value or a real number, not str@",
    "sg.maximum(v, None)": "TypeError: maximum: operand 2 must be a Value or a real number, not NoneType (label 'v')@",
    "sg.where(v, 1.0)": "TypeError: where takes condition, x, y, but 2 operands were given",
    "sg.where(v, x=1.0)": "TypeError: where takes condition, x, y, and y is missing",
    "sg.where(v, 1.0, 2.0, x=3.0)": "TypeError: where: x was given twice, by its place and by its name",
    "sg.where(v, 1.0, 2.0, out=v)": "TypeError: where takes no option out; it takes condition, x, y",
    "sg.sum([v], axis=0)": "TypeError: sum takes no option axis",
    "sg.dot([v], [1.0, 2.0])": "ValueError: dot: the vectors have 1 and 2 elements; they must have equally many",
    "sg.dot([v])": "TypeError: dot takes two vectors and, if there is one, a bias: dot([1.0, 2.0], weights, bias)",
    # outside a domain
    "(-v) ** 0.5": "ValueError: power: a negative number has no real fractional power, at -2.0, 0.5@",
    "sg.clip(v, 2.0, 1.0)": "ValueError: clip: the lower bound 2.0 is above the upper bound 1.0, at 2.0, 2.0, 1.0 (label 'v')@",
    "sg.take([v], 3)": "IndexError: take: the index 3 is out of range: there is 1 entry, from 0 to 0@",
    "sg.take([v], 1)": "IndexError: take: the index 1 is out of range: there is 1 entry, from 0 to 0@",
    "sg.take([v, v], 2.0)": "IndexError: take: the index 2.0 is out of range: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], -1)": "IndexError: take: the index -1 is negative, and nothing is counted from the end: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], 0.5)": "IndexError: take: the index 0.5 is no whole number: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], math.inf)": "IndexError: take: the index inf is no whole number: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], -math.inf)": "IndexError: take: the index -inf is no whole number: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], math.nan)": "IndexError: take: the index nan is no whole number: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], -1.5)": "IndexError: take: the index -1.5 is no whole number: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], 1e300)": "IndexError: take: the index 1e+300 is out of range: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], 10**18 - 1)": "IndexError: take: the index 999999999999999999 is out of range: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], 10**18)": "IndexError: take: the index of many digits is out of range: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], -10**18)": "IndexError: take: the index of many digits is negative, and nothing is counted from the end: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], 1 - 10**18)": "IndexError: take: the index -999999999999999999 is negative, and nothing is counted from the end: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], 10**30)": "IndexError: take: the index of many digits is out of range: there are 2 entries, from 0 to 1@",
    "sg.take([v, v], -10**30)": "IndexError: take: the index of many digits is negative, and nothing is counted from the end: there are 2 entries, from 0 to 1@",
    "sg.take([], 0)": "IndexError: take: the index is 0, but there are no entries@",
    **{f"sg.{name}([])": f"ValueError: {name}: no operands@" for name in ("mean", "max", "min", "logsumexp")},
    # numbers that were assigned or deleted
    "v.data = 'a'; v * 2.0": "TypeError: Value data must be a real number, not str, which was assigned to the data of Value 'v'@",
    "w = Value(2.0); w.data = 10**400; w * 2.0": "OverflowError: Value data must fit a float, and this int is too large: scalargrad.Exact(...) keeps it exactly, which was assigned to the data of a Value@",
    "del v.data; v.detach()": "AttributeError: Value 'v' has no number: its data was deleted; assign one, v.data = 0.0",
    "c.data = 7.0; c.backward()": "ValueError: the data of Value 'c' was assigned after '*' computed it, so its gradient is undefined: assign to leaves and compute again, or make it a leaf with Value(...)",
    "a.data = 7.0; c.backward(create_graph=True)": "ValueError: Value 'a' was changed after '*' used it at 3.0: a graph of gradients would mix both numbers; compute again",
    "a.grad = 'x'; c.backward()": "TypeError: the grad of Value 'a' is of type str, and a gradient cannot be added to it: assign a number or None to grad, or call zero_grad(), before backward()",
    # the sweep
    "sg.topological_order(3)": "TypeError: topological_order takes a Value, the output of a graph, not int: a plain number has no graph: compute it from Values, without .data in between",
    "c.backward('1')": "TypeError: backward: seed must be a real number, not str: write 1 without quotes, or float(...) of the text",
    "gradients([k, 2.0 * l], [1.0, 1.0])": "ValueError: nothing to differentiate: no leaf below Value 'k', Value(8.0) requires grad (made by detach(), under no_grad(), or with requires_grad=False)",
    "exec('with sg.no_grad(): a -= 0.5'); a.backward()": f"ValueError: nothing to differentiate: no leaf below Value(2.5) requires grad (made by detach(), under no_grad(), or with requires_grad=False){REBOUND.replace('@', '')}\n  at <string>:1",
    "exec('with sg.no_grad(): a -= 0.5'); (a * v).backward()": f"ValueError: no gradient comes to Value(2.5): {REBOUND.removeprefix('; ').replace('@', '')}\n  at <string>:1",
    # what was made by hand
    "y.backward()": "ValueError: no gradient passes through Value 'y', which was made by hand as 'mine': set its _backward, or give its local derivatives, one for each parent, as in Value(data, (a, b), (da, db))",
    "Value(1.0, (a,)).backward()": "ValueError: no gradient passes through Value(1.0), which was made by hand: set its _backward, or give its local derivatives, one for each parent, as in Value(data, (a, b), (da, db))",
    "y._backward = lambda: setattr(c, 'grad', 1.0); y.backward()": "ValueError: the _backward of 'mine' gives a gradient to Value 'c', which is not among its parents, so that its turn may be over: list it, as in Value(data, (a, b), 'op')",
    "y._backward = lambda: setattr(v, 'grad', 1.0); y._local_grads": "ValueError: the local derivatives of Value 'y' are more than its parents: its _backward reaches Values that are not among them; call it, v._backward()",
    "y._backward = print; copy.copy(y)": "TypeError: cannot copy Value 'y': its hand-written _backward closure refers to the original",
    "y._backward = print; y.backward(create_graph=True)": f"TypeError: no graph of gradients through Value 'y': the hand-written _backward of 'mine' computes numbers. {GRAPHS}",
    "(2.0 * Value(1.0, (a,), (1.0,), label='g')).backward(create_graph=True)": f"TypeError: no graph of gradients through Value 'g': its local derivatives were given as numbers, and how they change with its parents is not known. {GRAPHS}",
    "Value(1.0, (a,), (1.0,), label='g').backward(create_graph=True)": f"TypeError: no graph of gradients through Value 'g': its local derivatives were given as numbers, and how they change with its parents is not known. {GRAPHS}",
    # modes
    "sg.no_grad()(int)": "TypeError: no_grad decorates functions, not classes as int: decorate its methods",
    "sg.no_grad()(3)": "TypeError: no_grad decorates functions, not int",
    "with sg.no_grad: pass": "TypeError: a `with` block needs the parentheses: with no_grad():",
    "mode.get().but(wrong=1, bad=2)": "TypeError: a mode has recording, follows_ieee, warns, inspectors, watches, blocks, on_comparison, on_data, on_leaf, on_index, on_hash, equal, as_values, and no wrong, bad",
    "mode.get().warns = False": "AttributeError: a mode is never changed: mode.set(mode.get().but(warns=...)) puts another in its place",
}  # fmt: skip


def names():
    """What the lines of code find: the Values anew for each."""
    v, a = Value(2.0, label="v"), Value(3.0, label="a")
    c, y = a * v, Value(1.0, (a,), "mine", label="y")
    c.label = "c"
    k, l = Value(1.0, label="k", requires_grad=False), Value(4.0, requires_grad=False)
    modules = {module.__name__: module for module in (copy, math, pickle)}
    return {
        **modules, "sg": sg, "Value": Value, "gradients": gradients, "mode": mode, "rows": [1, 2],
        "v": v, "a": a, "c": c, "y": y, "k": k, "l": l,
    }  # fmt: skip


def run(line):
    """Run a line of code that messages can find and quote."""
    path = "<a line of the test>"
    linecache.cache[path] = (len(line), None, [line], path)
    try:
        exec(compile(line, path, "exec"), names())  # noqa: S102
    finally:
        del linecache.cache[path]


def said(line):
    """What the error says that the line raises."""
    try:
        run(line)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return "nothing"


@pytest.mark.parametrize("line", MESSAGES)
def test_every_message_word_for_word(line):
    expected = MESSAGES[line]
    if expected.endswith("@"):
        quoted = line if len(line) <= 80 else line[:79] + "…"
        expected = f"{expected[:-1]}\n  at <a line of the test>:1: {quoted}"
    assert said(line) == expected


@pytest.mark.parametrize(
    ("take", "how"),
    [
        (lambda x: x.detach(), "detach()"),
        (lambda x: x.backward(), "backward()"),
        (copy.copy, "copy"),
        (copy.deepcopy, "deepcopy"),
        (lambda x: x.data, ".data"),
        (lambda x: x.item(), ".data"),
    ],
)
def test_how_a_number_was_taken_out_of_a_value(take, how):
    with pytest.raises(TypeError) as caught:
        sg.compile(lambda x: take(x) or x, backend="python")(2.0)
    first, *_ = str(caught.value).split(": ")
    assert first == f"the function took the number out of Value(2.0) with {how}"


def test_what_is_computed_may_be_copied_while_it_is_recorded():
    assert sg.compile(lambda x: copy.copy(x * 2.0) + x, backend="python")(3.0) == 9.0


def test_local_gradients_of_a_parent_that_is_there_twice():
    """By a closure the first place has it for both."""
    a = Value(3.0)
    y = Value(9.0, (a, a), "mine")

    def _backward():
        a.grad += 6.0 * y.grad

    y._backward = _backward
    assert y._local_grads == (6.0, 0.0)
    assert (a * a)._local_grads == (3.0, 3.0)
    assert not (a * a).is_parameter


@pytest.mark.parametrize(
    ("compare", "sign"), [(operator.lt, "<"), (operator.le, "<="), (operator.gt, ">"), (operator.ge, ">=")]
)
def test_what_was_compared(compare, sign):
    branches = sg.compile(lambda x: x if compare(x, 2.0) else -x, backend="python")
    branches(1.0)
    with pytest.raises(sg.BranchError) as caught:
        branches(3.0)
    assert f": Value(1.0) {sign} 2.0 was {compare(1.0, 2.0)} when it was recorded\n" in str(caught.value)


def hard(x):
    return (x - x) / (x - x)


ROWS = {
    "": lambda: unary("hard_for_a_test", lambda x: x, lambda x, y, z: hard(x)),
    " with respect to its first operand": lambda: binary("hard_for_a_test", max, lambda x, y, z: hard(x), 1.0),
    " with respect to its second operand": lambda: binary("hard_for_a_test", max, 1.0, lambda x, y, z: hard(x)),
}


@pytest.mark.parametrize("which", ROWS)
def test_what_has_no_derivative(which):
    row = ROWS[which]()
    xs = [1.0, 2.0][: row.op.arity]
    with pytest.warns(RuntimeWarning) as caught:
        row(*(Value(x, label="x") for x in xs)).backward()
    labels = "(label 'x')" if len(xs) == 1 else "(labels 'x', 'x')"
    place = ", ".join(map(repr, xs))
    assert [str(warning.message) for warning in caught] == [
        f"hard_for_a_test has no derivative{which} at {place} {labels}: the gradient is nan"
    ]
    with warnings.catch_warnings():  # what is nan already is no news
        warnings.simplefilter("error")
        row(Value(math.nan), *xs[1:]).backward()


def test_a_row_of_many_operands_has_no_derivative():
    row = nary("hard_for_a_test", max, lambda xs, z: [hard(x) for x in xs])
    with pytest.warns(RuntimeWarning) as caught:
        row([Value(1.0), Value(2.0, label="x")]).backward()
    assert [str(warning.message) for warning in caught] == [
        "hard_for_a_test has no derivative at 1.0, 2.0 (label 'x'): the gradient is nan"
    ]


REPRS = {
    "Value(2.0)": "Value(data=2.0, grad=0.0)",
    "v": "Value(data=2.0, grad=0.0, label='v')",
    "sg.tanh.op": "<op tanh>",
    "c._backward": "<local backward: a.grad += v.data * c.grad; v.grad += a.data * c.grad>",
    "Value(1.0, (a,), (2.0,))._op": "'given'",
    "y._op": "'mine'",
    "v._op": "''",
    "Value(1.0).label": "''",
    "Value(1.0)._local_grads": "()",
    "Value(1.0, (), ())._op": "''",
}  # fmt: skip


@pytest.mark.parametrize("expression", REPRS)
def test_how_nodes_and_rows_are_shown(expression):
    assert repr(eval(expression, names())) == REPRS[expression]  # noqa: S307
