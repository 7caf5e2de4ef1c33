"""fit takes samples of any structure, as sequences of different lengths: eager and compiled to the same numbers.

Targets may be one for a sequence or a sequence for each; losses, metrics, penalties, Dropout and validation see them in
the order of the batch.
"""

import random

import pytest
from compiling_helpers import with_backends
from optional import need
from optional import numpy as np
from sizes import size

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.node.structures import flatten


class Recurrent(nn.Module):
    """Reads numbers one after another; says one number, or one after each, or scores of classes."""

    def __init__(self, says="one", seed=1, dropout=0.0):
        rng = random.Random(seed)
        self.w = [Value(rng.uniform(-1, 1)) for _ in range(5)]
        self.out = [Value(rng.uniform(-1, 1)) for _ in range(3)]
        self.dropout = nn.Dropout(dropout, seed=seed)
        self.says = says

    def __call__(self, xs):
        h, said = self.w[0] * 0.1, []
        for x in xs:
            h = sg.tanh(self.w[1] * h + self.w[2] * x + self.w[0])
            said.append(h)
        said = self.dropout(said) if said else said
        if self.says == "each":
            return [h * self.w[3] for h in said]
        if self.says == "rows":
            return [[h * w for w in self.out] for h in said]
        if self.says == "classes":
            return [h * w for w in self.out]
        return sg.sum(said) * self.w[3] + self.w[4]


def squares(scores, targets):
    return sg.mean(
        [sg.mean([(s - t) ** 2 for s, t in zip(ss, ts, strict=True)]) for ss, ts in zip(scores, targets, strict=True)]
    )


def bits(scores, targets):
    return sg.mean(
        [
            sg.mean([nn.cross_entropy(s, t) for s, t in zip(ss, ts, strict=True)])
            for ss, ts in zip(scores, targets, strict=True)
        ]
    )


def total(scores, targets):
    return sg.sum([(s - t) ** 2 for s, t in zip(scores, targets, strict=True)])


def longest(scores, targets):
    return float(max(abs(getattr(s, "data", s)) for ss in scores for s in ss)) + len(targets)


def furthest(scores, targets):
    return max(abs(getattr(s, "data", s)) for s in scores) + len(targets)


def documents(seed, n=14, longest=4):
    rng = random.Random(seed)
    return [[rng.uniform(-1, 1) for _ in range(rng.randint(1, longest))] for _ in range(n)]


def means(docs):
    return [sum(doc) / len(doc) for doc in docs]


CASES = {
    "a number for each": (lambda: Recurrent(), means, "mse", {}),
    "a sum": (
        lambda: Recurrent(),
        means,
        total,
        {"metrics": {"far": furthest}},
    ),
    "hinge and accuracy": (lambda: Recurrent(), lambda docs: [1 if x > 0 else -1 for x in means(docs)], "hinge", {}),
    "a sequence for each": (
        lambda: Recurrent("each"),
        lambda docs: [[x * x for x in doc] for doc in docs],
        squares,
        {"metrics": {"longest": longest}},
    ),
    "classes": (lambda: Recurrent("classes"), lambda docs: [len(doc) % 3 for doc in docs], "cross_entropy", {}),
    "classes of each": (lambda: Recurrent("rows"), lambda docs: [[int(x > 0) for x in doc] for doc in docs], bits, {}),
    "named, of each": (
        lambda: Recurrent("rows"),
        lambda docs: [[int(x > 0) for x in doc] for doc in docs],
        "cross_entropy",
        {},
    ),
    "named hinge, of each": (
        lambda: Recurrent("rows"),
        lambda docs: [[int(x > 0) for x in doc] for doc in docs],
        "multiclass_hinge",
        {},
    ),
    "mse of each": (lambda: Recurrent("each"), lambda docs: [[x * x for x in doc] for doc in docs], "mse", {}),
    "sse of each": (lambda: Recurrent("each"), lambda docs: [[x * x for x in doc] for doc in docs], "sse", {}),
    "dropout": (lambda: Recurrent(dropout=0.3), means, "mse", {}),
    "penalty and clipping": (lambda: Recurrent(), means, "mse", {"penalty": 0.01, "clip_norm": 0.2}),
}


