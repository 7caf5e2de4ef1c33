"""Modules are micrograd's networks with only the import changed; parameters, shapes, names and repr are as documented."""

import copy
import math
import pickle
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from interrupting import stopped
from optional import micrograd

import scalargrad
from scalargrad import Value, nn
from scalargrad.nn.layers import neurons
from scalargrad.nn.layers.activations import ACTIVATIONS

# micrograd itself cannot follow a hidden layer of one neuron with another layer
sizes = st.tuples(st.lists(st.integers(2, 5), max_size=2), st.integers(1, 5)).map(lambda parts: [*parts[0], parts[1]])
NAMES = [*ACTIVATIONS, "linear"]


def as_list(out):
    return out if isinstance(out, list) else [out]


@given(nin=st.integers(1, 4), nouts=sizes, seed=st.integers(0, 10**6), fused=st.booleans())
def test_an_mlp_is_micrograds(nin, nouts, seed, fused):
    """Same seed: same weights; same input: same outputs to the last bit, and the same gradients."""
    random.seed(seed)
    theirs = micrograd.nn.MLP(nin, nouts)
    x = [random.uniform(-2, 2) for _ in range(nin)]
    random.seed(seed)
    ours = nn.MLP(nin, nouts, fused=fused)
    assert [p.data for p in ours.parameters()] == [p.data for p in theirs.parameters()]

    expected, got = theirs([micrograd.engine.Value(v) for v in x]), ours(x)
    assert isinstance(got, Value) == (nouts[-1] == 1)
    assert [v.data for v in as_list(got)] == [v.data for v in as_list(expected)]

    sum(as_list(expected)[1:], as_list(expected)[0]).backward()
    sum(as_list(got)[1:], as_list(got)[0]).backward()
    for p, q in zip(theirs.parameters(), ours.parameters(), strict=True):
        assert q.grad == pytest.approx(p.grad, rel=1e-12, abs=1e-15)


def test_micrograds_names_are_there():
    random.seed(3)
    layer = nn.Layer(2, 3, nonlin=False)
    neuron = layer.neurons[1]
    assert not neuron.nonlin
    assert layer.parameters() == [p for n in layer.neurons for p in [*n.w, n.b]]
    assert nn.MLP(2, [3, 1]).layers[1].neurons[0].activation == "linear"
    layer.parameters()[0].grad = 5.0
    layer.zero_grad()
    assert layer.parameters()[0].grad == 0.0


@given(
    nin=st.integers(1, 4),
    activation=st.sampled_from(NAMES),
    bias=st.booleans(),
    seed=st.integers(0, 1000),
    values=st.booleans(),
)
def test_a_fused_neuron_is_its_products_and_sums(nin, activation, bias, seed, values):
    fused, plain = (nn.Neuron(nin, activation=activation, bias=bias, seed=seed, fused=flag) for flag in (True, False))
    layer = nn.Layer(nin, 1, activation=activation, bias=bias, seed=seed)
    x = [random.Random(seed).uniform(-2, 2) for _ in range(nin)]
    outs = [model([Value(v) for v in x] if values else x) for model in (fused, plain, layer)]
    assert outs[0].data == outs[1].data == outs[2].data
    for out in outs:
        out.backward()
    grads = [[p.grad for p in model.parameters()] for model in (fused, plain, layer)]
    assert grads[0] == grads[1] == grads[2]
    assert len(grads[0]) == nin + bias


def test_a_neuron_is_one_dot_and_one_activation():
    x = [Value(1.0), Value(2.0)]
    for out in (nn.Neuron(2, activation="tanh")(x), nn.Layer(2, 1, activation="tanh")(x)):
        (dot,) = out.parents
        assert (out._op, dot._op, len(dot.parents)) == ("tanh", "dot", 5)


def test_numbers_become_shared_constants_and_values_keep_their_gradient():
    v = Value(2.0)
    first, second = nn.Layer(2, 2, nonlin=False, init=nn.constant(3.0))([1.0, v])
    x0 = first.parents[2]
    assert (x0.label, x0.data, x0.requires_grad) == ("x0", 1.0, False)
    assert second.parents[2] is x0
    first.backward()
    assert (v.grad, x0.grad) == (3.0, 0.0)


