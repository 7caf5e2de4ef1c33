"""What changes around a recorded function is noticed by every way to call it: hooks, frozen leaves, closures, globals."""

import copy
import functools
import random
from array import array
from collections import Counter, OrderedDict, UserDict, UserList, defaultdict, deque
from fractions import Fraction
from functools import partial
from itertools import permutations
from types import SimpleNamespace
from typing import NamedTuple

import pytest
from compiling_helpers import with_backends

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.node.structures import flatten

# -------------------------------------------------------------------- every way to call it


def entries(fn, leaves, backend):
    """Functions without arguments that give numbers, by name, each through a compiled function of its own.

    fn(x) reads the leaves; each entry is compared with `wanted` of the same name.
    """
    f = sg.compile(fn, backend=backend)
    k = sg.compile(fn, backend=backend)
    batch, parameters_given = sg.compile(fn, backend=backend), sg.compile(fn, parameters=leaves, backend=backend)
    values = sg.compile(fn, backend=backend)
    hess = sg.compile(sg.hessian(fn), backend=backend)
    slope = sg.compile(sg.grad(fn), backend=backend)
    replay, replay_x = sg.replay(lambda: fn(2.0), backend=backend), sg.replay(fn, backend=backend)
    bound_to = sg.compile(lambda v: fn(v[0]), backend=backend)
    x, out = array("d", [2.0]), array("d", [0.0])
    bound = bound_to.bind(x, out)

    def through_replay(call):
        for leaf in leaves:
            leaf.grad = 0.0
        root = call()
        if any(leaf.requires_grad for leaf in leaves):
            root.backward()
        return root.data, [leaf.grad for leaf in leaves if leaf.requires_grad]

    def through_bind():
        bound()
        return out[0]

    return {
        "call": lambda: f(2.0),
        "call with a keyword": lambda: k(x=2.0),
        "value_and_grad": lambda: batch.value_and_grad([2.0, 2.0]),
        "value_and_grad of given parameters": lambda: parameters_given.value_and_grad([2.0, 2.0]),
        "values": lambda: values.values([2.0, 2.0]),
        "hessian": lambda: hess(2.0),
        "grad": lambda: slope(2.0),
        "replay": lambda: through_replay(replay),
        "replay of an argument": lambda: through_replay(lambda: replay_x(2.0)),
        "bind": through_bind,
    }


def eager(fn, leaves, name):
    """What the entry of this name gives, by the eager engine."""
    trained = [leaf for leaf in leaves if leaf.requires_grad]
    root = fn(2.0)
    if name in ("call", "call with a keyword", "bind"):
        return root.data
    if name == "values":
        return [root.data] * 2
    if name == "hessian":
        return sg.hessian(fn)(2.0).data
    if name == "grad":
        return sg.grad(fn)(2.0).data
    gradients = sg.grad(root, trained) if trained else []
    return root.data, [g.data if isinstance(g, Value) else g for g in gradients]


NAMES = list(entries(lambda x: x * 1.0, [], "python"))
factor, table, texts = 3.0, {"k": [1.0, 2.0]}, ["square"]


def helper(v, bias=[0.5]):  # noqa: B006
    return v * factor + bias[0]


class World:
    """Things around a function, and ways to change them."""

    def __init__(self):
        self.a, self.b, self.c = Value(1.5, label="a"), Value(-0.5, label="b"), Value(0.25, label="c")
        leaves, ids, power, inner = [self.a, self.b, self.c], [0, 1], 2, (1, [3.0, {"deep": 4.0}])
        self.leaves = leaves

        def fn(x):
            y = leaves[ids[0]] * leaves[ids[1]] * x**power + helper(x) * self_a + table["k"][1] * inner[1][1]["deep"]
            y *= spring.rest
            return y * y if texts[0] == "square" else y

        self_a, spring = self.a, SimpleNamespace(rest=1.0)

        def change_power(to):
            nonlocal power
            power = to

        def change_default():
            helper.__defaults__[0][0] += 1.0

        def change_leaf():
            leaves[1] = self.c

        def rebind_factor():
            global factor
            factor += 1.0

        self.fn = fn
        self.changes = {
            "a list": lambda: ids.__setitem__(slice(None), [2, 2]),
            "a longer list": lambda: ids.insert(0, 1),
            "a number": lambda: change_power(3),
            "a global of a helper": rebind_factor,
            "a default of a helper": change_default,
            "another leaf": change_leaf,
            "a dict": lambda: table["k"].__setitem__(1, table["k"][1] + 1.0),
            "deep inside": lambda: inner[1][1].__setitem__("deep", 7.0),
            "an attribute": lambda: setattr(spring, "rest", 2.0),
            "a text": lambda: texts.__setitem__(0, "plain"),
        }


