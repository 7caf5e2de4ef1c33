"""Losses and penalties give the numbers of plain formulas, of mpmath and of the lectures."""

import math
from fractions import Fraction
from functools import cache

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from optional import mpmath, numpy

import scalargrad
from scalargrad import Value, nn

scores_ = st.floats(-50, 50)
COURSE = [[3.2, 5.1, -1.7], [1.3, 4.9, 2.0], [2.2, 2.5, -3.1]]


def values(xs):
    return [values(x) if isinstance(x, list) else Value(x) for x in xs]


def value_and_grads(loss, scores, targets, **kwargs):
    leaves = values(scores)
    out = loss(leaves, targets, **kwargs)
    out.backward()
    return out.data, [[v.grad for v in row] if isinstance(row, list) else row.grad for row in leaves]


@given(st.lists(st.tuples(scores_, scores_), min_size=1, max_size=5))
def test_squared_errors(pairs):
    s, t = map(list, zip(*pairs, strict=True))
    exact = sum((Fraction(a) - Fraction(b)) ** 2 for a, b in pairs)
    assert nn.sse(values(s), t).data == pytest.approx(float(exact), rel=1e-9, abs=1e-300)
    value, grads = value_and_grads(nn.mse, s, t)
    assert value == pytest.approx(float(exact / len(s)), rel=1e-9, abs=1e-300)
    assert grads == pytest.approx([2 * (a - b) / len(s) for a, b in pairs], rel=1e-12, abs=1e-300)


def test_mse_of_several_outputs_is_the_mean_over_all_of_them():
    rows, targets = [[1.0, 2.0], [3.0, 5.0]], [[0.0, 0.0], [3.0, 2.0]]
    assert nn.mse(values(rows), targets).data == (1 + 4 + 0 + 9) / 4
    assert [loss.data for loss in nn.mse(values(rows), targets, reduction="none")] == [1, 4, 0, 9]
    target = Value(1.0)
    nn.mse(Value(3.0), target).backward()
    assert target.grad == -4.0


def test_mse_of_rows_of_several_lengths_is_the_mean_of_their_means():
    rows, targets = [[1.0, 2.0], [5.0]], [[0.0, 0.0], [0.0]]
    for give in (list, tuple, iter):
        assert nn.mse(give(rows), give(targets)) == (2.5 + 25.0) / 2


@given(st.lists(st.tuples(scores_, st.sampled_from([-1, 1])), min_size=1, max_size=5))
def test_hinge(pairs):
    s, t = map(list, zip(*pairs, strict=True))
    value, grads = value_and_grads(nn.hinge, s, t, reduction="sum")
    assert value == pytest.approx(sum(max(0.0, 1 - a * b) for a, b in pairs), rel=1e-12)
    assert grads == [-b if 1 - a * b > 0 else 0 for a, b in pairs]


def test_hinge_at_its_margin_is_flat():
    assert value_and_grads(nn.hinge, [1.0, -1.0], [1, -1]) == (0.0, [0.0, 0.0])


@example(s=40.0, t=0.999999)
@given(s=st.floats(-800, 800), t=st.one_of(st.sampled_from([0, 1, 0.0, 1.0]), st.floats(0, 1)))
def test_bce_with_logits_is_exact(s, t):
    with mpmath.workdps(800):
        p = 1 / (1 + mpmath.exp(-mpmath.mpf(s)))
        exact = -(t * mpmath.log(p) + (1 - mpmath.mpf(t)) * mpmath.log(1 - p))
        slope = p - t
    value, (grad,) = value_and_grads(nn.bce_with_logits, [s], [t])
    assert value == pytest.approx(float(exact), rel=1e-12, abs=1e-300)
    assert grad == pytest.approx(float(slope), rel=1e-12, abs=1e-15)


