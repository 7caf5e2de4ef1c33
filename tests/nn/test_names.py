"""No parameter is lost to a name: every one has a name of its own, and its number comes back under it."""

from __future__ import annotations

import random

import pytest
from hypothesis import given
from hypothesis import strategies as st
from saving_helpers import bits

from scalargrad import Value, nn


class Bag(nn.Module):
    """Whatever it is given, in attributes of any name."""

    def __init__(self, **parts):
        for name, part in parts.items():
            setattr(self, name, part)


class Decides(nn.Module):
    """A module with a `parameters()` of its own."""

    def __init__(self):
        self.w, self.hidden = Value(1.0, parameter=True), Value(2.0, parameter=True)

    def parameters(self):
        return [self.w]


class Slotted(nn.Module):
    __slots__ = ("__secret", "unset", "w")

    def __init__(self):
        self.w, self.__secret, self.plain = Value(1.0), [Value(2.0, parameter=True)], Value(3.0)


class Below(Slotted):
    __slots__ = ("more",)

    def __init__(self):
        super().__init__()
        self.more = nn.Neuron(1, seed=0)


def holds(make):
    """Every Value that the module was made of is a parameter with a name of its own, and saving brings it back."""
    model = make()
    names = [name for name, _ in model.named_parameters()]
    values = [value for _, value in model.named_parameters()]
    assert len(set(names)) == len(names)
    assert values == model.parameters()
    assert len(set(values)) == len(values)
    rng = random.Random(0)
    model.load_state_dict({name: rng.random() for name in model.state_dict()})
    twin = make()
    twin.load_state_dict(model.state_dict())
    assert bits(twin) == bits(model)
    assert [p.data for p in twin.parameters()] == [p.data for p in model.parameters()]
    for p in model.parameters()[::2]:  # a name does not depend on what is frozen
        p.requires_grad = False
    assert bits(twin) == bits(model)
    return names


def test_a_key_with_a_dot_beside_what_reads_the_same():
    names = holds(
        lambda: Bag(a={"b": Value(1.0)}, d={"a.b": Value(2.0), "a": {"b": Value(3.0)}}, **{"a.b": Value(4.0)})
    )
    assert names == ["a.b", "d.a.b", "d.a.b#2", "a.b#2"]
    assert holds(lambda: Bag(d={1: Value(1.0), "1": Value(2.0), True.__str__(): Value(3.0), (1,): Value(4.0)})) == [
        "d.1", "d.1#2", "d.True", "d.(1,)",
    ]  # fmt: skip
    assert holds(lambda: Bag(d={"x": Value(1.0), "x#2": Value(2.0), "y": {}}, **{"d.x": Value(3.0)})) == [
        "d.x", "d.x#2", "d.x#3",
    ]  # fmt: skip


def test_a_module_that_decides_for_itself_hides_nothing_beside_it():
    names = holds(lambda: Bag(a=Decides(), **{"a.w": Value(5.0), "a.b": nn.Neuron(1, seed=0)}))
    assert names == ["a.w", "a.w#2", "a.b.w.0", "a.b.b"]


def test_values_in_slots():
    assert set(holds(Slotted)) == {"w", "_Slotted__secret.0", "plain"}
    names = holds(Below)
    assert set(names) == {"w", "_Slotted__secret.0", "plain", "more.w.0", "more.b"}
    model = Below()
    model.eval()
    assert not model.more.training
    assert "more: Neuron" in repr(model)


def test_a_file_brings_all_of_them_back(tmp_path):
    def make():
        return Bag(d={"a.b": Value(2.0), "a": {"b": Value(3.0)}}, s=Below())

    model = make()
    for i, p in enumerate(model.parameters()):
        p.data = float(i)
    again = make().load(model.save(tmp_path / "model.json"))
    assert [p.data for p in again.parameters()] == [float(i) for i in range(len(model.parameters()))]


keys = st.one_of(st.sampled_from(["a", "b", "a.b", "a.b.0", "0", "a#2", "", "."]), st.integers(0, 1), st.booleans())
trees = st.recursive(
    st.sampled_from(["value", "neuron", "decides"]),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(keys, inner, max_size=3)),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from(["a", "b", "a.b", "a.0", "a.b#2"]), trees, min_size=1))
def test_whatever_the_keys(parts):
    def build(tree):
        if isinstance(tree, str):
            return {"value": lambda: Value(1.0), "neuron": lambda: nn.Neuron(1, seed=0), "decides": Decides}[tree]()
        return [build(x) for x in tree] if isinstance(tree, list) else {key: build(x) for key, x in tree.items()}

    def count(tree):
        if isinstance(tree, str):
            return {"value": 1, "neuron": 2, "decides": 1}[tree]
        return sum(map(count, tree if isinstance(tree, list) else tree.values()))

    assert len(holds(lambda: Bag(**{name: build(tree) for name, tree in parts.items()}))) == sum(
        map(count, parts.values())
    )


@pytest.mark.parametrize("frozen", [0, 1])
def test_freezing_one_of_two_does_not_exchange_their_names(frozen):
    model = Bag(d={"a.b": Value(2.0), "a": {"b": Value(3.0)}})
    state = model.state_dict()
    model.parameters()[frozen].requires_grad = False
    assert model.state_dict() == state == {"d.a.b": 2.0, "d.a.b#2": 3.0}


def test_a_name_is_made_of_a_text():
    deep = 1.0
    for _ in range(3000):
        deep = [deep]
    for wrong in (deep, None, 1.0):
        with pytest.raises(TypeError, match="a Name is made of a text, not"):
            nn.Name(wrong)
