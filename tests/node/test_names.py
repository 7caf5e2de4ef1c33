"""Labels from variable names: given on request, to Values without a label, and to nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

import scalargrad
from scalargrad import Value, name, nn
from scalargrad.node.naming import display_names


def labels(mapping, **options):
    given_ = name(mapping, **options)
    assert all(value.label == label for label, value in given_.items())
    return list(given_)


def test_local_variables():
    a, b = Value(2.0), Value(3.0)
    c = a + b
    unused = "text"
    numbers = [1.0, 2.0]
    assert list(name(locals())) == ["a", "b", "c"]
    assert (a.label, b.label, c.label) == ("a", "b", "c")
    assert c.formula() == "a + b"
    assert unused == "text"
    assert numbers == [1.0, 2.0]


def test_a_module_of_a_users_own():
    code = "from scalargrad import *\nx = Value(1.0)\ny = x.tanh()\ngiven = name(globals())\n"
    module = {"__name__": "lesson"}
    exec(code, module)  # noqa: S102
    assert list(module["given"]) == ["x", "y"]


def test_keywords_name_these_and_no_other():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    assert name(x=a, _y=b, w=[c]) == {"x": a, "_y": b, "w0": c}


def test_a_label_that_is_there_stays_unless_asked():
    a, b = Value(1.0, label="mine"), Value(2.0)
    assert labels({"a": a, "b": b}) == ["b"]
    assert (a.label, b.label) == ("mine", "b")
    assert labels({"a": a, "renamed": b}) == []
    assert labels({"a": a, "renamed": b}, replace=True) == ["a", "renamed"]


def test_what_ipython_keeps_is_left_alone():
    history = [Value(float(i)) for i in range(5)]
    cells = {
        "_": history[0], "__": history[1], "_1": history[2], "_oh": {3: history[3]}, "Out": {4: history[4]},
        "In": ["", "Value(1.0)"], "get_ipython": lambda: None, "x": history[2],
    }  # fmt: skip
    assert labels(cells) == ["x"]
    assert [value.label for value in history] == ["", "", "x", "", ""]
    assert labels({"Out": Value(1.0)}) == ["Out"]


def test_the_first_of_several_names_wins():
    a = Value(1.0)
    assert labels({"a": a, "alias": a}) == ["a"]
    ws = [Value(1.0), Value(2.0)]
    assert labels({"ws": ws, "w": ws[-1]}) == ["ws0", "ws1"]
    x = Value(1.0)
    assert labels({"x": x, "xs": [x, Value(2.0)]}) == ["x", "xs1"]


def test_containers():
    def values(n):
        return [Value(float(i)) for i in range(n)]

    assert labels({"w": values(2)}) == ["w0", "w1"]
    assert labels({"w": tuple(values(2))}) == ["w0", "w1"]
    assert labels({"w": [values(2), values(1)]}) == ["w00", "w01", "w10"]
    assert labels({"w": [1.0, "text", values(1), None]}) == ["w20"]
    assert labels({"w": values(11)})[-2:] == ["w9", "w10"]
    assert labels({"w": [values(11)] * 2})[-2:] == ["w09", "w0_10"]
    assert labels({"w1": values(2)}) == ["w1_0", "w1_1"]
    assert labels({"p": {"w": values(1)[0], "b": values(2), 3: values(1)[0], None: values(1)[0]}}) == [
        "p_w", "p_b0", "p_b1", "p3",
    ]  # fmt: skip
    assert labels({"empty": [], "deep": [[[]]]}) == []


def test_taken_names_are_written_as_python_does():
    w0, v = Value(1.0), [Value(2.0), Value(3.0)]
    assert labels({"w": v, "w0": w0}) == ["w[0]", "w1", "w0"]
    a, b = Value(1.0), Value(2.0)
    assert labels({"p": {"a_b": a, "a": {"b": b}}}) == ["p_a_b", "p['a']['b']"]


def test_a_list_that_contains_itself_and_deep_nesting():
    endless = [Value(1.0)]
    endless.append(endless)
    deep = Value(2.0)
    nested = deep
    for _ in range(5000):
        nested = [nested]
    assert labels({"endless": endless}) == ["endless0"]
    name(nested=nested)
    assert deep.label == "nested" + "0" * 5000


@st.composite
def mappings(draw):
    values = [Value(float(i), label=draw(st.sampled_from(["", "", "old"]))) for i in range(6)]
    leaves = st.sampled_from(values)
    contents = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text("ab0", max_size=2), inner, max_size=3), max_leaves=8)  # fmt: skip
    return values, draw(st.dictionaries(st.text("ab01_", min_size=1, max_size=3), contents, max_size=6))


@given(mappings(), st.booleans())
def test_given_names_are_unique_and_each_value_gets_one(case, replace):
    values, mapping = case
    before = {value: value.label for value in values}
    given_ = name(mapping, replace=replace)
    assert len(set(given_.values())) == len(given_)
    for label, value in given_.items():
        assert value.label == label
        assert replace or before[value] == ""
    for value in values:
        if value not in given_.values():
            assert value.label == before[value]
    for variable, content in mapping.items():
        if isinstance(content, Value) and not variable.startswith("_"):
            assert content.label
    assert name(mapping) == {}


def test_parameters_of_nn_keep_their_labels_and_outputs_their_place():
    model = nn.MLP(2, [2, 1], seed=0)
    w = model.parameters()[0]
    assert w.label
    assert labels({"w": w, "model": model}) == []
    out = model([1.0, 2.0])
    scope = getattr(out.label, "scope", None)
    if not out.label:
        assert labels({"out": out}) == ["out"]
        assert getattr(out.label, "scope", None) == scope


def test_names_show_up_in_pictures_and_sentences():
    x, w = Value(2.0), Value(3.0)
    y = x * w
    name(x=x, w=w, y=y)
    assert list(display_names([x, w, y]).values()) == ["x", "w", "y"]


def test_nothing_is_named_without_being_asked():
    x = Value(2.0)
    y = x * 3.0
    scalargrad.trace(y)
    assert (x.label, y.label) == ("", "")


def test_wrong_arguments_are_shown_the_right_call():
    x = Value(1.0)
    right = r"name\(locals\(\)\) labels every variable, name\(x=x, y=y\) these two"
    with pytest.raises(TypeError, match=f"a Value does not know which variable holds it: {right}"):
        name(x)
    with pytest.raises(TypeError, match=f"nothing to name: {right}"):
        name()
    with pytest.raises(TypeError, match=f"not builtin_function_or_method: {right}"):
        name(locals)
    with pytest.raises(TypeError, match=f"not list: {right}"):
        name([x])
    with pytest.raises(TypeError, match=r"names must be strings, not int \(3\)"):
        name({3: x})
    with pytest.raises(TypeError, match="x is no Value and no list of them, but float"):
        name(x=1.0)
    with pytest.raises(TypeError, match="replace must be True or False, not Value"):
        name(replace=x, y=x)
    with pytest.raises(TypeError, match="a mapping or keywords, not both"):
        name({"x": x}, y=x)
    assert x.label == ""
