"""state_dict, save, load: every number comes back to the last bit, whatever the model is made of."""

import copy
import hashlib
import json
import math
import pickle
import random
import sys
from fractions import Fraction
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from saving_helpers import ALL, KNOWN, OF_ITS_OWN, Zoo, bits, content_of, document_of, file_with, refusal, set_numbers
from sizes import has_full_size, size

import scalargrad
from scalargrad import Value, nn
from scalargrad.nn.files import fileformat

any_float = st.floats(width=64)
finite = st.floats(allow_nan=False, allow_infinity=False)


# -------------------------------------------------------------------- states


def test_a_state_has_parameters_and_constants_by_name():
    zoo = Zoo()
    state = zoo.state_dict()
    assert list(state) == [*(name for name, _ in zoo.named_parameters()), "constant"]
    assert {"scale", "parts.first.w.0", "_hidden"} < set(state)
    assert (state["scale"], state["constant"], state["_hidden"]) == (2.0, 5.0, 8.0)
    assert not {"computed", "_cache"} & set(state)
    layer = nn.BatchNorm(1)
    assert layer.state_dict() == {"gamma.0": 1.0, "beta.0": 0.0, "running_mean.0": 0.0, "running_var.0": 1.0}


def test_a_state_is_a_copy():
    model = nn.Neuron(1, seed=0)
    state = model.state_dict()
    state["w.0"] = 9.0
    assert model.w[0].data != 9.0


def test_freezing_changes_no_name():
    zoo = Zoo()
    names = set(zoo.state_dict())
    zoo.scale.requires_grad = False
    zoo.parts["first"].b.requires_grad = False
    assert set(zoo.state_dict()) == names


def test_a_module_that_lists_its_parameters_itself():
    class Listed(nn.Module):
        def __init__(self):
            self.a, self.b, self.hidden = Value(1.0), Value(2.0), {Value(3.0)}

        def parameters(self):
            return [self.b, *self.hidden, self.b]

    model = Listed()
    assert model.state_dict() == {"b": 2.0, "1": 3.0, "a": 1.0}
    model.load_state_dict({"b": 4.0, "1": 5.0, "a": 6.0})
    assert (model.a.data, model.b.data, [v.data for v in model.hidden]) == (6.0, 4.0, [5.0])


def test_two_values_of_one_name_have_names_of_their_own(tmp_path):
    class Both(nn.Module):
        def __init__(self):
            self.parts = {1: Value(1.0), "1": Value(2.0)}

    assert Both().state_dict() == {"parts.1": 1.0, "parts.1#2": 2.0}
    model = Both()
    model.load_state_dict({"parts.1": 3.0, "parts.1#2": 4.0})
    again = Both().load(model.save(tmp_path / "both.json"))
    assert [v.data for v in again.parts.values()] == [3.0, 4.0]


@has_full_size
@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
@settings(max_examples=size(30, 100))
@given(data=st.data())
def test_any_numbers_come_back_in_memory_nan_and_inf_too(make, data):
    model, other = make(), make()
    state = {name: data.draw(any_float) for name in model.state_dict()}
    values = model.parameters()
    model.load_state_dict(state)
    assert bits(model) == bits(state)
    other.load_state_dict(model.state_dict())
    assert bits(other) == bits(state)
    assert all(now is before for now, before in zip(model.parameters(), values, strict=True))


def test_every_kind_of_real_number_is_taken_as_a_value_takes_it():
    np = pytest.importorskip("numpy")
    neuron = nn.Neuron(3)
    neuron.load_state_dict({"w.0": np.float32(0.5), "w.1": Fraction(1, 4), "w.2": True, "b": np.array(2)})
    assert neuron.state_dict() == {"w.0": 0.5, "w.1": 0.25, "w.2": 1.0, "b": 2.0}
    assert all(type(x) is float for x in neuron.state_dict().values())


GOOD = {"w.0": 1.0, "w.1": 2.0, "b": 3.0}


