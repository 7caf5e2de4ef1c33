"""Values computed outside a recorded function: eager code keeps their numbers, so a recording refuses them in words."""

import copy

import pytest
from compiling_helpers import with_backends

import scalargrad as sg
from scalargrad import Value

MESSAGE = r"was computed outside the function, by '.*': eager code keeps the number .* Compute it inside"


def made():
    w, c = Value(2.0, label="w"), Value(3.0, requires_grad=False)
    return {"of a leaf": w * 2, "of a constant": c * 2, "labelled": (w * w + 1).tanh(), "a dot": sg.dot([w, c], [c, w])}


@with_backends
@pytest.mark.parametrize("name", made())
def test_every_way_to_record_refuses_it(name, backend):
    outside = made()[name]
    fn = lambda x: outside * x  # noqa: E731
    ways = [
        lambda: sg.compile(fn, backend=backend)(1.0),
        lambda: sg.compile(sg.grad(fn), backend=backend)(1.0),
        lambda: sg.compile(fn, backend=backend).value_and_grad([1.0]),
        lambda: sg.compile(fn, backend=backend).values([1.0]),
        lambda: sg.replay(fn, backend=backend)(1.0),
        lambda: sg.compile(lambda x: x if outside > 0 else -x, backend=backend)(1.0),
    ]
    for way in ways:
        with pytest.raises(ValueError, match=MESSAGE):
            way()


@with_backends
def test_its_number_may_be_handed_over_and_it_may_be_computed_inside(backend):
    w = Value(2.0)
    kept = (w * 2).detach()
    frozen = sg.compile(lambda x: kept * x, backend=backend)
    inside = sg.compile(lambda x: w * 2 * x, backend=backend)
    assert (frozen(1.0), inside(1.0)) == (4.0, 4.0)
    w.data = 5.0
    assert (frozen(1.0), inside(1.0)) == (4.0, 10.0)
    program = sg.record(w * 2, backend=backend)  # whose graph is there: that is what record is for
    assert program.forward() == 10.0


def test_what_is_made_inside_in_any_way_is_not_outside():
    w = Value(2.0)

    def fn(x):
        a = copy.copy(x * w) + sg.dot([x, w], [w, x])
        return a + sg.grad(lambda t: t**3 * w)(x) + sg.mean([x, w, a])

    with sg.detect_anomaly():
        assert sg.compile(lambda x: x * w, backend="python")(3.0) == 6.0
    eager = fn(Value(3.0))
    assert sg.compile(fn, backend="python")(3.0) == pytest.approx(eager.data)
