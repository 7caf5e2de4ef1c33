"""Optimizers of the user's own in compiled training: their rule is a formula, or it is refused in words."""

import pytest
from compiling_helpers import needs_llvm, with_backends

import scalargrad as sg
from scalargrad import Value, nn

RATES = [0.1, 0.05, 0.01]


class ReadsSteps(nn.Optimizer):
    def update(self, p, g, state):
        return p - self._lr / (1 + self.steps) * g, state


class ReadsStepsInAHelper(nn.Optimizer):
    def rate(self):
        return self._lr * 0.5 ** getattr(self, "steps")  # noqa: B009

    def update(self, p, g, state):
        return p - self.rate() * g, state


class ReadsStates(nn.Optimizer):
    averages = 1

    def update(self, p, g, state):
        return p - self._lr * (g + self._states[0][0]), (g,)


class Counts(nn.Optimizer):
    count = 0

    def update(self, p, g, state):
        self.count += 1
        return p - self._lr / self.count * g, state


class Collects(nn.Optimizer):
    def __init__(self, *args, **kwargs):
        super().__init__(*args, **kwargs)
        self.seen = []

    def update(self, p, g, state):
        self.seen.append(1)
        return p - self._lr / len(self.seen) * g, state


class Prepared(nn.Optimizer):
    moving = ("_lr", "rate")

    def _prepare(self, t):
        self.rate = self._lr / t

    def update(self, p, g, state):
        return p - self.rate * g, state


class ReadsAGlobal(nn.Optimizer):
    def update(self, p, g, state):
        return p - self._lr * RATES[0] * g, state


def run(kind, backend, between=lambda k: None):
    w = Value(1.0)
    fn = lambda x: (w * x - 1.0) ** 2  # noqa: E731
    optimizer = kind([w], lr=0.1)
    found = []
    if backend is None:
        for k in range(4):
            between(k)
            root = sg.mean([fn(x) for x in (1.0, 3.0)])
            optimizer.zero_grad()
            root.backward()
            optimizer.step()
            found.append(root.data)
    else:
        with sg.compile(fn, parameters=[w], backend=backend).training(optimizer) as step:
            for k in range(4):
                between(k)
                found.append(step([1.0, 3.0]))
    return [*found, w.data]


STATEFUL = [ReadsSteps, ReadsStepsInAHelper, ReadsStates, Counts, Collects]


@pytest.mark.parametrize("kind", [*STATEFUL, Prepared, ReadsAGlobal])
def test_with_python_every_rule_does_what_it_does_eagerly(kind):
    assert run(kind, "python") == pytest.approx(run(kind, None), rel=1e-12)


@needs_llvm
@pytest.mark.parametrize("kind", STATEFUL)
def test_a_rule_that_changes_from_step_to_step_is_refused_in_compiled_memory(kind):
    with pytest.raises(ValueError, match=rf"the rule of {kind.__name__} (reads|changes) \w+, which a compiled step"):
        run(kind, "llvm")


@with_backends
def test_what_prepare_computes_and_what_lies_around_is_followed(backend):
    def between(k):
        RATES[0] = 0.1 * (k + 1)

    for kind in (Prepared, ReadsAGlobal):
        assert run(kind, backend, between) == pytest.approx(run(kind, None, between), rel=1e-12)
