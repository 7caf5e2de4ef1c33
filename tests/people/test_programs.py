"""Programs that people have: what Python, numpy and PyTorch let them write works, or the message says what to write."""

import math
import operator
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, nn, no_grad

# -------------------------------------------------------------------- a Value where Python wants an integer


@pytest.mark.parametrize(
    "use",
    [
        lambda v: [10, 20][v], lambda v: (10, 20)[v], lambda v: "ab"[v], lambda v: [10, 20, 30][v:],
        lambda v: [10, 20, 30][:v], lambda v: [1, 2, 3][::v], lambda v: list(range(v)), lambda v: range(0, 5, v),
        lambda v: hex(v), lambda v: bin(v), lambda v: oct(v), lambda v: chr(v), lambda v: "ab" * v, lambda v: [0] * v,
        lambda v: [10, 20].pop(v), lambda v: [1].insert(v, 2), lambda v: operator.index(v), lambda v: math.comb(5, v),
        lambda v: math.gcd(v, 4), lambda v: round(2.5, v), lambda v: [10, 20][math.floor(v)],
        lambda v: [10, 20].__setitem__(v, 3), lambda v: bytearray(2).__delitem__(v),
    ],
)  # fmt: skip
@pytest.mark.parametrize("label", ["", "index"])
def test_an_index_is_called_an_index(use, label):
    with pytest.raises(TypeError, match=r"cannot be an index, .*Write int\(v\.data\)") as caught:
        use(Value(1.0, label=label))
    assert "float()" not in str(caught.value)


def test_conversions_name_themselves_and_the_remedy():
    v = Value(1.5, label="v")
    for convert, remedy in (
        (int, r"int\(v\.data\)"),
        (math.trunc, r"int\(v\.data\)"),
        (complex, r"complex\(v\.data\)"),
    ):
        with pytest.raises(TypeError, match=rf"Value 'v'.*{remedy}"):
            convert(v)
    for convert in (float, math.sin, math.sqrt):
        with pytest.raises(TypeError, match=r"float\(\) and math\.\* would silently cut Value 'v' out of the graph"):
            convert(v)
    for function, x in ((math.floor, 1.0), (math.ceil, 2.0), (round, 2.0)):
        assert (function(v).data, function(v).parents) == (x, (v,))


@pytest.mark.parametrize("n", [0, 2, -1, True])
def test_rounding_to_places_names_what_to_write(n):
    with pytest.raises(TypeError, match=rf"round\(v, {n}\).* whole numbers only.*round\(v\.data, {n}\)"):
        round(Value(2.675), n)


def test_a_power_with_a_modulus_is_refused_in_words():
    v = Value(5.0, label="v")
    with pytest.raises(TypeError, match=r"pow\(\) with a modulus is for integers \(label 'v'\): write v \*\* y % m"):
        pow(v, 2, 3)
    assert pow(v, 2).data == 25.0
    with pytest.raises(TypeError):
        pow(2, v, 3)


# -------------------------------------------------------------------- operands by their names


@given(st.permutations([("x", 0.5), ("low", -1.0), ("high", 0.25)]), st.integers(0, 3))
def test_operands_may_be_named(pairs, positional):
    names = ("x", "low", "high")
    given_ = dict(pairs)
    args = [given_[name] for name in names[:positional]]
    named = {name: x for name, x in pairs if name not in names[:positional]}
    assert sg.clip(*args, **named) == 0.25
    v = Value(0.5)
    if positional:
        z = v.clip(*args[1:], **named)
        z.backward()
        assert (z.data, v.grad) == (0.25, 0.0)