def numbers_of(history):
    return {name: list(history[name]) for name in history}


@with_backends
@pytest.mark.parametrize("name", CASES)
def test_compiled_steps_are_the_eager_ones(name, backend, figure):
    make, targets_of, loss, options = CASES[name]
    docs, others = documents(1), documents(2, 5, 6)
    for seed in range(size(2, 10)):
        rng = random.Random(seed)
        how = {
            "optimizer": rng.choice(["sgd", "adam", "rmsprop"]), "lr": 0.02, "epochs": 3, "seed": seed,
            "batch_size": rng.choice([1, 3, 5, None]), "progress": False, "warn": False,
            "validation": (others, targets_of(others)), **options,
        }  # fmt: skip
        models = [make() for _ in range(2)]
        eager = nn.fit(models[0], docs, targets_of(docs), loss, **how)
        compiled = nn.fit(models[1], docs, targets_of(docs), loss, compiled=backend, **how)
        assert numbers_of(compiled) == {
            name: pytest.approx(xs, rel=1e-9, abs=1e-12) for name, xs in numbers_of(eager).items()
        }
        numbers = [[p.data for p in model.parameters()] for model in models]
        assert numbers[1] == pytest.approx(numbers[0], rel=1e-9, abs=1e-12)
        said = [flatten(nn.predict(model, docs))[0] for model in models]
        assert said[1] == pytest.approx(said[0], rel=1e-9)
    figure(
        f"fit on documents of different lengths, {size(2, 10)} trainings, compiled by {backend}",
        "history, parameters and predictions to 1e-9 those of eager steps",
    )


@with_backends
def test_samples_of_any_structure(backend):
    """Trees: a number, or a pair of trees."""

    def fold(w, tree):
        if isinstance(tree, Value):
            return w[0] * tree
        if isinstance(tree, dict):
            return w[1] * fold(w, tree["only"])
        return sg.tanh(sg.sum([fold(w, part) for part in tree]) + w[1])

    X = [[1.0, [2.0, 3.0]], [[1.0, 2.0], [3.0, [0.5]]], [4.0], [{"only": 2.0}, 1.0], [1.5, [2.5, 3.5]]]
    y = [0.5, -0.5, 0.25, 0.0, 0.5]
    found = []
    for how in (False, backend):
        w = [Value(0.3), Value(-0.2)]
        history = nn.fit(
            lambda x, w=w: fold(w, x), X, y, "mse", optimizer=nn.Adam(w, lr=0.1), epochs=5, batch_size=2, seed=1,
            progress=False, compiled=how,
        )  # fmt: skip
        found.append([*history.loss, *(v.data for v in w)])
    assert found[1] == pytest.approx(found[0], rel=1e-9)
    assert nn.predict(lambda x: fold([2.0, 1.0], x), X[2:3]) == [pytest.approx(0.9999999958776927)]


@with_backends
def test_arrays_of_different_lengths(backend):
    need(np.zeros(1))
    docs = documents(3, 6)
    objects = np.empty(len(docs), dtype=object)
    objects[:] = [np.array(doc) for doc in docs]
    found = []
    for how in (False, backend):
        for given in (docs, objects, list(map(np.array, docs)), [tuple(doc) for doc in docs]):
            model = Recurrent()
            nn.fit(model, given, np.array(means(docs)), "mse", lr=0.1, epochs=2, progress=False, compiled=how)
            found.append([p.data for p in model.parameters()])
    assert all(numbers == pytest.approx(found[0], rel=1e-12) for numbers in found)


# -------------------------------------------------------------------- what is refused


