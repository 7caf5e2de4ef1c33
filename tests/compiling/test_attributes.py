"""Attributes that a compiled function reads of objects, classes, modules and arrays are noticed when they change."""

import argparse
import ctypes
import dataclasses
import functools
import random
import sys
import threading
import types
import weakref
from collections import ChainMap
from contextvars import ContextVar
from types import SimpleNamespace

import pytest
from compiling_helpers import with_backends

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.surroundings.functions import behind

here = sys.modules[__name__]
FACTOR = 2.0


class Spring:
    stiffness = 2.0

    def __init__(self, rest=1.0):
        self.rest = rest

    def force(self, x):
        return -self.stiffness * (x - self.rest)

    def __call__(self, x):
        return self.force(x) * 1.0

    @property
    def twice(self):
        return self.rest * 2

    @functools.cached_property
    def kept(self):
        return self.rest * 3

    @classmethod
    def of_class(cls, x):
        return x * cls.stiffness


class Stiff(Spring):
    pass


class Slots:
    __slots__ = ("__hidden", "rest")

    def __init__(self, rest):
        self.rest = self.__hidden = rest

    def hide(self, x):
        self.__hidden = x

    def hidden(self, x):
        return x * self.__hidden


class Lending(dict):
    __getattr__ = dict.__getitem__


class Behind:
    def __init__(self, inner):
        self.inner = inner

    def __getattr__(self, name):
        return getattr(self.inner, name)


@dataclasses.dataclass
class Settings:
    rest: float = 1.0


class Network(nn.Module):
    def __init__(self):
        self.scale, self.parts = 2.0, [Spring()]

    def __call__(self, x):
        return self.forward(x)

    def forward(self, x):
        return x * self.scale + self.parts[0].rest


def a_module(name):
    """A Python module of the user's with a number, and a function that reads it."""
    made = types.ModuleType(name)
    made.__file__ = f"/somewhere/{name}.py"
    exec("FACTOR = 2.0\ndef scaled(x): return x * FACTOR", vars(made))  # noqa: S102
    return made


def with_attribute(function):
    def reads(x):
        return x * reads.rest

    reads.rest = function
    return reads


def setting(name, number=5.0):
    return lambda held: setattr(held, name, number)


def importing(x):
    from made_for_this import FACTOR

    return x * FACTOR


