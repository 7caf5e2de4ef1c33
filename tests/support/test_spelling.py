"""Whoever writes a name that does not exist, or a call that does not fit, is told what to write in its place."""

import inspect
import math
import re
from functools import cache
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.nn.layers.activations import ACTIVATIONS
from scalargrad.nn.layers.initialisers import INITIALISERS
from scalargrad.nn.modules import misnamed as names_of_nn
from scalargrad.nn.scores.losses import LOSSES
from scalargrad.node.misnamed import MATHEMATICS, METHODS, PACKAGE
from scalargrad.support.spelling import nearest
from scalargrad.table import functions

PUBLIC = {"scalargrad": [n for n in dir(sg) if not n.startswith("_") and n != "nn"], "scalargrad.nn": nn.__all__}


def slips(name):
    """One letter left out, two swapped, one doubled, the capitals gone."""
    half = len(name) // 2
    yield name[:half] + name[half + 1 :]
    yield name[: half - 1] + name[half] + name[half - 1] + name[half + 1 :]
    yield name[:half] + name[half] + name[half:]
    yield name.lower()
    yield name.upper()


@cache
def known():
    return {*PUBLIC["scalargrad"], *PUBLIC["scalargrad.nn"], *(n for n in dir(Value(1.0)) if not n.startswith("_"))}


@pytest.mark.parametrize("owner", PUBLIC)
def test_a_slip_in_any_public_name_is_answered_with_a_name_that_there_is(owner):
    module = {"scalargrad": sg, "scalargrad.nn": nn}[owner]
    tried = found = 0
    for name in PUBLIC[owner]:
        for slip in slips(name):
            if len(name) < 5 or slip in dir(module) or slip.lower() in {*PACKAGE, *MATHEMATICS, *names_of_nn.NAMES}:
                continue
            with pytest.raises(AttributeError) as caught:
                getattr(module, slip)
            text = str(caught.value)
            assert f"module '{owner}' has no attribute {slip!r}: " in text
            said = set(re.findall(r"\w+", text.split(": ", 1)[1]))
            assert said & known(), text
            tried, found = tried + 1, found + (name in said)
    assert tried > 150
    assert found > 0.9 * tried


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("from scalargrad import MLP", "from scalargrad.nn import MLP"),
        ("from scalargrad import value", "did you mean 'Value'?"),
        ("from scalargrad import sofmax", "from scalargrad.nn import softmax"),
        ("from scalargrad.nn import adam", "did you mean 'Adam'?"),
        ("from scalargrad.nn import BatchNorm1d", "nn.BatchNorm(n)"),
        ("from scalargrad.nn import Value", "scalargrad.Value"),
    ],
)
def test_an_import_says_it_too(line, said):
    with pytest.raises(ImportError) as caught:
        exec(line, {})  # noqa: S102
    assert said in str(caught.value)


def test_names_that_nobody_meant_are_refused_without_a_guess():
    for module in (sg, nn):
        for name in ("__wrapped__", "_private", "qqqqqqqq"):
            with pytest.raises(AttributeError, match=f"has no attribute '{name}'$"):
                getattr(module, name)
    with pytest.raises(ImportError, match=r"cannot import name 'qqqqqqqq' from 'scalargrad' \("):
        exec("from scalargrad import qqqqqqqq", {})  # noqa: S102


MODEL = nn.MLP(2, [3, 1], seed=1)
OWNERS = {"y": Value(1.0), "v": Value(1.0), "model": MODEL, "nn": nn, "scalargrad": sg, "optimizer": nn.SGD(MODEL)}


@pytest.mark.parametrize(
    "text", [*METHODS.values(), *PACKAGE.values(), *names_of_nn.NAMES.values(), *names_of_nn.METHODS.values()]
)
def test_what_is_advised_exists(text):
    for owner, name in re.findall(r"\b(y|v|model|nn|scalargrad|optimizer)\.([a-zA-Z_]\w*)", text):
        assert hasattr(OWNERS[owner], name), f"{owner}.{name}"


@pytest.mark.parametrize(("owner", "advice"), [(Value(1.0), METHODS), (MODEL, names_of_nn.METHODS)])
def test_a_misnomer_is_no_attribute(owner, advice):
    for name, text in advice.items():
        assert not hasattr(owner, name)
        assert name not in dir(owner)
        with pytest.raises(AttributeError, match=re.escape(f"object has no attribute '{name}': {text}")):
            getattr(owner, name)


def test_a_misnomer_is_free_for_subclasses_and_objects():
    class Mine(nn.Module):
        def forward(self, x):
            return x

        def fit(self):
            return "fitted"

    model = Mine()
    model.layer = 3
    assert (model.fit(), model.layer) == ("fitted", 3)
    with pytest.raises(NotImplementedError, match="Mine has no __call__: rename its forward"):
        model(1.0)


def test_names_of_textbooks_lead_to_functions_of_the_table():
    for name, ours in MATHEMATICS.items():
        assert name not in functions()
        assert ours in functions()
        with pytest.raises(AttributeError, match=rf"write scalargrad\.{ours}"):
            getattr(sg, name)


