"""Damaged, hostile and wrong model files: one kind of error, and no number changes."""

import ast
import hashlib
import json
import pickle
import random
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from saving_helpers import KNOWN, bits, built, content_of, document_of, file_with, refusal, set_numbers
from sizes import has_full_size, size

from scalargrad import nn

finite = st.floats(allow_nan=False, allow_infinity=False)


def original():
    return set_numbers(nn.Sequential(nn.Layer(1, 1, seed=0), nn.BatchNorm(1)), random.Random(0))


def other():
    return set_numbers(nn.Sequential(nn.Layer(1, 1, seed=0), nn.BatchNorm(1)), random.Random(1))


CONTENT = content_of(original())


def is_refused_or_the_same(content):
    """Whether the content is refused; if not, the numbers are those that were saved."""
    model = other()
    error, again = refusal(content, model), built(content)
    if error is None:
        assert bits(model) == bits(again) == bits(original())
    else:
        assert again is None
    return error is not None


def test_every_truncation_is_refused():
    assert not is_refused_or_the_same(CONTENT[:-1])  # the last newline
    for n in range(len(CONTENT) - 1):
        assert is_refused_or_the_same(CONTENT[:n]), n


@has_full_size
def test_no_flipped_bit_changes_a_number():
    """In a usual run one bit of each byte."""
    tried = refused = 0
    for i in range(len(CONTENT)):
        for bit in size([i % 8], range(8)):
            tried += 1
            damaged = bytearray(CONTENT)
            damaged[i] ^= 1 << bit
            refused += is_refused_or_the_same(bytes(damaged))
    assert refused > 0.97 * tried  # some spaces become other white space


@given(st.data())
def test_no_mixture_of_damages_changes_a_number(data):
    """Pieces deleted, doubled, exchanged, overwritten, in any order."""
    content = CONTENT
    for _ in range(data.draw(st.integers(1, 4))):
        i, j = sorted(data.draw(st.integers(0, len(content))) for _ in range(2))
        piece = data.draw(st.sampled_from([b"", content[i:j] * 2, content[i:j][::-1], b"0", b"9", b"-", b"e5", b"\x00" * 9,
                                           b"NaN", b"null", b"[", b"}", b'"', b",", b"\xff", b" "]))  # fmt: skip
        content = content[:i] + piece + content[j:]
    is_refused_or_the_same(content)


@given(st.one_of(st.binary(), st.text()))
def test_arbitrary_bytes_and_texts_are_refused(content):
    assert refusal(content, nn.Neuron(1)) is not None


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | finite | st.text(max_size=5) | st.sampled_from(["MLP", "tanh", 10**12]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(st.sampled_from(["kind", "nin", "nout", "layers", "p", "a"]), inner, max_size=4)
    ),
    max_leaves=8,
)


def places(x, path=()):
    """Every place in a document, as a path of keys."""
    yield path
    for key in x if isinstance(x, dict) else range(len(x)) if isinstance(x, list) else ():
        yield from places(x[key], (*path, key))


@given(make=st.sampled_from(list(KNOWN.values())), data=st.data(), checksum=st.booleans())
def test_wrong_values_anywhere_are_refused_or_mean_what_they_say(make, data, checksum):
    """An editor replaces, removes or adds an entry at any place, and may even mend the checksum."""
    model = set_numbers(make(), random.Random(1))
    document = document_of(model)
    path = data.draw(st.sampled_from([path for path in places(document) if path]))
    target = document
    for key in path[:-1]:
        target = target[key]
    key = path[-1]
    action = data.draw(st.sampled_from(["replace", "remove", "add"]))
    if action == "replace":
        target[key] = data.draw(json_values)
    elif action == "remove":
        del target[key]
    elif isinstance(target, dict):
        target[data.draw(st.text(max_size=3))] = data.draw(json_values)
    else:
        target.append(data.draw(json_values))
    if checksum and isinstance(document.get("state"), dict):
        state = {k: float(x) if type(x) is int and abs(x) < 10**300 else x for k, x in document["state"].items()}
        text = json.dumps({"model": document.get("model"), "state": state}, sort_keys=True, separators=(",", ":"))
        document["sha256"] = hashlib.sha256(text.encode()).hexdigest()
    assume(json.dumps(document) != json.dumps(document_of(model)))
    twin = set_numbers(make(), random.Random(2))
    if refusal(json.dumps(document), twin) is None:
        assert bits(twin) == bits({name: float(document["state"][name]) for name in twin.state_dict()})
    again = built(json.dumps(document))
    if again is not None:
        assert bits(again) == bits({name: float(x) for name, x in document["state"].items()})