@given(st.lists(st.floats(-700, 700), min_size=2, max_size=5), st.data())
def test_cross_entropy_and_its_gradient(s, data):
    t = data.draw(st.integers(0, len(s) - 1))
    with mpmath.workdps(700):
        exps = [mpmath.exp(mpmath.mpf(x)) for x in s]
        softmax = [e / sum(exps) for e in exps]
        exact = -mpmath.log(softmax[t])
    value, grads = value_and_grads(nn.cross_entropy, s, t)
    largest = max(map(abs, s))
    assert value == pytest.approx(float(exact), rel=1e-12, abs=1e-15 * max(1.0, largest) * len(s))
    # exp(s - logsumexp) carries the rounding of its argument
    assert grads == pytest.approx([float(p) - (j == t) for j, p in enumerate(softmax)], abs=1e-15 * (2 + largest))


def test_cross_entropy_of_far_apart_logits():
    assert value_and_grads(nn.cross_entropy, [-1000.0, 1000.0], 0) == (2000.0, [-1.0, 1.0])
    logits = values([1.0, 2.0])
    loss = nn.cross_entropy(logits, 1, reduction="sum").parents[0]
    assert loss._op == "-"
    assert [parent._op for parent in loss.parents] == ["logsumexp", ""]


def test_softmax_identity_of_the_lectures():
    value, grads = value_and_grads(nn.cross_entropy, [1.0, 2.0, 3.0], 2)
    assert value == pytest.approx(0.40760596444438, rel=1e-12)
    assert grads == pytest.approx([0.090030573, 0.244728471, -0.334759044], abs=1e-9)
    assert nn.cross_entropy(values(COURSE[0]), 0).data == pytest.approx(2.04035515280017, rel=1e-12)


def test_multiclass_hinge_of_the_lectures():
    losses = nn.multiclass_hinge(values(COURSE), [0, 1, 2], reduction="none")
    assert [loss.data for loss in losses] == pytest.approx([2.9, 0, 12.9], rel=1e-12)
    value, grads = value_and_grads(nn.multiclass_hinge, COURSE, [0, 1, 2])
    assert value == pytest.approx(5.266666666666667, rel=1e-12)
    expected = [[-1, 1, 0], [0, 0, 0], [1, 1, -2]]
    assert [[3 * g for g in row] for row in grads] == [pytest.approx(row, rel=1e-12) for row in expected]
    assert nn.multiclass_hinge(values(COURSE[0]), 0, margin=2.0).data == pytest.approx(3.9, rel=1e-12)


@given(st.lists(scores_, min_size=1, max_size=6), st.floats(0, 10))
def test_penalties(ps, strength):
    parameters = values(ps)
    l2 = nn.l2_penalty(parameters, strength)
    assert l2.data == pytest.approx(strength * sum(p * p for p in ps), rel=1e-12, abs=1e-300)
    l2.backward()
    assert [p.grad for p in parameters] == pytest.approx([2 * strength * p for p in ps], rel=1e-12, abs=1e-300)
    parameters = values(ps)
    l1 = nn.l1_penalty(parameters, strength)
    assert l1.data == pytest.approx(strength * sum(map(abs, ps)), rel=1e-12, abs=1e-300)
    l1.backward()
    assert [p.grad for p in parameters] == [strength * ((p > 0) - (p < 0)) for p in ps]


def test_penalties_take_a_model():
    model = nn.MLP(2, [2, 1], seed=0)
    assert nn.l2_penalty(model).data == nn.l2_penalty(model.parameters()).data > 0


# -------------------------------------------------------------------- targets that are Values


def same_bits(a, b):
    return math.copysign(1.0, a) == math.copysign(1.0, b) and a == b


SINGLE = [
    (nn.mse, st.floats(-50, 50)),
    (nn.hinge, st.sampled_from([-1, 1])),
    (nn.bce_with_logits, st.one_of(st.sampled_from([0, 1]), st.floats(0, 1))),
]


