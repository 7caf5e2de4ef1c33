"""What every backend must give: at hard operands of each op what its row says, and trainings that are those of Python.

It needs no package for tests, so that it runs in Pyodide as it is.
"""

import math
import random

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.compiling.samples import Samples
from scalargrad.compiling.tape import INPUT, PARAMETER, op_of
from scalargrad.table import HARD, TABLE

SPECIAL = [
    0.0, -0.0, 1.0, -1.0, 0.5, -0.5, 1.5, -2.5, 2.0, 3.0, -3.0, 1e-8, 5e-324, -5e-324, 2.2e-308, 709.5, 710.0, -745.5, -746.0,
    1e16, 1e154, -1e154, 1e308, -1e308, math.inf, -math.inf, math.nan, math.pi, 1 - 2**-53, 1 + 2**-52,
]  # fmt: skip


def same(a, b):
    """Equal to the last bit; any nan is like any other. (0.0 and -0.0 are told apart by `same_sign` only.)"""
    return a == b or (a != a and b != b)


def same_sign(a, b):
    """The same, the sign of zero too."""
    return same(a, b) and (a != a or math.copysign(1.0, a) == math.copysign(1.0, b))


# -------------------------------------------------------------------- primitives


def operands_of(name):
    op = op_of(name)
    n = op.arity or len(op.arguments)
    rng = random.Random(name)
    some = [
        [rng.choice([rng.uniform(-3, 3), rng.gauss(0, 1) * 10.0 ** rng.randint(-20, 20)]) for _ in range(n)]
        for _ in range(300)
    ]
    if n == 1:
        return [[x] for x in SPECIAL] + some
    if n == 2:
        return [[x, y] for x in SPECIAL for y in SPECIAL] + some
    return [[x, y, z] for x in SPECIAL for y in SPECIAL[::4] for z in SPECIAL[1::5]] + some


def ieee(name, xs):
    """What the row's `value` says; where it raises, what IEEE arithmetic says."""
    op = op_of(name)
    try:
        return op.on(xs)
    except HARD:
        return op.at_pole(xs)


def differing(name, cases, results):
    """The operands at which a result is not the row's to the last bit, with both."""
    expected = [ieee(name, xs) for xs in cases]
    return [one for one in zip(cases, results, expected, strict=True) if not same_sign(one[1], one[2])]


def differing_in_each_form(backend, name):
    """The same for a primitive in a backend's programs for one point and for batches.

    Args:
        backend: its package.
        name: the primitive's.
    """
    cases = operands_of(name)
    n = len(cases[0])
    code = [*((INPUT, i) for i in range(n)), (name, *range(n))]
    run = backend.single(code, [n])
    found = differing(name, cases, [run((), xs)[0] for xs in cases])
    batch = backend.BatchRunner(code, [(n, None)], [n], [n])
    for some in (cases, cases[1:]):  # an odd number of them leaves a lane empty
        found += differing(name, some, batch.run([Samples(some, "cases")], len(some), (), False)[1][0])
    still = [*((PARAMETER, i) for i in range(n)), (name, *range(n))]
    once = backend.BatchRunner(still, [(None, n)], [n], [1])
    some = cases[::7]
    results = [once.run([Samples([1.0, 2.0, 3.0], "x")], 3, xs, False)[1][0] for xs in some]
    return found + differing(name, some, [row[2] for row in results])


# -------------------------------------------------------------------- rows


def hard_operands(op):
    """Operands of a row: hard ones for each alone, and some beside kinks."""
    n = op.arity or (len(op.arguments) or 3)
    usual = [0.5 if 0.5 in domain else 1.5 for domain in op.domains(n)]
    numbers = [*SPECIAL, *(x + d for x in (-1.0, 0.0, 1.0) for d in (-1e-9, 1e-9))]
    found = [[*usual[:i], x, *usual[i + 1 :]] for i in range(n) for x in numbers]
    found += [[x] * n for x in numbers]
    return [[1.0, *xs] for xs in found] if op.has_index else found


def differing_from_eager(backend, name):
    """Where value or gradient of a row, compiled by a backend of this name, are not the eager ones; and how many are.

    Where eager code raises, and compiled code follows IEEE arithmetic, there is nothing to compare.
    """
    op, found, compared = TABLE[name], [], 0

    def of(xs):
        if op.has_index:
            return op.function(xs[1:], xs[0])
        if op.pair is not None:
            return op.function(xs, [2.0, -0.5, 1.0][: len(xs)])
        return op.function(*xs) if op.arity is not None or op.arguments else op.function(xs)

    compiled = sg.compile(sg.value_and_grad(of), backend=backend)
    for xs in hard_operands(op):
        leaves = [Value(x) for x in xs]
        try:
            root = of(leaves)
            root.backward()
            value, gradient = compiled(xs)
        except (*HARD, IndexError):
            continue
        expected = [root.data, *(x.grad for x in leaves)]
        if not (same_sign(value, root.data) and all(map(same, gradient, expected[1:]))):
            found.append((xs, [value, *gradient], expected))
        compared += 1
    return found, compared


# -------------------------------------------------------------------- trainings


def trained(backend, optimizer, activation):
    """Losses of 25 steps on batches of two sizes, and parameters and gradients after them."""
    X, y = nn.moons(31, noise=0.1, seed=1, labels=(-1, 1))
    model = nn.MLP(2, [5, 4, 1], activation=activation, seed=3)
    loss = sg.compile(lambda x, t: nn.hinge(model(x), t), parameters=model.parameters(), backend=backend)
    with loss.training(getattr(nn, optimizer)(model.parameters(), lr=0.05)) as step:
        found = [step(X, y) for _ in range(20)]
        found += [step(X[:7], y[:7]) for _ in range(5)]
        # Numbers that are not read where they lie, in the same lists, and then those before.
        found += [step([[2**40, True], [0, -3.5]], [10**15, y_]) for y_ in (1, 1.0)]
        found += [step([[2, 1], [0, -3.5]], [-1, 1]), step([[2.0, 1.0], [-0.0, -3.5]], [1, -1.0])]
    return [*found, *(p.data for p in model.parameters()), *(p.grad for p in model.parameters())]
