"""== while a function is recorded: a number stays a number, guarded; a Value stays a node, equal to itself alone."""

import functools
import weakref
from collections import Counter, defaultdict
from decimal import Decimal
from fractions import Fraction

import pytest
from compiling_helpers import with_backends
from hypothesis import given, settings
from hypothesis import strategies as st
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import BranchError, Value
from scalargrad.node import watched_data

a, b = Value(2.0, label="a"), Value(5.0, label="b")

NUMBERS = {
    "i == 0": lambda i: a if i == 0 else b,
    "0 == i": lambda i: a if 0 == i else b,  # noqa: SIM300
    "i != 0": lambda i: b if i != 0 else a,
    "not": lambda i: a if not i == 0 else b,  # noqa: SIM201
    "in": lambda i: a if i in (0, 2) else b,
    "not in": lambda i: a if i not in [1, 3] else b,
    "index": lambda i: [a, b, a * b, a + b][[0, 1, 2, 3].index(i)],
    "count": lambda i: a * [0, 1, 1, 2].count(i),
    "computed": lambda i: a if i % 2 == 0 else b,
    "shifted": lambda i: a if i + 1 == 3 else b * i,
    "bool": lambda i: a if i == True else b,  # noqa: E712
    "fraction": lambda i: a if i == Fraction(1) else b,
    "decimal": lambda i: a if i == Decimal(1) else b,
    "complex": lambda i: a if i == 1 + 0j else b,
    "none is": lambda i: a if i in (None, "0", 1 + 1j, 10**400, Decimal("0.1"), float("nan")) else b,
    "each other": lambda i: a if i == i * i else b,
    "itself": lambda i: a if i == i else b,
    "after grad": lambda i: a if sg.grad(lambda t: t * t)(i) == 0 else b,
    "value of grad": lambda i: a if sg.value_and_grad(lambda t: t * t)(i)[0] == 4 else b,
}


def switch(i):
    match i:
        case 0:
            return a
        case 1:
            return b
    return a * b


NUMBERS["match"] = switch


def plain(x):
    return x.data if isinstance(x, Value) else float(x)


@with_backends
@pytest.mark.parametrize("name", NUMBERS)
def test_numbers_are_compared_as_numbers(name, backend):
    h = NUMBERS[name]
    replay = sg.replay(h, backend=backend, branches="record")
    compiled = sg.compile(h, backend=backend, branches="record")
    for i in (0, 1, 2, 3, 0, 1, 2, 3):
        eager = h(i)
        leaves = (a, b)
        wanted = [g.data if isinstance(g, Value) else g for g in sg.grad(eager, leaves)]
        for leaf in leaves:
            leaf.grad = 0.0
        root = replay(i)
        root.backward()
        assert (root.data, [leaf.grad for leaf in leaves]) == (plain(eager), wanted)
        assert compiled(i) == plain(eager)
    xs = [0.0, 1.0, 2.0, 3.0, 2.0]
    assert compiled.values(xs) == [plain(h(x)) for x in xs]
    assert compiled.value_and_grad(xs)[0] == pytest.approx(sum(plain(h(x)) for x in xs) / 5)


@with_backends
def test_the_recording_call_itself_takes_the_right_branch_and_others_are_guarded(backend):
    for first, wanted, other in ((0, 2.0, 1), (1, 5.0, 0)):
        replay = sg.replay(NUMBERS["i == 0"], backend=backend)
        assert replay(first).data == wanted
        with pytest.raises(BranchError, match=rf"Value\(data={float(first)}.* == 0.0 was|== 0.0 was"):
            replay(other)
        loss = sg.compile(NUMBERS["i == 0"], backend=backend)
        with pytest.raises(BranchError, match="for sample 1"):
            loss.value_and_grad([first, other])
        with pytest.raises(BranchError):
            sg.compile(NUMBERS["i == 0"], backend=backend)(float("nan"))


@has_full_size
@with_backends
@settings(deadline=None, max_examples=size(15, 40))
@given(
    steps=st.lists(st.tuples(st.sampled_from("+-*%"), st.integers(1, 3)), max_size=3),
    tests=st.lists(st.tuples(st.sampled_from(["==", "!=", "in"]), st.integers(-2, 3)), min_size=1, max_size=3),
    points=st.lists(st.integers(-3, 3), min_size=1, max_size=5),
)
def test_programs_that_choose_by_equality(backend, steps, tests, points):
    def fn(i):
        j, total = i, a
        for op, k in steps:
            j = j + k if op == "+" else j - k if op == "-" else j * k if op == "*" else j % k
        for op, k in tests:
            holds = j == k if op == "==" else j != k if op == "!=" else j in [k, k + 1]
            total = total * b + 1.0 if holds else total - b
        return total

    compiled = sg.compile(fn, backend=backend, branches="record")
    replay = sg.replay(fn, backend=backend, branches="record")
    for i in points:
        assert compiled(i) == fn(i).data == replay(i).data
    assert compiled.values(list(map(float, points))) == [fn(i).data for i in points]