@pytest.fixture(autouse=True)
def _as_it_was():
    kept = factor, copy.deepcopy(table), list(texts)
    yield
    globals()["factor"] = kept[0]
    table.clear()
    table.update(kept[1])
    texts[:] = kept[2]
    helper.__defaults__[0][:] = [0.5]


@with_backends
@pytest.mark.parametrize("name", NAMES)
def test_every_entry_sees_every_change(name, backend):
    world = World()
    entry = entries(world.fn, world.leaves[:2], backend)[name]
    used = world.leaves[:2]
    for change in (lambda: None, *world.changes.values()):
        change()
        for _ in range(2):
            if "value_and_grad" in name and "given" not in name:
                assert entry()[0] == pytest.approx(eager(world.fn, used, name)[0], rel=1e-13)
            else:
                assert flatten(entry())[0] == pytest.approx(flatten(eager(world.fn, used, name))[0], rel=1e-13)


@with_backends
@pytest.mark.parametrize("name", NAMES)
def test_every_entry_sees_hooks_and_what_is_frozen(name, backend):
    a, b = Value(1.5), Value(-0.5)

    def fn(x):  # its own gradients are part of what it computes
        y = a * b * x * x * a
        return y + (sg.grad(y, a, create_graph=True) if a.requires_grad else 0.0) * x

    entry = entries(fn, [a, b], backend)[name]

    def agrees():
        for _ in range(2):
            found, wanted = (flatten(t)[0] for t in (entry(), eager(fn, [a, b], name)))
            assert found == pytest.approx(wanted, rel=1e-13)

    agrees()
    a.requires_grad = False
    agrees()
    a.requires_grad = True
    agrees()
    handle = a.register_hook(lambda gradient: gradient * 10)
    if name.startswith("replay"):
        agrees()
    else:
        for _ in range(2):
            with pytest.raises(ValueError, match="hooks run Python on its gradient: remove them first"):
                entry()
    handle.remove()
    agrees()


@with_backends
def test_a_replay_of_chosen_leaves_follows_the_choice(backend):
    w, ids = [Value(float(i + 2)) for i in range(4)], [0, 1]
    loss = sg.replay(lambda: w[ids[0]] * w[ids[1]], backend=backend)
    assert loss().data == 6.0
    ids[:] = [3, 3]
    root = loss()
    root.backward()
    assert (root.data, [leaf.grad for leaf in w]) == (25.0, [0.0, 0.0, 0.0, 10.0])


@with_backends
def test_what_the_function_writes_itself_is_no_input(backend):
    calls, count = [], 0

    def fn(x):
        nonlocal count
        count += 1
        calls.append(x)
        return x * 2.0

    f, g = sg.compile(fn, backend=backend), sg.replay(fn, backend=backend)
    for x in (1.0, 2.0, 3.0):
        assert (f(x), g(x).data, f.values([x]), f.value_and_grad([x])[0]) == (2 * x, 2 * x, [2 * x], 2 * x)
    assert count == len(calls) == 4


@with_backends
def test_an_error_while_recording_hides_no_change(backend):
    ids, w = [7], [Value(2.0), Value(3.0)]
    loss = sg.replay(lambda: w[ids[0]] * 1.0, backend=backend)
    with pytest.raises(IndexError):
        loss()
    for i in (0, 1, 0):
        ids[0] = i
        assert loss().data == w[i].data


@with_backends
def test_methods_partials_and_functions_of_functions(backend):
    rate = [2.0]

    class Model:
        def loss(self, x):
            return x * rate[0]

    for made in (Model().loss, partial(lambda k, x: x * k[0], rate), sg.grad(lambda x: x * x * rate[0] / 2)):
        rate[0] = 2.0
        f = sg.compile(made, backend=backend)
        x = 1.0
        assert f(x) == 2.0
        rate[0] = 5.0
        assert f(x) == 5.0


