"""A copy of a Value of a subclass has the attributes that the program gave it, as a copy of any object has."""

import copy

import pytest

from scalargrad import Value


class Loose(Value):
    """With a __dict__."""


class Slotted(Value):
    __slots__ = ("__hidden", "m", "unset")

    def hide(self, x):
        self.__hidden = x

    def hidden(self):
        return self.__hidden


class Both(Slotted):
    """Slots of its base, and a __dict__."""


class Mixin:
    """A base beside Value."""


class Mixed(Mixin, Value):
    """With a __dict__ from both."""


@pytest.mark.parametrize("cls", [Loose, Slotted, Both, Mixed])
def test_attributes_are_copied_as_copy_and_deepcopy_do(cls):
    p = cls(2.0, label="p")
    p.m = [1.0, [2.0]]
    shallow, deep = copy.copy(p), copy.deepcopy(p)
    assert type(shallow) is type(deep) is cls
    assert shallow.m is p.m
    assert deep.m == p.m
    assert deep.m is not p.m
    assert deep.m[1] is not p.m[1]
    shallow.m = 0.0
    assert p.m == [1.0, [2.0]]
    assert (shallow.data, deep.label, deep.grad) == (2.0, "p", 0.0)


def test_slots_with_private_names_and_dicts_beside_slots():
    p = Both(1.0)
    p.hide([3])
    p.extra = {"a": 1}
    for twin in (copy.copy(p), copy.deepcopy(p)):
        assert (twin.hidden(), twin.extra) == ([3], {"a": 1})
        assert not hasattr(twin, "unset")
        assert not hasattr(twin, "m")
    assert copy.deepcopy(p).hidden() is not p.hidden()


def test_attributes_that_refer_to_the_graph_refer_to_its_copy():
    p, q = Loose(2.0, label="p"), Loose(3.0, label="q")
    p.friend, q.friend, p.me = q, p, p
    shared = []
    p.log = q.log = shared
    y = copy.deepcopy(p * q)
    p2, q2 = y.parents
    assert p2.friend is q2
    assert q2.friend is p2
    assert p2.me is p2
    assert p2.log is q2.log is not shared
    y.backward()
    assert (p2.grad, q2.grad, p.grad) == (3.0, 2.0, 0.0)
    alone = copy.deepcopy(p)
    assert alone.friend.friend is alone
    assert alone.friend is not q
    several = copy.deepcopy([p, q, p * q])
    assert several[0].friend is several[1]
    assert several[2].parents == (several[0], several[1])