def test_every_operation_takes_its_operands_by_the_names_in_its_docstring():
    x, a = Value(-2.0), Value(0.5)
    assert sg.where(condition=1.0, x=x, y=a).data == -2.0
    assert sg.where(0.0, y=a, x=x).data == 0.5
    assert Value(1.0).where(y=a, x=x).data == -2.0
    assert sg.leaky_relu(x, a=0.5).data == x.leaky_relu(a=0.5).data == -1.0
    assert sg.leaky_relu(a=a, x=x).data == -1.0
    assert sg.elu(x, a=2.0).data == 2.0 * math.expm1(-2.0)
    assert sg.leaky_relu(x).data == -0.2
    assert sg.maximum(x=x, y=a).data == 0.5
    assert sg.power(x=a, y=2).data == 0.25
    assert sg.tanh(x=a).data == math.tanh(0.5)

    @sg.primitive(partials=[lambda u, v, w: v * w, lambda u, v, w: u * w, lambda u, v, w: u * v], name="volume_of_box")
    def volume(u, v, w):
        return u * v * w

    y = volume(2.0, w=a, v=3.0)
    y.backward()
    assert (y.data, a.grad) == (3.0, 6.0)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda v: v.clip(low=0), "clip takes x, low, high, and high is missing"),
        (lambda v: v.clip(high=0), "clip takes x, low, high, and low is missing"),
        (lambda v: v.clip(0, low=1, high=2), "clip: low was given twice"),
        (lambda v: v.clip(0, 1, x=2), "clip: x was given twice"),
        (lambda v: v.clip(0, 1, min=2), "clip takes no option min; it takes x, low, high"),
        (lambda v: sg.where(v, x=1), "where takes condition, x, y, and y is missing"),
        (lambda v: sg.sum([v, v], axis=0), "sum takes no option axis$"),
        (lambda v: v.clip(0), "clip takes x, low, high, but 2 operands were given"),
    ],
)
def test_names_that_do_not_fit_are_refused_in_words(call, message):
    with pytest.raises(TypeError, match=message):
        call(Value(1.0))
    assert sg.sum([Value(1.0), 2.0], out=None, axis=None).data == 3.0  # as numpy passes along


# -------------------------------------------------------------------- numpy


def test_numpys_boxes_and_times():
    np = pytest.importorskip("numpy", reason="numpy is not installed")
    x, y = Value(2.0), Value(3.0)

    def assigned(time):
        z = Value(2.0)
        z.data = time
        return z + 1.0

    box = np.asarray(x)
    for z in (box * y, y * box, np.multiply(box, y), box * np.asarray(y)):
        x.grad = y.grad = 0.0
        z.backward()
        assert (z.data, x.grad, y.grad) == (6.0, 3.0, 2.0)
    assert (box - y).data == (box - 3.0).data == -1.0
    assert np.tanh(box).data == math.tanh(2.0)
    for coefficients in ([1, 2, 3], [1.5], [0.0, -2.0], np.array([2.0, 0.0, 1.0])):
        v = Value(1.5)
        z = np.polyval(coefficients, v)
        assert float(getattr(z, "data", z)) == np.polyval(coefficients, 1.5)
        if len(coefficients) == 3:
            z.backward()
            assert v.grad == np.polyval(np.polyder(coefficients), 1.5)
    for time in (np.timedelta64(5, "ns"), np.timedelta64(1, "D"), np.datetime64("2020-01-01"), np.array(5, "m8[s]")):
        for use in (Value, lambda t: Value(1.0) + t, lambda t: t * Value(1.0), assigned):
            with pytest.raises(TypeError):
                use(time)
    assert Value(np.int8(100)).data == 100.0


# -------------------------------------------------------------------- seeds


@given(st.integers(-(2**70), 2**70))
def test_every_seed_is_a_seed_of_its_own(n):
    source = nn.arguments.randomness.random_source
    assert source(n).uniform(0, 1) == source(n).uniform(0, 1)
    if n:
        assert source(n).uniform(0, 1) != source(-n).uniform(0, 1)
    if n >= 0:
        assert source(n).uniform(0, 1) == random.Random(n).uniform(0, 1)  # as programs that seed Python's do


def test_negative_seeds_wherever_there_is_a_seed():
    for make in (
        lambda seed: nn.moons(5, noise=0.1, seed=seed),
        lambda seed: [p.data for p in nn.MLP(2, [2, 1], seed=seed).parameters()],
    ):
        assert make(-1) == make(-1) != make(1)


# -------------------------------------------------------------------- grad = None


def test_a_gradient_of_none_counts_as_zero():
    x, w = Value(2.0, label="x"), Value(3.0)
    y = x * w
    for node in (x, w, y):
        node.grad = None
    assert repr(x) == "Value(data=2.0, grad=None, label='x')"
    assert "x" in y.draw().text
    assert "x" in sg.draw_dot(y).source
    y.backward()
    assert (x.grad, w.grad, y.grad) == (3.0, 2.0, 1.0)
    x.grad = None
    y._backward()
    assert (x.grad, w.grad) == (3.0, 4.0)
    x.grad = None
    y.backward(create_graph=True)
    assert x.grad.data == 3.0
    x.grad = None
    y.zero_grad()
    assert x.grad == 0.0


