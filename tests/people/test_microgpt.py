"""Code written for microgpt, whose nodes are given their local derivatives as numbers, computes the same."""

import copy
import math
import random
from functools import cache

import pytest
from gpt_of_scalars import GPT, OwnValue, backpropagate
from hypothesis import given
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn


class Mine(Value):
    """The same operations, each by the constructor, over scalargrad's engine."""

    __hash__ = Value.__hash__

    def __init__(self, data, children=(), local_grads=()):
        super().__init__(data, children, local_grads)

    def __add__(self, other):
        other = other if isinstance(other, Value) else Mine(other)
        return Mine(self.data + other.data, (self, other), (1, 1))

    def __mul__(self, other):
        other = other if isinstance(other, Value) else Mine(other)
        return Mine(self.data * other.data, (self, other), (other.data, self.data))

    def __pow__(self, exponent):
        return Mine(self.data**exponent, (self,), (exponent * self.data ** (exponent - 1),))

    def log(self):
        return Mine(math.log(self.data), (self,), (1 / self.data,))

    def exp(self):
        return Mine(math.exp(self.data), (self,), (math.exp(self.data),))

    def relu(self):
        return Mine(max(0, self.data), (self,), (float(self.data > 0),))

    __neg__, __radd__, __sub__ = OwnValue.__neg__, OwnValue.__radd__, OwnValue.__sub__
    __rsub__, __rmul__, __truediv__ = OwnValue.__rsub__, OwnValue.__rmul__, OwnValue.__truediv__


def gated(Value, x):
    """An operation of the program's own, by the constructor alone: x * sigmoid(x)."""
    s = 1 / (1 + math.exp(-x.data))
    return Value(x.data * s, (x,), (s + x.data * s * (1 - s),))


STEPS = 60


def language_model(Value, backward=lambda loss: loss.backward(), steps=STEPS):
    """A program in microgpt's style: predict the next letter of names, with RMS norm, an MLP, softmax and Adam.

    Returns the loss of every step, or of the first ones. The optimizer's state lies in a dict beside the parameters.
    """
    rng = random.Random(42)
    docs = ["emma", "olivia", "ava", "isabella", "sophia", "mia", "amelia"]
    uchars = sorted(set("".join(docs)))
    BOS, vocab_size, n_embd = len(uchars), len(uchars) + 1, 4

    def matrix(nout, nin):
        return [[Value(rng.gauss(0, 0.3)) for _ in range(nin)] for _ in range(nout)]

    state_dict = {"wte": matrix(vocab_size, n_embd), "fc": matrix(8, n_embd), "lm_head": matrix(vocab_size, 8)}
    params = [p for mat in state_dict.values() for row in mat for p in row]
    state = {p: [0.0, 0.0] for p in params}  # first and second moments

    def linear(x, w):
        return [sum(wi * xi for wi, xi in zip(wo, x)) for wo in w]  # noqa: B905

    def rmsnorm(x):
        ms = sum(xi * xi for xi in x) / len(x)
        scale = (ms + 1e-5) ** -0.5
        return [xi * scale for xi in x]

    def softmax(logits):
        max_val = max(val.data for val in logits)
        exps = [(val - max_val).exp() for val in logits]
        total = sum(exps)
        return [e / total for e in exps]

    def gpt(token_id):
        x = rmsnorm(state_dict["wte"][token_id])
        x = [gated(Value, xi) if i % 2 else xi.relu() for i, xi in enumerate(linear(x, state_dict["fc"]))]
        return linear(x, state_dict["lm_head"])

    losses = []
    learning_rate, beta1, beta2, eps_adam = 0.03, 0.85, 0.99, 1e-8
    for step in range(steps):
        doc = docs[step % len(docs)]
        tokens = [BOS, *[uchars.index(ch) for ch in doc], BOS]
        terms = []
        for pos_id in range(len(tokens) - 1):
            probs = softmax(gpt(tokens[pos_id]))
            terms.append(-probs[tokens[pos_id + 1]].log())
        loss = (1 / len(terms)) * sum(terms)
        backward(loss)
        lr_t = learning_rate * (1 - step / STEPS)
        for p in params:
            m, v = state[p]
            m = state[p][0] = beta1 * m + (1 - beta1) * p.grad
            v = state[p][1] = beta2 * v + (1 - beta2) * p.grad**2
            m_hat = m / (1 - beta1 ** (step + 1))
            v_hat = v / (1 - beta2 ** (step + 1))
            p.data -= lr_t * m_hat / (v_hat**0.5 + eps_adam)
            p.grad = 0
        losses.append(loss.data)
    return losses


@cache
def losses_of_the_reference():
    return language_model(OwnValue)


@has_full_size
@pytest.mark.parametrize("backward", [lambda loss: loss.backward(), backpropagate], ids=["the engine's", "its own"])
def test_a_program_in_microgpts_style_trains_to_the_same_losses(backward):
    reference = losses_of_the_reference()
    assert sum(reference[-7:]) < 0.8 * sum(reference[:7])  # it learns
    steps = size(14, 60)
    assert language_model(Value, backward, steps) == pytest.approx(reference[:steps], rel=1e-12, abs=0)
    # Where every node is made by the constructor, the arithmetic is the program's own.
    assert language_model(Mine, backward, steps) == pytest.approx(reference[:steps], rel=1e-14, abs=0)