def test_an_unfused_layer_builds_every_product_and_sum():
    (total,) = nn.Layer(2, 1, activation="tanh", fused=False)([Value(1.0), Value(2.0)]).parents
    partial, product = total.parents
    assert [node._op for node in (total, partial, product, *partial.parents)] == ["+", "+", "*", "", "*"]


def test_a_layer_without_graph_under_no_grad():
    for nonlin in (True, False):
        with scalargrad.no_grad():
            outputs = nn.Layer(2, 3, nonlin)([Value(1.0), Value(2.0)])
        assert all(not out.parents and not out.requires_grad for out in outputs)


def test_weights_replaced_by_numbers_still_work():
    layer = nn.Layer(2, 1, nonlin=False)
    layer.neurons[0].w = [2.0, 3.0]
    assert layer([10.0, 1.0]).data == 23.0
    layer.neurons[0].b = None
    for zero in (0.0, -0.0, 0.0):
        layer.neurons[0].w = [zero, zero]
        out = layer.neurons[0]([1.0, 1.0])
        assert [math.copysign(1.0, z) for z in (layer([1.0, 1.0]).data, out)] == [math.copysign(1.0, zero)] * 2
        assert layer.neurons[0].neuron_tick([1.0, 1.0]) == 0.5


def test_activations_by_name_by_function_and_per_layer():
    assert nn.Neuron(1, activation=scalargrad.tanh, init=nn.constant(1.0))([0.5]).data == math.tanh(0.5)
    assert nn.Neuron(1, activation=lambda v: v * v, init=nn.constant(3.0))([1.0]).data == 9.0
    model = nn.MLP(2, [3, 3, 2], activation=["tanh", None, "sigmoid"])
    assert [layer.neurons[0].activation for layer in model.layers] == ["tanh", "linear", "sigmoid"]
    assert all(0 < out.data < 1 for out in model([1.0, -1.0]))


def test_a_row_added_to_the_table_is_an_activation():
    from scalargrad.table.making import unary

    unary("triple_for_nn_test", lambda x: 3 * x, 3.0)
    assert nn.Neuron(1, activation="triple_for_nn_test", init=nn.constant(2.0))([1.0]).data == 6.0


@given(st.integers(1, 3), st.integers(2, 4), st.integers(0, 100))
def test_maxout_is_the_largest_linear_piece(nin, pieces, seed):
    layer = nn.Maxout(nin, 2, pieces=pieces, seed=seed)
    x = [random.Random(seed).uniform(-1, 1) for _ in range(nin)]
    for neuron, out in zip(layer.neurons, layer(x), strict=True):
        linear = [sum(w.data * v for w, v in zip(piece.w, x, strict=True)) + piece.b.data for piece in neuron.pieces]
        assert out.data == pytest.approx(max(linear), rel=1e-12, abs=1e-15)
    assert len(layer.parameters()) == 2 * pieces * (nin + 1)


def test_sequential_runs_modules_names_ops_and_functions():
    a, b = nn.Layer(2, 3, nonlin=False, seed=0), nn.Layer(3, 1, nonlin=False, seed=1)
    model = nn.Sequential(a, "tanh", scalargrad.square, lambda outs: outs[:3], b)
    x = [0.3, -0.7]
    hidden = [math.tanh(v.data) ** 2 for v in a(x)]
    assert model(x).data == pytest.approx(b(hidden).data, rel=1e-12)
    assert model.parameters() == a.parameters() + b.parameters()
    assert nn.Sequential([a, b]).layers == [a, b]


# -------------------------------------------------------------------- parameters


class Zoo(nn.Module):
    def __init__(self):
        self.scale = Value(2.0)
        self.parts = {"first": nn.Neuron(1), "more": [nn.Neuron(1), (Value(1.0), "text", 3)]}
        self.again = self.parts["first"]
        self.constant = Value(5.0, requires_grad=False)
        self.computed = self.scale * 2
        self.myself = self