@pytest.mark.parametrize(
    ("kind", "names", "use"),
    [
        ("activation", ACTIVATIONS, lambda name: nn.Layer(2, 2, activation=name)),
        ("initialiser", INITIALISERS, lambda name: nn.Layer(2, 2, init=name)),
        ("loss", LOSSES, lambda name: nn.fit(MODEL, [[1.0, 2.0]], [1.0], loss=name, epochs=1)),
        (
            "optimizer",
            ["sgd", "adam", "adamw", "rmsprop", "adagrad"],
            lambda name: nn.fit(MODEL, [[1.0, 2.0]], [1.0], loss="mse", optimizer=name, epochs=1),
        ),
    ],
)
def test_a_slip_in_a_name_given_as_text_is_answered_too(kind, names, use):
    for name in names:
        slip = name[:1] + name[2:]
        if len(name) < 4 or slip in names:
            continue
        with pytest.raises(ValueError, match=f"there is no {kind} '{slip}' .did you mean '\\w+'.") as caught:
            use(slip)
        assert nearest(slip, names)[0] in str(caught.value)


def test_layers_that_are_no_activations_are_named():
    with pytest.raises(ValueError, match=r"nn\.Maxout\(nin, nout\)"):
        nn.MLP(2, [4, 1], activation="maxout")
    for sizes in ([4, 1], [1]):  # with one layer no activation is used, and a wrong one is wrong all the same
        with pytest.raises(ValueError, match=r"nn\.softmax\(model\(x\)\)"):
            nn.MLP(2, sizes, activation="softmax")


# -------------------------------------------------------------------- calls


CALLS = {
    sg.draw: (), sg.trace: (), sg.worksheet: (), sg.explain: (), sg.check_gradients: (),
    nn.MLP: (2, [1]), nn.Layer: (2, 1), nn.Neuron: (2,), nn.Maxout: (2, 1), nn.MaxoutNeuron: (2,),
    nn.SGD: (MODEL,), nn.Adam: (MODEL,), nn.AdamW: (MODEL,), nn.RMSprop: (MODEL,), nn.Adagrad: (MODEL,),
}  # fmt: skip


@pytest.mark.parametrize("function", CALLS, ids=lambda function: function.__name__)
def test_a_slip_in_any_option_names_the_option(function):
    options = [p.name for p in inspect.signature(function).parameters.values() if p.kind is p.KEYWORD_ONLY]
    for option in options:
        slip = option[:-2] + option[-1] + option[-2] if len(option) > 3 else None
        if slip is None or slip == option:
            continue
        with pytest.raises(TypeError, match=rf"unexpected keyword argument '{slip}' \(did you mean '{option}'\?\)$"):
            function(*CALLS[function], **{slip: 1})
    with pytest.raises(TypeError, match="; it takes "):
        function(*CALLS[function], qqqqqqqq=1)
    with pytest.raises(TypeError, match=": write "):
        function(*[1] * 40)


def test_an_error_inside_a_call_stays_what_it_is():
    with pytest.raises(TypeError, match="^nouts must be a list"):
        nn.MLP(2, 3)
    with pytest.raises(TypeError, match="'lr'"):
        nn.SGD(MODEL, learning_rate=0.1)

    def broken(rng, nin, nout):
        return broken()

    with pytest.raises(
        TypeError, match=r"broken\(\) missing 3 required positional arguments: 'rng', 'nin', and 'nout'$"
    ):
        nn.Layer(2, 1, init=broken)


@given(st.lists(st.integers(1, 5), min_size=2, max_size=5), st.integers(0, 2))
def test_sizes_in_any_other_order_of_brackets_are_put_in_the_right_ones(sizes, how):
    given = [[sizes], sizes, [tuple(sizes[:1]), sizes[1:]]][how]
    with pytest.raises(TypeError) as caught:
        nn.MLP(*given)
    meant = eval(re.search(r"(?:write|as in) (MLP\(.*\))", str(caught.value))[1], {"MLP": nn.MLP})  # noqa: S307
    assert [len(layer.neurons) for layer in meant.layers] == sizes[1:]
    assert meant.layers[0].nin == sizes[0]


@pytest.mark.parametrize(
    ("model", "name"),
    [(MODEL, "model"), (MODEL.layers[0], "layer"), (nn.Neuron(2), "neuron"), (nn.Sequential(MODEL), "model")],
)
def test_inputs_given_one_by_one_are_put_in_a_list(model, name):
    with pytest.raises(TypeError, match=re.escape(f"but 2 arguments were given: write {name}([1.0, 2.0])")):
        model(Value(1.0), 2.0)
    with pytest.raises(ValueError, match="takes 2 inputs, but 1 was given; give a list of 2 numbers"):
        model([1.0])


# -------------------------------------------------------------------- what is no number, and no graph


OF_MATH = {n: MATHEMATICS.get(n, n) for n in vars(math) if MATHEMATICS.get(n, n) in functions()}
SEVERAL = {"prod": "([v, v])", **dict.fromkeys(("atan2", "hypot", "pow", "remainder"), "(v, v)")}