@with_backends
def test_a_training_sees_changes_between_its_steps(backend):
    def run(compiled):
        w, v, scale = Value(1.0), Value(1.0), [1.0]
        fn = lambda x: (w * x * scale[0] - v) ** 2  # noqa: E731
        optimizer = nn.SGD([w, v], lr=0.01, momentum=0.5)
        loss = sg.compile(fn, parameters=[w, v], backend=backend)
        found = []

        def eager_step(xs):
            root = sg.mean([fn(x) for x in xs])
            optimizer.zero_grad()
            root.backward()
            optimizer.step()
            return root.data

        with loss.training(optimizer) as step:
            for change in (lambda: None, lambda: scale.__setitem__(0, 3.0), lambda: setattr(v, "requires_grad", False),
                           lambda: setattr(v, "requires_grad", True), lambda: setattr(optimizer, "momentum", 0.25)):  # fmt: skip
                change()
                for _ in range(2):
                    found.append((step if compiled else eager_step)([1.0, 2.0]))
        return [*found, w.data, v.data]

    assert run(True) == pytest.approx(run(False), rel=1e-12)


@with_backends
def test_fit_sees_changes_between_its_steps(backend):
    def run(compiled):
        scale = [1.0]
        model = nn.MLP(2, [3, 1], seed=1)
        first = model.parameters()[0]

        def loss(scores, targets):
            return sg.mean([(s * scale[0] - t) ** 2 for s, t in zip(scores, targets, strict=True)])

        def schedule(step):
            scale[0] = 1.0 + (step > 3)
            first.requires_grad = step % 3 != 1
            return 0.05

        X, y = nn.moons(20, seed=1)
        history = nn.fit(
            model, X, y, loss=loss, schedule=schedule, batch_size=5, seed=0, epochs=2, compiled=compiled, progress=False
        )
        return [*history.loss, *(p.data for p in model.parameters())]

    assert run(backend) == pytest.approx(run(False), rel=1e-9)


class ByMode(nn.Module):
    """Reads its mode, and has a module inside that does."""

    def __init__(self):
        self.inside, self.layer = nn.Dropout(0.0), nn.Layer(1, 1, activation="tanh", seed=1)

    def __call__(self, x):
        y = self.layer(x)
        return y * 3.0 if self.training else y + 10.0 * self.inside.training


MODULES = {
    "dropout": lambda: nn.Sequential(nn.Layer(1, 1, nonlin=False, seed=1), nn.Dropout(0.5, seed=2)),
    "batch norm": lambda: nn.Sequential(nn.Layer(1, 1, nonlin=False, seed=1), nn.BatchNorm(1)),
    "of one's own": ByMode,
}


@with_backends
@pytest.mark.parametrize("name", MODULES)
def test_train_and_eval_are_seen_by_every_entry(name, backend):
    """What is recorded in evaluation is recorded anew in training, or refused, as what is compiled then is."""
    model = MODULES[name]().eval()
    choose = random.Random(name)
    changes = [model.train, model.eval, lambda: nn.predict(model, [[1.0]]), lambda: model.modules()[-1].train()]
    changes += [lambda mode=mode: setattr(model.modules()[-1], "training", mode) for mode in (True, False)] * 2

    def number(x):
        y = model([x])
        return (y[0] if isinstance(y, list) else y) * 1.0

    def outcome(call):
        try:
            return call()
        except ValueError as error:
            return str(error)

    kept = entries(number, model.parameters(), backend)
    loss = sg.compile(number, parameters=model.parameters(), backend=backend)
    step = loss.training(nn.SGD(model.parameters(), lr=0.0))
    kept["training"] = lambda: step([2.0])
    for change in [changes[-2], *choose.choices(changes, k=8)]:
        change()
        model.parameters()  # is no change
        for entry, call in kept.items():
            if entry == "training":
                fresh = sg.compile(number, parameters=model.parameters(), backend=backend)
                wanted = outcome(lambda fresh=fresh: fresh.value_and_grad([2.0])[0])
            else:
                wanted = outcome(lambda entry=entry: entries(number, model.parameters(), backend)[entry]())
            assert outcome(call) == wanted, entry


