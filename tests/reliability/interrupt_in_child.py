"""Interrupts work at random moments, as Ctrl-C does, and looks at what is left; prints as JSON what it found.

    python tests/reliability/interrupt_in_child.py backward 200

A timer's signal is handled as SIGINT is: `signal.default_int_handler` raises KeyboardInterrupt in the main thread,
between two of its instructions. What is left must be the old or the new, whole; an AssertionError says if it is not.
POSIX only.
"""

import contextlib
import gc
import json
import os
import random
import signal
import sys
import tempfile
import time
from pathlib import Path

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.node.mode import Mode, mode


def interrupted(work, delay):
    """Whether the work was interrupted by a signal after so many seconds; or came to its end before."""
    try:
        signal.setitimer(signal.ITIMER_REAL, delay)
        try:
            work()
        finally:
            signal.setitimer(signal.ITIMER_REAL, 0)
    except KeyboardInterrupt:
        return True
    return False


class Work:
    """Something to interrupt.

    `work` is interrupted; `look` says what it left, "old", "new" or a count, after checking that it is whole and that
    the next call works.
    """

    def __init__(self, folder):
        self.folder = folder

    def work(self):
        raise NotImplementedError

    def look(self):
        raise NotImplementedError


class Backward(Work):
    """backward() through a thousand nodes: every gradient old, or every one new."""

    hand_written = False

    def __init__(self, folder):
        super().__init__(folder)
        rng = random.Random(1)
        nodes = [Value(rng.uniform(0.5, 1.0)) for _ in range(8)]
        for _ in range(500):
            x, y = rng.choice(nodes[-20:]), rng.choice(nodes[-20:])
            nodes.append(rng.choice([lambda: x * y, lambda: (x + y).tanh(), lambda: x - y])())
            if self.hand_written:
                nodes.append(halved(nodes[-1], nodes[0]))
        self.root = sg.sum(nodes[-20:])
        self.nodes = sg.topological_order(self.root)
        slopes = sg.grad(self.root, self.nodes) if not self.hand_written else None
        if slopes is None:
            self.root.backward()
            slopes = [node.grad for node in self.nodes]
        for node in self.nodes:
            node.grad = 0.125
        self.old, self.new = [0.125] * len(self.nodes), [0.125 + slope for slope in slopes]

    def work(self):
        self.root.backward()

    def look(self):
        grads = [node.grad for node in self.nodes]
        found = "old" if grads == self.old else "new"
        if found == "new":
            assert grads == self.new, "some gradients old, some new, or neither"
        for node in self.nodes:
            node.grad = 0.125
        self.root.backward()
        assert [node.grad for node in self.nodes] == self.new
        for node in self.nodes:
            node.grad = 0.125
        return found


class HandWritten(Backward):
    """The same through closures written by hand, which are lent the gradients of others while they run."""

    hand_written = True


def halved(x, leaf):
    """x / 2 with a closure of its own, which reaches a leaf that it did not list."""
    out = Value(0.5 * x.data, (x,), "halved")

    def _backward():
        x.grad += 0.5 * out.grad
        leaf.grad += 0.25 * out.grad

    out._backward = _backward
    return out


class Contexts(Backward):
    """The same in detect_anomaly and sweep_hook, a hook on a node, and with no_grad beside: contexts are left."""

    def __init__(self, folder):
        super().__init__(folder)
        self.root.register_hook(lambda gradient: None)

    def work(self):
        with sg.no_grad():
            self.root.detach() * 2
        with sg.detect_anomaly(), sg.sweep_hook(lambda node, gradient: None):
            self.root.backward()


class Fit(Work):
    """nn.fit: parameters and optimizer after a whole step, from which the next fit goes on as if nothing had been."""

    epochs = 30

    def __init__(self, folder, compiled=False):
        super().__init__(folder)
        self.compiled = compiled
        self.samples = nn.xor(labels=(-1, 1))
        self._begin()
        self.states = [bits(self.model)]
        self._fit(self.epochs + 1, lambda *_: self.states.append(bits(self.model)))
        self._begin()

    def _begin(self):
        self.model = nn.MLP(2, [4, 1], activation="tanh", seed=1)
        self.optimizer = nn.Adam(self.model.parameters(), lr=0.05)

    def _fit(self, epochs, callback=None):
        nn.fit(self.model, *self.samples, loss="hinge", optimizer=self.optimizer, epochs=epochs, progress=False,
               callback=callback, compiled=self.compiled)  # fmt: skip

    def work(self):
        self._fit(self.epochs)

    def look(self):
        k = self.optimizer.steps
        assert bits(self.model) == self.states[k], f"parameters are not those after {k} steps"
        self._fit(1)
        assert self.optimizer.steps == k + 1
        assert bits(self.model) == self.states[k + 1]
        self._begin()
        return "new" if k == self.epochs else "old" if k == 0 else "a step between"


class Reader(nn.Module):
    """Reads numbers one after another."""

    def __init__(self):
        self.cell, self.out = nn.RNNCell(1, 3, seed=1), nn.Linear(3, 1, seed=2)

    def __call__(self, xs):
        h = None
        for x in xs:
            h = self.cell([x], h)
        return self.out(h)[0]


