"""Whatever batches come, in whatever order, a compiled loss that is kept gives what the eager engine gives, or refuses them.

Two worlds do the same things: in one, losses are compiled once and kept; in the other nothing is. They share a history
of batches of any form, some given again after they were changed where they lie, trainings that are begun, interrupted
and ended side by side, leaves that are frozen and assigned, numbers around the losses that change.
"""

import math
import random
from array import array

import pytest
from compiling_helpers import with_backends
from optional import numpy as np
from sizes import has_full_size, size

import scalargrad as sg
from scalargrad import Value, nn

REFUSALS = TypeError, ValueError, OverflowError, IndexError


class MyList(list):
    pass


def total(x):
    """A number of a structure, which tells structures apart."""
    if isinstance(x, dict):
        return sg.sum([(len(str(k)) + 1.0) * total(v) for k, v in x.items()]) if x else 0.25
    if isinstance(x, (list, tuple)):
        a, b = {list: (1.0, 0.125), tuple: (1.5, 0.5), MyList: (2.5, -0.5)}[type(x)]
        return a * sg.sum([(i + 0.5) * total(v) for i, v in enumerate(x)]) + b * len(x) if x else 0.3 * a
    return x * 1.0


class World:
    """Losses that share parameters, and two optimizers; with a backend, the losses are compiled."""

    def __init__(self, seed, backend, kinds, reduction, given):
        rng = random.Random(seed)
        self.compiled, self.reduction, self.kinds, self.open = backend is not None, reduction, kinds, {}
        self.w = w = [Value(rng.uniform(-1, 1)) for _ in range(4)]
        self.fixed = Value(0.3, requires_grad=False)
        self.around = around = {"k": 2.0, "ks": [1.0, -0.5], "places": [0, 1]}

        def of_two(x, y):
            z = sg.tanh(w[0] * total(x) * 0.1 + w[1] * around["k"]) + self.fixed * around["ks"][0]
            return (z - w[2] * total(y) * 0.1) ** 2

        def of_one(x):
            i, j = around["places"]
            return (sg.sin(w[i] * total(x) * 0.1) + w[j]) ** 2 * 0.5

        def of_none():
            return sg.sum([(w[0] * a - w[1]) ** 2 * 0.05 for a in around["ks"]])

        def of_a_static(x, y, how):
            t = total(x) * 0.1
            z = w[0] * t + w[1] if how == "line" else w[0] * t * t if how is True else w[3] * t * 3.0 - w[2] * how
            return (z - total(y) * 0.1) ** 2

        def of_two_ways(x, y):
            t = total(x) * 0.1
            return (w[0] * t - total(y) * 0.1) ** 2 if t > 0 else (w[1] * t + w[2]) ** 2

        self.functions = [(of_two, 2), (of_one, 1), (of_none, 0), (of_a_static, 3), (of_two_ways, 2)]
        self.losses = [
            sg.compile(
                fn, parameters=w if given else None, backend=backend, reduction=reduction,
                branches="record" if fn is of_two_ways else "raise", static=("how",) if fn is of_a_static else (),
            )
            for fn, _ in self.functions if self.compiled
        ]  # fmt: skip
        self.optimizers = [self.made(kind) for kind in kinds]

    def made(self, kind):
        optimizer = kind(self.w)
        optimizer.warns = False  # of losses that reach nothing that is trained
        return optimizer

    def each(self, i, batches):
        """What a function gives for every sample, and how many there are, by the eager engine."""
        fn, n = self.functions[i]
        if not n:
            return [fn()]
        batches, static = (batches[:-1], batches[-1:]) if n == 3 else (batches, [])
        columns = [[plain(x) for x in (b.tolist() if hasattr(b, "tolist") else b)] for b in batches]
        if not columns[0] or len(set(map(len, columns))) > 1:
            raise ValueError("no samples, or not equally many")
        return [fn(*row, *static) for row in zip(*columns, strict=True)]

    def loss(self, i, batches):
        each = self.each(i, batches)
        return sg.sum(each) / (len(each) if self.reduction == "mean" else 1.0)

    def act(self, what, i, o, batches):
        """The numbers that come of it."""
        if self.compiled:
            loss = self.losses[i]
            if what == "step":
                if (i, o) not in self.open:
                    self.open[i, o] = loss.training(self.optimizers[o])
                return [self.open[i, o](*batches)]
            self.write_back()
            if what == "values":
                return loss.values(*batches)
            found, gradients = loss.value_and_grad(*batches)
            assert len(gradients) == len(loss.parameters)
            of = dict(zip(loss.parameters, gradients, strict=True))
            return [found, *(of.get(p, 0.0) for p in self.w)]
        if what == "values":
            return [float(getattr(x, "data", x)) for x in self.each(i, batches)]
        root = self.loss(i, batches)
        if what == "value_and_grad":
            trained = [p for p in self.w if p.requires_grad and root.requires_grad]
            return [root.data, *(float(sg.grad(root, p)) if p in trained else 0.0 for p in self.w)]
        self.optimizers[o].zero_grad()
        if root.requires_grad:
            root.backward()
        self.optimizers[o].step()
        return [root.data]

    def write_back(self):
        for step in self.open.values():
            step.write_back()

    def end(self):
        while self.open:
            self.open.popitem()[1].__exit__()

    def change(self, what, j, o, x):
        """Something around the losses."""
        optimizer = self.optimizers[o]
        if what == "freeze":
            self.w[j].requires_grad = not self.w[j].requires_grad or not any(
                p.requires_grad for p in self.w if p is not self.w[j]
            )
        elif what in ("assign", "assign an integer", "the fixed one"):
            self.write_back()
            one = self.fixed if what == "the fixed one" else self.w[j]
            one.data = x if what != "assign an integer" else round(4 * x)
        elif what == "a number":
            self.around["k"] = 4 * x
        elif what == "a list":
            self.around["ks"][j % len(self.around["ks"])] = x
        elif what == "its length":
            self.around["ks"][2:] = [] if len(self.around["ks"]) > 3 else [*self.around["ks"][2:], x]
        elif what == "places":
            self.around["places"][:] = [j, (j + 1) % 4]
        elif what == "lr":
            optimizer.lr = abs(x) / 10
        elif what == "decay":
            optimizer.weight_decay = abs(x) / 10
        elif what == "another optimizer":
            self.end()
            self.optimizers[o] = self.made(self.kinds[o])
        elif what == "end":
            self.end()
        else:
            self.write_back()

    def numbers(self):
        self.write_back()
        states = [x for one in self.optimizers for state in one._states for x in state]
        return [*(float(p.data) for p in self.w), *states, *(one.steps for one in self.optimizers)]