# What is held, what reads it, what changes it.
CASES = {
    "a method": (Spring, lambda s: s.force, setting("rest")),
    "a callable object": (Spring, lambda s: s, setting("rest")),
    "an attribute that hides the class's": (Spring, lambda s: s.force, setting("stiffness")),
    "an attribute that is gone": (
        lambda: vars(s := Spring()).update(stiffness=4.0) or s, lambda s: s.force, lambda s: delattr(s, "stiffness")
    ),
    "a class's": (
        lambda: type("Own", (Spring,), {"stiffness": 3.0}), lambda cls: cls().force, setting("stiffness")
    ),
    "a base class's": (
        lambda: type("Own", (Spring,), {"stiffness": 3.0}),
        lambda cls, Sub=None: type("Sub", (cls,), {})().force,
        setting("stiffness"),
    ),
    "a class as a namespace": (
        lambda: type("Own", (Spring,), {"stiffness": 3.0}), lambda cls: lambda x: x * cls.stiffness, setting("stiffness")
    ),
    "a class method": (
        lambda: type("Own", (Spring,), {"stiffness": 3.0}), lambda cls: cls.of_class, setting("stiffness")
    ),
    "another method": (
        lambda: type("Own", (Spring,), {}), lambda cls: lambda x: cls().force(x), lambda cls: setattr(cls, "force", lambda s, x: x)
    ),
    "an object's own method": (Spring, lambda s: lambda x: s.force(x), lambda s: setattr(s, "force", lambda x: x)),
    "a property": (Spring, lambda s: lambda x: x * s.twice, setting("rest")),
    "in a closure": (Spring, lambda s: lambda x: x * s.rest, setting("rest")),
    "in a list": (lambda: [Spring(), Spring()], lambda s: lambda x: x * sum(o.rest for o in s), lambda s: setting("rest")(s[1])),
    "in a dict": (lambda: {"a": Spring()}, lambda s: lambda x: x * s["a"].rest, lambda s: setting("rest")(s["a"])),
    "a list": (lambda: Spring([1.0, 2.0]), lambda s: lambda x: x * sum(s.rest), lambda s: s.rest.append(3.0)),
    "a list of lists": (lambda: Spring([[1.0]]), lambda s: lambda x: x * s.rest[0][0], lambda s: s.rest[0].insert(0, 3.0)),
    "of an attribute": (
        lambda: Spring(Spring(2.0)), lambda s: lambda x: x * s.rest.rest, lambda s: setting("rest")(s.rest)
    ),
    "in a slot": (lambda: Slots(2.0), lambda s: lambda x: x * s.rest, setting("rest")),
    "in a slot with a hidden name": (lambda: Slots(2.0), lambda s: s.hidden, lambda s: s.hide(5.0)),
    "of what is in a slot": (lambda: Slots(Spring()), lambda s: lambda x: x * s.rest.rest, lambda s: setting("rest")(s.rest)),
    "a dataclass's": (Settings, lambda s: lambda x: x * s.rest, setting("rest")),
    "a dataclass's, as a dict": (Settings, lambda s: lambda x: x * dataclasses.asdict(s)["rest"], setting("rest")),
    "a namespace's": (lambda: SimpleNamespace(rest=1.0), lambda s: lambda x: x * s.rest, setting("rest")),
    "a namespace's in a namespace": (
        lambda: SimpleNamespace(a=SimpleNamespace(rest=1.0)), lambda s: lambda x: x * s.a.rest, lambda s: setting("rest")(s.a)
    ),
    "argparse": (lambda: argparse.Namespace(rest=1.0), lambda s: lambda x: x * s.rest, setting("rest")),
    "a function's": (lambda: with_attribute(1.0), lambda f: f, setting("rest")),
    "by getattr": (Spring, lambda s: lambda x: x * getattr(s, "rest"), setting("rest")),  # noqa: B009
    "by getattr, not there": (Spring, lambda s: lambda x: x * getattr(s, "mass", 1.0), setting("mass")),
    "by vars": (Spring, lambda s: lambda x: x * vars(s)["rest"], setting("rest")),
    "by all of vars": (Spring, lambda s: lambda x: x * sum(vars(s).values()), setting("rest")),
    "a partial's object": (Spring, lambda s: functools.partial(Spring.force, s), setting("rest")),
    "a module of the user's": (lambda: a_module("own"), lambda m: lambda x: x * m.FACTOR, setting("FACTOR")),
    "a function's in a module": (lambda: a_module("own"), lambda m: lambda x: m.scaled(x), setting("FACTOR")),
    "a module that is imported inside": (lambda: sys.modules["made_for_this"], lambda m: importing, setting("FACTOR")),
    "a network's number": (Network, lambda n: n, setting("scale")),
    "of an object in a network": (Network, lambda n: lambda x: n(x), lambda n: setting("rest")(n.parts[0])),
    "a network of this package, its layers": (
        lambda: nn.MLP(1, [2, 1], seed=0), lambda n: lambda x: n([x]), lambda n: setattr(n, "layers", nn.MLP(1, [3, 1], seed=1).layers)
    ),
    "a setting of this package's layer": (lambda: nn.LayerNorm(2), lambda n: lambda x: n([x, 2.0])[0], setting("eps")),
    "a setting of a subclass": (
        lambda: type("Own", (nn.LayerNorm,), {})(2), lambda n: lambda x: n([x, 2.0])[0], setting("eps")
    ),
    "one weight of a neuron": (
        lambda: nn.MLP(1, [2, 1], activation="tanh", seed=0),
        lambda n: lambda x: n([x]),
        lambda n: n.layers[0].neurons[1].w.__setitem__(0, Value(3.0)),
    ),
    "one weight of a layer": (
        lambda: nn.Linear(1, 2, seed=0), lambda n: lambda x: n([x])[1], lambda n: n.W[1].__setitem__(0, Value(3.0))
    ),
    "one layer of a network": (
        lambda: nn.MLP(1, [2, 1], activation="tanh", seed=0),
        lambda n: lambda x: n([x]),
        lambda n: n.layers.__setitem__(0, nn.Layer(1, 2, activation="tanh", seed=1)),
    ),
    "an optimizer's": (lambda: nn.SGD([Value(1.0)], lr=0.5), lambda o: lambda x: x * o.lr, setting("lr")),
    "a gradient": (lambda: Value(1.0), lambda w: lambda x: x * (w.grad + 1.0), setting("grad")),
    "a gradient in a list": (
        lambda: [Value(1.0), Value(2.0)], lambda ws: lambda x: x * (ws[1].grad + 1.0), lambda ws: setting("grad")(ws[1])
    ),
    "of a Value of one's own": (
        lambda: vars(v := type("Own", (Value,), {})(1.0)).update(rest=1.0) or v, lambda v: lambda x: x * v.rest, setting("rest")
    ),
    "in a ChainMap": (lambda: ChainMap({"a": 2.0}), lambda m: lambda x: x * m["a"], lambda m: m.update(a=3.0)),
    "behind a read-only view": (
        lambda: [d := {"a": 2.0}, types.MappingProxyType(d)], lambda m: lambda x, m=m[1]: x * m["a"], lambda m: m[0].update(a=3.0)
    ),
    "of the other end of a weak reference": (
        lambda: [s := Spring(), weakref.ref(s)], lambda m: lambda x, r=m[1]: x * r().rest, lambda m: setting("rest")(m[0])
    ),
    "a partial method's": (
        lambda: type("Own", (Spring,), {"part": functools.partialmethod(Spring.force)})(), lambda s: lambda x: s.part(x), setting("rest")
    ),
    "a metaclass's property": (
        lambda: type("Meta", (type,), {"number": property(lambda cls: cls.rest)})("Own", (), {"rest": 1.0}),
        lambda cls: lambda x: x * cls.number,
        setting("rest"),
    ),
    "a dict's that lends its keys": (lambda: Lending(rest=1.0), lambda d: lambda x: x * d.rest, lambda d: d.update(rest=3.0)),
    "what is asked behind an object": (
        lambda: Behind(Spring()), lambda o: lambda x: x * o.rest, lambda o: setting("rest")(o.inner)
    ),
    "by a computed name": (Spring, lambda s: lambda x, end="st": x * getattr(s, f"re{end}"), setting("rest")),
    "a context variable": (lambda: ContextVar("k", default=1.0), lambda v: lambda x: x * v.get(), lambda v: v.set(3.0)),
    "an array of C's": (
        lambda: (ctypes.c_double * 2)(1.0, 2.0), lambda a: lambda x: x * a[1], lambda a: a.__setitem__(1, 3.0)
    ),
}  # fmt: skip


