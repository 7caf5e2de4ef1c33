"""Programs of one's own: a pendulum fitted with its uncertainty, a game learnt by playing, a recurrent cell, by the docs."""

import math
import random

import pytest

import scalargrad as sg
from scalargrad import Value, nn, no_grad, sigmoid, sin, tanh

# -------------------------------------------------------------------- physics: a differential equation and its error bars

TRUE, SIGMA, DT, STEPS = [9.81, 0.35, 1.2, 0.0], 0.02, 0.06, 60


def swing(stiffness, damping, angle, speed, sine=sin):
    """The angle of a damped pendulum at every second of 60 steps of Runge and Kutta's fourth order."""

    def slopes(angle, speed):
        return speed, -damping * speed - stiffness * sine(angle)

    seen = []
    for i in range(STEPS):
        a1, s1 = slopes(angle, speed)
        a2, s2 = slopes(angle + DT / 2 * a1, speed + DT / 2 * s1)
        a3, s3 = slopes(angle + DT / 2 * a2, speed + DT / 2 * s2)
        a4, s4 = slopes(angle + DT * a3, speed + DT * s3)
        angle = angle + DT / 6 * (a1 + 2 * a2 + 2 * a3 + a4)
        speed = speed + DT / 6 * (s1 + 2 * s2 + 2 * s3 + s4)
        if i % 2:
            seen.append(angle)
    return seen


def solved(A, b):
    """x of A x = b, by elimination with the largest pivot."""
    n = len(b)
    rows = [[*row, x] for row, x in zip(A, b, strict=True)]
    for i in range(n):
        best = max(range(i, n), key=lambda k, i=i: abs(rows[k][i]))
        rows[i], rows[best] = rows[best], rows[i]
        for k in range(n):
            if k != i:
                factor = rows[k][i] / rows[i][i]
                rows[k] = [x - factor * y for x, y in zip(rows[k], rows[i], strict=True)]
    return [rows[i][n] / rows[i][i] for i in range(n)]