@pytest.mark.parametrize(
    ("state", "error", "text"),
    [
        ({}, ValueError, r"does not fit this Neuron: missing 3 names: 'w\.0', 'w\.1', 'b'$"),
        ({"w.0": 1.0, "b": 1.0}, ValueError, r"missing 1 name: 'w\.1'$"),
        ({**GOOD, "c": 1.0, 5: 1.0}, ValueError, r"Neuron: unexpected 2 names: 'c', 5$"),
        ({"w.0": 1.0, "w1": 2.0, "b": 3.0}, ValueError, r"missing 1 name: 'w\.1'; unexpected 1 name: 'w1'$"),
        ({**GOOD, **dict.fromkeys("defghijklm", 0.0)}, ValueError, "'d', 'e', 'f', 'g', 'h', 'i' and 4 more$"),
        ({**GOOD, "b": "3.0"}, TypeError, "'b': Value data must be a real number, not str"),
        ({**GOOD, "b": None}, TypeError, "not NoneType"),
        ({**GOOD, "b": 1j}, TypeError, "not complex"),
        ({**GOOD, "b": [3.0]}, TypeError, "not list"),
        ({**GOOD, "b": Value(3.0)}, TypeError, r"take its number with \.data"),
        ({**GOOD, "b": 10**400}, OverflowError, "'b': .*must fit a float, and this int is too large"),
        ([1.0, 2.0, 3.0], TypeError, r"numbers by name.*not list: for a file, use load\(path\)"),
        ("model.json", TypeError, r"not str: for a file"),
    ],
)
def test_a_wrong_state_changes_nothing(state, error, text):
    neuron = nn.Neuron(2, seed=0)
    before = bits(neuron)
    with pytest.raises(error, match=text):
        neuron.load_state_dict(state)
    assert bits(neuron) == before


@given(st.dictionaries(st.sampled_from(["w.0", "w.1", "b", "c", "w"]), st.one_of(any_float, st.none(), st.text())))
def test_random_states_load_as_a_whole_or_not_at_all(state):
    neuron = nn.Neuron(2, seed=0)
    before = bits(neuron)
    fits = set(state) == {"w.0", "w.1", "b"} and all(isinstance(x, float) for x in state.values())
    try:
        neuron.load_state_dict(state)
    except (ValueError, TypeError):
        assert not fits
        assert bits(neuron) == before
    else:
        assert fits
        assert bits(neuron) == bits(state)


def test_gradients_labels_and_modes_are_left_alone():
    model = nn.Sequential(nn.Layer(2, 2, seed=0), nn.Dropout(0.5)).eval()
    w = model.layers[0].neurons[0].w[0]
    w.grad, w.label = 3.0, "mine"
    model.load_state_dict(nn.Sequential(nn.Layer(2, 2, seed=1), nn.Dropout(0.5)).state_dict())
    assert (w.grad, w.label, model.training) == (3.0, "mine", False)


def test_a_compiled_loss_and_an_optimizer_see_the_loaded_numbers():
    model = nn.MLP(2, [3, 1], activation="tanh", seed=0)
    compiled = scalargrad.compile(lambda a, b: model([a, b]), parameters=model.parameters())
    optimizer = nn.SGD(model, lr=0.5)
    compiled(0.3, 0.4)
    model.load_state_dict(nn.MLP(2, [3, 1], activation="tanh", seed=1).state_dict())
    assert compiled(0.3, 0.4) == pytest.approx(nn.MLP(2, [3, 1], activation="tanh", seed=1)([0.3, 0.4]).data, rel=1e-12)
    model([0.3, 0.4]).backward()
    before = model.state_dict()
    optimizer.step()
    assert model.state_dict() != before


def test_a_function_that_is_compiled_cannot_save_or_load():
    model = nn.MLP(1, [1], seed=0)
    state = model.state_dict()
    for use in (model.state_dict, lambda: model.load_state_dict(state), lambda: model.save("never.json")):
        with pytest.raises(TypeError, match="call it outside"):
            scalargrad.compile(lambda x, use=use: (use(), model([x]))[1])(1.0)
    assert not Path("never.json").exists()


# -------------------------------------------------------------------- files


@pytest.mark.parametrize("make", ALL.values(), ids=ALL)
def test_a_file_brings_every_number_back(make, tmp_path):
    model = set_numbers(make(), random.Random(1))
    path = tmp_path / "model.json"
    assert model.save(path) == path
    assert bits(set_numbers(make(), random.Random(2)).load(path)) == bits(model)
    assert nn.save(model, str(path)) == path
    assert bits(nn.load(str(path), make())) == bits(model)


