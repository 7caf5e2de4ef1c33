"""Adjoints go by identity: a subclass of Value may compare and hash as it likes, everywhere in the package."""

import copy
import functools
import math

import pytest

import scalargrad as sg
from scalargrad import Value, nn, topological_order


class ByNumber(Value):
    """Equal if the numbers are."""

    def __eq__(self, other):
        return self.data == getattr(other, "data", other)

    def __hash__(self):
        return hash(self.data)


class EqualOnly(Value):
    """Python takes the hash away from a class that defines == alone."""

    def __eq__(self, other):
        return self.data == getattr(other, "data", other)


class AllAlike(Value):
    def __eq__(self, other):
        return True

    def __hash__(self):
        return 7


class Refusing(Value):
    def __eq__(self, other):
        raise AssertionError("compared")

    def __hash__(self):
        raise AssertionError("hashed")


class Mixin:
    def __eq__(self, other):
        return self.data == other.data

    def __hash__(self):
        return 1


class Mixed(Mixin, Value):
    pass


class Heir(ByNumber):
    pass


class HeirWithItsOwn(ByNumber):
    def __hash__(self):
        return super().__hash__() + 1

    def __eq__(self, other):
        return super().__eq__(other)


class Late(Value):
    pass


Late.__eq__ = ByNumber.__dict__["__eq__"]
Late.__hash__ = lambda self: hash(self.data)

CLASSES = [ByNumber, EqualOnly, AllAlike, Refusing, Mixed, Heir, HeirWithItsOwn, Late]
each_class = pytest.mark.parametrize("cls", CLASSES)


def program(a, b, c):
    """All of the same number."""
    return (a * 2 + b * 3) * c + sg.dot([a, b], [b, c], a) + sg.maximum(a, b * 5) + a.tanh()


def gradient(cls, run=lambda y: y.backward()):
    leaves = [cls(0.5, label=name) for name in "abc"]
    y = program(*leaves)
    run(y)
    return [float(leaf.grad) for leaf in leaves]


EXPECTED = gradient(Value)


@each_class
def test_the_sweep(cls):
    assert gradient(cls) == EXPECTED
    assert gradient(cls, lambda y: copy.deepcopy(y).backward()) == [0.0, 0.0, 0.0]
    assert gradient(cls, lambda y: (y.backward(), y.zero_grad(), y.backward())) == EXPECTED
    leaves = [cls(0.5) for _ in range(3)]
    order = topological_order(program(*leaves))
    assert sum(node.is_leaf for node in order) == 3
    assert sg.grad(program(*leaves), leaves) == EXPECTED
    a, b = cls(0.5), cls(0.5)
    node = cls(1.0, (a, b), "by hand")

    def _backward():
        a.grad += 2 * node.grad
        b.grad += 3 * node.grad

    node._backward = _backward
    (node * a).backward()
    assert (a.grad, b.grad) == (2 * 0.5 + 1, 3 * 0.5)


@each_class
def test_gradients_of_gradients_and_forward_mode(cls):
    leaves = [cls(0.5) for _ in range(3)]
    y = program(*leaves)
    y.backward(create_graph=True)
    assert [leaf.grad.data for leaf in leaves] == pytest.approx(EXPECTED)
    speeds = [1.0, 10.0, 100.0]
    found = sg.functional.forward.tangents([y], {})
    assert found == {}
    total = sum(e * s for e, s in zip(EXPECTED, speeds, strict=True))
    assert sg.jvp(lambda *xs: program(*xs), [0.5] * 3, speeds)[1] == pytest.approx(total)
    assert sg.jvp(lambda *xs: program(*leaves) + sg.sum(xs), leaves, speeds)[1].data == pytest.approx(111.0)


@each_class
def test_pictures_traces_and_formulas(cls):
    leaves = [cls(0.5, label=name) for name in "abc"]
    y = program(*leaves)
    y.backward()
    plain = [Value(0.5, label=name) for name in "abc"]
    z = program(*plain)
    z.backward()
    in_y, in_z = {"names": {"y": y}}, {"names": {"y": z}}
    assert y.draw(**in_y).text == z.draw(**in_z).text
    assert y.draw(**in_y).json == z.draw(**in_z).json
    assert sg.draw_dot(y, **in_y).source == sg.draw_dot(z, **in_z).source
    assert str(sg.trace(y, **in_y)) == str(sg.trace(z, **in_z))
    assert str(sg.explain(y, wrt=leaves[1], **in_y)) == str(sg.explain(z, wrt=plain[1], **in_z))
    assert y.formula(lines=True, **in_y) == z.formula(lines=True, **in_z)
    assert sg.to_python(y, **in_y) == sg.to_python(z, **in_z)


@each_class
@pytest.mark.parametrize("backend", ["python", "auto"])
def test_compiled_programs(cls, backend):
    leaves = [cls(0.5, label=name) for name in "abc"]
    _, grads = sg.record(program(*leaves), inputs=leaves[:1], backend=backend).value_and_grad()
    assert grads == pytest.approx(EXPECTED)
    loss = sg.replay(lambda: program(*leaves), backend=backend)
    for _ in range(2):
        for leaf in leaves:
            leaf.grad = 0.0
        loss().backward()
        assert [leaf.grad for leaf in leaves] == pytest.approx(EXPECTED)
    leaves[1].data = 1.5
    assert loss().data == pytest.approx(program(*leaves).data)


@each_class
def test_networks_and_optimizers(cls):
    class Model(nn.Module):
        def __init__(self):
            self.ws = [cls(0.5) for _ in range(3)]
            self.again = self.ws[0]

        def __call__(self, x):
            return program(*self.ws) * x

    model = Model()
    assert len(model.parameters()) == 3
    optimizer = nn.SGD(model.parameters(), lr=0.1)
    model(1.0).backward()
    optimizer.step()
    assert [w.data for w in model.ws] == pytest.approx([0.5 - 0.1 * d for d in EXPECTED])
    assert nn.clip_grad_norm(model.ws, 100.0) == pytest.approx(math.hypot(*EXPECTED))


def test_elsewhere_they_are_what_their_class_says():
    a, b, c = ByNumber(0.5), ByNumber(0.5), ByNumber(1.5)
    assert a == b
    assert a != c
    assert a == 0.5
    assert len({a, b, c}) == 2
    assert {a: "found"}[b] == "found"
    assert [c, a].index(b) == 1
    with pytest.raises(TypeError, match="unhashable type: 'EqualOnly'"):
        hash(EqualOnly(1.0))
    assert len({HeirWithItsOwn(0.5), HeirWithItsOwn(0.5)}) == 1

    @functools.lru_cache
    def looked_up(v):
        return v.data

    assert looked_up(a) == looked_up(b)
    assert looked_up.cache_info().hits == 1
    assert Value(1.0) != Value(1.0)