def test_a_gradient_of_none_in_a_large_graph():
    x = Value(1.0)
    y = x
    for _ in range(100_100):
        y = y + 1.0
    x.grad = y.grad = None
    y.backward()
    assert (x.grad, y.grad) == (1.0, 1.0)


def test_closures_give_gradients_to_values_whose_grad_is_none():
    x = Value(2.0)
    y = Value(4.0, (x,), "square")
    y._backward = lambda: setattr(x, "grad", x.grad + 4.0 * y.grad)
    x.grad = y.grad = None
    (y * 3).backward()
    assert (x.grad, y.grad) == (12.0, 3.0)


@pytest.mark.parametrize("make", [nn.SGD, nn.Adam, nn.AdamW, nn.RMSprop])
def test_optimizers_and_clipping_take_none_for_zero(make):
    def train(nothing):
        a, b = Value(1.0), Value(2.0)
        optimizer = make([a, b], lr=0.1)
        for _ in range(3):
            a.grad, b.grad = nothing, nothing
            (a * a).backward()
            nn.clip_grad_norm([a, b], 1.0)
            nn.clip_grad_value([a, b], 1.0)
            optimizer.step()
        return a.data, b.data

    assert train(None) == train(0.0)


# -------------------------------------------------------------------- labels


def test_labels_of_a_class_of_their_own_become_plain_strings():
    class Loud(str):
        def __str__(self):
            return "LOUD"

        def __eq__(self, other):
            raise AssertionError

        __hash__ = str.__hash__

        def __repr__(self):
            return "<loud>"

    x = Value(1.0, label=Loud("x"))
    y = x * 2
    y.label = Loud("y")
    z = Value(2.0, (y,), Loud("op"))
    assert [type(text) for text in (x.label, y.label, z._op)] == [str, str, str]
    assert (x.label, y.label, z._op) == ("x", "y", "op")
    assert repr(x) == "Value(data=1.0, grad=0.0, label='x')"


def test_an_item_is_the_number():
    x = Value(2.5)
    assert (x.item(), type(x.item())) == (2.5, float)
    with pytest.raises(TypeError, match="took the number out"):
        sg.compile(lambda x: x * x.item())(1.0)
    with no_grad():
        assert (x * 2).item() == 5.0


# -------------------------------------------------------------------- micrograd's notebooks


def test_the_closure_of_a_node_is_equal_to_itself():
    x = Value(2.0)
    y, z = x * 3, x * 3
    assert y._backward == y._backward != z._backward
    assert hash(y._backward) == hash(y._backward)
    assert len({y._backward, y._backward, z._backward, x._backward}) == 3
    before = y._backward
    y._backward = lambda: None
    assert y._backward != before
    assert y._backward is y._backward


# -------------------------------------------------------------------- PyTorch's tutorial loop


def tutorial(update, steps=3):
    """PyTorch's "learning PyTorch with examples", of scalars: fit a line by hand."""
    xs = [-1.0, 0.0, 1.0, 2.0]
    names = {"a": Value(0.0, label="a"), "b": Value(0.0, label="b")}
    for _ in range(steps):
        loss = sum((names["a"] + names["b"] * x - (1 + 2 * x)).pow(2) for x in xs)
        loss.backward()
        with no_grad():
            for name, value in list(names.items()):
                names[name] = update(value, 0.05)
                names[name].grad = None
    return names


def in_place(a, lr):
    a -= lr * a.grad
    return a


def by_data(a, lr):
    a.data -= lr * a.grad
    return a


def test_a_parameter_rebound_inside_no_grad_is_named_with_the_line_to_write():
    with pytest.raises(ValueError, match=r"`a -= \.\.\.` made a new constant .*write `a\.data -= \.\.\.`, as in") as e:
        tutorial(in_place)
    assert "a -= lr * a.grad" in str(e.value).splitlines()[-1]  # the user's own line
    names = tutorial(by_data, 300)
    assert [names[name].item() for name in "ab"] == pytest.approx([1.0, 2.0])


INPLACE = {
    "+=": operator.iadd, "-=": operator.isub, "*=": operator.imul, "/=": operator.itruediv, "**=": operator.ipow,
}  # fmt: skip


