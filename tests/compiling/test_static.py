"""A static argument shapes what is compiled: it arrives as it is, and each value of it, told from others, has a program."""

import enum
import math
from dataclasses import dataclass
from datetime import datetime, time, timedelta, timezone
from decimal import Decimal
from fractions import Fraction
from typing import NamedTuple

import pytest
from compiling_helpers import with_backends
from optional import optional

import scalargrad as sg
from scalargrad import BranchError, Value, nn


class Kind(enum.Enum):
    SUM = 1
    PRODUCT = 2


class Pair(NamedTuple):
    a: object
    b: object


@dataclass(frozen=True)
class Setting:
    n: object


def counted(fn):
    """The function, and what it was recorded with."""
    seen = []

    def called(*args, **keywords):
        seen.append((args, keywords))
        return fn(*args, **keywords)

    called.__wrapped__ = fn  # so that its arguments have names
    return called, seen


def power(x, n):
    """x**n by a loop, which needs an int."""
    result = x
    for _ in range(n - 1):
        result = result * x
    return result


@with_backends
def test_a_named_argument_arrives_as_it_is_and_is_recorded_once_for_each_value(backend):
    called, seen = counted(power)
    compiled = sg.compile(called, static=("n",), backend=backend)
    for _ in range(3):
        assert [compiled(2.0, n) for n in (1, 2, 5)] == [2.0, 4.0, 32.0]
        assert compiled(2.0, n=3) == compiled(n=3, x=2.0) == 8.0
    given = [args[1] if len(args) > 1 else keywords["n"] for args, keywords in seen]
    assert all(type(n) is int for n in given)
    assert given == [1, 2, 5, 3, 3]  # by keyword, in either order, it is another call


@with_backends
def test_replays_too(backend):
    w = Value(3.0)
    called, seen = counted(lambda n: power(w, n))
    replayed = sg.replay(called, static="n", backend=backend)
    for n in (2, 3, 2, 3):
        w.grad = 0.0
        root = replayed(n)
        root.backward()
        assert (root.data, w.grad) == (3.0**n, n * 3.0 ** (n - 1))
    assert replayed(n=4).data == 81.0
    assert len(seen) == 3

    @sg.replay(static=("n",), backend=backend)
    def decorated(n):
        return power(w, n)

    assert decorated(2).data == 9.0


@with_backends
def test_texts_bools_none_and_members_of_enums_are_static_by_themselves(backend):
    def f(xs, kind, name="tanh", flag=False, extra=None):
        y = sg.sum(xs) if kind is Kind.SUM else sg.prod(xs)
        y = getattr(y, name)() if flag is True else y
        return y if extra is None else y * extra

    compiled = sg.compile(f, backend=backend)
    xs = [2.0, 3.0]
    assert compiled(xs, Kind.SUM) == 5.0
    assert compiled(xs, Kind.PRODUCT) == 6.0
    assert compiled(xs, Kind.SUM, "sqrt", True) == math.sqrt(5.0)
    assert compiled(xs, Kind.SUM, "tanh", True) == math.tanh(5.0)
    assert compiled(xs, Kind.SUM, flag=True, name="exp") == math.exp(5.0)
    assert compiled(xs, Kind.SUM, "exp", False, None) == 5.0
    assert compiled(xs, Kind.SUM, "exp", False, 2.0) == 10.0


def test_values_are_told_apart_by_type_and_value():
    called, seen = counted(lambda x, k: x * 1.0)
    compiled = sg.compile(called, static=["k"], backend="python")
    kinds = [
        1,
        1.0,
        True,
        "1",
        (1,),
        (1.0,),
        0.0,
        -0.0,
        None,
        math.nan,
        float("nan"),
        (1, (2.0, "a")),
        frozenset((1, 2)),
        frozenset((1.0, 2)),
        Pair(1, 2),
        Pair(1.0, 2),
        Setting(1),
        Setting(True),
        complex(0.0, 1.0),
        complex(-0.0, 1.0),
        Decimal(0),
        Decimal("-0"),
        Fraction(0),
    ]
    for _ in range(2):
        for k in kinds:
            assert compiled(2.0, k) == 2.0
    assert len(seen) == len(kinds) - 1  # nan is one
    assert [type(args[1]) for args, _ in seen[:4]] == [int, float, bool, str]


