"""Random losses of layers in every style in which people write them, weights computed from parameters among them."""

import random

import scalargrad as sg
from scalargrad import Value, nn


class Written:
    """A random loss of (x, y) of layers in every style: with tied rows, constants, rows laid out otherwise, and more."""

    def __init__(self, seed):
        rng = self._rng = random.Random(seed)
        self.inputs, self.parameters, self._layers = rng.randint(1, 6), [], []
        self._frozen = rng.choice([0.0, 0.1])
        width = self.inputs
        for _ in range(rng.randint(1, 3)):
            rows, columns = rng.randint(1, 9), width
            known = self._layers[-1] if self._layers else None
            if known and len(known["matrix"][0]) == columns and rng.random() < 0.5:
                matrix = known["matrix"]  # of two layers
            elif rng.random() < 0.25:
                matrix = list(
                    map(list, zip(*[[self._weight() for _ in range(rows)] for _ in range(columns)], strict=True))
                )
            elif rng.random() < 0.2:  # every second one
                matrix = [[(self._weight(), self._weight())[0] for _ in range(columns)] for _ in range(rows)]
            else:
                matrix = [[self._weight() for _ in range(columns)] for _ in range(rows)]
                if rng.random() < 0.3:
                    matrix[-1] = list(matrix[0])
                elif rng.random() < 0.1:
                    matrix = [list(matrix[0]) for _ in matrix]
                if rng.random() < 0.3:
                    matrix[rng.randrange(rows)][rng.randrange(columns)] = rng.choice([0.0, 1.0, -0.5, Value(0.3)])
            self._layers.append({
                "matrix": matrix,
                "bias": [rng.choice([None, 0.5, self._weight()]) for _ in matrix],
                "style": rng.choice(["dot", "backwards", "chain", "right", "sum", "shuffled", "twice"]),
                "computed": rng.choice(COMPUTED) if rng.random() < 0.3 else None, "scale": self._weight(),
                "order": [rng.sample(range(columns), columns) for _ in matrix],
                "then": rng.choice(THEN),
                "extra": rng.random() < 0.2, "residual": rng.random() < 0.3, "joined": rng.random() < 0.25,
            })  # fmt: skip
            width = len(matrix) + (columns if self._layers[-1]["joined"] else 0)
        self._scale, self._has_penalty = [self._weight() for _ in range(width)], rng.random() < 0.5
        if rng.random() < 0.5:  # else rows lie evenly spaced
            rng.shuffle(self.parameters)

    def _weight(self):
        w = Value(self._rng.uniform(-1, 1), requires_grad=self._rng.random() >= self._frozen)
        self.parameters.append(w)
        return w

    def _row(self, layer, j, xs, out):
        row, bias, style = layer["matrix"][j], layer["bias"][j], layer["style"]
        if layer["computed"]:
            row = layer["computed"](row, layer["scale"])
        if style in ("dot", "backwards"):
            pair = (row, xs) if style == "dot" else (xs, row)
            return sg.dot(*pair) if bias is None else sg.dot(*pair, bias)
        order = layer["order"][j] if style == "shuffled" else range(len(xs))
        terms = [row[i] * xs[i] if (i + j) % 2 else xs[i] * row[i] for i in order]
        if style == "sum":
            return sg.sum([*terms, *([] if bias is None else [bias])])
        total = 0 if bias is None else bias
        for k, term in enumerate(terms):
            total = term + total if style == "right" else total + term
            if style == "twice" and k == len(terms) // 2:
                total = total + out[-1] if out and j % 2 else total
                out.append(total * 0.1)
        return total

    def __call__(self, xs, y):
        for layer in self._layers:
            partial = []
            out = [self._row(layer, j, xs, partial) for j in range(len(layer["matrix"]))]
            if partial:  # sums that are read before they are complete, as well
                out[0] = out[0] + sum(partial)
            if layer["extra"]:
                out = [a + out[0] for a in out]
            out = [layer["then"](a, out) for a in out]
            if layer["residual"] and len(out) == len(xs):
                out = [a + x for a, x in zip(out, xs, strict=True)]
            xs = [*out, *xs] if layer["joined"] else out
        loss = (sg.dot(self._scale, xs) - y) ** 2 + sg.logsumexp(xs)
        if self._has_penalty:
            loss = (
                loss + 0.01 * sg.dot(self.parameters, self.parameters) + 0.1 * sum(p * p for p in self.parameters[:9])
            )
        return loss


COMPUTED = [
    lambda row, c: [w * 0.5 for w in row], lambda row, c: [c * w for w in row], lambda row, c: [sg.exp(w) for w in row],
    lambda row, c: [w * (c / sg.sqrt(sg.dot(row, row) + 0.1)) for w in row], lambda row, c: [sg.relu(w) + c for w in row],
    lambda row, c: [sg.tanh(w) if k % 3 else w for k, w in enumerate(row)], lambda row, c: nn.softmax(list(row)),
]  # fmt: skip
"""What is read in place of a row of weights, of it and of a number of the layer's."""
THEN = [
    lambda a, _: sg.relu(a), lambda a, _: sg.tanh(a), lambda a, _: a, lambda a, _: sg.exp(0.1 * a),
    lambda a, _: a * a * 0.1, lambda a, _: sg.sin(a), lambda a, out: a * (out[-1] * 0.2),
]  # fmt: skip