@pytest.mark.parametrize("name", OF_MATH)
def test_a_function_of_math_names_ours(name, tmp_path):
    if name in ("ceil", "floor", "prod"):  # Python asks the Value itself for these, and it answers
        return
    path = tmp_path / "code.py"
    path.write_text(f"import math\n\ndef f(v):\n    return math.{name}{SEVERAL.get(name, '(v)')}\n", encoding="utf-8")
    module = {}
    exec(compile(path.read_text(encoding="utf-8"), str(path), "exec"), module)  # noqa: S102
    with pytest.raises(TypeError, match=rf"as in scalargrad\.{OF_MATH[name]}\(v\)"):
        module["f"](Value(0.5))


@pytest.mark.parametrize(
    ("call", "said"),
    [
        (lambda x: Value("3"), "write 3 without quotes"),
        (lambda x: Value([1, 2]), r"\[Value\(x\) for x in xs\]"),
        (lambda x: Value(np.ones(2)), r"\[Value\(x\) for x in xs\]"),
        (lambda x: Value(x), r"take its number with \.data"),
        (lambda x: x ** "2", r"\*\* takes numbers and Values, not the text '2': write 2 without quotes"),
        (lambda x: "2" * x, r"\* takes numbers and Values, not the text '2'"),
        (lambda x: "x = " + x, "to join a Value to a text"),
        (lambda x: x - [1.0, 2.0], r"not a list: write \[v - x for x in xs\]"),
        (lambda x: (1.0, 2.0) - x, "not a tuple: write"),
        (lambda x: x * None, "not None, which is what a function without return gives"),
        (lambda x: None / x, "not None"),
        (lambda x: x ^ 2, r"write x \*\* 2$"),
        (lambda x: 2 ^ x, r"write 2 \*\* x$"),
        (lambda x: x @ x, r"scalargrad\.dot\(xs, ys\)"),
    ],
)
def test_what_is_no_number_is_told_how_to_become_one(call, said):
    with pytest.raises(TypeError, match=said):
        call(Value(2.0, label="x"))


GRAPHS = [sg.draw, sg.trace, sg.worksheet, sg.summary, sg.record, sg.to_python, sg.draw_dot]


@pytest.mark.parametrize("function", GRAPHS, ids=lambda function: function.__name__)
@pytest.mark.parametrize(
    ("thing", "said"),
    [
        (None, "write y.backward(), then "),
        (3.0, "a plain number has no graph"),
        ("y", "without quotes"),
        ([Value(1.0)], "give one of its elements"),
        (Value(1.0).backward, "write backward()"),
        (lambda x: x, "call it with Values"),
    ],
    ids=["None", "number", "text", "list", "method", "function"],
)
def test_what_has_no_graph_is_told_where_to_get_one(function, thing, said):
    with pytest.raises(TypeError) as caught:
        function(thing)
    assert "takes a Value, the output of a graph, not " in str(caught.value)
    assert said in str(caught.value)


def test_softmax_gives_probabilities_and_the_gradient_of_cross_entropy():
    scores = [Value(s) for s in (1.0, 2.0, 3.0)]
    assert [p.data for p in nn.softmax(scores)] == pytest.approx([0.090030573, 0.244728471, 0.665240956], abs=5e-10)
    (-nn.softmax(scores)[2].log()).backward()
    found = [s.grad for s in scores]
    for s in scores:
        s.grad = 0.0
    nn.cross_entropy(scores, 2).backward()
    assert found == pytest.approx([s.grad for s in scores], rel=1e-12)
    assert [p.data for p in nn.softmax([Value(-1e4), Value(1e4)])] == [0.0, 1.0]
    with pytest.raises(ValueError, match="there is no score"):
        nn.softmax([])


# -------------------------------------------------------------------- what Python says itself

PAGE = (Path(__file__).parents[2] / "docs" / "error-messages.md").read_text(encoding="utf-8")
ROWS = re.findall(r"^\| `(.*?)` \| (.*?) \| `(.*?)`.* \|$", PAGE, re.MULTILINE)


@pytest.mark.parametrize(("wrong", "message", "right"), [row for row in ROWS if "sum([])" not in row[0]])
def test_the_page_quotes_what_python_says_and_what_works(wrong, message, right):
    names = {"sg": sg, "y": Value(2.0) * 1.5, "x": Value(1.0), "model": MODEL, "nn": nn}
    with pytest.raises((TypeError, AttributeError), match=re.escape(message)):
        eval(wrong, names)  # noqa: S307
    eval(right, names)  # noqa: S307


def test_the_page_has_rows():
    assert len(ROWS) > 8
    with pytest.raises(AttributeError, match="'int' object has no attribute 'backward'"):
        sum([]).backward()


@pytest.mark.parametrize(
    ("option", "said"), [("retain_graph", "a graph is never freed"), ("create_grph", "did you mean 'create_graph'?")]
)
def test_options_of_backward(option, said):
    with pytest.raises(TypeError, match=re.escape(said)):
        (Value(2.0) * 2).backward(**{option: True})
    with pytest.raises(TypeError, match=r": write y\.backward\(\)"):
        (Value(2.0) * 2).backward(1.0, 2.0)