@with_backends
def test_in_batches_it_is_given_once_for_all_samples(backend):
    w = Value(2.0)
    called, seen = counted(lambda x, n, y, how: (power(w * x, n) - y) ** 2 if how == "square" else abs(w * x - y))
    compiled = sg.compile(called, static=("n",), backend=backend, parameters=[w])
    X, Y = [1.0, 2.0, 3.0], [1.0, 2.0, 5.0]
    for n in (1, 2):
        losses = [(power(w.data * x, n) - y) ** 2 for x, y in zip(X, Y, strict=True)]
        assert compiled.values(X, n, Y, "square") == pytest.approx(losses)
        loss, (gradient,) = compiled.value_and_grad(X, n, Y, "square")
        assert loss == pytest.approx(sum(losses) / 3)
        assert gradient == pytest.approx(
            sum(2 * (power(w.data * x, n) - y) * n * power(w.data * x, n) / w.data for x, y in zip(X, Y, strict=True))
            / 3
        )
    assert compiled.values(X, 1, Y, how="other") == [1.0, 2.0, 1.0]
    assert all(type(args[1]) is int for args, _ in seen)
    before = len(seen)
    compiled.value_and_grad(X[:2], 2, Y[:2], "square")
    assert len(seen) == before


@with_backends
def test_beside_samples_of_different_lengths(backend):
    compiled = sg.compile(lambda xs, n: power(sg.sum(xs), n), static="n", backend=backend)
    assert compiled.values([[1.0], [1.0, 2.0], [3.0]], 2) == [1.0, 9.0, 9.0]
    assert compiled.values([[1.0], [1.0, 2.0], [3.0]], n=3) == [1.0, 27.0, 27.0]


@with_backends
def test_a_training_may_change_it_from_step_to_step(backend):
    found = []
    for how in ("eager", "compiled"):
        w = Value(0.5)
        loss = lambda x, n, w=w: (power(w * x, n) - 1.0) ** 2  # noqa: E731
        optimizer = nn.Adam([w], lr=0.1)
        compiled = sg.compile(loss, static="n", parameters=[w], backend=backend)
        losses = []
        if how == "eager":
            for n in (1, 2, 1, 3):
                optimizer.zero_grad()
                total = (loss(1.0, n) + loss(2.0, n)) / 2
                total.backward()
                optimizer.step()
                losses.append(total.data)
        else:
            with compiled.training(optimizer) as step:
                losses = [step([1.0, 2.0], n) for n in (1, 2)] + [step([1.0, 2.0], n=n) for n in (1, 3)]
        found.append([*losses, w.data])
    assert found[1] == pytest.approx(found[0], rel=1e-12)


@with_backends
def test_a_default_may_be_left_out(backend):
    def f(x, scale=2.0, *, n=1):
        return power(x * scale, n)

    compiled = sg.compile(f, static=("n",), backend=backend)
    assert [compiled(3.0), compiled(3.0, n=2), compiled(3.0, 1.0, n=2)] == [6.0, 36.0, 9.0]

    def g(x, n=2, m=1):
        return power(x, n) * m

    batched = sg.compile(g, static=("n", "m"), backend=backend)
    assert batched.values([3.0, 2.0]) == [9.0, 4.0]
    assert batched.values([3.0, 2.0], m=3) == [27.0, 12.0]


def test_branches_are_guarded_for_each():
    def f(x, name):
        return x * 2.0 if x > 0 and name == "up" else x

    compiled = sg.compile(f, backend="python")
    assert [compiled(1.0, "up"), compiled(1.0, "down")] == [2.0, 1.0]
    with pytest.raises(BranchError):
        compiled(-1.0, "up")
    both = sg.compile(f, backend="python", branches="record")
    assert [both(x, "up") for x in (1.0, -1.0)] == [2.0, -1.0]