@pytest.mark.parametrize("kind", ["number", "Value"])
def test_a_loop_that_compares_does_not_walk_over_all_that_came_before(kind, monkeypatch):
    asked = []
    parents = Value.parents.fget
    monkeypatch.setattr(Value, "parents", property(lambda node: asked.append(1) or parents(node)))

    def walked(rounds):
        def fn(i):
            j = i
            for _ in range(rounds):
                assert j != 0.5
                j = j * 1.0 + 0.25 if kind == "number" else a * i + j
            return j

        asked.clear()
        sg.compile(fn, backend="python")(2.0)
        return len(asked)

    few, many = walked(40), walked(160)
    assert few
    assert many < 5 * few


# -------------------------------------------------------------------- Values stay Values

VALUES = {
    "a leaf": lambda x: x if a == 2.0 else x * 3,
    "computed from a leaf": lambda x: x if x * a == 2.0 else x * 3,
    "two leaves": lambda x: x if a == b else x * 3,
    "the same leaf": lambda x: x if a == a else x * 3,
    "made inside": lambda x: x if Value(1.0) == 1.0 else x * 3,
    "in a list": lambda x: x * (1 + [b, a].index(a)) if a in [b, a] and x not in [a, b] else x * 3,
}


@with_backends
@pytest.mark.parametrize("name", VALUES)
def test_values_are_equal_to_themselves_alone(name, backend):
    fn = VALUES[name]
    compiled = sg.compile(fn, backend=backend, branches="record")
    for x in (1.0, 2.0, 5.0, 1.0):
        assert compiled(x) == plain(fn(x))


@with_backends
def test_what_is_differentiated_is_a_value_as_in_eager_code(backend):
    def inner(v):
        return v * v if v == 1.0 else v * v * v

    for made in (sg.grad(inner), sg.grad(sg.grad(inner)), lambda x: sg.vjp(inner, x)[0] * 1.0):
        compiled = sg.compile(made, backend=backend)
        for x in (1.0, 2.0):
            assert compiled(x) == plain(made(x))


def test_what_was_computed_inside_no_grad_is_refused():
    def fn(x):
        with sg.no_grad():
            y = x * 2
        return x if y == 4.0 else x * 5

    with pytest.raises(TypeError, match=r"a number computed inside no_grad\(\) went into the result or a comparison"):
        sg.compile(fn, backend="python")(2.0)


def test_outside_of_a_recording_equality_is_identity():
    x = Value(1.0)
    assert x == x
    assert x != 1.0
    assert x != Value(1.0)
    assert hash(x) == object.__hash__(x)
    assert x in {x}
    assert 1.0 not in [x]

    class Named(Value):
        def __eq__(self, other):
            return self.label == getattr(other, "label", other)

        def __hash__(self):
            return hash(self.label)

    assert Named(1.0, label="q") == "q"


def test_a_target_that_is_compared_is_guarded_in_fit():
    from scalargrad import nn

    def loss(scores, targets):
        return sg.mean([s * (3.0 if t == 1 else 1.0) for s, t in zip(scores, targets, strict=True)])

    with pytest.raises(BranchError, match="== 1.0 was"):
        nn.fit(nn.Neuron(1, seed=0), [[1.0], [2.0]], [0, 1], loss=loss, compiled="python", progress=False)


# -------------------------------------------------------------------- numpy's equality


def numpys_ways():
    """Ways to ask numpy which of 0, 1, 2 a label is: functions that give three numbers."""
    np = pytest.importorskip("numpy")
    labels = np.arange(3)
    return {
        "array == y": lambda y: (labels == y).astype(float).tolist(),
        "y == array": lambda y: (y == labels).astype(float).tolist(),
        "array of floats": lambda y: (labels.astype(float) == y) * 1.0,
        "array != y": lambda y: 1.0 - (labels != y),
        "~": lambda y: (~(y != labels)).astype(float),
        "numpy.equal": lambda y: np.equal(labels, y).astype(float),
        "numpy.not_equal": lambda y: ~np.not_equal(y, labels) * 1.0,
        "array of objects": lambda y: np.equal(np.array([0, 1, 2], dtype=object), y) * 1.0,
        "array of Values": lambda y: np.array([y, y, y]) == labels,
        "scalars": lambda y: [1.0 if k == y else 0.0 for k in labels],
        "scalars on the right": lambda y: [1.0 if y == k else 0.0 for k in labels],
        "float64": lambda y: [0.0 if np.float64(k) != y else 1.0 for k in labels],
        "without dimensions": lambda y: [1.0 if np.asarray(k) == y else 0.0 for k in labels],
    }