@pytest.mark.parametrize("symbol", INPLACE)
def test_one_rebound_parameter_among_others_does_not_go_unnoticed(symbol):
    w, b = Value(2.0, label="w"), Value(3.0)
    namespace = {"w": w, "no_grad": no_grad}
    exec(f"with no_grad():\n    w {symbol} 0.5\n    w {symbol} 2.0", namespace)  # noqa: S102
    rebound = namespace["w"]
    assert rebound is not w
    assert (rebound.requires_grad, rebound.parents, w.data) == (False, (), 2.0)
    for run in (
        (rebound * b).backward,
        lambda: (rebound * b).backward(create_graph=True),
        lambda: sg.grad(rebound * b, [b]),
        lambda: sg.record(rebound * b),
        lambda: sg.to_python(rebound * b),
    ):
        with pytest.raises(ValueError, match=rf"write `a\.data {symbol.replace('*', '[*]').replace('+', '[+]')}"):
            run()
    assert (b.grad, w.grad) == (0.0, 0.0)
    assert (rebound * b).draw().text
    assert (rebound.detach() * b).requires_grad


@pytest.mark.parametrize("filling", [0, 120_000], ids=["small", "large"])
def test_a_constant_beside_the_leaf_that_it_was_computed_from_is_an_ordinary_one(filling):
    w = [Value(1.0), Value(5.0)]
    with no_grad():
        m = w[0]
        m += w[1].data
        m /= 2
    assert [s.phase for s in sg.trace((w[0] - m) ** 2)] == ["forward"] * 4 + ["seed"] + ["backward"] * 2
    y = (w[0] - m) ** 2 + sum((Value(1.0) for _ in range(filling)), 0.0)
    y.backward()
    assert ((y - filling).data, w[0].grad, w[1].grad, m.grad) == (4.0, -4.0, 0.0, 0.0)
    assert sg.grad((m - w[0]) ** 3, [w[0]]) == [-12.0]
    (slope,) = sg.grad((m - w[0]) ** 3, [w[0]], create_graph=True)
    assert sg.grad(slope, [w[0]]) == [12.0]
    del y
    w[0] = Value(1.0)  # the leaf is gone, and the constant has nobody beside it
    with pytest.raises(ValueError, match=r"write `a\.data \+= |write `a\.data /= "):
        ((w[0] - m) ** 2).backward()


@pytest.mark.parametrize("create_graph", [False, True])
def test_a_parameter_rebound_is_named_by_every_kind_of_sweep(create_graph):
    a = Value(1.0)
    with no_grad():
        a -= 0.5
    with pytest.raises(ValueError, match=r"`a -= \.\.\.` made a new constant"):
        (a * Value(2.0)).backward(create_graph=create_graph)


@pytest.mark.parametrize("made", ["lr", "gradient", "both"])
def test_a_parameter_rebound_by_an_update_that_is_a_value_is_named_too(made):
    def update(a, lr):
        grad = a.grad if made == "lr" else Value(a.grad)
        a -= (lr if made == "gradient" else Value(lr)) * grad
        return a

    with pytest.raises(ValueError, match=r"`a -= \.\.\.` made a new constant .*write `a\.data -= \.\.\.`, as in") as e:
        tutorial(update)
    assert "a -= (lr if" in str(e.value).splitlines()[-1]


def test_constants_computed_inside_no_grad_in_other_ways_are_no_rebinding():
    w, x, b = Value(2.0), Value(3.0), Value(5.0)
    with no_grad():
        act = b
        act += w * x  # a neuron's sum: both are Values, and b is used, not updated
        total = 0.0
        total += w
        shifted = w - 1.0
        computed = w * x
        computed -= 1.0
        constant = Value(1.0, requires_grad=False)
        constant += 1.0
        flipped = 1.0
        flipped -= w
    assert (b.data, w.data) == (5.0, 2.0)
    for made, number in ((act, 11.0), (total, 2.0), (shifted, 1.0), (computed, 5.0), (constant, 2.0), (flipped, -1.0)):
        y = Value(7.0)
        (made * y).backward()
        assert (y.grad, made.grad) == (number, 0.0)
    c = w  # outside, += makes a node of the graph
    c += 1.0
    c.backward()
    assert (w.grad, w.data) == (1.0, 2.0)
