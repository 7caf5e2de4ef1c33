"""What tells two arguments apart is their structure, types of containers included; and numbers are numbers only."""

import warnings
from collections import Counter, OrderedDict, defaultdict, namedtuple
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction

import pytest
from compiling_helpers import with_backends
from hypothesis import given, settings
from hypothesis import strategies as st

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.node.structures import flatten, structure

XY, YX, XZ = (namedtuple("P", fields) for fields in ("x y", "y x", "x y"))  # noqa: PYI024  (without types)


class Row(list):
    def weighted(self):
        return sum(k * x for k, x in enumerate(self, 1))


class Record(dict):
    def weighted(self):
        return 10.0 * self["a"] + self["b"]


class Pair(tuple):
    __slots__ = ()


def fn(p):
    """Tells all of them apart."""
    if isinstance(p, (XY, YX, XZ)):
        return p.x * 10.0 + p.y + 1000.0 * [XY, YX, XZ].index(type(p))
    if isinstance(p, (Row, Record)):
        return p.weighted()
    if isinstance(p, defaultdict):
        return p["a"] * 10.0 + p["b"] + p["missing"]
    if isinstance(p, OrderedDict):
        p.move_to_end("a")
        return next(iter(p.values())) * 10.0
    if isinstance(p, dict):
        return next(iter(p.values())) * 2.0 + sum(p.values())
    if isinstance(p, tuple):
        return p[0] * 3.0 - p[1]
    return p[0] * 5.0 - p[1]


def containers(a, b):
    return [
        XY(a, b), YX(a, b), XZ(a, b), Row([a, b]), Record(a=a, b=b), defaultdict(lambda: 7.0, a=a, b=b),
        OrderedDict(a=a, b=b), {"a": a, "b": b}, {"b": a, "a": b}, (a, b), [a, b], defaultdict(float, a=a, b=b),
    ]  # fmt: skip


def plain(x):
    return x.data if isinstance(x, Value) else float(x)


@with_backends
def test_every_container_keeps_its_type_in_interleaved_calls(backend):
    f, replay = sg.compile(fn, backend=backend), sg.replay(fn, backend=backend)
    slope, hessian = sg.compile(sg.grad(fn), backend=backend), sg.compile(lambda p: [fn(p), p], backend=backend)
    for a, b in ((2.0, 3.0), (5.0, -1.0), (0.5, 4.0)):
        for make in range(12):
            p = containers(a, b)[make]
            wanted = plain(fn(containers(a, b)[make]))
            assert f(p) == replay(p).data == wanted
            assert f.values([p, p]) == [wanted, wanted]
            assert f.value_and_grad([p, p])[0] == wanted
            found = slope(p)
            assert (type(found), found) == (type(p), sg.grad(fn)(containers(a, b)[make]))
            inside = hessian(p)[1]
            assert type(inside) is type(p)
            if type(p) is XY:
                assert (inside.x, inside.y) == (a, b)


@with_backends
def test_two_named_tuples_of_one_name_with_the_fields_in_another_order(backend):
    f = sg.compile(lambda p: p.x - p.y, backend=backend)
    assert (f(XY(1.0, 5.0)), f(YX(1.0, 5.0)), f(XY(1.0, 5.0))) == (-4.0, 4.0, -4.0)
    assert f.values([XY(1.0, 5.0), YX(1.0, 5.0), XY(2.0, 5.0)]) == [-4.0, 4.0, -3.0]


class Slotted(list):
    __slots__ = ("scale",)


class Triple(tuple):
    pass


class Named(XY):
    pass


def with_state(kind, content, scale):
    return with_scale(kind(content), scale)


def with_scale(made, scale):
    made.scale = scale
    return made


def same_but_for_a_key_or_attribute(a):
    """Structures of one number that differ in nothing that counts numbers."""
    keys = [0.0, -0.0, 0, False, 1, 1.0, True, (1,), (1.0,), (-0.0,), (0.0,), Decimal("-0"), Decimal(0), "k"]
    scales = [1, 2, 1.0, -0.0, 0.0, "1", [1], [1.0], [2], {"k": 3}, {"k": 3.0}, {4}, None, (1,), (True,)]
    return [
        *({key: a} for key in keys), *(OrderedDict({key: a}) for key in keys),
        *(with_state(Row, [a], scale) for scale in scales), *(with_state(Slotted, [a], scale) for scale in scales),
        *(with_state(Record, {"a": a}, scale) for scale in scales), Pair([a]), Triple([a]), Named(a, a), (a,),
        *(with_state(Triple, [a], scale) for scale in scales), *(with_scale(Named(a, a), scale) for scale in scales),
    ]  # fmt: skip