def test_parameters_are_found_once_in_order_and_named():
    zoo = Zoo()
    names = [name for name, _ in zoo.named_parameters()]
    assert names == [
        "scale", "parts.first.w.0", "parts.first.b", "parts.more.0.w.0", "parts.more.0.b", "parts.more.1.0",
    ]  # fmt: skip
    assert [value for _, value in zoo.named_parameters()] == zoo.parameters()
    assert len(zoo.modules()) == 3


def test_a_frozen_parameter_remains_one():
    neuron = nn.Neuron(1)
    neuron.w[0].requires_grad = False
    assert neuron.parameters() == [*neuron.w, neuron.b]


def test_a_module_that_lists_its_parameters_itself_is_obeyed():
    class Half(nn.Module):
        def __init__(self):
            self.a, self.b = Value(1.0), Value(2.0)

        def parameters(self):
            return [self.b]

    half = Half()
    assert half.named_parameters() == [("b", half.b)]
    assert nn.Sequential(half, nn.Neuron(1)).named_parameters()[0] == ("layers.0.b", half.b)
    assert nn.Sequential(half).parameters() == [half.b]
    assert nn.Sequential(half, half, Half()).parameters()[:-1] == [half.b]
    outer = nn.Module()
    outer.mine, outer.half = half.b, half
    assert outer.parameters() == [half.b]


def test_parameters_may_be_a_generator():
    class One(nn.Module):
        def __init__(self):
            self.w = Value(1.0)

        def parameters(self):
            yield self.w

    one = One()
    assert repr(nn.Sequential(one)) == "Sequential, 1 parameter\n  layer 0: One, 1 parameter"
    assert nn.Sequential(one).parameters() == nn.SGD(one).parameters == [one.w]


def test_train_and_eval_reach_everything():
    model = nn.Sequential(nn.MLP(2, [2, 1]), "relu")
    assert all(module.training for module in model.modules())
    assert model.eval() is model
    assert not any(module.training for module in model.modules())
    assert model.train().layers[0].layers[0].neurons[0].training


def test_a_deep_copy_is_another_network():
    model = nn.MLP(2, [3, 1], seed=0)
    twin = copy.deepcopy(model)
    assert twin([1.0, 2.0]).data == model([1.0, 2.0]).data
    twin.parameters()[0].data = 9.0
    assert model.parameters()[0].data != 9.0
    assert twin.parameters()[0].label.scope == model.parameters()[0].label.scope


def test_repr():
    assert repr(nn.Sequential(nn.Layer(2, 2), nn.Layer(2, 2), "tanh", nn.Maxout(2, 1))).splitlines() == [
        "Sequential, 18 parameters",
        "  layer 0 to layer 1, each: Layer(2, 2, activation='relu')",
        "  layer 2: Elementwise('tanh')",
        "  layer 3: Maxout(2, 1, pieces=2)",
    ]
    assert repr(Zoo()).splitlines()[0] == "Zoo, 6 parameters"


# -------------------------------------------------------------------- names for pictures


def test_parameters_and_outputs_carry_their_scope():
    model = nn.MLP(2, [2, 1], activation=["tanh", "sigmoid"])
    weight = model.layers[0].neurons[1].w[1]
    assert (weight.label, weight.label.scope) == ("w1", ("layer 0", "neuron 1 (tanh)"))
    assert model.layers[1].neurons[0].b.label == "b"
    out = model([1.0, 2.0])
    assert (out.label, out.label.scope) == ("", ("layer 1", "neuron 0 (sigmoid)"))
    hidden = out.parents[0].parents[2]
    assert hidden.label.scope == ("layer 0", "neuron 0 (tanh)")
    assert out.label is model([3.0, 4.0]).label
    assert weight.is_parameter


