"""A compiled fit leaves out what the eager one leaves out: each Dropout's draws go to the samples and calls they go to."""

import random

import pytest
from compiling_helpers import BACKENDS
from hypothesis import given, settings
from hypothesis import strategies as st

from scalargrad import Value, nn


class Part(nn.Module):
    """Takes samples of any length."""

    def __init__(self, dropout, k):
        self.d, self.w = dropout, Value(0.5 + k / 8)


class Once(Part):
    def __call__(self, xs):
        return self.d([self.w * x for x in xs])


class Twice(Part):
    """One Dropout, called twice for each sample."""

    def __call__(self, xs):
        return self.d([self.w * x for x in self.d(xs)])


class OfEach(Part):
    """A call for each number: as many as the sample is long."""

    def __call__(self, xs):
        return [self.d([self.w * x])[0] for x in xs]


class Nested(Part):
    """Rows in rows; some draws come to nothing."""

    def __call__(self, xs):
        self.d(xs)
        (first, second), _ = self.d([[xs, [self.w * x for x in xs]], [1.0]])
        return [a + b for a, b in zip(first, second, strict=True)]


class Some(Part):
    """A call for long samples only."""

    def __call__(self, xs):
        return self.d([self.w * x for x in xs]) if len(xs) > 2 else xs


class Total(nn.Module):
    def __init__(self):
        self.w, self.b = Value(0.25), Value(0.5)

    def __call__(self, xs):
        return sum(xs) * self.w + self.b


PARTS = [Once, Twice, OfEach, Nested, Some, lambda dropout, _: dropout]
trees = st.recursive(
    st.tuples(st.sampled_from(PARTS), st.integers(0, 2)), lambda inner: st.lists(inner, min_size=1, max_size=3)
)
lengths = st.lists(st.integers(1, 4), min_size=2, max_size=6)


def built(tree, dropouts, count):
    """A model of the tree: lists are taken layer by layer; a number chooses one of the Dropouts, so some are shared."""
    if isinstance(tree, list):
        return nn.Sequential(*(built(part, dropouts, count) for part in tree))
    make, which = tree
    count.append(1)
    return make(dropouts[which], len(count))


def losses(tree, samples, batch_size, compiled):
    random.seed(3)
    dropouts = [nn.Dropout(0.5), nn.Dropout(0.3), nn.Dropout(0.4, seed=5)]
    model = nn.Sequential(built(tree, dropouts, []), Total())
    history = nn.fit(
        model, samples, list(range(len(samples))), "mse", lr=1e-3, clip_norm=1.0, epochs=3, batch_size=batch_size, seed=0,
        progress=False, warn=False, compiled=compiled,
    )  # fmt: skip
    return [*history.loss, *(p.data for p in model.parameters()), random.random()]


def assert_same(tree, samples, batch_size, compiled):
    eager = losses(tree, samples, batch_size, False)
    assert losses(tree, samples, batch_size, compiled) == pytest.approx(eager, rel=1e-9)


@settings(max_examples=25)
@given(trees, lengths, st.sampled_from([None, 1, 2, 3]))
def test_every_draw_goes_where_it_goes_in_the_eager_loop(tree, widths, batch_size):
    """However parts taken layer by layer and parts taken sample by sample lie in each other, of ragged samples too."""
    samples = [[1.0 + i + k / 4 for k in range(width)] for i, width in enumerate(widths)]
    assert_same(tree, samples, batch_size, "python")


@pytest.mark.parametrize("compiled", BACKENDS)
@pytest.mark.parametrize("widths", [[3, 3, 3, 3, 3], [1, 2, 3, 1], [4, 2, 4, 3, 1]])
@pytest.mark.parametrize(
    "tree",
    [
        [(Twice, 0)],
        [(OfEach, 0), (OfEach, 0)],
        [[(Once, 0), (Twice, 0)], (Nested, 1)],
        [(Some, 0), (Nested, 1), (Once, 2)],
    ],
)
def test_in_each_backend(tree, widths, compiled):
    samples = [[1.0 + i + k / 4 for k in range(width)] for i, width in enumerate(widths)]
    assert_same(tree, samples, 2, compiled)


def test_rows_of_an_embedding_are_told_apart():
    class Reader(nn.Module):
        def __init__(self):
            self.table, self.d, self.o = nn.Embedding(5, 2, seed=1), nn.Dropout(0.5), nn.Linear(2, 1, seed=2)

        def __call__(self, tokens):
            state = [0.0, 0.0]
            for token in tokens:
                state = [a + b for a, b in zip(state, self.d(self.table(token)), strict=True)]
                self.d(self.table(token))
            return self.o(state)

    def run(compiled):
        random.seed(1)
        model = Reader()
        samples = [[1, 2], [3, 3], [1, 2], [4]]
        history = nn.fit(model, samples, [1.0, 2.0, 3.0, 4.0], "mse", lr=0.1, compiled=compiled, progress=False)
        return [*history.loss, random.random()]

    assert run("python") == pytest.approx(run(False), rel=1e-9)


class Backwards(nn.Module):
    """Takes a batch from its end."""

    def __init__(self):
        self.d, self.o = nn.Dropout(0.5), nn.Linear(2, 1, seed=1)

    def __call__(self, x):
        return self.o(self.d(x))

    def on_batch(self, rows):
        return [self(row) for row in rows[::-1]][::-1]


class Mixing(Backwards):
    """Lets samples know of each other."""

    def on_batch(self, rows):
        first = self.d(rows[0])
        return [self.o([a + b for a, b in zip(first, row, strict=True)]) for row in rows]


class ForNothing(Backwards):
    """Draws what no sample tells of."""

    def __call__(self, x):
        self.d([1.0, 2.0])
        return super().__call__(x)


class InPairs(Backwards):
    """Takes two samples at a time, layer by layer."""

    def on_batch(self, rows):
        if len(rows) > 2:
            return [score for k in range(0, len(rows), 2) for score in self.on_batch(rows[k : k + 2])]
        first = [self.d(row) for row in rows]
        return [self.o(self.d(row)) for row in first]


class OfItsOwn(InPairs):
    """Takes a batch layer by layer, in a method of its own."""

    def on_batch(self, rows):
        first = [self.d(row) for row in rows]
        return [self.o(self.d(row)) for row in first]


@pytest.mark.parametrize("make", [Backwards, Mixing, ForNothing, InPairs])
def test_an_order_that_cannot_be_followed_is_refused(make):
    with pytest.raises(ValueError, match="it cannot be told in which order the eager loop draws .* Train without"):
        nn.fit(make(), [[1.0, 2.0], [2.0, 1.0]] * 2, [1.0, 2.0] * 2, "mse", compiled="python", progress=False)


def test_a_batch_taken_in_a_way_of_its_own_is_followed_where_that_can_be_told():
    def run(compiled):
        random.seed(1)
        model = OfItsOwn()
        X, y = [[1.0, 2.0], [2.0, 1.0], [0.5, 1.0]], [1.0, 2.0, 3.0]
        history = nn.fit(model, X, y, "mse", batch_size=2, seed=0, epochs=5, compiled=compiled, progress=False)
        return [*history.loss, random.random()]

    assert run("python") == pytest.approx(run(False), rel=1e-9)