def seen(p):
    """Tells all of them apart, by what their keys and attributes look like."""
    a = next(iter(p.values() if isinstance(p, dict) else p))
    text = repr((type(p).__name__, list(p) if isinstance(p, dict) else 0, getattr(p, "scale", "without")))
    return a * float(sum(k * ord(letter) for k, letter in enumerate(text, 1)))


@with_backends
def test_results_have_the_class_and_attributes_of_their_own(backend):
    """What one writes into the attributes of a result is in no other."""
    w = Value(3.0)
    kinds = [Row, Slotted, Triple, lambda xs: Record(zip("ab", xs, strict=True)), lambda xs: Named(*xs)]

    def made(kind, x):
        return with_state(kind, [x * 2, w * x], {"seen": [{"n": 0}]})

    f = sg.compile(lambda x: [made(kind, x) for kind in kinds], backend=backend)
    loss = sg.compile(
        lambda x: (w * x, [made(kind, x) for kind in kinds]), parameters=[w], has_aux=True, backend=backend
    )
    for i in range(1, 4):
        for results in (f(float(i)), *loss.value_and_grad([float(i), float(i)])[0][1]):
            for result, kind in zip(results, kinds, strict=True):
                wanted = kind([i * 2.0, i * 3.0])
                assert (type(result), result, result.scale) == (type(wanted), wanted, {"seen": [{"n": 0}]})
                result.scale["more"] = 1
                result.scale["seen"][0]["n"] = 5


@with_backends
def test_keys_and_attributes_tell_structures_apart_as_well(backend):
    """Keys and attributes are no numbers of the computation, and what they are decides on it."""
    f, w = sg.compile(seen, backend=backend), Value(2.0)
    loss = sg.compile(lambda p: w * seen(p), parameters=[w], backend=backend, reduction="sum")
    for a in (0.5, 3.0):
        alike = same_but_for_a_key_or_attribute(a)
        wanted = [seen(p) for p in alike]
        assert [f(p) for p in alike] == wanted
        assert loss.values(alike) == [2.0 * x for x in wanted]
        assert loss.value_and_grad(alike) == (2.0 * sum(wanted), [sum(wanted)])


@with_backends
def test_an_attribute_that_changes_where_it_is_counts(backend):
    f = sg.compile(lambda p: p[0] * p.scale[0]["k"], backend=backend)
    p = with_state(Row, [3.0], [{"k": 2.0}])
    assert f(p) == 6.0
    p.scale[0]["k"] = 5.0
    assert f(p) == 15.0


trees = st.recursive(
    st.just(0.5),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.lists(inner, max_size=3).map(tuple), st.lists(inner, max_size=3).map(Row),
        st.lists(inner, max_size=3).map(Pair), st.lists(inner, max_size=3).map(Triple),
        st.tuples(inner, inner).map(lambda t: XY(*t)), st.tuples(inner, inner).map(lambda t: YX(*t)),
        st.dictionaries(st.sampled_from(["a", "b", 1, True]), inner, max_size=3),
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2).map(OrderedDict),
        st.dictionaries(st.sampled_from(["a", "b"]), inner, max_size=2).map(Record),
    ),
    max_leaves=6,
)  # fmt: skip


def described(tree):
    """An independent account of a structure."""
    if isinstance(tree, dict):
        return type(tree).__qualname__, id(type(tree)), [(type(k), k, described(v)) for k, v in tree.items()]
    if isinstance(tree, (list, tuple)):
        return type(tree).__qualname__, id(type(tree)), [described(x) for x in tree]
    return "*"


@settings(deadline=None, max_examples=150)
@given(one=trees, other=trees)
def test_structures_are_equal_when_they_are_the_same_and_rebuild_their_types(one, other):
    assert (structure(one) == structure(other)) == (described(one) == described(other))
    assert hash(structure(one)) == hash(structure(one))
    leaves, rebuild = flatten(one)
    for _ in range(2):
        again = rebuild(iter(leaves))
        assert described(again) == described(one)
        assert again == one