def test_scopes_of_lone_and_nested_modules():
    assert nn.Neuron(1, activation="tanh")([1.0]).label.scope == ("neuron (tanh)",)
    assert nn.Neuron(1, nonlin=False)([1.0]).label.scope == ("neuron (linear)",)
    assert nn.Layer(1, 1)([1.0]).label.scope == ("layer", "neuron 0 (relu)")
    nested = nn.Sequential(nn.Maxout(1, 1), nn.MLP(1, [1]))
    assert nested([1.0]).label.scope == ("layer 1", "layer 0", "neuron 0 (linear)")
    assert nested.layers[0]([1.0]).label.scope == ("layer 0", "neuron 0 (maxout)")
    twice = nn.Layer(2, 2)
    assert nn.Sequential(twice, twice)([1.0, 2.0])[0].label.scope == ("layer 0", "neuron 0 (relu)")
    zoo = Zoo()
    zoo.place(("zoo",))
    assert (zoo.scale.label, zoo.scale.label.scope) == ("scale", ("zoo",))
    assert zoo.parts["more"][0].b.label.scope == ("zoo", "parts.more.0")


def test_labels_that_the_user_gave_stay():
    neuron = nn.Neuron(1, activation=lambda v: named)
    named = Value(1.0, label="mine")
    neuron.w[0].label = "slope"
    neuron.place(("elsewhere",))
    assert neuron.w[0].label == "slope"
    assert neuron.b.label.scope == ("elsewhere",)
    assert neuron([1.0]).label == "mine"
    assert nn.Neuron(1, activation=lambda v: 0.25)([1.0]) == 0.25


# -------------------------------------------------------------------- initialisers


@pytest.mark.parametrize(
    ("init", "mean", "std", "bound"),
    [
        ("uniform", 0, 1 / math.sqrt(3), 1),
        (nn.uniform(2.0, 4.0), 3, 1 / math.sqrt(3), 4),
        ("normal", 0, 1, math.inf),
        ("xavier_uniform", 0, math.sqrt(2 / 80), math.sqrt(6 / 80)),
        ("glorot_normal", 0, math.sqrt(2 / 80), math.inf),
        ("he_uniform", 0, math.sqrt(2 / 50), math.sqrt(6 / 50)),
        ("kaiming_normal", 0, math.sqrt(2 / 50), math.inf),
        (nn.he_normal(gain=1.0), 0, math.sqrt(1 / 50), math.inf),
        ("zeros", 0, 0, 0),
        (nn.constant(0.5), 0.5, 0, 0.5),
        (lambda rng, nin, nout: float(nin + nout), 80, 0, 80),
    ],
)
def test_initialisers_have_the_mean_and_spread_of_their_formula(init, mean, std, bound):
    layer = nn.Layer(50, 30, init=init, seed=0)
    weights = [w.data for neuron in layer.neurons for w in neuron.w]
    found = math.sqrt(sum((w - mean) ** 2 for w in weights) / len(weights))
    assert sum(weights) / len(weights) == pytest.approx(mean, abs=5 * std / math.sqrt(1500) + 1e-12)
    assert found == pytest.approx(std, rel=0.1, abs=1e-12)
    assert max(weights) <= bound
    assert all(neuron.b.data == 0 for neuron in layer.neurons)


def test_seeds_and_generators():
    def weights(**source):
        return [p.data for p in nn.MLP(2, [3, 1], **source).parameters()]

    state = random.getstate()
    assert weights(seed=5) == weights(seed=5) == weights(rng=random.Random(5)) != weights(seed=6)
    assert random.getstate() == state