@pytest.mark.parametrize(("loss", "targets"), SINGLE)
@given(data=st.data())
def test_a_target_may_be_a_value(loss, targets, data):
    """With the same result, to the bit, and the same gradient."""
    s, t = data.draw(scores_), data.draw(targets)
    expected, (slope,) = value_and_grads(loss, [s], [t])
    found, (grad,) = value_and_grads(loss, [s], [Value(t, requires_grad=False)])
    assert same_bits(found, expected)
    assert grad == slope
    assert loss(Value(s), Value(t)).data == expected


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.multiclass_hinge])
@example(s=[-0.0, 0.0], data=None)
@given(s=st.lists(st.floats(-700, 700), min_size=2, max_size=6), data=st.data())
def test_a_class_index_may_be_a_value(loss, s, data):
    t = data.draw(st.integers(0, len(s) - 1)) if data else 0
    expected, slopes = value_and_grads(loss, s, t)
    index = Value(float(t))
    found, grads = value_and_grads(loss, s, index)
    assert same_bits(found, expected)
    assert grads == slopes
    assert index.grad == 0.0
    mixed = [loss.data for loss in loss([values(s)] * 2, [t, Value(float(t))], reduction="none")]
    assert mixed == [expected] * 2


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.multiclass_hinge])
@given(
    s=st.lists(scores_, min_size=2, max_size=5),
    index=st.one_of(
        st.floats(max_value=-0.001), st.floats(min_value=1.001, max_value=1.999), st.sampled_from([5.0, math.nan])
    ),
)
def test_a_value_that_is_the_index_of_no_class_is_refused(loss, s, index):
    with pytest.raises(IndexError, match="take: the index"):
        loss(values(s), Value(index))


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.multiclass_hinge])
def test_the_other_scores_do_not_leak_into_the_right_one(loss):
    """Where the eager loss is finite, the one for Values is."""
    s = [1.0, -math.inf, 2.0]
    assert loss(values(s), Value(2.0)).data == loss(values(s), 2).data < 10


@pytest.mark.parametrize("loss", [nn.mse, nn.hinge, nn.bce_with_logits, nn.cross_entropy, nn.multiclass_hinge])
@given(data=st.data())
def test_one_recording_serves_every_target(loss, data):
    """Recorded with the first target, replayed with the others."""
    several = loss in (nn.cross_entropy, nn.multiclass_hinge)
    targets = {nn.hinge: [-1, 1], nn.bce_with_logits: [0, 1, 0.25], nn.mse: [2.0, -3.5]}.get(loss, [2, 0, 1])
    w = values(data.draw(st.lists(scores_, min_size=3, max_size=3)))
    compiled = scalargrad.compile(lambda t: loss(w if several else w[0], t), parameters=w, backend="python")
    compiled.value_and_grad(targets[:1])
    total, grads = compiled.value_and_grad(targets)
    eager = loss([w if several else w[0]] * len(targets), targets)
    eager.backward()
    assert total == pytest.approx(eager.data, rel=1e-12, abs=1e-300)
    assert grads == pytest.approx([p.grad for p in w], rel=1e-12, abs=1e-15)


@pytest.mark.parametrize("loss", [nn.mse, nn.hinge, nn.bce_with_logits, nn.cross_entropy, nn.multiclass_hinge])
def test_reductions_agree(loss):
    several = loss in (nn.cross_entropy, nn.multiclass_hinge)
    scores = values(COURSE) if several else values([0.5, -0.25, 3.0])
    targets = [1, 1, 1]
    each = [v.data for v in loss(scores, targets, reduction="none")]
    assert len(each) == 3
    assert loss(scores, targets, reduction="sum").data == pytest.approx(sum(each), rel=1e-12)
    assert loss(scores, targets).data == pytest.approx(sum(each) / 3, rel=1e-12)
    assert loss(scores[0], 1).data == each[0]
    with pytest.raises(ValueError, match="reduction must be 'mean', 'sum' or 'none', not 'average'"):
        loss(scores, targets, reduction="average")


two, rows = [Value(1.0), Value(2.0)], [[Value(1.0), Value(2.0)]] * 2


