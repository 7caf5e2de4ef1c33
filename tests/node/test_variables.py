"""Pictures, steps, explanations and code call a Value as the caller's variable is called, and run nothing for it."""

import threading

import pytest

import scalargrad as sg
from scalargrad import Value
from scalargrad.node import variables


def names_by_front_end(f, x, **options):
    """The names that each front end shows, by its own name; the caller hands over its variables."""
    circuit = sg.circuit.ComputationalGraph.from_value(f, **options)
    drawing = f.draw(**options)
    return {
        "draw": {card.name for card in drawing.picture.cards},
        "trace": {step.name for step in sg.trace(f, **options)},
        "explain": set(sg.explain(f, wrt=x, **options).names.values()),
        "worksheet": {step.name for step in sg.worksheet(f, **options).trace},
        "circuit": {*circuit.inputs, *(node.output for node in circuit.nodes)},
        "mistakes": set(sg.mistakes.overwriting.show(f, **options)._names.values()),
    }


def test_every_front_end_calls_a_value_by_the_same_name():
    x, y, z = Value(-2.0), Value(5.0), Value(-4.0)
    q = x + y
    f = q * z + 1.0
    for shown in (names_by_front_end(f, x, names=locals()), names_by_front_end(f, x, names={"x": x, "f": f, "q": q})):
        assert all(names == shown["draw"] for names in shown.values()), shown
    expected = {"x", "y", "z", "q", "f", "v1"}
    assert (
        {card.name for card in sg.draw(f).picture.cards} == {card.name for card in f.draw().picture.cards} == expected
    )
    assert {step.name for step in sg.trace(f)} == expected
    assert set(sg.explain(f, wrt=x).names.values()) == expected
    assert {step.name for step in sg.worksheet(f).trace} == expected
    assert {row.name for row in sg.diff(f, (x + y) * z + 1.0).rows} == expected
    assert f.formula() == "(x + y) × z + 1"
    assert f.formula(lines=True) == "q = x + y\nv1 = q × z\nf = v1 + 1"
    assert "def f(x=-2.0, y=5.0, z=-4.0):" in f.to_python()
    assert all(f'"{name}|data' in sg.draw_dot(f).source for name in "xyzqf")


def test_it_can_be_switched_off_everywhere_and_leaves_no_trace_in_the_values():
    x, y = Value(2.0), Value(3.0)
    f = x * y
    for shown in names_by_front_end(f, x, names=False).values():
        assert shown == {"v1", "v2", "v3"}
    assert f.formula(names=False) == "2 × 3"
    assert "def f(v1=2.0, v2=3.0):" in f.to_python(names=False)
    assert [row.name for row in sg.diff(f, x * y, names=False).rows] == ["v1", "v2", "v3"]
    assert sg.draw(f).picture.cards[-1].name == sg.trace(f)[2].name == "f"
    assert [value.label for value in (x, y, f)] == ["", "", ""]
    with pytest.raises(TypeError, match="draw: names must be True, .* False, .* or a mapping such as locals"):
        sg.draw(f, names="x")
    with pytest.raises(TypeError, match="trace: names must be"):
        sg.trace(f, names=None)


def test_labels_come_first_and_the_first_variable_names_a_value():
    x = Value(2.0, label="input")
    y = x + 1.0
    again = y
    f = again * x
    assert [card.name for card in sg.draw(f).picture.cards] == ["input", "y", "f"]
    f = f * 2.0  # a rebound name is the new Value's, and the old one has none
    assert [card.name for card in sg.draw(f).picture.cards] == ["input", "y", "v1", "f"]
    del y
    assert [card.name for card in sg.draw(f).picture.cards] == ["input", "again", "v1", "f"]
    y = Value(0.5, label="f")  # two of one name get a suffix, as labels do
    assert [card.name for card in sg.draw(f * y).picture.cards] == ["input", "again", "v1", "f₁", "f₂", "v2"]


def test_lists_are_looked_into_and_a_list_of_the_whole_graph_names_nothing():
    w, xs = [Value(1.0), Value(2.0)], {"age": Value(3.0), 7: (Value(4.0),)}
    w1 = "no Value, but w1 would be misread"
    f = w[0] * xs["age"] + w[1] * xs[7][0]
    topo = sg.topological_order(f)
    assert [n for n in [card.name for card in sg.draw(f).picture.cards] if n[0] != "v"] == [
        "w0",
        "xs_age",
        "w[1]",
        "xs70",
        "f",
    ]
    assert w1
    assert topo[-1] is f


def test_private_names_and_what_ipython_keeps_are_left_out():
    space = {"sg": sg, "_": None}
    exec("x = sg.Value(2.0); _hidden = x * 1; Out = [_hidden]; _3 = y = _hidden + 1\n", space)  # noqa: S102
    exec("text = sg.draw(y).text", space)  # noqa: S102
    assert "y = v1 + 1" in space["text"]
    assert "v1 = x × 1" in space["text"]


