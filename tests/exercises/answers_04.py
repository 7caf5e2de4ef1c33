"""Answers to the exercises of lesson 04."""

from scalargrad.exercises import solution


def two_layer(old="", new=""):
    """The solution with one thing changed."""
    text = str(solution("04.two-layer-net"))
    assert old in text

    def answers():
        namespace = {}
        exec(text.replace(old, new), namespace)  # noqa: S102  (code of the package)
        return {"two_layer": namespace["two_layer"]}

    return answers


class Leaky:
    """A leaky ReLU, right in every way."""

    def forward(self, X):
        self.X = X
        return [[x if x > 0 else 0.1 * x for x in row] for row in X]

    def backward(self, DY):
        return [[d * self.slope(x) for d, x in zip(*rows, strict=True)] for rows in zip(DY, self.X, strict=True)]

    def slope(self, x):
        return 1.0 if x > 0 else 0.1

    def update_parameters(self, lr):
        pass


class OnlySlopes(Leaky):
    def backward(self, DY):
        return [[self.slope(x) for x in row] for row in self.X]


class AsRelu(Leaky):
    def slope(self, x):
        return float(x > 0)


class ByDY(Leaky):
    def backward(self, DY):
        return [[d * self.slope(d) for d in row] for row in DY]


class Shared(Leaky):
    def forward(self, X):
        Leaky.X = X
        return [[x if x > 0 else 0.1 * x for x in row] for row in X]


class NotForward(Leaky):
    def forward(self, X):
        return [[max(x, 0.0) for x in row] for row in X]


class NoContract:
    def forward(self, X):
        return X


HALF_RIGHT = {
    "04.shapes": [
        lambda: {"DX": (32, 10), "DW": (4, 10), "DB": (4,)},
        lambda: {"DX": (32, 10), "DW": (32, 10, 4), "DB": [4]},
        lambda: {"DX": (32, 4), "DW": [10, 4], "DB": (4,)},
    ],
    "04.twice": [lambda: {"dw_row": [1, 2], "dx_rows": 2}, lambda: {"dw_row": [2, 4], "dx_rows": 1}],
    "04.leaky": [lambda kind=kind: {"layer": kind} for kind in (OnlySlopes, AsRelu, ByDY, Shared)],
    "04.first-loss": [lambda: {"loss": 0.1}, lambda: {"loss": -2.302585}, lambda: {"loss": 0.6931}],
    "04.two-layer-net": [
        two_layer("(j == c)) / len(X)", "(j == c))"),
        two_layer("s - max(row) for s", "s for s"),
        two_layer("d * (h > 0)", "d"),
        two_layer("y)) / len(X)", "y))"),
        two_layer("(exp(s) / t - (j == c))", "((j == c) - exp(s) / t)"),
        two_layer(
            "db2 = product(transposed(h1), dscores), [sum(column)",
            "db2 = product(transposed(h1), dscores), [max(column)",
        ),
        two_layer("return loss, dW1", "return loss, transposed(dW1)"),
    ],
}
WRONG = {
    "04.shapes": [lambda: {"DX": 32, "DW": "as W", "DB": (32,)}],
    "04.twice": [lambda: {"dw_row": [4, 2], "dx_rows": 4}, lambda: {"dw_row": 2, "dx_rows": "two"}],
    "04.leaky": [lambda kind=kind: {"layer": kind} for kind in (NotForward, NoContract, 0.1)],
    "04.first-loss": [lambda: {"loss": 10}, lambda: {"loss": [2.3]}],
    "04.two-layer-net": [lambda: {"two_layer": lambda *args: 1.0}, lambda: {"two_layer": "W2"}],
}