@pytest.mark.parametrize(
    ("call", "error", "text"),
    [
        (lambda: nn.mse(two, [1.0]), ValueError, "mse: 2 scores but 1 target: give one target for each"),
        (lambda: nn.mse(two, 1.0), ValueError, "mse: 2 scores but a single target"),
        (lambda: nn.mse([], []), ValueError, "there is no sample"),
        (lambda: nn.mse(rows, [1.0, 2.0]), ValueError, "sample 0 has 2 numbers of scores but a single number"),
        (lambda: nn.mse(rows, [[1.0, 2.0]]), ValueError, "2 rows of scores but 1 row of targets"),
        (lambda: nn.mse(two, [1.0, "2"]), TypeError, "not str"),
        (lambda: nn.hinge(two, [0, 1]), ValueError, r"target 0 is 0, but must be -1 or \+1; labels 0 and 1 become"),
        (lambda: nn.hinge(two, [1, math.nan]), ValueError, "target 1 is nan"),
        (lambda: nn.hinge(two, [1, "1"]), TypeError, "target 1 must be a number, not str"),
        (lambda: nn.hinge(two, [Value(5.0), 0]), ValueError, "target 1 is 0"),
        (lambda: nn.cross_entropy(rows, [Value(5.0), 2]), ValueError, "target 1 is 2, but there are 2 classes"),
        (lambda: nn.hinge(rows, [1, 1]), ValueError, "sample 0 has 2 scores, but must have a single one; for several"),
        (lambda: nn.bce_with_logits(two, [-1, 1]), ValueError, "must lie between 0 and 1; labels -1 and"),
        (lambda: nn.bce_with_logits(two, [0, 1.5]), ValueError, "target 1 is 1.5"),
        (lambda: nn.cross_entropy(rows, [0, 2]), ValueError, "target 1 is 2, but there are 2 classes"),
        (lambda: nn.cross_entropy(rows, [0, -1]), ValueError, "target 1 is -1"),
        (lambda: nn.cross_entropy(rows, [0, 0.5]), TypeError, "target 1 must be a class index from 0 to 1, not 0.5"),
        (lambda: nn.cross_entropy(rows, [0]), ValueError, "2 samples but 1 target"),
        (lambda: nn.cross_entropy(rows, 0), ValueError, "2 samples but a single target"),
        (lambda: nn.cross_entropy(two, [0, 1]), ValueError, "each sample has a single score"),
        (lambda: nn.cross_entropy(Value(1.0), 0), ValueError, "one score for each class"),
        (lambda: nn.cross_entropy([[Value(1.0)]], [0]), ValueError, "two or more scores"),
        (lambda: nn.multiclass_hinge([], []), ValueError, "there is no sample"),
        (lambda: nn.l2_penalty(Value(1.0)), TypeError, "takes a list of parameters"),
        (lambda: nn.l1_penalty([1.0]), TypeError, "parameter 0 must be a Value, not float"),
    ],
)
def test_errors_say_what_was_given_and_what_to_do(call, error, text):
    with pytest.raises(error, match=text):
        call()


@pytest.mark.parametrize("loss", [nn.mse, nn.sse])
@pytest.mark.parametrize(("scores", "targets", "what"), [
    ([["a", 2.0]], [[1.0, 2.0]], "score"), ([[1.0, 2.0]], [[None, 2.0]], "target"), ([[[1.0]]], [[[2.0]]], "score"),
])  # fmt: skip
def test_a_squared_error_of_what_is_no_number_is_refused(loss, scores, targets, what):
    with pytest.raises(TypeError, match=f"^{loss.__name__}: each {what} must be a real number, not "):
        loss(scores, targets)


@pytest.mark.parametrize("loss", [nn.cross_entropy, nn.multiclass_hinge])
def test_a_class_score_that_is_no_number_is_named(loss):
    with pytest.raises(TypeError, match=f"^{loss.__name__}: sample 1, score 0 must be a real number, not str"):
        loss([[1.0, 2.0], ["a", 2.0]], [0, 1])


@pytest.mark.parametrize("kind", [int, float, Fraction, lambda k: numpy.array(k, dtype="float32")[()]])
def test_class_indices_may_be_whole_numbers_of_any_kind(kind):
    for k in range(3):
        assert nn.cross_entropy([1.0, 2.0, 4.0], kind(k)) == nn.cross_entropy([1.0, 2.0, 4.0], k)
    with pytest.raises(TypeError, match="target 0 must be a class index from 0 to 2, not"):
        nn.cross_entropy([1.0, 2.0, 4.0], kind(1) / 2)


@pytest.mark.parametrize("index", [math.nan, math.inf, -math.inf, 1.5, "1", None, 1j])
def test_what_is_no_whole_number_is_no_class_index(index):
    with pytest.raises(TypeError, match="target 0 must be a class index from 0 to 1, not"):
        nn.cross_entropy([1.0, 2.0], index)