def test_from_within_functions_comprehensions_and_method_chains():
    factor = Value(3.0)

    def inner(x):
        return sg.draw(x * factor)

    assert [card.name for card in inner(Value(2.0)).picture.cards][:2] == ["x", "factor"]
    values = [Value(1.0), Value(2.0)]
    for drawn in [[sg.draw(v * factor) for v in values], list(sg.draw(v * factor) for v in values)]:  # noqa: C400
        assert [[card.name for card in one.picture.cards][:2] for one in drawn] == [
            ["values0", "factor"], ["values1", "factor"],
        ]  # fmt: skip
    (y := factor.exp()).backward()
    assert [card.name for card in y.draw().picture.cards] == ["factor", "y"]
    names = []
    thread = threading.Thread(target=lambda: names.append([c.name for c in y.draw().picture.cards]))
    thread.start()
    thread.join()
    assert names == [["v1", "y"]]  # what the function does not use cannot be seen from it


def test_a_notebooks_and_the_standard_librarys_frames_are_nobodys_lesson():
    code = compile("def call(f, obj):\n    return f(obj)\n", "/x/site-packages/IPython/core/formatters.py", "exec")
    exec(code, machinery := {})  # noqa: S102
    loss = Value(2.0) * 3.0
    drawing = machinery["call"](sg.draw, loss)
    assert drawing.picture.cards[-1].name == "loss"


class Explosive:
    """Whatever is asked of it, it runs code, which must not happen."""

    def __getattribute__(self, name):
        raise AssertionError(f"asked for {name}")

    __eq__ = __hash__ = __bool__ = __len__ = __iter__ = __repr__ = lambda self, *_: self.whatever


class ExplosiveMeta(type):
    def __instancecheck__(cls, instance):
        raise AssertionError

    __subclasscheck__ = __instancecheck__


class ExplosiveList(list, metaclass=ExplosiveMeta):
    def __iter__(self):
        raise AssertionError

    __getitem__ = __len__ = __iter__


class ExplosiveSpace(dict):
    """A class body's namespace with code of its own."""

    def items(self):
        raise AssertionError

    keys = values = __iter__ = __len__ = items


class Prepared(type):
    @classmethod
    def __prepare__(cls, name, bases):
        return ExplosiveSpace()

    def __new__(mcs, name, bases, space):
        return type.__new__(mcs, name, bases, {k: dict.__getitem__(space, k) for k in dict.keys(space)})


def test_nothing_in_the_namespace_is_run():
    a, b, holds_itself = Explosive(), ExplosiveList([Value(1.0)]), [Explosive()]
    holds_itself.append(holds_itself)
    c = {Explosive: Explosive(), "key": ExplosiveList(), type("Key", (str,), {})("k"): Value(1.0)}
    x = Value(2.0)
    y = x * x
    assert [card.name for card in sg.draw(y).picture.cards] == ["x", "y"]
    assert len([1 for thing in (a, b, c, holds_itself) if thing is not None]) == 4

    class Body(metaclass=Prepared):
        inside = Value(3.0)
        drawn = sg.draw(inside * 2.0)

    assert Body.drawn.picture.cards[0].name == "inside"


def test_huge_namespaces_are_looked_at_in_part_only(monkeypatch):
    looked = []
    seen = variables._is_exact_container
    monkeypatch.setattr(variables, "_is_exact_container", lambda x: (looked.append(1), seen(x))[1])
    x = Value(2.0)
    space = {f"data{i}": [[0.0] * 5000] * 50 for i in range(50)}
    variables.variable_names([x, x * 2.0], space, "draw")
    assert len(looked) <= 2 * variables.MOST_IN_ALL
    exec("def f(): return 0", many := {f"n{i}": i for i in range(50_000)} | {"draw": sg.draw, "x": x})  # noqa: S102
    exec("found = draw(x)", many)  # noqa: S102
    assert many["found"].picture.cards[0].name == "v1"


def test_where_there_is_no_frame_of_the_users_there_are_no_names(monkeypatch):
    x = Value(1.0)
    monkeypatch.setattr(variables, "_users_frame", lambda: None)
    assert [card.name for card in sg.draw(x * 1.0).picture.cards] == ["v1", "v2"]


def test_two_passes_share_a_name_only_if_it_is_the_same():
    w = Value(2.0)
    first = hidden = w * 3.0
    w.data = 2.5
    hidden = w * 3.0
    assert [row.name for row in sg.diff(first, hidden).rows] == ["w", "v1"]
    loss = w * 3.0
    w.data = 2.0
    assert [row.name for row in sg.diff(loss, w * 3.0).rows] == ["w", "loss"]


def test_what_is_expanded_or_repeated():
    a, b, c = Value(1.0), Value(2.0), Value(3.0)
    total = sg.sum([a, b, c])
    assert [card.name for card in sg.draw(total, expand=True).picture.cards] == ["a", "b", "c", "v1", "total"]
    assert sg.trace(total, expand=True)[4].name == "total"
    scores = [a * float(i) for i in range(4)]
    loss = sg.sum(scores)
    assert "v1 = a × …  ×4" in sg.draw(loss, merge_repeats=True).text