CHANGES = [
    "freeze", "assign", "assign an integer", "the fixed one", "a number", "a list", "its length", "places", "lr",
    "decay", "another optimizer", "end", "write back", "write back",
]  # fmt: skip
OPTIMIZERS = [
    lambda p: nn.SGD(p, lr=0.05),
    lambda p: nn.SGD(p, lr=0.05, momentum=0.9),
    lambda p: nn.SGD(p, lr=0.02, momentum=0.9, nesterov=True, weight_decay=0.01),
]


def plain(x):
    if hasattr(x, "tolist"):
        return x.tolist()
    if isinstance(x, dict):
        return {key: plain(part) for key, part in x.items()}
    return type(x)(map(plain, x)) if isinstance(x, (list, tuple)) else float(getattr(x, "data", x))


class Batches:
    """Draws batches, and changes those that were given."""

    def __init__(self, rng):
        self.rng = rng

    def number(self):
        r = self.rng
        return r.choice(
            [r.uniform(-2, 2), r.uniform(-2, 2), r.randrange(-3, 4), True, -0.0, np.float32(0.5), Value(r.random())]
        )

    def plain(self):
        return self.rng.choice([self.rng.uniform(-2, 2), self.rng.uniform(-2, 2), self.rng.randrange(-3, 4)])

    def sample(self, depth=0):
        kind, n = self.rng.randrange(8), self.rng.choice([0, 1, 1, 2, 3])
        if depth > 2 or kind < 3:
            return self.number()
        if kind == 3:
            return {key: self.sample(depth + 1) for key in self.rng.sample(["a", "bb", 1, 2.0], n)}
        parts = [self.sample(depth + 1) for _ in range(n)]
        return (list, list, tuple, MyList)[kind - 4](parts)

    def like(self, x):
        """Other numbers in the same structure."""
        if isinstance(x, dict):
            return {key: self.like(part) for key, part in x.items()}
        return type(x)(map(self.like, x)) if isinstance(x, (list, tuple)) else self.number()

    def batch(self, n):
        r, kind = self.rng, self.rng.randrange(7)
        if kind == 0:
            return [self.plain() for _ in range(n)]
        if kind == 1:
            width = r.randrange(1, 4)
            return [[self.plain() for _ in range(width)] for _ in range(n)]
        if kind == 2:
            one = self.sample()
            return [self.like(one) for _ in range(n)]
        if kind == 3:
            return [self.sample() for _ in range(n)]
        if kind == 4:
            return array(r.choice("df"), [self.plain() for _ in range(n)])
        shape = (n, *(r.randrange(3) or 1 for _ in range(r.randrange(3))))
        x = np.array([r.uniform(-2, 2) for _ in range(math.prod(shape))]).reshape(shape)
        forms = [
            x, x, x.astype("float32"), (x * 3).astype("int64"), np.asfortranarray(x), np.concatenate([x, x])[::2],
            x.astype(">f8"), list(x), x > 0,
        ]  # fmt: skip
        return r.choice(forms)

    def changed(self, batch):
        """The same object with something else in it, if it can be changed."""
        r, kind = self.rng, self.rng.randrange(7)
        if isinstance(batch, np.ndarray) and batch.flags.writeable:
            if kind < 4 or batch.ndim > 3:
                np.copyto(batch, batch * 0.5 if batch.dtype.kind == "f" else ~batch)
            elif batch.flags.c_contiguous:
                batch.resize((*batch.shape, 1), refcheck=False)
        elif isinstance(batch, list) and batch:
            i = r.randrange(len(batch))
            row = batch[i]
            if kind == 0:
                batch[i] = self.sample()
            elif kind == 1 and type(row) is list:
                row.append(self.plain())
            elif kind == 2 and type(row) is list and row:
                row[-1] = self.sample()
            elif kind == 3 and type(row) is list:
                batch[i] = r.choice([tuple, MyList])(row)
            elif kind == 4:
                batch[i] = [row]
            else:
                batch[:] = [x * 0.5 if hasattr(x, "shape") else self.like(x) for x in batch]


