"""Whatever is assigned to `data` is a number in every operation, or an error there; what it computed stays known."""

import copy
import inspect
import itertools
import math
import operator
import sys
import threading
from decimal import Decimal
from fractions import Fraction

import pytest
from optional import numpy as np

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.node import watched_data
from scalargrad.node.extras import only_computed
from scalargrad.node.overwritten import was_overwritten
from scalargrad.node.watched_data import data_watched
from scalargrad.ops import BUILT_IN
from scalargrad.tracing import trace

NUMBERS = [3, True, Fraction(1, 3), np.float64(0.7), np.float32(0.1), np.float16(0.3), np.int8(2), np.bool_(True),
           np.array(0.6), math.nan, math.inf]  # fmt: skip
BAD = ["0.5", "", b"1", None, 1j, 0.5 + 0j, [0.5], (), {}, Decimal("0.5"), np.array([0.5]), np.complex128(1),
       np.datetime64("2020-01-01", "ns"), Value(0.5), print, object()]  # fmt: skip
ARITY = {op: op.arity or len(op.arguments) or 4 for op in BUILT_IN}


def use(op, leaf, place, *, bound=False):
    """The op with the leaf in this place, and other Values in the others."""
    xs = [Value(1.0 if domain.whole else 1.5) for domain in op.domains(ARITY[op])]
    xs[place] = leaf
    if op.has_index:
        return op.function(xs[1:], xs[0])
    if op.pair is None:
        return op.function(*xs)
    return op.bind(xs[2:])(tuple(xs[:2]), False) if bound else op.function(xs[:2], xs[2:])


def outcome(compute):
    """Value and gradients, or the kind of error."""
    try:
        leaf, result = compute()
        result.backward()
    except (ArithmeticError, ValueError, IndexError) as error:
        return type(error)
    assert type(result.data) is float
    return repr((result.data, float(leaf.grad)))


@pytest.mark.filterwarnings("ignore::RuntimeWarning")
@pytest.mark.parametrize("op", BUILT_IN, ids=lambda op: op.name)
@pytest.mark.parametrize("x", NUMBERS, ids=lambda x: f"{type(x).__name__}-{x}")
def test_a_number_of_any_kind_that_was_assigned_is_used_as_the_float_it_is(op, x):
    def assigned(place, bound):
        leaf = Value(0.25)
        leaf.data = x
        return leaf, use(op, leaf, place, bound=bound)

    def given(place):
        leaf = Value(float(x))
        return leaf, use(op, leaf, place)

    for place in range(ARITY[op]):
        for bound in (False, True):
            assert outcome(lambda: assigned(place, bound)) == outcome(lambda: given(place))


@pytest.mark.parametrize("op", BUILT_IN, ids=lambda op: op.name)
@pytest.mark.parametrize("bad", BAD, ids=lambda x: type(x).__name__)
def test_anything_else_that_was_assigned_is_refused_by_every_op(op, bad):
    for place in range(ARITY[op]):
        for bound in (False, True):
            leaf = Value(0.25, label="w")
            leaf.data = bad
            with pytest.raises(TypeError, match="real number, not .*assigned to the data of Value 'w'"):
                use(op, leaf, place, bound=bound)
            assert leaf.data is bad  # a second use says the same
            leaf.data = 0.5
            assert (leaf * 2.0).data == 1.0


@pytest.mark.parametrize("operate", [operator.add, operator.sub, operator.mul, operator.truediv, operator.floordiv,
                                     operator.mod, operator.pow])  # fmt: skip
def test_operators_look_at_what_was_assigned_on_either_side(operate):
    other = Value(2.0)
    for call in (lambda w: operate(w, other), lambda w: operate(other, w), lambda w: operate(w, 2.0),
                 lambda w: operate(2.0, w), lambda w: operate(w, w)):  # fmt: skip
        for bad in BAD:
            w = Value(0.5)
            w.data = bad
            with pytest.raises(TypeError, match="assigned to the data of a Value"):
                call(w)
        for x in NUMBERS[:9]:
            w = Value(0.5)
            w.data = x
            assert repr(call(w).data) == repr(call(Value(float(x))).data)
            assert (w.data, type(w.data)) == (float(x), float)


