"""Machine code reads and writes the numbers of Values where they lie: right whoever else refers to them, or not done."""

import copy
import gc
import random
import sys
from fractions import Fraction

import pytest
from compiling_helpers import needs_llvm

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.optimizer import States

slots = pytest.importorskip("scalargrad.compiling.llvm.slots")
memory = pytest.importorskip("scalargrad.compiling.llvm.memory")
pytestmark = needs_llvm


class Named:
    def __init__(self):
        self.a, self.b = 1, [2.0]


def leaves_of(n, rng):
    return [Value(rng.uniform(-1, 1)) for _ in range(n)]


def doubles(numbers):
    made = memory.Doubles(len(numbers))
    made.fill(numbers)
    return made


def test_this_python_is_known():
    assert (slots.places() is None) == (
        sys.implementation.name != "cpython" or sys.maxsize < 2**62 or not getattr(sys, "_is_gil_enabled", lambda: 1)()
    )


def test_numbers_are_those_that_the_leaves_hold():
    rng = random.Random(1)
    leaves = leaves_of(50, rng)
    held = slots.Leaves(leaves)
    for x in (0.5, -0.0, float("inf"), float("nan"), 5e-324):
        leaves[rng.randrange(50)].data = x
        into = memory.Doubles(50)
        assert held.put(into.address, 50)
        assert list(map(repr, into.view)) == [repr(leaf.data) for leaf in leaves] == list(map(repr, held))
    into = memory.Doubles(50)
    assert held.put(into.address, 20)
    assert into.view[20:].tolist() == [0.0] * 30


@pytest.mark.parametrize("x", [3, True, Fraction(1, 4), 10**400, "text", None])
@pytest.mark.parametrize("place", [0, 30])
def test_what_is_no_float_is_made_one_or_refused_also_where_it_is_not_read(x, place):
    leaves = leaves_of(40, random.Random(2))
    held, into = slots.Leaves(leaves), memory.Doubles(40)
    leaves[place].data = x
    assert not held.put(into.address, 20)
    if isinstance(x, (int, Fraction)) and x != 10**400:
        slots.put(held, into, 40)
        assert into.view[place] == float(x)
    else:
        with pytest.raises((TypeError, OverflowError)):
            slots.put(held, into, 40)


def test_an_attribute_that_was_deleted_is_missing():
    leaves = leaves_of(3, random.Random(3))
    held = slots.Leaves(leaves)
    del leaves[1]._data
    with pytest.raises(AttributeError):
        slots.put(held, memory.Doubles(3), 3)


def test_leaves_of_a_subclass_are_left_to_python():
    class Mine(Value):
        pass

    leaves = [Value(1.0), Mine(2.0)]
    held, into = slots.Leaves(leaves), memory.Doubles(2)
    assert not held.put(into.address, 2)
    held.assign(doubles([3.0, 4.0]), doubles([5.0, 6.0]), [(leaves[0], "label", "a")])
    assert [(leaf.data, leaf.grad) for leaf in leaves] == [(3.0, 5.0), (4.0, 6.0)]


REFERRED = {
    "to none": lambda leaves: None,
    "to all": lambda leaves: [(leaf.data, leaf.grad) for leaf in leaves],
    "to one": lambda leaves: [leaves[7].data],
    "to one gradient": lambda leaves: [leaves[-1].grad],
    "by a graph": sg.sum,
    "by another leaf": lambda leaves: leaves.__getitem__(3).__setattr__("data", leaves[4].data),
    "by its own gradient": lambda leaves: leaves[5].__setattr__("grad", leaves[5].data),
    "to what is no float": lambda leaves: leaves[2].__setattr__("grad", Named()),
    "to nothing": lambda leaves: leaves[2].__delattr__("grad"),
}


@pytest.mark.parametrize("name", REFERRED)
def test_all_get_new_numbers_and_who_has_the_old_ones_keeps_them(name):
    rng = random.Random(4)
    leaves, others = leaves_of(30, rng), Named()
    for leaf in leaves:
        leaf.data, leaf.grad = rng.random(), rng.random()
    kept = REFERRED[name](leaves)
    before = repr(kept)
    counts = [sys.getrefcount(x) for pair in kept for x in pair] if name == "to all" else []
    data, grads = [rng.random() for _ in range(30)], [rng.random() for _ in range(30)]
    slots.Leaves(leaves).assign(doubles(data), doubles(grads), [(others, "a", 5), (others, "b", data)])
    assert [leaf.data for leaf in leaves] == data
    assert [leaf.grad for leaf in leaves] == grads
    assert (others.a, others.b) == (5, data)
    assert repr(kept) == before
    if name == "to all":
        assert [sys.getrefcount(x) for pair in kept for x in pair] == [count - 1 for count in counts]
    if name == "by a graph":
        assert kept.data == sum(x for _, x in kept.operands)
    gc.collect()
    assert [leaf.data + leaf.grad for leaf in leaves] == [x + y for x, y in zip(data, grads, strict=True)]


def test_nothing_leaks():
    rng = random.Random(5)
    leaves = leaves_of(100, rng)
    held, others = slots.Leaves(leaves), Named()
    new = doubles([0.25] * 100)
    sizes = []
    for k in range(40):
        kept = [leaf.data for leaf in leaves] if k % 2 else None
        held.assign(new, new, [(others, "a", k)])
        del kept
        sizes.append(sys.getallocatedblocks())
    assert max(sizes[20:]) - min(sizes[20:]) < 50


def test_in_a_python_that_is_not_known_lists_do(monkeypatch):
    monkeypatch.setattr(slots, "places", lambda: None)
    leaves = leaves_of(10, random.Random(6))
    held, into = slots.Leaves(leaves), memory.Doubles(10)
    slots.put(held, into, 10)
    assert into.view.tolist() == [leaf.data for leaf in leaves]
    held.assign(doubles(range(10)), doubles([1.0] * 10), [(leaves[0], "label", "first")])
    assert [leaf.data for leaf in leaves] == list(range(10))
    w = Value(0.0)
    loss = sg.compile(lambda x, y: (w * x - y) ** 2, backend="llvm")
    with loss.training(nn.Adam([w], lr=0.1)) as step:
        for _ in range(3):
            step([1.0, 2.0], [2.0, 4.0])
    assert 0.2 < w.data < 0.4
    assert loss.value_and_grad([1.0], [2.0])[0] == (w.data - 2.0) ** 2


def test_what_an_optimizer_remembers_is_a_list_to_whoever_looks():
    w = [Value(1.0), Value(2.0)]
    optimizer = nn.Adam(w, lr=0.1)
    loss = sg.compile(lambda x: (w[0] * x + w[1]) ** 2, parameters=w, backend="llvm")
    with loss.training(optimizer) as step:
        step([1.0])
    states = optimizer._states
    rows = list(states)
    assert isinstance(states, States)
    assert rows == states == copy.deepcopy(states)
    assert type(copy.copy(states)) is list
    assert (len(states), states[-1], states[:1], repr(states)) == (2, rows[-1], rows[:1], repr(rows))
    assert states != rows[:1]
    assert optimizer.state_dict()["averages"] == [list(column) for column in zip(*rows, strict=True)]
