"""What several test files share: legal inputs for any op of the table, and a derivative that owes it nothing."""

import math
import random

from hypothesis import strategies as st

from scalargrad.table import Domain, Op

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


def numbers_in(domain: Domain, margin: float = 0.01, span: float = 4.0) -> st.SearchStrategy[float]:
    """Floats inside the domain, at least `margin` from its ends and hole, about 1 in size."""
    low = max(domain.low + margin, -span) if domain.low > -math.inf else -span
    high = min(domain.high - margin, span) if domain.high < math.inf else span
    floats = st.floats(low, high, allow_subnormal=False)
    return floats if domain.hole is None else floats.filter(lambda x: abs(x - domain.hole) > margin)


def arguments(op: Op, margin: float = 0.01) -> st.SearchStrategy[list[float]]:
    """Legal arguments of an op, off its kinks."""
    if op.arity is not None:
        lists = st.tuples(*(numbers_in(domain, margin) for domain in op.domain)).map(list)
    elif op.name == "where":
        lists = st.lists(numbers_in(op.domain[0]), min_size=3, max_size=3)
    elif op.name == "clip":
        lists = st.tuples(*[numbers_in(op.domain[0])] * 3).map(lambda xs: [xs[0], min(xs[1:]), max(xs[1:]) + margin])
    else:
        lists = st.lists(numbers_in(op.domain[0]), min_size=1, max_size=6)
    return lists.filter(lambda xs: off_kinks(op, xs, margin / 2))


def off_kinks(op: Op, xs: list[float], h: float) -> bool:
    """Whether the op stays on the same side of its kinks when each argument moves by up to h."""
    if op.name == "hypot":  # a cone: its one kink is its tip
        return math.hypot(*xs) > h
    if op.kinks is None:
        return True
    sides = set()
    for i in range(len(xs)):
        for step in (-h, 0.0, h):
            moved = [*xs[:i], xs[i] + step, *xs[i + 1 :]]
            sides.add(op.kinks(moved) if op.arity is None else op.kinks(*moved))
    return len(sides) == 1


def call(op: Op, xs):
    """The op's public function on arguments given as a list."""
    if op.name == "dot":
        n = len(xs) // 2
        return op.function(xs[:n], xs[n : 2 * n], *xs[2 * n :])
    return op.function(*xs)


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
