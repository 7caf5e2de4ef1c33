"""Random programs made of layers, as long ones are: shared and tied weights, constants, repeated operands, choices."""

import random

import scalargrad as sg
from scalargrad import Value


class LayeredProgram:
    """A random function of a list of numbers that reaches parameters of its own.

    Attributes:
        inputs: how many numbers it takes.
        parameters: leaves; some are frozen.
    """

    def __init__(self, seed, *, smallest=1, largest=13, stages=6):
        rng = self._rng = random.Random(seed)
        self._sizes = [rng.randint(smallest, largest) for _ in range(3)]
        self._matrices = {}
        self.inputs, self.parameters = self._sizes[0], []
        self._lengths = [self.inputs]
        self._stages = []
        for _ in range(stages):
            stage, length = getattr(self, f"_{rng.choice(STAGES)}")(self._lengths[-1])
            self._stages.append(stage)
            self._lengths.append(length)

    def __call__(self, xs):
        history = [list(xs)]
        for stage in self._stages:
            history.append(stage(history[-1], history))
        return sg.sum([x for vector in history[-2:] for x in vector]) * 0.5 + sg.logsumexp(history[-1])

    # ---------------------------------------------------------------- parameters

    def _weight(self):
        w = Value(self._rng.gauss(0.0, 0.4), requires_grad=self._rng.random() > 0.1)
        self.parameters.append(w)
        return w

    def _matrix(self, columns):
        """Rows of weights, and perhaps a bias for each: new ones, or such as are there already."""
        rng, rows = self._rng, self._rng.choice(self._sizes)
        known = self._matrices.setdefault((rows, columns), [])
        if known and rng.random() < 0.4:
            return rng.choice(known)
        kind = rng.random()
        matrix = [[self._weight() for _ in range(columns)] for _ in range(rows)]
        if kind < 0.2:  # tied to another row, or to itself
            matrix[-1] = list(matrix[0])
            matrix[0][-1] = matrix[0][0]
        elif kind < 0.4:
            for row in matrix:
                row[rng.randrange(columns)] = rng.choice([0.0, 1.0, -0.5, rng.gauss(0, 1)])
        elif kind < 0.5:  # laid out otherwise than it is read
            matrix = [
                list(row) for row in zip(*[[self._weight() for _ in matrix] for _ in range(columns)], strict=True)
            ]
        bias = [[self._weight()] if rng.random() < 0.9 else [0.5] for _ in matrix]
        known.append((matrix, bias if rng.random() < 0.5 else [[]] * rows))
        return known[-1]

    # ---------------------------------------------------------------- stages: of the last vector, and all so far

    def _layer(self, n):
        matrix, bias = self._matrix(n)
        backwards = self._rng.random() < 0.3

        def stage(x, _):
            pairs = zip(matrix, bias, strict=True)
            return [sg.tanh(sg.dot(x, row, *b) if backwards else sg.dot(row, x, *b)) for row, b in pairs]

        return stage, len(matrix)

    def _many(self, n):
        """The same layer at several positions."""
        matrix, bias = self._matrix(n)

        def stage(x, _):
            places = [x, x[::-1], [a * 0.5 for a in x]]
            out = [[sg.dot(row, place, *b) for row, b in zip(matrix, bias, strict=True)] for place in places]
            return [sg.tanh(sg.mean(column)) for column in zip(*out, strict=True)]

        return stage, len(matrix)

    def _written_out(self, n):
        """As with micrograd; a partial sum is used twice."""
        matrix, _ = self._matrix(n)

        def stage(x, _):
            out = []
            for row in matrix:
                total = row[0] * x[0]
                for k, (w, a) in enumerate(zip(row[1:], x[1:], strict=True)):
                    total = total + w * a if k % 2 else w * a + total
                    if k == 1:
                        out.append(total * 0.1)
                out.append(sg.sin(total))
            return out

        return stage, len(matrix) * (1 + (n > 2))

    def _residual(self, n):
        other = self._rng.randrange(len(self._lengths))
        return lambda x, history: [a + history[other][i % len(history[other])] for i, a in enumerate(x)], n

    def _norm(self, n):
        """By its length; or a product with itself in another order."""
        order = self._rng.choice([list(range(n)), self._rng.sample(range(n), n)])

        def stage(x, _):
            scale = (sg.dot(x, [x[i] for i in order]) ** 2 * (1.0 / n) + 0.1) ** -0.5
            return [a * scale for a in x]

        return stage, n

    def _choice(self, n):
        chosen = [self._rng.choice(CHOICES) for _ in range(n)]
        return lambda x, _: [op(a, x[(i + 1) % n]) for i, (a, op) in enumerate(zip(x, chosen, strict=True))], n

    def _attention(self, n):
        others = [self._rng.randrange(len(self._lengths)) for _ in range(3)]
        width = min(n, *(self._lengths[i] for i in others))

        def stage(x, history):
            rows = [history[i] for i in others]
            scores = [sg.dot(x[:width], row[:width]) * 0.3 for row in rows]
            total = sg.logsumexp(scores)
            shares = [sg.exp(s - total) for s in scores]
            return [sg.dot(shares, [row[i % len(row)] for row in rows]) for i in range(n)]

        return stage, n

    def _shuffle(self, n):
        order = self._rng.choice([list(range(n))[::-1], self._rng.sample(range(n), n), [0] * n])
        return lambda x, _: [x[i] * 0.9 for i in order], n

    def _table(self, n):
        """A row of weights, and an entry of the vector, by indices that numbers decide."""
        matrix, _ = self._matrix(n)

        def index(x, count):
            return sg.floor(sg.clip(sg.abs(x) * count, 0.0, count - 0.5))

        def stage(x, _):
            row = sg.take(matrix, index(x[0], len(matrix)))
            entry = sg.take(x, index(x[-1], n))
            return [a * b + entry * 0.2 for a, b in zip(x, row, strict=True)]

        return stage, n

    def _sums(self, n):
        return lambda x, _: [sg.tanh(sg.sum(x)), sg.mean(x), *(a * 0.7 for a in x[:9])], 2 + min(n, 9)


STAGES = [
    "layer", "layer", "many", "written_out", "residual", "norm", "choice", "attention", "shuffle", "sums",
    "table",
]  # fmt: skip
CHOICES = [
    lambda a, b: sg.relu(a), sg.maximum, lambda a, b: sg.where(sg.greater(a, b), a * b, b), lambda a, b: sg.abs(a),
    lambda a, b: sg.where(sg.greater(a, 0.0), sg.sqrt(sg.relu(a)), 0.5 * a), lambda a, b: sg.clip(a, -0.5, 0.5),
]  # fmt: skip