def test_a_pendulum_is_fitted_and_its_uncertainty_is_the_inverse_hessian():
    rng = random.Random(4)
    noise = [rng.gauss(0.0, SIGMA) for _ in range(STEPS // 2)]
    exact = swing(*TRUE)
    assert all(type(x) is float for x in exact)  # the same function of plain numbers
    assert exact == pytest.approx(swing(*TRUE, sine=math.sin), rel=1e-14)
    data = [x + e for x, e in zip(exact, noise, strict=True)]

    def misfit(p):
        return 0.5 * sg.sum([((x - y) / SIGMA) ** 2 for x, y in zip(swing(*p), data, strict=True)])

    both, curvature = sg.value_and_grad(misfit), sg.hessian(misfit)
    p, damping = [9.0, 0.2, 1.1, 0.1], 1.0
    value, slope = both(p)
    assert sg.compile(both)(p) == (value, slope)
    for _ in range(30):  # Levenberg's and Marquardt's way down
        H = curvature(p)
        damped = [[h * (1 + damping * (i == j)) for j, h in enumerate(row)] for i, row in enumerate(H)]
        step = solved(damped, slope)
        there = [x - s for x, s in zip(p, step, strict=True)]
        found, uphill = both(there)
        if found < value:
            p, value, slope, damping = there, found, uphill, damping / 5
        else:
            damping *= 4
        if max(map(abs, step)) < 1e-9:
            break
    assert max(map(abs, slope)) < 1e-3
    H = curvature(p)
    covariance = [solved(H, [float(i == j) for i in range(4)]) for j in range(4)]
    errors = [math.sqrt(covariance[i][i]) for i in range(4)]
    assert all(abs(x - t) < 3 * e for x, t, e in zip(p, TRUE, errors, strict=True))
    # Fisher's information is nearly the same as the Hessian where the noise is small.
    J = sg.jacobian(lambda p: swing(*p))(p)
    fisher = [[sum(row[i] * row[j] for row in J) / SIGMA**2 for j in range(4)] for i in range(4)]
    by_fisher = [math.sqrt(solved(fisher, [float(i == j) for i in range(4)])[j]) for j in range(4)]
    assert errors == pytest.approx(by_fisher, rel=0.1)
    assert sg.check_gradients(lambda k, c: misfit([k, c, 1.2, 0.0]), [9.5, 0.3])


# -------------------------------------------------------------------- a game: policy gradients on tic-tac-toe

LINES = [(0, 1, 2), (3, 4, 5), (6, 7, 8), (0, 3, 6), (1, 4, 7), (2, 5, 8), (0, 4, 8), (2, 4, 6)]


def winner(board):
    return next((board[i] for i, j, k in LINES if board[i] and board[i] == board[j] == board[k]), 0)


def seen_by(player, board):
    return [float(x == player) for x in board] + [float(x == -player) for x in board]


def play(policy, rng, temperature=1.0):
    """One game against somebody who moves at random: what the policy saw, what it could do and did, and the result."""
    board, moves, me, turn = [0] * 9, [], rng.choice((1, -1)), 1
    while 0 in board and not winner(board):
        free = [i for i, x in enumerate(board) if not x]
        move = rng.choice(free)
        if turn == me:
            view = seen_by(me, board)
            with no_grad():
                scores = policy(view)
            move = free[nn.sample([scores[i] for i in free], temperature, rng=rng)]
            moves.append((view, [0.0 if i in free else -1e9 for i in range(9)], move))
        board[move], turn = turn, -turn
    return moves, winner(board) * me


def points(policy, seed, games=150):
    rng = random.Random(seed)
    return sum(play(policy, rng, 0.0)[1] for _ in range(games)) / games


def test_a_policy_learns_tic_tac_toe_by_playing():
    policy, rng = nn.MLP(18, [16, 9], activation="tanh", seed=3), random.Random(5)

    def loss_of(view, closed, move, reward):
        scores = [s + c for s, c in zip(policy(view), closed, strict=True)]
        return -reward * sg.take(nn.log_softmax(scores), move)

    loss = sg.compile(loss_of, parameters=policy.parameters())
    before = points(policy, seed=9)
    with loss.training(nn.Adam(policy.parameters(), lr=0.02)) as step:
        for _ in range(40):
            games = [play(policy, rng) for _ in range(16)]
            rows = [(*move, float(result)) for moves, result in games for move in moves]
            mean = sum(row[3] for row in rows) / len(rows)
            columns = [list(column) for column in zip(*rows, strict=True)]
            columns[3] = [reward - mean for reward in columns[3]]
            expected = sum(float(loss_of(*sample).data) for sample in zip(*columns, strict=True)) / len(rows)
            assert step(*columns) == pytest.approx(expected, rel=1e-9, abs=1e-12)
            step.write_back()  # the next games are played with what was learnt
    assert points(policy, seed=9) > before + 0.2


# -------------------------------------------------------------------- a recurrent cell of Values, samples of any length


class Gated(nn.Module):
    """The minimal gated unit: f = σ(W [x, h] + b), h' = (1 − f) h + f tanh(U [x, f h] + c)."""

    def __init__(self, nin, hidden, rng):
        def matrix():
            size = (nin + hidden) ** -0.5
            return [[Value(rng.gauss(0, size), parameter=True) for _ in range(nin + hidden)] for _ in range(hidden)]

        self.W, self.U = matrix(), matrix()
        self.b = [Value(1.0, parameter=True) for _ in range(hidden)]
        self.c = [Value(0.0, parameter=True) for _ in range(hidden)]

    def __call__(self, x, h):
        f = [sigmoid(sg.dot(row, [*x, *h], b)) for row, b in zip(self.W, self.b, strict=True)]
        kept = [a * b for a, b in zip(f, h, strict=True)]
        new = [tanh(sg.dot(row, [*x, *kept], c)) for row, c in zip(self.U, self.c, strict=True)]
        return [(1 - a) * old + a * n for a, old, n in zip(f, h, new, strict=True)]


class Parity(nn.Module):
    def __init__(self, hidden, rng):
        self.cell, self.out = Gated(1, hidden, rng), nn.Linear(hidden, 1, rng=rng)

    def __call__(self, bits):
        h = [0.0] * len(self.cell.b)
        for bit in bits:
            h = self.cell([bit], h)
        return self.out(h)[0]


def sequences(rng, n, longest):
    found = [[float(rng.random() < 0.5) for _ in range(rng.randint(1, longest))] for _ in range(n)]
    return found, [int(sum(bits) % 2) for bits in found]


def test_a_cell_of_ones_own_learns_parity_of_any_length(tmp_path):
    rng = random.Random(2)
    model = Parity(4, rng)
    X, y = sequences(rng, 80, 4)
    loss = sg.compile(lambda bits, t: nn.bce_with_logits(model(bits), t), parameters=model.parameters())
    value, gradients = loss.value_and_grad(X, y)
    eager = sg.mean([nn.bce_with_logits(model(bits), t) for bits, t in zip(X, y, strict=True)])
    assert value == pytest.approx(eager.data, rel=1e-12)
    assert gradients == pytest.approx(sg.grad(eager, model.parameters()), rel=1e-9, abs=1e-14)
    assert sg.check_gradients(lambda *bits: model(list(bits)), [0.3, 0.8])
    optimizer = nn.Adam(model.parameters(), lr=0.05)
    history = nn.fit(
        model, X, y, "bce_with_logits", optimizer=optimizer, epochs=120, batch_size=20, seed=1, compiled=True,
        progress=False,
    )  # fmt: skip
    assert history.accuracy[-1] == 1.0
    longer, parity = sequences(random.Random(3), 30, 7)
    assert nn.accuracy(nn.predict(model, longer), parity) >= 0.9
    again = Parity(4, random.Random(9))
    nn.save(model, tmp_path / "parity.json", optimizer=optimizer)
    nn.load(tmp_path / "parity.json", again)
    assert again([1.0, 0.0, 1.0]).data == model([1.0, 0.0, 1.0]).data
    steps = sg.trace(model([1.0]))
    assert steps.graph.gradients[model.out.parameters()[-1]] == 1.0
    assert "tanh" in model([1.0, 0.0]).draw().text