def test_the_error_names_the_line_of_the_use_and_huge_integers_overflow():
    w = Value(0.5)
    w.data = "0.5"
    with pytest.raises(TypeError, match=r"not str.*\n.*test_data_slot.py:\d+"):
        w * 2.0
    w.data = 10**400
    with pytest.raises(OverflowError):
        w * 2.0


READERS = {
    "backward": lambda w: w.backward(),
    "less": lambda w: w < 1.0,
    "greater, on the right": lambda w: Value(1.0) > w,
    "detach": lambda w: w.detach(),
    "record": lambda w: sg.record(Value(2.0) * kept(w)).value_and_grad(),
    "state_dict": lambda w: neuron(w).state_dict(),
    "optimizer": lambda w: nn.SGD([w], lr=0.1).step(),
    "compile": lambda w: sg.compile(lambda x: kept(w) * x, parameters=[w]).value_and_grad(2.0),
    "replay": lambda w: sg.replay(lambda: kept(w) * 2.0)(),
    "hand-written": lambda w: Value(1.0, (w,), "op"),
}


def kept(w):
    """A node over w that was computed before anything was assigned."""
    bad, w.data = w.data, 0.5
    node = w * 1.0
    w.data = bad
    return node


def neuron(w):
    made = nn.Neuron(1)
    made.w[0] = w
    return made


@pytest.mark.parametrize("how", [how for how in READERS if how not in ("compile", "replay")])
@pytest.mark.parametrize("bad", ["0.5", None, 1j, Decimal("0.5")])
def test_what_reads_a_leaf_without_an_op_refuses_it_too(how, bad):
    w = Value(0.5, label="w")
    w.data = bad
    with pytest.raises(TypeError, match="assigned to the data of Value 'w'"):
        READERS[how](w)


@pytest.mark.parametrize("how", ["compile", "replay"])
def test_recorded_functions_read_numbers_of_every_kind_and_refuse_the_rest(how):
    w = Value(0.5, label="w")
    run = sg.replay(lambda: w * 2.0) if how == "replay" else sg.compile(lambda x: w * x, parameters=[w])
    call = run if how == "replay" else lambda: run(2.0)
    call()
    for x in NUMBERS[:9]:
        w.data = x
        assert float(getattr(call(), "data", call())) == float(x) * 2.0
    w.data = "0.5"
    with pytest.raises(TypeError, match="assigned to the data of Value 'w'"):
        call()


def test_printing_and_copying_go_on_whatever_was_assigned():
    for bad in BAD:
        w = Value(0.5, label="w")
        w.data = bad
        assert "label='w'" in repr(w)
        assert f"{w}" == repr(w)
        assert copy.copy(w).data is bad


# -------------------------------------------------------------------- computed nodes


USERS = {
    "backward": lambda y, x: y.backward(),
    "create_graph": lambda y, x: y.backward(create_graph=True),
    "grad": lambda y, x: sg.grad(y, x),
    "record": lambda y, x: sg.record(y),
    "to_python": lambda y, x: sg.to_python(y),
    "trace": lambda y, x: trace(y),
    "_backward": lambda y, x: y.parents[0]._backward(),
}


@pytest.mark.parametrize("how", USERS)
@pytest.mark.parametrize("label", ["", "t"])
@pytest.mark.parametrize("when", ["before the label", "after"])
def test_an_overwritten_result_is_refused_by_all_that_goes_back_through_it(how, label, when):
    for make in (
        lambda x: x.tanh(),
        lambda x: x * 2.0,
        lambda x: x + x,
        lambda x: sg.sum([x, x]),
        lambda x: sg.dot([x], [x]),
    ):
        x = Value(0.5)
        t = make(x)
        if when == "after":
            t.label = label
        t.data = t.data + 0.25
        if when != "after":
            t.label = label
        y = t * x
        with pytest.raises(ValueError, match="was assigned after"):
            USERS[how](y, x)
        assert (x.grad, t.grad, y.grad) == (0, 0, 0)


@pytest.mark.parametrize("label", ["", "t"])
def test_an_equal_number_overwrites_nothing_and_another_zero_does(label):
    x = Value(0.0)
    t = x * 1.0
    t.label = label
    t.data = 0.0 * 5.0
    (t * 3.0).backward()
    assert x.grad == 3.0
    t.data = -0.0
    with pytest.raises(ValueError, match="was assigned after"):
        (t * 3.0).backward()
    t._backward = lambda: None  # the closure belongs to the number that is there now
    (t * 3.0).backward()