@has_full_size
def test_a_gpt_trains_and_samples_as_on_the_engine_it_brought():
    own, ours = GPT(OwnValue, nn.names()), GPT(Value, nn.names())
    steps = size(4, 31)
    assert len(ours.params) == 4192
    reference = own.train(steps)
    assert ours.train(steps) == pytest.approx(reference, rel=1e-12, abs=0)
    assert [p.data for p in ours.params] == pytest.approx([p.data for p in own.params], rel=1e-9, abs=1e-12)
    assert [ours.sample() for _ in range(3)] == [own.sample() for _ in range(3)]


def test_no_warning_misfires_where_gradients_are_emptied_by_hand(recwarn):
    model = GPT(Value, ["ab", "ba"])
    model.train(4)
    assert not recwarn.list


partials = st.floats(-1e6, 1e6)


@given(st.lists(st.tuples(st.floats(-1e6, 1e6), partials), min_size=1, max_size=5), partials, st.booleans())
def test_a_node_passes_on_what_it_was_given(pairs, seed, as_list):
    parents = [Value(x) for x, _ in pairs]
    locals_ = [d for _, d in pairs]
    node = Value(1.5, parents, locals_ if as_list else tuple(locals_))
    assert node._children == node.parents == tuple(parents)
    assert node._local_grads == tuple(locals_)
    node.backward(seed)
    assert [p.grad for p in parents] == [seed * d for d in locals_]
    assert (node.data, node.grad, node.is_leaf, node.requires_grad) == (1.5, seed, False, True)


def test_a_parent_given_twice_gets_both():
    a = Value(3.0)
    node = Value(9.0, (a, a), (2.0, 5.0))
    assert node._children == (a, a)
    node.backward()
    assert a.grad == 7.0


@pytest.mark.parametrize(
    ("make", "locals_"),
    [
        (lambda a, b: a * b, (-3.0, 2.0)),
        (lambda a, b: a * a + 0 * b, (1.0, 1.0)),
        (lambda a, b: a * a, (2.0, 2.0)),
        (lambda a, b: a * 5.0, (5.0,)),
        (lambda a, b: 5.0 - b, (-1.0,)),
        (lambda a, b: a**3, (12.0,)),
        (lambda a, b: a.exp(), (math.exp(2.0),)),
        (lambda a, b: sg.dot([a, b], [b, 4.0], a), (-3.0, 4.0, 2.0, 1.0)),
        (lambda a, b: sg.sum([a, b, a]), (1.0, 1.0, 1.0)),
        (lambda a, b: sg.maximum(a, b), (1.0, 0.0)),
        (lambda a, b: a, ()),
    ],
)
def test_every_node_tells_its_local_derivatives(make, locals_):
    node = make(Value(2.0), Value(-3.0))
    assert node._local_grads == pytest.approx(locals_)
    assert len(node._local_grads) == len(node._children)


def test_a_closure_tells_its_local_derivatives_too():
    a = Value(3.0)
    node = Value(9.0, (a,), "square")
    node._backward = lambda: setattr(a, "grad", a.grad + 6.0 * node.grad)
    assert node._local_grads == (6.0,)
    assert (a.grad, node.grad) == (0.0, 0.0)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_one_local_derivative_for_each_parent(count):
    a, b = Value(1.0), Value(2.0)
    with pytest.raises(ValueError, match=rf"{count} local derivatives were given for 2 _children"):
        Value(3.0, (a, b), (1.0,) * count)
    with pytest.raises(ValueError, match="1 local derivatives were given for 0 _children"):
        Value(3.0, (), (1.0,))


@pytest.mark.parametrize("op", [None, 3, 2.0, b"+", {"+"}, {1.0: 2.0}, object(), Value(1.0), True, 0, 0.0, set(), {}])
@pytest.mark.parametrize("parents", [0, 1])
def test_what_is_neither_a_text_nor_numbers_is_refused(op, parents):
    with pytest.raises(TypeError, match=r"_op must be the text of the operation.* or a tuple of local derivatives"):
        Value(3.0, (Value(1.0),) * parents, op)


@pytest.mark.parametrize("local", ["1", None, 1j, [1.0]])
def test_local_derivatives_are_numbers(local):
    with pytest.raises(TypeError, match=f"local derivative 1 must be a real number, not {type(local).__name__}"):
        Value(3.0, (Value(1.0), Value(2.0)), (1.0, local))
    with pytest.raises(TypeError, match=r"local derivative 0 .* not Value: take its number with \.data"):
        Value(3.0, (Value(1.0),), (Value(2.0),))


def test_leaves_without_parents_and_derivatives():
    leaf = Value(3.0, (), ())
    assert (leaf.is_leaf, leaf.requires_grad, leaf._op, leaf._children, leaf._local_grads) == (True, True, "", (), ())
    with sg.no_grad():
        assert Value(3.0, (leaf,), (1.0,)).parents == ()