def edited(**changes):
    """The document with entries changed; `...` removes one."""
    document = document_of(nn.Neuron(1, seed=0))
    for name, value in changes.items():
        document[name] = value
        if value is ...:
            del document[name]
    return json.dumps(document)


def with_number(text):
    return edited(state={"w.0": "HERE", "b": 1.0}).replace('"HERE"', text)


def with_settings(**changes):
    settings = document_of(nn.Neuron(1))["model"]
    return edited(model={**settings, **changes})


def with_model(settings):
    return edited(model=settings)


DEEP = 100_000


@pytest.mark.parametrize(
    ("content", "text"),
    [
        (b"", "it is empty"),
        (b" \n\t ", "it is empty"),
        (b"\x00" * 100, "damaged or no JSON"),
        (b"\x80\x04\x95", "damaged or no text"),
        (pickle.dumps({"w": 1.0}, protocol=0), "damaged or no JSON"),
        (pickle.dumps({"w": 1.0}), "damaged or no text"),
        (edited().encode("utf-16"), "damaged or no text"),
        (edited().encode("utf-32-le"), "damaged or no JSON"),
        (edited() + "x", "line 1, column .*Extra data"),
        (edited() * 2, "Extra data"),
        ("[1, 2]", 'does not say "format": "scalargrad-model"'),
        ("1", "no model file"),
        ("null", "no model file"),
        ('"scalargrad-model"', "no model file"),
        (edited(format=...), "no model file"),
        (edited(format="other"), "no model file"),
        (edited(format=["scalargrad-model"]), "no model file"),
        (edited(version=...), "never was one"),
        (edited(version=3), r"it has version 3, and this scalargrad reads versions up to 2: update scalargrad"),
        (edited(version=10**15), "update scalargrad"),
        (edited(version=10**30), "never was one"),
        (edited(version=0), '"version" is 0, which never was one'),
        (edited(version=-1), "never was one"),
        (edited(version=True), "never was one"),
        (edited(version=1.0), "never was one"),
        (edited(version="1"), "never was one"),
        (edited(version=None), "never was one"),
        (edited(state=...), "missing 1 name: 'state'"),
        (edited(stat={}), "unexpected 1 name: 'stat'"),
        (edited(__proto__={}), "unexpected"),
        (edited(state=[1.0, 2.0]), '"state" must be an object'),
        (edited(state=None), '"state" must be an object'),
        (edited(state={"w.0": 1.0}), r"missing 1 name: 'b'"),
        (edited(state={}), "missing 2 names"),
        (edited(state={"w.0": 1.0, "b": 1.0, "w.1": 1.0}), r"unexpected 1 name: 'w\.1'"),
        (edited(state={"w.0": 1.0, "b": {"b": 1.0}}), "'b' is dict, which is no finite number"),
        (with_number("NaN"), "it holds NaN"),
        (with_number("Infinity"), "it holds Infinity"),
        (with_number("-Infinity"), "it holds -Infinity"),
        (with_number("nan"), "damaged or no JSON"),
        (with_number("1e999"), "'w.0' is inf, which is no finite number"),
        (with_number("-1e999"), "is -inf"),
        (with_number("1" * 400), "is inf, which"),
        (with_number("1" * 5000), "is inf, which"),
        (with_number("-" + "1" * 200_000), "is -inf, which"),
        (with_number('"1.0"'), "is '1.0', which is no finite number"),
        (with_number("true"), "is True, which"),
        (with_number("null"), "is NoneType, which"),
        (with_number("[1.0]"), "is list, which"),
        (with_number("0x10"), "damaged or no JSON"),
        (with_number("1_000"), "damaged or no JSON"),
        (with_number("01"), "damaged or no JSON"),
        (with_number(".5"), "damaged or no JSON"),
        (with_number("[" * DEEP), "nested too deep"),
        (with_number("[" * DEEP + "]" * DEEP), "nested too deep"),
        (with_number('{"a":' * DEEP + "1" + "}" * DEEP), "nested too deep"),
        ("[" * DEEP, "nested too deep"),
        ('{"a\\\\":' * DEEP, "nested too deep"),
        ('{"\\"":[' * DEEP, "nested too deep"),
        ('["\\\\",' + "[" * DEEP, "nested too deep"),
        ('["\\"",' + "[" * DEEP, "nested too deep"),
        ('["' + "[" * DEEP + '"]', "no model file"),
        ("[" + "[]," * DEEP + "[]]", "too many brackets"),
        (edited().replace('"w.0"', '"w.0": 1.0, "w.0"'), "it says 'w.0' twice"),
        (edited().replace('"version"', '"version": 1, "version"'), "it says 'version' twice"),
        (edited().replace('"nin"', '"nin": 1, "nin"'), "it says 'nin' twice"),
        (edited().replace("w.0", r"w.0\ud800\u001b[2J\u202e"), r"unexpected 1 name: 'w.0\\ud800\\x1b\[2J\\u202e'"),
        (edited().replace("w.0", "w" * 10_000), "unexpected 1 name: 'w{78}…"),
        (edited(sha256="0" * 64), "its numbers do not give its checksum"),
        (edited(sha256=None), "its numbers do not give its checksum"),
        (with_model(None), '"model" must be an object whose kind is one of Neuron, Layer'),
        (with_model([]), "must be an object"),
        (with_model({}), "must be an object"),
        (with_model("MLP"), "must be an object"),
        (with_settings(kind="os.system"), "whose kind is one of"),
        (with_settings(kind="scalargrad.nn.Neuron"), "whose kind is one of"),
        (with_settings(kind="Module"), "whose kind is one of"),
        (with_settings(kind="__class__"), "whose kind is one of"),
        (with_settings(kind=["Neuron"]), "whose kind is one of"),
        (with_settings(kind=None), "whose kind is one of"),
        (with_settings(kind="Layer"), "a Layer, must have exactly the settings nin, nout, activation, bias, fused"),
        (with_settings(seed=1), "must have exactly the settings"),
        (with_settings(nin="1"), r'"model"\.nin must be a whole number from 1 up'),
        (with_settings(nin=0), "must be a whole number from 1 up"),
        (with_settings(nin=-1), "must be a whole number from 1 up"),
        (with_settings(nin=1.0), "must be a whole number from 1 up"),
        (with_settings(nin=True), "must be a whole number from 1 up"),
        (with_settings(nin=10**12), "model.nin is 1000000000000 in the file, 1 here"),
        (with_settings(activation="os"), "activation"),
        (with_settings(activation="__import__"), "activation"),
        (with_settings(activation=None), "activation must be a name"),
        (with_settings(activation=["tanh"]), "activation must be a name"),
        (with_settings(bias=1), "bias must be true or false"),
        (with_settings(fused="yes"), "fused must be true or false"),
    ],
    ids=lambda x: "" if not isinstance(x, str) or len(x) > 80 else x[:40],
)  # fmt: skip
def test_hostile_and_wrong_files(content, text):
    model = nn.Neuron(1, seed=0)
    error = refusal(content, model)
    assert error is not None
    if "here" not in text:
        assert built(content) is None
    with pytest.raises(nn.ModelFileError, match=text):
        raise error


