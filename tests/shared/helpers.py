"""What several test files share: legal inputs for any op of the table, graphs, and a derivative that owes it nothing."""

import math
import random

from scalargrad import Function
from scalargrad.strategies import call, inputs_for, numbers_in, off_kinks  # noqa: F401  (for test files)

arguments = inputs_for

README_EXAMPLE = (24.70408163265306, 138.83381924198252, 645.5772594752186)


def readme_example(value_type):
    """micrograd's README example, word for word: (g, a, b)."""
    a = value_type(-4.0, label="a")
    b = value_type(2.0, label="b")
    c = a + b
    d = a * b + b**3
    c += c + 1
    c += 1 + c + (-a)
    d += d * 2 + (b + a).relu()
    d += 3 * d + (b - a).relu()
    e = c - d
    f = e**2
    g = f / 2.0
    g += 10.0 / f
    return g, a, b


def cube_by_function(factor):
    """x**3 as a Function, whose derivative is factor times x**2: right if that is 3."""

    class Cube(Function):
        @staticmethod
        def forward(ctx, x):
            ctx.save_for_backward(x)
            return x**3

        @staticmethod
        def backward(ctx, grad):
            (x,) = ctx.saved_values
            return grad * factor * x**2

    return Cube.apply


def slope(f, x: float, h: float = 1e-3) -> tuple[float, float]:
    """f'(x) by Ridders' extrapolated central differences, with an estimate of its error."""
    best, error = math.nan, math.inf
    table = [[(f(x + h) - f(x - h)) / (2 * h)]]
    for _ in range(6):
        h /= 1.6
        row = [(f(x + h) - f(x - h)) / (2 * h)]
        factor = 1.6**2
        for previous in table[-1]:
            row.append((factor * row[-1] - previous) / (factor - 1))
            factor *= 1.6**2
            now = max(abs(row[-1] - row[-2]), abs(row[-1] - previous))
            if now < error:
                best, error = row[-1], now
        table.append(row)
    return best, error


def random_graph(value_type, n: int, seed: int):
    """A random graph of n operations with shared nodes over five leaves, all below one root: (root, leaves)."""
    rng = random.Random(seed)
    leaves = [value_type(rng.uniform(-1, 1)) for _ in range(5)]
    nodes = list(leaves)
    for _ in range(n):
        x, y = rng.choice(nodes[-20:]), rng.choice(nodes[-20:])
        nodes.append(
            rng.choice([lambda: x + y, lambda: x * y, lambda: x - y, lambda: x.tanh(), lambda: (x * y).tanh()])()
        )
    return sum(nodes[-20:], value_type(0.0)), leaves