def test_a_label_stays_and_takes_no_part_in_the_number():
    x = Value(2.0, label="x")
    t = x * 3.0
    for value in (x, t, copy.copy(x), copy.deepcopy(t)):
        value.label = "renamed"
        assert value.label == "renamed"
        value.label = ""
        assert (value.label, repr(value)) == ("", f"Value(data={value.data}, grad=0.0)")
    t.backward()
    assert x.grad == 3.0


# -------------------------------------------------------------------- the attribute itself


@pytest.fixture
def some_switches_left(monkeypatch):
    """As in a process that has not recorded 400 times yet, and in which no Ctrl-C has ended the end of a recording."""
    monkeypatch.setattr(watched_data, "_recordings", [])
    monkeypatch.setattr(watched_data, "_switches_left", [None] * 50)
    with data_watched():
        pass


@pytest.mark.skipif(sys.version_info >= (3, 13), reason="a class that changes 1000 times is slow for good there")
@pytest.mark.usefixtures("some_switches_left")
def test_data_is_the_slot_itself_after_however_many_recordings():
    for _ in range(1500):
        with data_watched():
            assert type(Value.data) is property
        assert Value.data is Value._data


@pytest.mark.skipif(sys.version_info < (3, 13), reason="there is no limit")
def test_data_stays_watched_before_the_class_becomes_slow(monkeypatch):
    monkeypatch.setattr(watched_data, "_recordings", [])
    monkeypatch.setattr(watched_data, "_switches_left", [None] * 2)
    found = []
    for _ in range(4):
        with data_watched():
            pass
        found.append(Value.data is Value._data)
    assert found == [True, True, False, False]
    assert Value(2.0).data == 2.0


@pytest.mark.usefixtures("some_switches_left")
def test_data_is_the_slot_itself_and_a_watching_property_while_a_function_is_recorded():
    seen = []

    def function(x):
        seen.append(type(Value.__dict__["data"]))
        return x * 2.0

    slot = Value._data
    assert Value.data is slot
    assert "The number" in inspect.getdoc(Value.data)
    sg.compile(function)(1.0)
    assert seen == [property]
    assert Value.data is slot
    with pytest.raises(TypeError, match="took the number out"):
        sg.compile(lambda x: x * x.data)(1.0)
    with pytest.raises(TypeError, match="assigned the data"):
        sg.compile(lambda x: setattr(x, "data", 1.0) or x)(1.0)
    with pytest.raises(KeyboardInterrupt), data_watched():
        raise KeyboardInterrupt
    assert Value.data is slot


@pytest.mark.usefixtures("some_switches_left")
def test_recordings_in_several_threads_are_all_watched_to_their_ends():
    barrier, wrong = threading.Barrier(4), []

    def record(number):
        for i in range(10):
            barrier.wait(30)
            try:
                sg.compile(lambda x: sg.sum([x] * (50 * number * i + 1)) * x.data)(1.0)
                wrong.append("not refused")
            except TypeError:
                pass

    def plainly():
        w = Value(0.0)
        for i in range(10):
            barrier.wait(30)
            for j in range(2000):
                w.data = float(j)
                if w.data != j or (w * 2.0).data != 2 * j:
                    wrong.append((i, j))

    threads = [threading.Thread(target=record, args=(n,)) for n in range(3)] + [threading.Thread(target=plainly)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert wrong == []
    assert Value.data is Value._data


def test_what_only_its_operation_has_written_to():
    """A label counts for nothing, a hook and another number do."""
    x = Value(2.0)
    for labelled, hooked, assigned in itertools.product((False, True), repeat=3):
        y = x * 3.0
        if labelled:
            y.label = "y"
        if hooked:
            sg.register_hook(y, lambda gradient: None)
        if assigned:
            y.data = 7.0
        assert only_computed(y) is not (hooked or assigned), (labelled, hooked, assigned)
        assert y.label == ("y" if labelled else "")
        assert was_overwritten(y) is assigned


def test_the_same_number_assigned_again_is_no_change():
    for number in (2.0, -0.0, math.nan, math.inf):
        y = Value(number) * 1.0
        y.data = float(repr(number))
        assert not was_overwritten(y)
        y.backward()
    y = Value(0.0) * 1.0
    y.data = -0.0
    assert was_overwritten(y)