@pytest.mark.parametrize(
    "settings",
    [
        {"kind": "Layer", "nin": 10**9, "nout": 10**9, "activation": "relu", "bias": True, "fused": True},
        {"kind": "MLP", "nin": 1, "nouts": [10**15, 1], "activations": ["relu", "relu"], "bias": True, "fused": True},
        {"kind": "MLP", "nin": 1, "nouts": [1, 1], "activations": ["relu"], "bias": False, "fused": True},
        {"kind": "MLP", "nin": 1, "nouts": [1], "activations": ["sum"], "bias": True, "fused": True},
        {"kind": "MLP", "nin": 1, "nouts": [1], "activations": ["os"], "bias": True, "fused": True},
        {"kind": "MLP", "nin": 2, "nouts": [], "activations": [], "bias": True, "fused": True},
        {"kind": "Maxout", "nin": 1, "nout": 1, "pieces": 10**9, "bias": True, "fused": True},
        {"kind": "Maxout", "nin": 1, "nout": 1, "pieces": 1, "bias": True, "fused": True},
        {"kind": "BatchNorm", "nin": 10**9, "eps": 1e-5, "momentum": 0.1},
        {"kind": "Sequential", "layers": []},
        {"kind": "Sequential", "layers": [{"kind": "Dropout", "p": 0.5}, {"kind": "Layer"}]},
        {"kind": "Sequential", "layers": {"kind": "Dropout", "p": 0.5}},
        {"kind": "Elementwise", "activation": "tanh"},
    ],
)
def test_a_description_that_cannot_be_built_is_refused_before_anything_large_is_made(settings):
    with file_with(with_model(settings)) as path, pytest.raises(nn.ModelFileError):
        nn.load(path)