def test_within_another_function_and_with_a_value_it_is_plain_python():
    inner = sg.compile(power, static="n", backend="python")
    assert sg.compile(lambda x: inner(x, 3) + inner(x, n=2), backend="python")(2.0) == 12.0
    x = Value(2.0)
    y = inner(x, 3)
    y.backward()
    assert (y.data, x.grad) == (8.0, 12.0)
    assert sg.compile(sg.value_and_grad(power), static="n", backend="python")(2.0, 3) == (8.0, 12.0)


def test_in_jax_it_stays_what_it_was():
    pytest.importorskip("jax", reason="the extra `jax`")
    optional("jax")
    f = sg.compile(power, static="n").to_jax(2.0, 3, dtype="float32")
    assert float(f([], 4.0)) == 64.0


# -------------------------------------------------------------------- what is refused


def test_what_is_no_argument_is_named_with_what_was_meant():
    with pytest.raises(ValueError, match=r"static: power has no argument 'm'.*; it takes x, n"):
        sg.compile(power, static=("m",))
    with pytest.raises(ValueError, match="did you mean 'length'"):
        sg.replay(lambda x, length: x, static="lenght")
    with pytest.raises(TypeError, match=r"static takes the names of arguments, as static=\('length',\), not 1"):
        sg.compile(power, static=1)
    assert sg.compile(lambda x, **more: x * more["n"], static="n", backend="python")(2.0, n=3) == 6.0


@pytest.mark.parametrize(
    ("batches", "keywords", "text"),
    [
        (([1.0], 2, [3.0]), {"m": True}, "power: too many positional arguments; .*takes: x, n"),
        (([1.0],), {"n": 2, "m": True}, "power: got an unexpected keyword argument 'm'; .*takes: x, n"),
        ((), {"n": 2}, "power: missing a required .*argument: 'x'; .*takes: x, n"),
        (([1.0], 2), {"n": 2}, "power: multiple values for argument 'n'; .*takes: x, n"),
    ],
)
def test_a_batch_that_does_not_fit_the_function_is_refused_with_its_name(batches, keywords, text):
    w = Value(1.0)
    compiled = sg.compile(power, static=("n",), parameters=[w], backend="python")
    for call in (compiled.values, compiled.value_and_grad):
        with pytest.raises(TypeError, match=text):
            call(*batches, **keywords)


@pytest.mark.parametrize(
    ("x", "text"),
    [
        ([1], "the static argument .* is a list, which has no hash, as it may change: give a tuple"),
        ({}, "is a dict, which has no hash, as it may change: give a tuple of its items"),
        ({1}, "is a set, which has no hash"),
        ((1, [2]), "is a list, which has no hash"),
        (Value(2.0), r"is a Value, and static arguments are no numbers of the computation: give int\(v\.data\)"),
    ],
)
def test_what_cannot_be_told_apart_is_refused_and_changes_nothing(x, text):
    compiled = sg.compile(power, static="n", backend="python")
    replayed = sg.replay(power, static="n", backend="python")
    for call in (lambda: compiled(2.0, x), lambda: compiled(2.0, n=x), lambda: compiled.values([2.0], x)):
        with pytest.raises(TypeError, match="power: the static argument 'n'.*" + text[-20:].strip()):
            call()
    with pytest.raises(TypeError, match=text):
        replayed(2.0, x)
    assert compiled(2.0, 2) == 4.0


def test_what_could_not_be_recorded_leaves_nothing_behind():
    compiled = sg.compile(lambda x, name: getattr(x, name)(), backend="python")
    for name in ("tahn", "nothing"):
        with pytest.raises(AttributeError):
            compiled.values([1.0], name)
    assert not compiled.batches.recordings.known
    assert compiled.values([1.0], "tanh") == [math.tanh(1.0)]


