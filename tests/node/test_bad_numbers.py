"""Numbers that were deleted, replaced by something else or are too large are named in the message."""

import math

import pytest
from sizes import has_full_size, only_long

from scalargrad import Value, nn


def test_a_value_whose_number_was_deleted_can_be_shown_and_says_so():
    x = Value(2.0, label="x")
    del x.data
    assert repr(x) == "Value(data=<deleted>, grad=0.0, label='x')" == str(x) == f"{x}"
    for use in (lambda: f"{x:.2f}", lambda: x < 1.0, lambda: x.detach(), lambda: x.backward()):
        with pytest.raises(AttributeError, match="Value 'x' has no number: its data was deleted; assign one"):
            use()
    y = Value(2.0)
    del y.data, y.grad
    assert repr(y) == "Value(data=<deleted>, grad=<deleted>)"
    x.data = 3.0
    assert (x * 2.0).data == 6.0


def test_a_local_derivative_that_is_too_large_is_named():
    a, b = Value(1.0), Value(2.0)
    with pytest.raises(OverflowError, match=r"local derivative 1 of Value 'y' is an integer too large for a float"):
        Value(3.0, (a, b), (1.0, 10**400), label="y")
    with pytest.raises(OverflowError, match=r"local derivative 0 of Value\(3.0\) is"):
        Value(3.0, (a,), (-(10**400),))


BAD = {"str": "a", "list": [1.0], "dict": {}, "object": object()}


@has_full_size
@pytest.mark.parametrize(("bad", "filling"), [
    *(pytest.param(bad, 0, id=f"{name}-small") for name, bad in BAD.items()),
    pytest.param("a", 120_000, id="str-large"),
    *(pytest.param(BAD[name], 120_000, id=f"{name}-large", marks=only_long) for name in ("list", "dict", "object")),
])  # fmt: skip
def test_a_grad_that_is_no_number_is_named_with_its_value_and_nothing_is_written(bad, filling):
    x, w = Value(2.0, label="x"), Value(3.0)
    y = x * w + sum((Value(1.0) for _ in range(filling)), 0.0)
    x.grad = bad
    with pytest.raises(TypeError, match=rf"the grad of Value 'x' is of type {type(bad).__name__}.*assign a number"):
        y.backward()
    assert (x.grad, w.grad, y.grad) == (bad, 0.0, 0.0)
    x.grad = None
    y.backward()
    assert (x.grad, w.grad) == (3.0, 2.0)


@pytest.mark.parametrize("filling", [0, 120_000])
@pytest.mark.parametrize("before", [None, 0.0])
def test_a_grad_of_none_counts_as_0_and_constants_keep_theirs(before, filling):
    x, constant = Value(2.0), Value(3.0, requires_grad=False)
    product = x * constant
    y = product + sum((Value(1.0) for _ in range(filling)), 0.0)
    x.grad, constant.grad = before, 7.0
    y.backward()
    assert (x.grad, constant.grad, product.grad, y.grad) == (3.0, 7.0, 1.0, 1.0)
    x.grad = product.grad = before
    y.backward()
    assert (x.grad, constant.grad, product.grad, y.grad) == (3.0, 7.0, 1.0, 2.0)


def test_a_state_of_an_optimizer_is_checked():
    def fresh():
        p = Value(1.0, parameter=True)
        optimizer = nn.Adam([p], 0.1)
        p.grad = 1.0
        optimizer.step()
        return optimizer

    optimizer = fresh()
    before = optimizer.state_dict()
    for change, words in (
        ({"counts": [2]}, "counts, 0 is 2, but a parameter cannot have moved more often than steps, 1"),
        ({"averages": [[10**400], [0.0]]}, "averages, 0, 0 is an integer too large for a float"),
        ({"averages": [[0.0], [10**400]]}, "averages, 1, 0 is an integer too large for a float"),
    ):
        with pytest.raises(ValueError, match=words):
            optimizer.load_state_dict({**before, **change})
        assert optimizer.state_dict() == before
    optimizer.load_state_dict({**before, "averages": [[math.nan], [math.inf]]})  # as after a training that diverged
    assert math.isnan(optimizer.state_dict()["averages"][0][0])