@pytest.fixture(autouse=True)
def _module_to_import():
    sys.modules["made_for_this"] = a_module("made_for_this")
    yield
    del sys.modules["made_for_this"]


@with_backends
@pytest.mark.parametrize("name", CASES)
def test_attributes_are_watched(name, backend):
    make, reader, change = CASES[name]
    held = make()
    fn = reader(held)
    f = sg.compile(fn, backend=backend)
    assert f(1.5) == pytest.approx(fn(Value(1.5)).data, rel=1e-14)
    before = f(1.5)
    change(held)
    wanted = fn(Value(1.5)).data
    assert wanted != before
    for _ in range(2):
        assert f(1.5) == pytest.approx(wanted, rel=1e-14)


@with_backends
def test_numbers_in_numpys_arrays_are_watched(backend):
    np = pytest.importorskip("numpy")
    table, spring = np.array([[1.0, 2.0], [3.0, 4.0]]), Spring(np.array([1, 2]))
    f = sg.compile(lambda x: x * float(table[1, 0]) + float(spring.rest[1]), backend=backend)
    assert f(2.0) == f(2.0) == 8.0
    table[1, 0] = 5.0
    assert f(2.0) == 12.0
    spring.rest[1] = 7
    assert f(2.0) == 17.0
    table.shape = (4, 1)
    assert f(2.0) == 11.0