@pytest.mark.parametrize("how", [False, "python"])
def test_messages(how):
    docs = documents(4, 6)
    mlp = nn.MLP(2, [1], seed=1)

    def call(model, X, y, loss="mse", **options):
        before = [p.data for p in model.parameters()]
        with pytest.raises((TypeError, ValueError)) as caught:
            nn.fit(model, X, y, loss, compiled=how, progress=False, epochs=1, **options)
        assert [p.data for p in model.parameters()] == before
        return str(caught.value)

    two = [[1.0, 2.0], [3.0, 4.0], [5.0]]
    assert "X: row 2 has 1 numbers, but row 0 has 2 numbers: all must be alike" in call(mlp, two, [1, 2, 3])
    said = call(mlp, two[:2], [1, 2], validation=(two, [1, 2, 3]))
    assert said.startswith("validation X: row 2 has 1 numbers, but row 0 has 2 numbers")
    assert "X, row 1: input 0 must be a Value or a real number, not str" in call(
        Recurrent(), [[1.0], ["a", 1.0]], [1, 2]
    )
    assert "X, row 1[1][0] must be a number" in call(Recurrent(), [[1.0], [1.0, ["a"]]], [1, 2])
    assert "X, row 1: input 0 must be a Value or a real number, not NoneType" in call(
        Recurrent(), [[1.0], None], [1, 2]
    )
    assert "X has 6 rows but y has 5 targets" in call(Recurrent(), docs, means(docs)[:5])
    wrong = [[0.0] * len(doc) for doc in docs]
    wrong[4].append(1.0)
    assert "zip() argument" in call(Recurrent("each"), docs, wrong, squares)


# -------------------------------------------------------------------- losses and metrics of sequences


def test_the_loss_of_a_sequence_is_the_mean_over_it_and_each_sequence_counts_alike():
    rng = random.Random(5)
    rows = [[[rng.uniform(-1, 1) for _ in range(3)] for _ in range(n)] for n in (2, 1, 4)]
    right = [[rng.randrange(3) for _ in row] for row in rows]
    for loss in (nn.cross_entropy, nn.multiclass_hinge):
        own = [loss(row, t) for row, t in zip(rows, right, strict=True)]
        assert loss(rows, right) == pytest.approx(sum(own) / 3, rel=1e-15)
        assert loss(rows, right, reduction="sum") == pytest.approx(sum(own), rel=1e-15)
        assert loss(rows, right, reduction="none") == own
        assert loss(iter(rows), iter(right)) == loss(tuple(rows), tuple(right)) == loss(rows, right)
    scores, targets = [[1.0, 2.0], [3.0]], [[0.0, 0.0], [1.0]]
    assert nn.mse(scores, targets) == (2.5 + 4.0) / 2
    assert nn.mse(scores, targets, reduction="sum") == nn.sse(scores, targets) == 9.0
    assert nn.mse(scores, targets, reduction="none") == [1.0, 4.0, 4.0]
    assert nn.mse([[1.0, 2.0], [3.0, 1.0]], [[0.0, 0.0], [1.0, 1.0]]) == 9.0 / 4
    assert nn.accuracy([[1.0, -1.0], [2.0]], [[1, 1], [1]]) == 0.75
    assert nn.accuracy([[[0.1, 0.9], [0.8, 0.2]], [[0.3, 0.7]]], [[1, 1], [0]]) == 0.25


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda: nn.cross_entropy([[[1.0, 2.0]]], [[0], [1]]), "1 sequence but 2 lists of targets: give a list"),
        (lambda: nn.cross_entropy([[[1.0, 2.0]]], 0), "1 sequence but a single target"),
        (lambda: nn.cross_entropy([[[1.0, 2.0]]], [0]), "sample 0 is a sequence of 1 row of scores but has a single target"),
        (lambda: nn.multiclass_hinge([[[1.0, 2.0]]], [[0, 1]]), "multiclass_hinge: sample 0 .* 1 row of scores but has 2 targets"),
        (lambda: nn.cross_entropy([[[1.0, 2.0]]], [[2]]), "target 0 is 2, but there are 2 classes"),
        (lambda: nn.accuracy([[1.0, 2.0]], [[1, 1, 0]]), "accuracy: a sequence of 3 targets has other scores"),
        (lambda: nn.accuracy([1.0], [[1, 1]]), "accuracy: a sequence of 2 targets has other scores"),
    ],
)  # fmt: skip
def test_messages_of_losses(call, message):
    with pytest.raises(ValueError, match=message):
        call()
