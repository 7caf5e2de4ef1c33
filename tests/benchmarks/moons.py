"""One training step of micrograd's moons demo, in scalargrad and in micrograd, in one process and in turn.

2-16-16-1 network, 100 samples, mean hinge loss + 1e-4 * sum of squared parameters, one step of gradient descent: forward,
zero_grad, backward, update. Run as `python tests/benchmarks/moons.py`; needs micrograd (the extra `bench`).
"""

from __future__ import annotations

import gc
import random
import statistics
import time

import micrograd.nn

from scalargrad import nn

ROUNDS = 7
LR, ALPHA = 0.01, 1e-4


def micrograd_step(model, X, y):
    """The body of the demo's loop, its data as micrograd Values; returns the loss."""
    from micrograd.engine import Value

    inputs = [list(map(Value, row)) for row in X]
    scores = list(map(model, inputs))
    losses = [(1 + -yi * score).relu() for yi, score in zip(y, scores, strict=True)]
    data_loss = sum(losses) * (1.0 / len(losses))
    reg_loss = ALPHA * sum(p * p for p in model.parameters())
    total_loss = data_loss + reg_loss
    model.zero_grad()
    total_loss.backward()
    for p in model.parameters():
        p.data -= LR * p.grad
    return total_loss.data


def scalargrad_step(model, optimizer, X, y):
    """The same step in scalargrad; returns the loss."""
    scores = list(map(model, X))
    total_loss = nn.hinge(scores, y) + nn.l2_penalty(model.parameters(), ALPHA)
    optimizer.zero_grad()
    total_loss.backward()
    optimizer.step()
    return total_loss.data


def networks():
    """Return the same network in both."""
    random.seed(1337)
    theirs = micrograd.nn.MLP(2, [16, 16, 1])
    random.seed(1337)
    ours = nn.MLP(2, [16, 16, 1])
    return theirs, ours


def check_equal(X, y):
    """Two steps in both must agree in loss, gradients and parameters to 1e-9."""
    theirs, ours = networks()
    optimizer = nn.SGD(ours.parameters(), lr=LR)
    for _ in range(2):
        losses = micrograd_step(theirs, X, y), scalargrad_step(ours, optimizer, X, y)
        pairs = [losses]
        for p, q in zip(theirs.parameters(), ours.parameters(), strict=True):
            pairs += [(p.grad, q.grad), (p.data, q.data)]
        for expected, got in pairs:
            if abs(expected - got) > 1e-9 * max(1.0, abs(expected)):
                raise SystemExit(f"scalargrad gives {got!r} where micrograd gives {expected!r}")


def milliseconds(step, steps):
    """Return the mean time of a few steps in a row."""
    gc.collect()
    start = time.perf_counter()
    for _ in range(steps):
        step()
    return 1000 * (time.perf_counter() - start) / steps


def measure(X, y, steps):
    """Return the medians in milliseconds, micrograd's and scalargrad's, the two taking turns."""
    theirs, ours = networks()
    optimizer = nn.SGD(ours.parameters(), lr=LR)
    times = [], []
    for _ in range(ROUNDS):
        times[0].append(milliseconds(lambda: micrograd_step(theirs, X, y), steps))
        times[1].append(milliseconds(lambda: scalargrad_step(ours, optimizer, X, y), steps))
    return [statistics.median(column) for column in times]


def main():
    """Check, measure with the collector on and off, print."""
    X, y = nn.moons(100, noise=0.1, seed=1337, labels=(-1, 1))
    check_equal(X, y)
    print(f"moons training step, 2-16-16-1, 100 samples, hinge + L2; median of {ROUNDS}; both agree to 1e-9")
    print(f"{'collector':<24}{'micrograd ms':>14}{'scalargrad ms':>15}{'ratio':>8}{'bar':>6}")
    # With the collector off nothing of micrograd's is ever freed, so there only single steps can be compared.
    for name, steps, bar in (("on, 3 steps in a row", 3, 20), ("on, single steps", 1, 20), ("off, single steps", 1, 5)):
        gc.collect()
        (gc.disable if name.startswith("off") else gc.enable)()
        try:
            theirs, ours = measure(X, y, steps)
        finally:
            gc.enable()
        print(f"{name:<24}{theirs:>14.1f}{ours:>15.2f}{theirs / ours:>8.1f}{bar:>6}")


if __name__ == "__main__":
    main()