@with_backends
def test_a_large_container_is_told_by_its_identity(backend):
    held = [[float(i) for i in range(20_000)]]
    f = sg.compile(lambda x: x * held[0][5], backend=backend)
    assert f(1.0) == 5.0
    held[0] = [7.0] * 20_000
    assert f(1.0) == 7.0


def test_random_containers_are_noticed_wherever_they_change():
    rng = random.Random(3)

    def nest(depth):
        kind = rng.randrange(4) if depth else 3
        if kind == 3:
            return rng.uniform(0.0, 1.0)
        parts = [nest(depth - 1) for _ in range(rng.randrange(1, 4))]
        return parts if kind == 0 else tuple(parts) if kind == 1 else dict(enumerate(parts))

    def numbers(x):
        return (
            [x] if isinstance(x, float) else [n for p in (x.values() if isinstance(x, dict) else x) for n in numbers(p)]
        )

    def places(x):
        """Functions that change one number each."""
        if isinstance(x, float):
            return
        for key, part in x.items() if isinstance(x, dict) else enumerate(x):
            if isinstance(part, float) and not isinstance(x, tuple):
                yield partial(x.__setitem__, key, part + 1.0)
            yield from places(part)

    noticed = 0
    for _ in range(60):
        held = [nest(3)]
        f = sg.compile(lambda x: x * sum(numbers(held)), backend="python")
        for change in (lambda: None, *places(held)):
            change()
            assert f(1.0) == pytest.approx(sum(numbers(held)))
            noticed += 1
    assert noticed > 200


# -------------------------------------------------------------------- what is reached, and how

setting = [2.0]


class Base(nn.Module):
    def forward(self, x):
        return x * setting[0]


class Calling(Base):
    def __call__(self, x):
        return self.forward(x)


class Above(Base):
    def __call__(self, x):
        return super().forward(x)


class ByProperty(Base):
    @property
    def scale(self):
        return setting[0]

    @functools.cached_property
    def double(self):
        return 1.0

    @staticmethod
    def both(x, k):
        return x * k * helping()

    def __call__(self, x):
        return self.both(x, self.scale) * self.double


class ByName(Base):
    def __call__(self, x):
        return getattr(self, "forward")(x)  # noqa: B009


class Holding(nn.Module):
    def __init__(self):
        self.parts = [Calling()]

    def __call__(self, x):
        return self.parts[0].forward(x)


class Adding:
    def __add__(self, x):
        return x * setting[0]


def helping():
    return 1.0 if setting else 0.0


def made_inside(x):
    return Calling()(x)


MODEL, ADDING = Calling(), Adding()
REACHED = {
    "a method by __call__": Calling(),
    "super": Above(),
    "a property": ByProperty(),
    "getattr": ByName(),
    "a module in a list of a module": Holding(),
    "a bound method": Calling().__call__,
    "a global object": lambda x: MODEL.forward(x),
    "a special method": lambda x: ADDING + x,
    "a class": made_inside,
    "functions in a list": lambda x, fs=[lambda x: x * setting[0]]: fs[0](x),
    "functions in a dict of tuples": lambda x, fs={"k": (None, lambda x: x * setting[0])}: fs["k"][1](x),
    "a cached function": lambda x: x * cached_setting(),
    "a network that holds a module": nn.Sequential(Calling()) if hasattr(nn, "Sequential") else Calling(),
}


def uncached():
    return setting[0]


cached_setting = functools.lru_cache(uncached)


@pytest.mark.parametrize("name", REACHED)
def test_what_functions_reach_is_followed(name):
    setting[0] = 2.0
    cached_setting.cache_clear()
    try:
        f = sg.compile(REACHED[name], backend="python")
        for number in (2.0, 4.0, 4.0, 3.0):
            setting[0] = number
            cached_setting.cache_clear()
            assert f(1.5) == 1.5 * number
    finally:
        setting[0] = 2.0


class MyList(list):
    pass


class Pair(NamedTuple):
    a: list
    b: float


def set_first(held, x):
    held[0] = x