# -------------------------------------------------------------------- everything that looks at a graph


def example():
    a, b = Value(2.0, label="a"), Value(3.0, label="b")
    n = Value(6.0, (a, b), (3.0, 2.0))
    n.label = "n"
    y = n * a + n
    y.label = "y"
    return a, b, n, y


def test_it_is_drawn_traced_explained_and_printed():
    a, b, n, y = example()
    y.backward()
    assert (a.grad, b.grad) == (15.0, 6.0)
    assert "n = given(a, b)" in y.draw().text
    assert '"local": 3.0' in y.draw().json
    assert "a.grad += n.grad × local = 3 × 3 = 9" in str(sg.trace(y))
    assert any("n was made with its local derivatives: the one for b is 2." in step.why for step in sg.trace(y))
    assert sg.explain(y, wrt=a).total == 15.0
    assert "local for a = 3 (given)" in str(sg.explain(y, wrt=a))
    assert repr(n._backward) == "<local backward: a.grad += 3 * n.grad; b.grad += 2 * n.grad>"
    assert n._op == "given"


def test_it_is_copied():
    _, b, _, y = example()
    twin = copy.deepcopy(y)
    twin.backward()
    order = sg.topological_order(twin)
    assert [(v.label, v.grad) for v in order if v.is_leaf] == [("a", 15.0), ("b", 6.0)]
    assert b.grad == 0.0


def test_forward_mode_follows_it():
    def f(x):
        return Value(6.0, (x,), (3.0,)) * x

    assert sg.jvp(f, (2.0,), (1.0,)) == (12.0, 12.0)
    assert sg.grad(f)(2.0) == 12.0


def test_numbers_are_not_differentiated_a_second_time():
    a, _, _, y = example()
    with pytest.raises(TypeError, match="its local derivatives were given as numbers"):
        y.backward(create_graph=True)
    assert a.grad == 0.0
    with pytest.raises(TypeError, match="@primitive"):
        sg.hessian(lambda x: Value(x[0].data ** 2, (x[0],), (2 * x[0].data,)))([3.0])
    # What no gradient of the result reaches does not matter.
    x = Value(2.0)
    (second,) = sg.grad(sg.grad(x**3, [x], create_graph=True)[0] + 0 * Value(1.0, (a,), (1.0,)).detach(), [x])
    assert second == 12.0


def square(x):
    """By the constructor, at the number of now."""
    with sg.no_grad():
        now = x.data
    return Value(now * now, (x,), (2 * now,))


@pytest.mark.parametrize("backend", ["python", "llvm"])
def test_a_compiled_program_holds_it_where_it_was_made_and_refuses_other_numbers(backend):
    if backend == "llvm":
        pytest.importorskip("llvmlite", reason="the extra `fast` is not installed")
    w = Value(5.0)

    def f(x):
        return square(x) * w

    held = sg.compile(f, backend=backend)
    assert held(3.0) == 45.0
    with pytest.raises(sg.compiling.BranchError, match=r"were given, .* and hold where Value\(3\.0\) is 3\.0"):
        held(4.0)
    anew = sg.compile(f, backend=backend, branches="record")
    assert [anew(x) for x in (3.0, 4.0, 3.0, -1.0)] == [45.0, 80.0, 45.0, 5.0]
    v = Value(0.5)
    loss = sg.replay(lambda: square(v.exp()) * w, backend=backend)
    loss().backward()
    assert v.grad == pytest.approx(10 * math.exp(1.0))
    v.data = 0.75
    with pytest.raises(sg.compiling.BranchError, match="@primitive"):
        loss()


def test_a_graph_that_holds_it_is_not_recorded_for_other_numbers():
    *_, y = example()
    with pytest.raises(ValueError, match=r"Value 'n' cannot be replayed: .* hold where they were given only"):
        sg.record(y)
    with pytest.raises(ValueError, match=r"its local derivatives were given as numbers"):
        sg.to_python(y)


# -------------------------------------------------------------------- a node that knows no derivative


@pytest.mark.parametrize("text", ["", "mystery"])
def test_a_node_without_closure_or_derivatives_is_named_when_a_gradient_would_be_lost(text):
    a = Value(2.0)
    h = Value(4.0, (a,), text)
    h.label = "h"
    y = h * a
    for run in (y.backward, h.backward, h._backward, lambda: sg.grad(y, [a]), lambda: h._local_grads):
        with pytest.raises(ValueError, match="no gradient passes through Value 'h', which was made by hand"):
            run()
    assert (a.grad, h.grad, y.grad) == (0.0, 0.0, 0.0)
    h._backward = lambda: setattr(a, "grad", a.grad + 4 * h.grad)  # set later, as micrograd's code does
    y.backward()
    assert a.grad == 4.0 * 2.0 + 4.0
    assert "h" in y.draw().text


def test_nobody_misses_the_gradient_of_constants():
    c, x = Value(2.0, requires_grad=False), Value(3.0)
    h = Value(4.0, (c,), "mystery")
    (h * x).backward()
    assert (x.grad, c.grad) == (4.0, 0.0)