@pytest.mark.parametrize("make", KNOWN.values(), ids=KNOWN)
def test_a_network_of_known_parts_is_built_again(make, tmp_path):
    model = set_numbers(make(), random.Random(1))
    again = nn.load(model.save(tmp_path / "model.json"))
    assert type(again) is type(model)
    assert repr(again) == repr(model)
    assert bits(again) == bits(model)
    assert list(again.state_dict()) == list(model.state_dict())
    assert [p.label.scope for p in again.parameters()] == [p.label.scope for p in model.parameters()]
    model.eval()
    again.eval()
    x = [0.3, -0.7, 0.2][: 3 if "w.2" in model.state_dict() else 2]
    outs = [out if isinstance(out, list) else [out] for out in (model(x), again(x))]
    numbers = [[getattr(v, "data", v) for v in out] for out in outs]
    assert numbers[0] == numbers[1]
    shapes = [[len(scalargrad.topological_order(v)) for v in out if isinstance(v, Value)] for out in outs]
    assert shapes[0] == shapes[1]  # as many nodes: fused or not, as it was
    assert bits(nn.load(again.save(tmp_path / "again.json"))) == bits(model)
    assert (tmp_path / "again.json").read_bytes() == (tmp_path / "model.json").read_bytes()


@pytest.mark.parametrize("make", OF_ITS_OWN.values(), ids=OF_ITS_OWN)
def test_a_network_with_parts_of_its_own_must_be_built_first(make, tmp_path):
    path = set_numbers(make(), random.Random(1)).save(tmp_path / "model.json")
    assert "model" not in json.loads(path.read_text(encoding="utf-8"))
    with pytest.raises(
        nn.ModelFileError, match=r"build the model as it was when it was saved and call model.load\(path\)"
    ):
        nn.load(path)


@pytest.mark.parametrize(
    "activation", ["relu", "leaky_relu", "elu", "gelu", "silu", "tanh", "sigmoid", "softplus", None]
)
def test_every_activation_is_built_again(activation, tmp_path):
    model = nn.MLP(2, [2, 1], activation=[activation, activation], seed=0)
    assert nn.load(model.save(tmp_path / "model.json"))([0.5, -2.0]).data == model([0.5, -2.0]).data


def test_numbers_replaced_by_hand_are_noticed(tmp_path):
    layer = nn.Layer(2, 1)
    layer.neurons[0].w = [2.0, 3.0]
    path = layer.save(tmp_path / "model.json")
    assert set(json.loads(path.read_text(encoding="utf-8"))) == {"format", "version", "sha256", "state"}
    assert bits(layer.load(path)) == bits({"neurons.0.b": 0.0})


def test_training_goes_on_from_a_file_as_if_nothing_had_happened(tmp_path):
    """BatchNorm's running statistics included: eval() gives the same numbers, and so do ten more epochs."""
    X, y = nn.moons(40, labels=(-1, 1), seed=0)

    def train(model):
        nn.fit(model, X, y, loss="hinge", lr=0.1, epochs=5, batch_size=10, seed=3, progress=False)
        return model

    def network(seed):
        return nn.Sequential(
            nn.Layer(2, 4, nonlin=False, seed=seed), nn.BatchNorm(4), "tanh", nn.Layer(4, 1, False, seed=1)
        )

    model = train(network(0))
    assert model.layers[1].running_mean[0].data != 0.0
    path = model.save(tmp_path / "model.json")
    fresh, built = network(5).load(path), nn.load(path)
    scores = [model.eval()(x).data for x in X]
    assert [fresh.eval()(x).data for x in X] == [built.eval()(x).data for x in X] == scores
    assert bits(train(fresh)) == bits(train(built)) == bits(train(model))


@given(st.lists(finite, min_size=5, max_size=5))
def test_finite_numbers_come_back_to_the_last_bit(numbers):
    model = nn.Neuron(4)
    model.load_state_dict(dict(zip(model.state_dict(), numbers, strict=True)))
    with file_with("") as path:
        assert bits(nn.load(model.save(path))) == bits(nn.Neuron(4).load(path)) == bits(model)


@pytest.mark.parametrize(
    "x", [-0.0, 5e-324, 2.2250738585072014e-308, 1.7976931348623157e308, 0.1, 1 / 3, 1e16, 123456789.0]
)
def test_numbers_that_others_lose(x):
    model = nn.Neuron(1, init=nn.constant(x))
    with file_with("") as path:
        assert bits(nn.load(model.save(path))) == bits(model)