def test_samples_have_no_names():
    compiled = sg.compile(power, static="n", backend="python")
    with pytest.raises(TypeError, match="power: give the samples of x by place, not by name"):
        compiled.values(x=[2.0], n=2)
    with pytest.raises(TypeError, match="a batch is needed"):
        compiled.values("a")
    only_by_name = sg.compile(lambda x, *, n: power(x, n), static="n", backend="python")
    with pytest.raises(TypeError, match="n can be given by name only, which a batch cannot"):
        only_by_name.values([2.0], n=2)


class Doubling(nn.Module):
    def __call__(self, x):
        return x * (3.0 if self.training else 1.0)


@with_backends
@pytest.mark.parametrize("by_name", [False, True])
def test_what_a_static_function_or_module_reads_around_it_is_looked_at_too(by_name, backend):
    factor, module, w = 2.0, Doubling(), Value(1.5)

    def scaled(x):
        return x * factor

    def fn(x, how):
        return how(w * x) + 1.0 if callable(how) else how[0](how[1](w * x)) + 1.0

    f = sg.compile(fn, static=("how",), parameters=[w], backend=backend)
    g = sg.replay(fn, static=("how",), backend=backend)
    for how in (scaled, module, (scaled, module)):
        for factor, module.training in ((2.0, True), (10.0, True), (10.0, False), (2.0, True)):  # noqa: B007
            wanted = fn(1.0, how).data
            of = {"how": how} if by_name else {}
            args = () if by_name else (how,)
            assert f(1.0, *args, **of) == wanted
            assert g(1.0, *args, **of).data == wanted
            assert f.value_and_grad([1.0, 1.0], *args, **of)[0] == wanted
            assert f.values([1.0], *args, **of) == [wanted]


@with_backends
@pytest.mark.parametrize("defaults", [[(1, 1), (7, 1), (7.0, 1), (1, 1)], [([2.0], 1), ([5.0], 1)]])
def test_defaults_before_a_static_argument_are_those_of_now(defaults, backend):
    """Of the loss's refilled lists and of its arrays as well; a list of defaults counts by what it holds."""
    w = Value(2.0)

    def fn(x, k=1, m=1):
        return w * x * (k if type(k) is int else -k if type(k) is float else k[0]) * m

    f = sg.compile(fn, static=("m",), parameters=[w], backend=backend)
    kept = list(defaults[0][0]) if isinstance(defaults[0][0], list) else None
    for k, m in defaults:
        fn.__defaults__ = k, m
        if kept is not None:
            kept[:] = k
            fn.__defaults__ = kept, m
        for of in (2, 3):
            wanted = fn(1.5, m=of).data
            assert f.value_and_grad([1.5], m=of) == (wanted, [wanted / w.data])
            assert f.values([1.5], m=of) == [wanted]


NOON = datetime(2020, 1, 1, 12, tzinfo=timezone.utc)
AN_HOUR = timedelta(hours=1)
EQUAL = {
    "instants": (NOON, NOON.astimezone(timezone(AN_HOUR)), NOON.astimezone(timezone(AN_HOUR, "CET"))),
    "folds": (datetime(2020, 1, 1, 12), datetime(2020, 1, 1, 12, fold=1)),
    "times": (time(12, tzinfo=timezone.utc), time(13, tzinfo=timezone(AN_HOUR)), time(12, tzinfo=timezone.utc, fold=1)),
    "time zones": (timezone(AN_HOUR), timezone(AN_HOUR, "CET"), timezone(AN_HOUR, "MET")),
    "ranges": (range(0), range(1, 1), range(0, 0, 2), range(False)),
    "ranges of one end": (range(0, 3, 2), range(0, 4, 2)),
}


@pytest.mark.parametrize("kind", EQUAL)
def test_what_is_equal_and_looks_otherwise_has_a_program_of_its_own(kind):
    """Alone, and inside of tuples."""
    of = EQUAL[kind]
    assert all(one == of[0] for one in of)
    f = sg.compile(
        lambda x, one: x * float(sum(k * ord(letter) for k, letter in enumerate(repr(one), 1))),
        static=("one",),
        backend="python",
    )
    for one in (*of, *((one, 1) for one in of), *of):
        assert f(1.0, one) == sum(k * ord(letter) for k, letter in enumerate(repr(one), 1))