@pytest.mark.parametrize(
    ("settings", "count", "text"),
    [
        ({"kind": "Dropout", "p": 1.0}, 0, "p is the probability"),
        ({"kind": "Dropout", "p": -0.5}, 0, "p is the probability"),
        ({"kind": "Dropout", "p": 10**400}, 0, "p must be a finite number"),
        ({"kind": "BatchNorm", "nin": 1, "eps": -1.0, "momentum": 0.1}, 4, "eps must be a small number"),
        ({"kind": "BatchNorm", "nin": 1, "eps": "0", "momentum": 0.1}, 4, "eps must be a finite number"),
        ({"kind": "BatchNorm", "nin": 1, "eps": 0.1, "momentum": 2}, 4, "momentum must be from 0 to 1"),
        ({"kind": "Elementwise", "activation": "sum"}, 0, "there is no activation 'sum'"),
        ({"kind": "Neuron", "nin": 1, "activation": "TANH", "bias": False, "fused": True}, 1, "missing 1 name: 'w.0'"),
    ],
)
def test_settings_out_of_range(settings, count, text):
    state = {str(i): 1.0 for i in range(count)}
    with file_with(edited(model=settings, state=state)) as path, pytest.raises(nn.ModelFileError, match=text):
        nn.load(path)


def test_deep_nesting_does_not_crash_even_where_recursion_is_allowed(tmp_path):
    path = tmp_path / "deep.json"
    path.write_text('{"format": "scalargrad-model", "version": 1, "state": ' + "[" * 2_000_000, encoding="utf-8")
    code = f"""
import sys
sys.setrecursionlimit(10**8)
from scalargrad import nn
try:
    nn.load({str(path)!r})
except nn.ModelFileError as error:
    print(error.reason)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "nested too deep" in done.stdout


def test_nothing_runs_and_nothing_is_imported():
    """No pickle, no eval, no import by name: not in the source."""
    folder = Path(nn.__file__).parent
    for name in (
        "files/saving",
        "files/fileformat",
        "files/architecture",
        "modules/known_module",
        "../support/files",
        "modules/states",
    ):
        words = {
            word
            for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")))
            for word in (getattr(node, "id", None), getattr(node, "attr", None), getattr(node, "module", None))
        } | {alias.name for node in ast.walk(ast.parse((folder / f"{name}.py").read_text(encoding="utf-8")))
             if isinstance(node, ast.Import) for alias in node.names}  # fmt: skip
        assert not words & {
            "pickle",
            "marshal",
            "eval",
            "exec",
            "compile",
            "__import__",
            "import_module",
            "importlib",
            "globals",
        }