@with_backends
def test_numpys_equality_compares_numbers(backend):
    for name, which in numpys_ways().items():
        w = [Value(0.1), Value(0.2), Value(0.3)]
        fn = lambda x, y, w=w, which=which: sg.sum([float(q) * wi * x for q, wi in zip(which(y), w, strict=True)])  # noqa: E731
        compiled = sg.compile(fn, parameters=w, backend=backend, branches="record")
        loss, slopes = compiled.value_and_grad([1.0, 2.0, 3.0, 4.0], [0, 1, 2, 2])
        assert (loss, slopes) == (pytest.approx(0.65), pytest.approx([0.25, 0.5, 1.75])), name
        once = sg.compile(fn, backend=backend)
        assert once(2.0, 1) == pytest.approx(0.4), name
        with pytest.raises(BranchError, match="when it was recorded"):
            once(2.0, 0)


def test_numpys_equality_of_values_is_identity():
    np = pytest.importorskip("numpy")
    v, w = Value(1.0), Value(1.0)
    assert np.equal(np.array([v, w]), v).tolist() == (np.array([v, w]) == v).tolist() == [True, False]
    assert np.not_equal(v, np.array([v, w, 1.0], dtype=object)).tolist() == [False, True, True]
    assert not np.float64(1.0) == v  # noqa: SIM201
    assert np.float64(1.0) != v
    compiled = sg.compile(lambda x: x * float((np.array([v, w]) == v).sum()), backend="python")
    assert compiled(3.0) == compiled(3.0) == 3.0


# -------------------------------------------------------------------- sets and dicts


def cached():
    @functools.lru_cache
    def double(k):
        return 2 * k

    return double


LOOKED_UP = {
    "in a set": lambda x, y: x * 2 if x in {1.0, 2.0} else x * y,
    "in a frozenset": lambda x, y: x if x not in frozenset((1.0, 2.0)) else x * y,
    "computed": lambda x, y: x if x * 2 in {2.0} else y,
    "get": lambda x, y: y * {1.0: 5.0}.get(x, 7.0),
    "key": lambda x, y: y * {1.0: 5.0}[x],
    "match": lambda x, y: y * {(1.0, "a"): 5.0}.get((x, "a"), 1.0),
    "len": lambda x, y: x * len({x, y}),
    "dict": lambda x, y: x * len({x: 1, y: 2}),
    "intersection": lambda x, y: x * len({1.0, 2.0}.intersection([x, y])),
    "fromkeys": lambda x, y: x * len(dict.fromkeys([x, y])),
    "Counter": lambda x, y: x * Counter([x, y, 1.0])[1.0],
    "defaultdict": lambda x, y: x * defaultdict(int, {1.0: 3})[y],
    "WeakSet": lambda x, y: x * len(weakref.WeakSet([x, y])),
    "hash": lambda x, y: y if hash(x) == hash(1.0) else x,
    "lru_cache": lambda x, y: cached()(x) + y,
    "inside no_grad": lambda x, y: x if sg.no_grad()(lambda: x in {1.0})() else y,
}


@pytest.mark.parametrize("name", LOOKED_UP)
def test_sets_and_dicts_do_not_look_numbers_up(name):
    fn = LOOKED_UP[name]
    for made in (sg.compile(fn, backend="python", branches="record"), sg.replay(fn, backend="python")):
        with pytest.raises(TypeError, match=r"(?s)stands for a number.*Compare it.*\n  at .+\.py:\d+: "):
            made(1.0, 2.0)
    w = Value(3.0)
    of_values = (
        sg.compile(lambda x, y: fn(w, Value(2.0)) + x * y, backend="python") if name in ("len", "dict") else None
    )
    assert of_values is None or of_values(1.0, 1.0) == of_values(1.0, 1.0) == 7.0


def test_values_are_looked_up_by_identity_as_in_eager_code():
    names = {a: 10.0, b: 20.0}

    def fn(x):
        inner = sg.grad(lambda t: t * t if t in {t, 1.0} else t)(x)
        return inner * names[a] + a * len({a, b, a * x, a}) + len(set(iter((b, a))))

    compiled = sg.compile(fn, backend="python")
    for x in (1.0, 2.0, 1.0):
        assert compiled(x) == 20.0 * x + 2.0 * 3 + 2


def test_the_hash_is_objects_own_outside_of_a_recording(monkeypatch):
    monkeypatch.setattr(watched_data, "_switches_left", [None] * 50)  # as in a process that has not recorded 400 times
    monkeypatch.setattr(watched_data, "_recordings", [])  # nor left one open, as an interrupted one may
    seen = []

    class Late(Value):
        pass

    def fn(x):
        seen.append(type(x).__hash__)
        hash(Late(1.0))
        return x * 2.0

    sg.compile(fn, backend="python")(1.0)
    assert seen[0] is not object.__hash__
    assert Value.__hash__ is Late.__hash__ is object.__hash__