# -------------------------------------------------------------------- errors


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (
            lambda: nn.MLP(2, [3, 1])([1.0, 2.0, 3.0]),
            ValueError,
            r"Layer\(2, 3.* takes 2 inputs, but 3 were given; give a list of 2 numbers, or make",
        ),
        (lambda: nn.MLP(2, [3, 1])([1.0]), ValueError, "takes 2 inputs, but 1 was given"),
        (lambda: nn.MLP(2, [3, 1])([]), ValueError, "takes 2 inputs, but 0 were given; give a list of 2 numbers$"),
        (lambda: nn.MLP(2, [3, 1])([[1.0, 2.0]] * 5), ValueError, "5 were given; it looks like several rows"),
        (lambda: nn.MLP(2, [3, 1])([[1.0, 2.0]] * 2), TypeError, "input 0 must be a Value or a real number, not list"),
        (lambda: nn.Neuron(2)([1.0, 2.0, 3.0]), ValueError, "takes 2 inputs, but 3 were given"),
        (lambda: nn.Neuron(2)("ab"), TypeError, "not str"),
        (lambda: nn.Layer(2, 1)([1.0, None]), TypeError, "input 1 must be .* not NoneType"),
        (lambda: nn.Layer(2, 1)(1.0), ValueError, "takes 2 inputs, but 1 was given"),
        (lambda: nn.Neuron(0), ValueError, "nin must be at least 1, not 0"),
        (lambda: nn.Layer(2, -1), ValueError, "nout must be at least 1, not -1"),
        (lambda: nn.Neuron(2.5), TypeError, "nin must be an integer, not float"),
        (lambda: nn.Layer(True, 1), TypeError, "nin must be an integer, not bool"),
        (lambda: nn.MLP(2, 16), TypeError, "nouts must be a list of layer sizes, not int"),
        (lambda: nn.MLP(2, {16, 1}), TypeError, "nouts must be a list of layer sizes, not set"),
        (lambda: nn.MLP(2, {16: 1}), TypeError, "nouts must be a list of layer sizes, not dict"),
        (lambda: nn.MLP(2, []), ValueError, "nouts is empty"),
        (lambda: nn.MLP(2, [3, 1], activation=["tanh"]), ValueError, "1 activations were given for 2 layers"),
        (lambda: nn.Neuron(2, activation="tanhh"), ValueError, "there is no activation 'tanhh'"),
        (lambda: nn.Neuron(2, activation="add"), ValueError, "there is no activation 'add'"),
        (lambda: nn.Neuron(2, activation=3), TypeError, "activation must be a name"),
        (lambda: nn.Neuron(2, init="xavier"), ValueError, "there is no initialiser 'xavier'; choose one of uniform"),
        (lambda: nn.Neuron(2, init=0.0), TypeError, "init must be a name or a function"),
        (lambda: nn.Neuron(2, seed=1, rng=random.Random()), ValueError, "both given"),
        (lambda: nn.Neuron(2, rng=1), TypeError, "an integer goes into seed="),
        (lambda: nn.Neuron(2, seed=1.5), TypeError, "seed must be an integer"),
        (lambda: nn.Maxout(2, 1, pieces=1), ValueError, "a maxout of one piece"),
        (lambda: nn.Sequential(), ValueError, "at least one layer"),
        (lambda: nn.Sequential(nn.Neuron(1), 3), TypeError, "step 1 of Sequential must be"),
        (lambda: nn.Module()(1), NotImplementedError, "define what the module computes"),
        (lambda: nn.uniform(1, 0), ValueError, "low 1 must not be above high 0"),
        (lambda: nn.normal(0, -1), ValueError, "not negative"),
        (lambda: nn.constant(math.nan), ValueError, "must be finite"),
    ],
)
def test_errors_say_what_was_given_and_what_to_do(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize(
    "make", [lambda: nn.Neuron(2, seed=1), lambda: nn.Layer(2, 2, seed=1), lambda: nn.MLP(2, [2, 1], seed=1)]
)
def test_weights_that_were_replaced_are_gone(make):
    model = make()
    neuron = next(part for part in model.modules() if type(part) is nn.Neuron)
    names = list(model.state_dict())
    model([1.0, 2.0])
    neuron.w = [Value(0.5, parameter=True), Value(0.25, parameter=True)]
    neuron.b = Value(2.0, parameter=True)
    twin = copy.deepcopy(model)
    for one in (model, twin):
        assert list(one.state_dict()) == [name for name, _ in one.named_parameters()] == names
        assert len(one.parameters()) == len(names)
        one([1.0, 2.0])
        assert list(one.state_dict()) == names
    assert model.parameters()[:3] == [*neuron.w, neuron.b]
    assert not set(model.parameters()) & set(twin.parameters())


def test_the_activations_in_the_message_are_there():
    with pytest.raises(
        ValueError, match="there is no activation 'tanhh' .*; use tanh, .*, linear, any other"
    ) as caught:
        nn.Neuron(2, activation="tanhh")
    named = str(caught.value).partition("use ")[2].partition(", any")[0].split(", ")
    assert [nn.Neuron(1, activation=name).activation for name in named] == named == NAMES


class Slotted(nn.Module):
    __slots__ = ("extra", "inner")

    def __init__(self):
        self.extra, self.inner, self.w = [5], Value(2.0), Value(1.0)


class WithoutValues(nn.Module):
    def __init__(self):
        self.k = 3


class Own(nn.Module):
    """A user's module, which says itself what is to be pickled of it."""

    def __init__(self, data):
        self.w = Value(data)

    def __getstate__(self):
        return self.w.data

    def __setstate__(self, data):
        self.w = Value(data)


PROTOCOLS = range(pickle.HIGHEST_PROTOCOL + 1)
PICKLED = [
    lambda: nn.MLP(2, [2, 1]), lambda: nn.Neuron(2, activation=lambda v: v * v), lambda: nn.BatchNorm(2),
    lambda: nn.Maxout(2, 2), lambda: nn.Sequential(nn.Dropout(0.5), "tanh", nn.Layer(2, 2)),
    lambda: nn.Sequential(lambda v: v, nn.Layer(2, 2)), Slotted,
]  # fmt: skip


# Protocols 0 and 1 know no slots: pickle itself refuses these.
@pytest.mark.parametrize(
    ("make", "protocol"), [(make, n) for make in PICKLED for n in PROTOCOLS if make is not Slotted or n >= 2]
)
def test_a_module_with_values_that_is_pickled_says_what_to_do(make, protocol):
    model = make()
    message = rf"as this {type(model).__name__}, cannot be pickled: model\.save\(path\) .* model\.state_dict\(\) gives"
    for given_ in (model, [model], {"model": model}):
        with pytest.raises(TypeError, match=message):
            pickle.dumps(given_, protocol)


@pytest.mark.parametrize("protocol", range(pickle.HIGHEST_PROTOCOL + 1))
def test_a_module_without_values_can_be_pickled(protocol):
    for model in (nn.Dropout(0.25), nn.Dropout(0.25, seed=1), WithoutValues(), nn.Sequential(nn.Dropout(0.25))):
        again = pickle.loads(pickle.dumps([model, model], protocol))  # noqa: S301
        assert again[0] is again[1]
        assert repr(again[0]) == repr(model)
        assert vars(again[0]).keys() == vars(model).keys()
    draws = [[y.data for y in layer([1.0] * 20)] for layer in (nn.Dropout(0.5, seed=1), nn.Dropout(0.5, seed=1))]
    assert draws[0] == draws[1]
    inner = nn.Sequential(Own(3.0), Own(4.0))  # each of them says itself how it is pickled
    assert [own.w.data for own in pickle.loads(pickle.dumps(inner, protocol)).layers] == [3.0, 4.0]  # noqa: S301


def test_copies_have_what_is_in_slots_too():
    model = Slotted()
    model.itself = model
    shallow, deep = copy.copy(model), copy.deepcopy(model)
    assert shallow.extra is model.extra
    assert shallow.w is model.w
    assert deep.extra == [5]
    assert deep.extra is not model.extra
    assert (deep.w.data, deep.inner.data) == (1.0, 2.0)
    assert deep.w is not model.w
    assert deep.itself is deep


def test_a_module_can_be_copied_and_pickled_in_its_own_way():
    model = nn.MLP(2, [2, 1], activation=lambda v: v * v, seed=1)
    shallow, deep = copy.copy(model), copy.deepcopy(model)
    assert shallow.layers is model.layers
    assert deep.layers[0].neurons[0].w[0] is not model.layers[0].neurons[0].w[0]
    assert vars(deep).keys() == vars(model).keys()
    assert type(vars(deep)) is dict
    both = copy.deepcopy([model, model.layers[0]])
    assert both[0].layers[0] is both[1]
    assert deep.state_dict() == model.state_dict()
    assert pickle.loads(pickle.dumps(Own(3.0))).w.data == 3.0  # noqa: S301


def test_changed_weights_are_noticed():
    layer = nn.Layer(2, 2)
    layer.neurons[1].w.pop()
    with pytest.raises(ValueError, match="a neuron has 1 weights, but its layer has 2 inputs"):
        layer([1.0, 2.0])


@pytest.mark.parametrize("x", [(1.0, 2.0), iter([1.0, 2.0]), range(1, 3), (v for v in (1, 2))])
def test_inputs_of_many_kinds(x):
    assert nn.Layer(2, 1, nonlin=False, init=nn.constant(1.0))(x).data == 3.0


def test_arrays_and_single_inputs():
    np = pytest.importorskip("numpy")
    neuron = nn.Neuron(2, nonlin=False, init=nn.constant(1.0))
    assert neuron(np.array([1, 2])).data == nn.Layer(2, 1, False, init=nn.constant(1.0))(np.array([1.0, 2.0])).data == 3
    one = nn.Neuron(1, nonlin=False, init=nn.constant(2.0))
    assert one(3.0).data == one(Value(3.0)).data == nn.Sequential(one, one)(1.5).data == 6.0


# What a neuron remembers of its weights, so that the nodes of all samples share it.

CHANGES = {
    "another bias": lambda neuron: setattr(neuron, "b", Value(5.0)),
    "no bias": lambda neuron: setattr(neuron, "b", None),
    "another weight": lambda neuron: neuron.w.__setitem__(0, Value(9.0)),
    "a weight twice": lambda neuron: neuron.w.__setitem__(0, neuron.w[1]),
    "other weights": lambda neuron: setattr(neuron, "w", (Value(7.0), Value(-0.5))),
    "all others": lambda neuron: vars(neuron).update(w=[Value(7.0), Value(-0.5)], b=Value(2.0)),
    "other data": lambda neuron: setattr(neuron.w[0], "data", 4.0),
}


@pytest.mark.parametrize("change", CHANGES)
def test_ctrl_c_in_a_layer_leaves_it_to_the_weights_it_has(change):
    """At any instruction of the first call with others; also when they are put back after it."""

    def outputs(layer):
        return repr(layer([1.0, -2.0]))

    layer = nn.Layer(2, 2, activation="tanh", seed=0)
    neuron = layer.neurons[0]
    neuron.b.data = 0.25
    old = outputs(layer)
    n = 0
    while True:
        w, b, data = list(neuron.w), neuron.b, neuron.w[0].data
        CHANGES[change](neuron)
        new = outputs(nn_copy(layer))
        again = stopped(lambda: outputs(layer), n, {neurons.__file__})
        assert new != old
        assert n % 2 or outputs(layer) == new, n
        neuron.w, neuron.b, w[0].data = w, b, data
        assert outputs(layer) == old, n
        if not again:
            break
        n += 1
    assert n > 50


def nn_copy(layer):
    """A layer that remembers nothing, with the same weights."""
    other = nn.Layer(2, 2, activation="tanh")
    for here, there in zip(other.neurons, layer.neurons, strict=True):
        here.w, here.b = list(there.w), there.b
    return other


@pytest.mark.parametrize("nin", [1, 2])
def test_weights_may_be_an_array(nin):
    """It compares number by number, where a list says whether it is the same."""
    np = pytest.importorskip("numpy")
    layer, x = nn.Layer(nin, 1, activation="tanh", seed=0), [1.0, -2.0][:nin]
    layer(x)
    for kind in (float, object):
        numbers = [0.25, 0.5][:nin]
        layer.neurons[0].w = np.array(numbers if kind is float else list(map(Value, numbers)), dtype=kind)
        assert (
            [layer(x).data for _ in range(2)]
            == [layer.neurons[0](x).data] * 2
            == [math.tanh(sum(map(float.__mul__, numbers, x)))] * 2
        )