CONTAINERS = {
    "defaultdict": (lambda: defaultdict(float, {0: 2.0}), lambda c: c[0], set_first),
    "OrderedDict": (lambda: OrderedDict({0: 2.0}), lambda c: c[0], set_first),
    "Counter": (lambda: Counter({0: 2.0}), lambda c: c[0], set_first),
    "UserDict": (lambda: UserDict({0: 2.0}), lambda c: c[0], set_first),
    "UserList": (lambda: UserList([2.0]), lambda c: c[0], set_first),
    "subclass of list": (lambda: MyList([2.0]), lambda c: c[0], set_first),
    "deque": (lambda: deque([2.0]), lambda c: c[0], set_first),
    "deque, longer": (lambda: deque([2.0, 0.0]), lambda c: c[0], lambda c, x: c.appendleft(x)),
    "namedtuple": (lambda: Pair([2.0], 1.0), lambda c: c.a[0], lambda c, x: set_first(c.a, x)),
    "array": (lambda: array("d", [2.0]), lambda c: c[0], set_first),
    "bytearray": (lambda: bytearray([2]), lambda c: c[0], lambda c, x: set_first(c, int(x))),
    "set": (lambda: {2.0}, max, lambda c, x: (c.clear(), c.add(x))),
    "order of a dict": (
        lambda: {2.0: 0, 5.0: 0, 3.0: 0},
        lambda c: next(iter(c)),
        lambda c, x: [c.__setitem__(k, c.pop(k)) for k in list(c) if k != x],
    ),
    "in a list": (lambda: [deque([[2.0]])], lambda c: c[0][0][0], lambda c, x: set_first(c[0][0], x)),
    "key": (lambda: {2.0: 1}, lambda c: next(iter(c)), lambda c, x: (c.clear(), c.update({x: 1}))),
}


@pytest.mark.parametrize("name", CONTAINERS)
def test_containers_of_every_type_are_watched(name):
    make, read, change = CONTAINERS[name]
    held, runs = make(), []

    def fn(x):
        runs.append(1)
        return x * read(held)

    f = sg.compile(fn, backend="python")
    assert f(1.5) == f(1.5) == 3.0
    assert len(runs) == 1
    for number in (5.0, 3.0):
        change(held, number)
        assert f(1.5) == f(1.5) == 1.5 * number
    assert len(runs) == 3


@pytest.mark.parametrize("wrap", [lambda k: k, lambda k: [k], lambda k: {"k": [k]}, lambda k: deque([(k,)])])
def test_numbers_that_are_equal_but_not_the_same_are_told_apart(wrap):
    np = pytest.importorskip("numpy")

    def only(x):
        while isinstance(x, (list, dict, deque, tuple)):
            x = next(iter(x.values() if isinstance(x, dict) else x))
        return x

    def fn(x):
        k = only(held)
        return sg.arctan2(x * k, -1.0) + x * (k * 0.1) + (10.0 if isinstance(k, bool) else isinstance(k, int))

    f = sg.compile(fn, backend="python")
    zeros = [0.0, -0.0, 0, False, np.float64(0.0), np.float64(-0.0), np.float32(0.0), np.float32(-0.0), Fraction(0)]
    others = [1, 1.0, True, np.float32(1.0), Fraction(1)]
    if wrap(2.0) == 2.0:  # in containers other numbers are told apart by what they are equal to
        others += [3, 3.0, np.float32(3.0), np.int64(3), Fraction(3)]
    for k in (x for pair in permutations([*zeros, *others], 2) for x in pair):
        held = wrap(k)
        assert f(2.0) == fn(Value(2.0)).data, k


def test_a_memo_that_the_function_filled_is_watched():
    for memo in ({}, defaultdict(float), []):

        def fn(x, memo=memo):
            if not memo:
                memo.append(2.0) if isinstance(memo, list) else memo.update({0: 2.0})
            runs.append(x)
            return x * memo[0]

        runs = []
        f = sg.compile(fn, backend="python")
        assert f(1.5) == f(1.5) == 3.0
        memo[0] = 7.0
        assert f(1.5) == f(1.5) == 10.5
        memo.clear()
        assert f(1.5) == f(1.5) == 3.0
        assert len(runs) == 3