def test_the_format(tmp_path):
    """What the file looks like is a promise: version 1 files will be read by every later version."""
    model = nn.MLP(1, [1], seed=0)
    model.load_state_dict({"layers.0.neurons.0.w.0": 0.5, "layers.0.neurons.0.b": -1e-7})
    settings = {"kind": "MLP", "nin": 1, "nouts": [1], "activations": ["linear"], "bias": True, "fused": True}
    state = {"layers.0.neurons.0.w.0": 0.5, "layers.0.neurons.0.b": -1e-7}
    canonical = json.dumps({"model": settings, "state": state}, sort_keys=True, separators=(",", ":"))
    assert model.save(tmp_path / "model.json").read_text(encoding="utf-8") == (
        "{\n"
        '  "format": "scalargrad-model",\n'
        '  "version": 1,\n'
        f'  "sha256": "{hashlib.sha256(canonical.encode()).hexdigest()}",\n'
        '  "model": {"kind": "MLP", "nin": 1, "nouts": [1], "activations": ["linear"], "bias": true, "fused": true},\n'
        '  "state": {\n'
        '    "layers.0.neurons.0.w.0": 0.5,\n'
        '    "layers.0.neurons.0.b": -1e-07\n'
        "  }\n"
        "}\n"
    )
    assert canonical == (
        '{"model":{"activations":["linear"],"bias":true,"fused":true,"kind":"MLP","nin":1,"nouts":[1]},'
        '"state":{"layers.0.neurons.0.b":-1e-07,"layers.0.neurons.0.w.0":0.5}}'
    )


def test_a_file_may_be_reformatted_or_edited():
    model = nn.MLP(1, [1], seed=0)
    document = json.loads(content_of(model))
    for text in (
        json.dumps(document),
        json.dumps(document, indent=4, sort_keys=True),
        "\n\t " + json.dumps(document, separators=(",", ":")) + "\r\n ",
        "\ufeff" + json.dumps(document),
    ):
        other = nn.MLP(1, [1], seed=1)
        assert refusal(text, other) is None
        assert bits(other) == bits(model)
    document = document_of(model)
    for text, x in (("1", 1.0), ("-0", -0.0), ("-3", -3.0), ("1E2", 100.0), ("0.10", 0.1), ("9" * 30, 1e30)):
        document["state"]["layers.0.neurons.0.b"] = "HERE"
        other = nn.MLP(1, [1], seed=1)
        assert refusal(json.dumps(document).replace('"HERE"', text), other) is None
        assert bits({"b": other.layers[0].neurons[0].b.data}) == bits({"b": x})


def test_loading_draws_no_random_number_and_warns_of_nothing(tmp_path):
    with pytest.warns(nn.RuleOfThumbWarning):
        model = nn.Sequential(nn.Layer(2, 2), nn.BatchNorm(2), nn.Dropout(0.5))
    state = random.getstate()
    again = nn.load(model.save(tmp_path / "model.json"))
    assert random.getstate() == state
    assert bits(again) == bits(model)
    assert again.training


@pytest.mark.parametrize("x", [math.nan, math.inf, -math.inf, scalargrad.Exact(1, 3)])
def test_what_a_file_cannot_hold_is_refused_and_the_old_file_stays(x, tmp_path):
    model = nn.Neuron(1, seed=0)
    path = model.save(tmp_path / "model.json")
    old = path.read_bytes()
    model.b.data = x
    with pytest.raises(ValueError, match=r"'b' is .*finite floats only\. Put the model back"):
        model.save(path)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


def test_too_large_a_model_is_refused_as_too_large_a_file_is(tmp_path, monkeypatch):
    model = nn.MLP(2, [3, 1], seed=0)
    path = model.save(tmp_path / "model.json")
    size = path.stat().st_size
    for module in (fileformat, sys.modules["scalargrad.nn.files.saving"]):
        monkeypatch.setattr(module, "MAX_BYTES", size)
    assert bits(nn.load(model.save(path))) == bits(model)
    for module in (fileformat, sys.modules["scalargrad.nn.files.saving"]):
        monkeypatch.setattr(module, "MAX_BYTES", size - 1)
    with pytest.raises(ValueError, match=f"its 13 numbers need {size} bytes, and a model file has at most {size - 1}"):
        model.save(path)
    with pytest.raises(nn.ModelFileError, match=f"it has more than {size - 1} bytes"):
        nn.load(path)
    monkeypatch.undo()
    commas = path.read_bytes().count(b",")
    monkeypatch.setattr(fileformat, "MAX_COMMAS", commas)
    assert bits(nn.load(model.save(path))) == bits(model)
    monkeypatch.setattr(fileformat, "MAX_COMMAS", commas - 1)
    with pytest.raises(ValueError, match=f"and {commas - 1} entries. Save its parts"):
        model.save(path)
    with pytest.raises(nn.ModelFileError, match=f"it has more than {commas - 1} entries"):
        nn.load(path)