def test_what_does_not_rebuild_is_refused():
    @dataclass
    class Point:
        x: float

    f = sg.compile(lambda p: p.x * 2.0, backend="python")
    for _ in range(2):
        with pytest.raises(TypeError, match="must be a number, a Value, or lists, tuples and dicts of them, not Point"):
            f(Point(1.0))
    assert sg.compile(lambda c: c["a"] * 2.0, backend="python")(Counter(a=2)) == 4.0


# -------------------------------------------------------------------- what is no number


class Floats:
    def __float__(self):
        return 3.0


def odd_numbers():
    np = pytest.importorskip("numpy")
    return {
        "complex": 1 + 2j, "Decimal": Decimal(2), "numpy complex": np.complex128(1 + 2j), "__float__": Floats(),
        "masked": np.ma.masked, "text": "2", "None": None, "date": np.datetime64("2020-01-01"),
    }  # fmt: skip


@with_backends
@pytest.mark.parametrize("name", ["complex", "Decimal", "numpy complex", "__float__", "masked", "text", "None", "date"])
def test_a_later_call_refuses_what_the_first_one_refuses(name, backend):
    bad = odd_numbers()[name]
    f, g = sg.compile(lambda v: v[0] * v[1], backend=backend), sg.compile(lambda x: x * 2.0, backend=backend)
    w = Value(1.0)
    loss = sg.compile(lambda v: v[0] * v[1] * w, parameters=[w], backend=backend)
    replay = sg.replay(lambda v: v[0] * v[1] * w, backend=backend)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        for used in (False, True):
            with loss.training(nn.SGD([w], lr=0.0)) as step:
                if used:
                    assert f([1.0, 2.0]) == g(1.0) == loss.values([[1.0, 2.0]])[0] == replay([1.0, 2.0]).data == 2.0
                    assert loss.value_and_grad([[1.0, 2.0], [1.0, 2.0]])[0] == step([[1.0, 2.0]]) == 2.0
                for call in (
                    lambda: f([1.0, bad]), lambda: f([bad, 1.0]), lambda: g(bad), lambda: replay([1.0, bad]),
                    lambda: loss.values([[1.0, bad]]), lambda: loss.value_and_grad([[1.0, 2.0], [1.0, bad]]),
                    lambda: g.values([1.0, bad]), lambda: step([[1.0, bad]]), lambda: g.values([bad, bad]),
                ):  # fmt: skip
                    with pytest.raises(TypeError):
                        call()


@with_backends
def test_all_kinds_of_real_numbers_are_taken(backend):
    np = pytest.importorskip("numpy")
    f, g = sg.compile(lambda v: v[0] * v[1], backend=backend), sg.compile(lambda x: x * 2.0, backend=backend)
    for x in (3, True, Fraction(1, 2), np.float32(0.5), np.int64(4), np.float64(1.5), np.array(2.5), Value(2.0, requires_grad=False)):  # fmt: skip
        number = float(getattr(x, "data", x)) if isinstance(x, Value) else float(x)
        assert f([2.0, x]) == f([x, 2.0]) == g(x) == 2 * number
        assert f.values([[2.0, x]]) == [2 * number]
        assert g.values([x, 1.0]) == [2 * number, 2.0]


@with_backends
def test_matrices_are_rows(backend):
    np = pytest.importorskip("numpy")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        X, y = np.matrix([[1.0, 2.0], [3.0, 4.0]]), np.matrix([[1.0], [2.0]])
    w = Value(2.0)
    loss = sg.compile(lambda x, t: (w * x[0] + x[1] - t[0]) ** 2, parameters=[w], backend=backend)
    wanted = loss.value_and_grad(X.tolist(), y.tolist())
    assert loss.value_and_grad(X, y) == wanted
    assert loss.values(X, y) == loss.values(X.tolist(), y.tolist())
    assert sg.compile(lambda m: m[0][1] * m[1][0], backend=backend)(X) == 6.0
    with loss.training(nn.SGD([w], lr=0.1)) as step:
        assert step(X, y) == wanted[0]
    model = lambda: nn.MLP(2, [3, 1], seed=0)  # noqa: E731
    for how in (False, backend):
        a, b = model(), model()
        nn.fit(a, X, [0.0, 1.0], loss="mse", epochs=2, compiled=how, progress=False)
        nn.fit(b, X.tolist(), [0.0, 1.0], loss="mse", epochs=2, compiled=how, progress=False)
        assert a.state_dict() == b.state_dict()