class FitDocuments(Fit):
    """The same with samples of different lengths: a program for each."""

    def __init__(self, folder, compiled=False):
        super().__init__(folder, compiled)
        self.samples = [[0.5], [0.1, -0.4], [1.0, 0.2, 0.3], [-0.3], [0.7, 0.7]], [1, -1, 1, -1, 1]
        self._begin()
        self.states = [bits(self.model)]
        self._fit(self.epochs + 1, lambda *_: self.states.append(bits(self.model)))
        self._begin()

    def _begin(self):
        self.model = Reader()
        self.optimizer = nn.Adam(self.model.parameters(), lr=0.05)


def bits(model):
    """All its numbers, exactly."""
    return [x.hex() for x in model.state_dict().values()]


class Step(Fit):
    """optimizer.step() again and again."""

    def work(self):
        scores = [self.model(row) for row in self.samples[0]]
        nn.hinge(scores, self.samples[1]).backward()
        self.optimizer.step()
        self.optimizer.zero_grad()

    def look(self):
        k = self.optimizer.steps
        assert bits(self.model) == self.states[k]
        self.optimizer.zero_grad()
        self.work()
        assert bits(self.model) == self.states[k + 1]
        self._begin()
        return "new" if k else "old"


class Files(Work):
    """A file replaced: the old one or the new one, whole, and nothing beside it but what says that it is temporary."""

    suffix = ".json"

    def __init__(self, folder):
        super().__init__(folder)
        self.path = Path(folder, f"file{self.suffix}")
        self.things = [self.thing(i) for i in range(2)]
        self.contents = []
        for thing in self.things:
            self.save(thing)
            self.contents.append(self.path.read_bytes())
        assert self.contents[0] != self.contents[1]
        self.save(self.things[0])
        self.left = 0

    def thing(self, i):
        return nn.MLP(3, [8, 1], seed=i)

    def save(self, thing):
        thing.save(self.path)

    def work(self):
        self.save(self.things[1])

    def look(self):
        found = ("old", "new")[self.contents.index(self.path.read_bytes())]
        for other in set(self.path.parent.iterdir()) - {self.path}:
            assert other.name.startswith(f".{self.path.name}."), other
            self.left += 1
            other.unlink()
        self.save(self.things[0])
        return found


class Drawing(Files):
    """draw and save as SVG."""

    suffix = ".svg"
    engine = "wasi"

    def thing(self, i):
        x = Value(2.0 + i, label="x")
        return (x * x + 1.0).tanh()

    def save(self, thing):
        sg.draw(thing, engine=self.engine).save(self.path)


class DrawingDot(Drawing):
    """The same with the system's dot, a process of its own."""

    engine = "dot"


class Tracing(Drawing):
    """trace and save as a page."""

    suffix = ".html"

    def save(self, thing):
        sg.trace(thing).save(self.path)


WORKS = {
    "backward": Backward, "backward with closures written by hand": HandWritten, "backward in contexts": Contexts,
    "optimizer.step": Step, "fit": Fit, "fit compiled python": lambda folder: Fit(folder, "python"),
    "fit compiled llvm": lambda folder: Fit(folder, "llvm"), "fit compiled jax": lambda folder: Fit(folder, "jax"),
    "fit of any lengths, llvm": lambda folder: FitDocuments(folder, "llvm"),
    "model.save": Files, "draw and save, wasi": Drawing, "draw and save, dot": DrawingDot, "trace and save": Tracing,
}  # fmt: skip


def close_contexts():
    """How many were left open: Ctrl-C in the first or last instructions of a `with` written in Python does that."""
    now = mode.get()
    left = [now.recording is not True, now.watches != (), now.inspectors != ()]
    mode.set(now.but(recording=True, watches=(), inspectors=(), blocks=()))
    return sum(left)


def check_contexts():
    """No mode, watch or sweep is left open."""
    now = mode.get()
    assert {name: getattr(now, name) for name in Mode.__annotations__} == {
        name: getattr(Mode, name) for name in Mode.__annotations__
    }


def children():
    """How many child processes there are, ended or not, after waiting for those that are ending."""
    gc.collect()
    for _ in range(100):
        with contextlib.suppress(ChildProcessError):
            os.waitpid(-1, os.WNOHANG)
        try:
            os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)
        except ChildProcessError:
            return 0
        time.sleep(0.05)
    return 1


def main(name, moments):
    """Interrupt at so many moments, spread over what the work takes, and a little beyond."""
    signal.signal(signal.SIGALRM, signal.default_int_handler)
    rng = random.Random(7)
    with tempfile.TemporaryDirectory() as folder:
        work = WORKS[name](folder)
        seconds = []
        for _ in range(3):
            start = time.perf_counter()
            work.work()
            seconds.append(time.perf_counter() - start)
            work.look()
        counts = {}
        interrupts = left_open = 0
        for _ in range(moments):
            interrupts += interrupted(work.work, rng.uniform(1e-6, 1.1 * min(seconds)))
            if isinstance(work, Contexts):
                left_open += close_contexts() > 0
            check_contexts()
            found = work.look()
            counts[found] = counts.get(found, 0) + 1
        left = getattr(work, "left", 0)
        found = {"interrupts": interrupts, "found": counts, "left": left, "left open": left_open}
        print(json.dumps({**found, "processes": children()}))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))