def test_a_nest_too_deep_is_saved_without_its_description(tmp_path):
    def nested(depth):
        model = nn.Layer(1, 1, seed=0)
        for _ in range(depth):
            model = nn.Sequential(model)
        return model

    shallow, deep = nested(30), nested(40)
    assert bits(nn.load(shallow.save(tmp_path / "shallow.json"))) == bits(shallow)
    assert bits(nested(40).load(deep.save(tmp_path / "deep.json"))) == bits(deep)
    assert "model" not in json.loads((tmp_path / "deep.json").read_text(encoding="utf-8"))


def test_a_model_of_another_architecture_is_refused():
    content = content_of(nn.MLP(2, [3, 1], activation="tanh", seed=0))
    assert refusal(content, nn.MLP(2, [3, 1], activation="tanh", fused=False)) is None
    for other, text in (
        (nn.MLP(2, [3, 1]), "MLP: model.activations.0 is 'tanh' in the file, 'relu' here. Build the model as it was"),
        (nn.MLP(2, [4, 1], activation="tanh"), "missing 4 names: 'layers.0.neurons.3.w.0', "),
        (nn.MLP(2, [4, 1], activation="tanh"), "; model.nouts.0 is 3 in the file, 4 here"),
        (nn.MLP(2, [3, 3, 1], activation="tanh"), "model.nouts is [3, 1] in the file, [3, 3, 1] here"),
        (nn.MLP(2, [2, 1], activation="tanh"), "unexpected 4 names: 'layers.0.neurons.2.w.0', "),
        (nn.Neuron(1), "model is MLP in the file, Neuron here"),
        (Zoo(), "does not fit this Zoo: missing"),
    ):
        assert text in str(refusal(content, other))
    first, other = (nn.Sequential(nn.Layer(2, 2, seed=0), nn.Dropout(p)) for p in (0.5, 0.25))
    assert "model.layers.1.p is 0.5 in the file, 0.25 here" in str(refusal(content_of(first), other))
    assert "model.layers is a list of 2 in the file, a list of 1 here" in str(
        refusal(content_of(first), nn.Sequential(nn.Layer(2, 2)))
    )


def test_numbers_of_another_architecture_can_be_taken_on_purpose(tmp_path):
    path = nn.MLP(2, [3, 1], activation="tanh", seed=0).save(tmp_path / "model.json")
    model = nn.MLP(2, [3, 1])
    model.load_state_dict(nn.load(path).state_dict())
    assert bits(model) == bits(nn.MLP(2, [3, 1], seed=0))


@pytest.mark.parametrize(
    ("call", "text"),
    [
        (lambda path: nn.save([1.0], path), r"save takes a Module, not list: save\(model, path\)"),
        (lambda path: nn.save(str(path), nn.Neuron(1)), "save takes a Module, not str"),
        (
            lambda path: nn.save(nn.SGD([Value(1.0)], lr=0.1), path),
            r"not SGD: save\(model, path, optimizer=optimizer\)",
        ),
        (lambda path: nn.load(path, {"w": 1.0}), r"of a Module, not of dict: load\(path, model\)"),
        (lambda path: nn.load(nn.Neuron(1), path), "Module"),
        (lambda path: nn.load(nn.Neuron(1)), "Neuron"),
        (lambda path: nn.Neuron(1).save(None), "NoneType"),
    ],
)
def test_wrong_arguments(call, text, tmp_path):
    with pytest.raises(TypeError, match=text):
        call(tmp_path / "model.json")
    assert not list(tmp_path.iterdir())


def test_the_error_survives_copying_and_pickling():
    error = nn.ModelFileError("a.json", "it is empty")
    for twin in (copy.copy(error), pickle.loads(pickle.dumps(error))):  # noqa: S301
        assert (twin.path, twin.reason, str(twin)) == ("a.json", "it is empty", str(error))
    assert isinstance(error, ValueError)