def told(call):
    try:
        return call(), None
    except REFUSALS as error:
        return None, error


def history(seed, backend, steps):
    """One history in both worlds; returns how many calls, numbers and refusals it had, and the largest difference."""
    rng = random.Random(seed)
    draw, kinds = Batches(rng), rng.choices(OPTIMIZERS, k=2)
    options = kinds, rng.choice(["mean", "sum"]), rng.random() < 0.7
    kept, eager = World(seed, backend, *options), World(seed, None, *options)
    given, calls, numbers, refused, worst = [], 0, 0, 0, 0.0
    for _ in range(steps):
        if rng.random() < 0.35:
            change = rng.choice(CHANGES), rng.randrange(4), rng.randrange(2), rng.uniform(-0.5, 0.5)
            for world in (kept, eager):
                world.change(*change)
            continue
        if given and rng.random() < 0.5:
            i, batches = rng.choice(given)
            if batches and rng.random() < 0.6:
                draw.changed(batches[0])
            if i == 3:
                batches[-1] = rng.choice(["line", True, 1, 1.0, 0.0])
        else:
            i, n = rng.randrange(5), rng.choice([1, 2, 3, 3, 5, 9])
            batches = [draw.batch(n) for _ in range(min(kept.functions[i][1], 2))] + (["line"] if i == 3 else [])
            given = [*given[-7:], (i, batches)]
        what, o = rng.choice(["value_and_grad", "values", "step", "step", "step"]), rng.randrange(2)
        before = [one.snapshot() for one in eager.optimizers]
        (found, refusal), (wanted, error) = (told(lambda w=w: w.act(what, i, o, batches)) for w in (kept, eager))
        calls += 1
        if refusal is not None:
            refused += 1
            if error is None and what == "step":
                [back() for back in before]
            continue
        assert error is None, (seed, what, i, batches, found, error)
        numbers += len(wanted)
        worst = max(worst, *(abs(a - b) / max(1.0, abs(b)) for a, b in zip(found, wanted, strict=True)))
        assert found == pytest.approx(wanted, rel=1e-9, abs=1e-10), (seed, what, i, batches)
        if not all(abs(p.data) < 100 for p in eager.w):
            break
    found, wanted = kept.numbers(), eager.numbers()
    kept.end()
    assert found == pytest.approx(wanted, rel=1e-8, abs=1e-9), seed
    return calls, numbers + len(wanted), refused, worst


@has_full_size
@with_backends
def test_batches_in_any_order_give_the_eager_numbers_or_are_refused(backend, figure):
    count = size(10, 150)
    found = [history(seed, backend, 40) for seed in range(count)]
    calls, numbers, refused, worst = (list(column) for column in zip(*found, strict=True))
    assert sum(refused) < 0.1 * sum(calls)
    figure(
        f"{count} histories of batches in any form and order, trainings and changes between them ({backend})",
        f"{sum(calls)} calls, {sum(numbers)} numbers, {sum(refused)} refused in words; largest relative difference "
        f"{max(worst):.1e}",
    )