def test_class_indices_may_be_whole_floats():
    assert nn.cross_entropy(two, 1.0).data == nn.cross_entropy(two, 1).data


# -------------------------------------------------------------------- large logits


def exact_cross_entropy(s, t):
    """Loss and gradient, in as many digits as the differences need."""
    with mpmath.workdps(700):
        xs = [mpmath.mpf(x) - mpmath.mpf(max(s)) for x in s]
        exps = [mpmath.exp(x) for x in xs]
        total = mpmath.fsum(exps)
        return float(mpmath.log(total) - xs[t]), [float(e / total - (j == t)) for j, e in enumerate(exps)]


def logits_of_any_size():
    """Scores near each other, far apart and tied, about a middle of any size."""
    middles = st.one_of(st.sampled_from([0.0, 1e16, -1e16, 1e300, -1e300, 2.0**53, 745.0]), st.floats(-1e17, 1e17))
    offsets = st.one_of(st.just(0.0), st.floats(-3, 3), st.floats(-1e3, 1e3), st.floats(-1e18, 1e18))
    return st.tuples(middles, st.lists(offsets, min_size=2, max_size=6)).map(lambda x: [x[0] + y for y in x[1]])


@example(s=[1e16, 1e16], data=None)
@example(s=[1e16, 1e16, 0.0], data=None)
@example(s=[1e308, -0.5e308], data=None)
@given(s=logits_of_any_size(), data=st.data())
def test_cross_entropy_of_logits_of_any_size(s, data):
    """Of the value as many digits are right as of the differences between the scores; of gradients 15 digits."""
    t = len(s) - 1 if data is None else data.draw(st.integers(0, len(s) - 1))
    exact, slopes = exact_cross_entropy(s, t)
    value, grads = value_and_grads(nn.cross_entropy, s, t)
    assert value == pytest.approx(exact, rel=1e-14, abs=1e-14)
    assert grads == pytest.approx(slopes, rel=1e-13, abs=2e-14)
    layer = scalargrad.layers.SoftmaxCrossEntropy()
    assert layer.forward([s], [t]) == pytest.approx(exact, rel=1e-14, abs=1e-14)
    assert layer.backward()[0] == pytest.approx(slopes, rel=1e-13, abs=2e-14)


def test_cross_entropy_of_equal_large_logits():
    assert value_and_grads(nn.cross_entropy, [1e16, 1e16], 0) == (math.log(2), [-0.5, 0.5])


@cache
def compiled_cross_entropy(n, backend):
    """The compiled loss of n scores, and its compiled gradient."""
    return tuple(
        scalargrad.compile(f, backend=backend)
        for f in (nn.cross_entropy, scalargrad.grad(lambda s, t: nn.cross_entropy(s, t)))
    )


@pytest.mark.parametrize("backend", ["python", "llvm"])
@given(s=logits_of_any_size(), data=st.data())
def test_compiled_cross_entropy_of_logits_of_any_size_is_the_eager_one(backend, s, data):
    if backend == "llvm":
        pytest.importorskip("llvmlite")
    t = data.draw(st.integers(0, len(s) - 1))
    value, grads = value_and_grads(nn.cross_entropy, s, t)
    loss, slopes = (f(s, t) for f in compiled_cross_entropy(len(s), backend))
    assert loss == pytest.approx(value, rel=1e-14, abs=1e-15)
    assert slopes == pytest.approx(grads, rel=1e-14, abs=1e-15)
    if backend == "python":
        assert loss == value


def test_the_shift_is_no_kink_and_leaves_scores_of_usual_size_alone():
    report = scalargrad.check_gradients(lambda *s: nn.cross_entropy(list(s), 0), [40.0, 40.0, 39.0])
    assert {entry.verdict.value for entry in report.entries} == {"PASS"}
    scores = values([1.0, -7.5, 7.9])
    assert nn.scores.losses.shifted(scores) is scores
    with pytest.raises(TypeError, match="score 1 must be a real number, not str"):
        nn.cross_entropy([Value(1.0), "2"], 0)