def test_what_is_not_read_or_is_written_by_the_function_does_not_have_it_recorded_anew():
    runs = []

    class Model:
        def __init__(self):
            self.k, self.calls, self.losses, self.last = 2.0, 0, [], None
            self.steps = [getattr(nn, "Adam")([Value(1.0)], lr=0.1)]  # noqa: B009

        @property
        def optimizer(self):  # not asked by the loss
            return [getattr(self, name) for name in vars(self)]

        def loss(self, x):
            runs.append(1)
            self.calls += 1
            self.last = x * self.k
            return self.last

    model = Model()
    f = sg.compile(model.loss, backend="python")
    for i in range(5):
        assert f(1.5) == 3.0
        model.losses.append(i)
        model.steps[0].parameters[0].grad = 1.0
        model.steps[0].step()
        model.notes = i
    assert len(runs) == 1
    model.k = 4.0  # what it writes apart, everything is watched
    assert f(1.5) == f(1.5) == 6.0
    assert len(runs) == 2


def test_what_another_thread_sets_while_it_is_recorded_is_noticed():
    spring, began, go_on = Spring(), threading.Event(), threading.Event()

    def fn(x):
        rest = spring.rest
        began.set()
        go_on.wait(10)
        return x * rest

    f = sg.compile(fn, backend="python")
    thread = threading.Thread(target=f, args=(1.5,))
    thread.start()
    began.wait(10)
    spring.rest = 5.0
    go_on.set()
    thread.join()
    assert f(1.5) == 7.5


def test_objects_that_never_end_and_what_compiled_functions_keep_are_not_searched():
    class Endless:
        def __getattr__(self, name):
            return Endless()

    class Model:
        def __init__(self):
            self.weight, self.endless, self.many = Value(2.0), Endless(), []
            self.compiled = sg.compile(self.loss, parameters=[self.weight])

        def loss(self, x):
            return x * self.weight if self.endless else x

    model = Model()
    model.many.append(model.many)
    assert model.compiled(1.5) == model.compiled(1.5) == 3.0
    assert model.compiled.value_and_grad([1.5]) == (3.0, [1.5])
    found = behind(model.loss)
    assert {one.__qualname__.split(".")[-1] for one in found.functions} == {"loss", "__getattr__"}
    assert len(found.holders) < 10


@with_backends
def test_random_changes_of_many_objects(backend):
    """A network of the user's own neurons, whose weights are numbers and Values: what is compiled agrees after any change."""

    class Neuron:
        def __init__(self, n):
            self.w, self.b = [Value(rng.uniform(-1, 1)) for _ in range(n)], rng.uniform(-1, 1)

        def __call__(self, xs):
            return sum((w * x for w, x in zip(self.w, xs, strict=True)), self.b) * self.slope

    Neuron.slope = 1.0
    rng = random.Random(0)
    layer, last = [Neuron(2) for _ in range(5)], Neuron(5)

    def fn(x, y):
        return last([n([x, y]) for n in layer])

    changes = [
        lambda n: setattr(n, "b", rng.choice([0.0, -0.0, 1, 1.0, True, 3.0])),
        lambda n: n.w.__setitem__(0, Value(rng.random())),
        lambda n: setattr(n, "w", [Value(rng.random()) for _ in n.w]),
        lambda n: setattr(n, "slope", rng.random()),
        lambda n: vars(n).pop("slope", None),
        lambda n: setattr(Neuron, "slope", rng.random()),
        lambda n: setattr(n.w[0], "data", rng.random()),
        lambda n: None,
    ]
    f = sg.compile(fn, backend=backend)
    for _ in range(40):
        rng.choice(changes)(rng.choice([*layer, last]))
        assert f(0.5, -1.5) == pytest.approx(fn(Value(0.5), Value(-1.5)).data, rel=1e-12, abs=1e-12)
