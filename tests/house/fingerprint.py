"""What a change of structure must leave as it is, in one line for each subject: python tests/house/fingerprint.py > before.txt

Rows of the op table at 1 000 points, random graphs and their orders, compiled programs on every backend that is
installed, texts, error messages and pictures: a sha256 of each. A change that only moves code prints the same lines.
"""

import contextlib
import hashlib
import math
import random
import struct
import sys
import warnings
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[1] / "shared"))

from helpers import random_graph, readme_example

import scalargrad as sg
from scalargrad import Value, nn
from scalargrad.engine import topological_order
from scalargrad.table import TABLE

HARD = [0.0, -0.0, 1.0, -1.0, 0.5, 2.0, 3.0, 1e-300, 1e300, math.inf, -math.inf, math.nan, 5e-324, 710.0, -745.0]


class Digest:
    """Adds up numbers bit for bit, and texts."""

    def __init__(self):
        self._sum = hashlib.sha256()

    def add(self, *things):
        for thing in things:
            if isinstance(thing, float):
                thing = math.nan if thing != thing else thing  # nan has many bits
                self._sum.update(struct.pack("<d", thing))
            elif isinstance(thing, (list, tuple)):
                self.add(*thing)
            else:
                self._sum.update(str(thing).encode())
        return self

    def __str__(self):
        return self._sum.hexdigest()


def rows(points=1000):
    digest = Digest()
    for name, op in TABLE.items():
        if op.is_users:
            continue
        rng = random.Random(name)
        n = op.arity or len(op.arguments) or 3
        for k in range(points):
            xs = [rng.choice(HARD) if k % 4 == 0 else rng.gauss(0, 3) for _ in range(n)]
            leaves = list(map(Value, xs))
            try:
                if op.pair is not None:
                    z = op.function(leaves, leaves)
                elif op.has_index:
                    z = op.function(leaves, Value(float(k % n)))
                else:
                    z = op.function(*leaves) if op.arity or op.arguments else op.function(leaves)
                z.backward()
                digest.add(z.data, [leaf.grad for leaf in leaves])
            except (ValueError, ArithmeticError) as error:
                digest.add(type(error).__name__, str(error).split("\n", 1)[0])
    return digest


def graphs(count=300):
    digest = Digest()
    for seed in range(count):
        root, leaves = random_graph(Value, 40, seed)
        order = topological_order(root)
        place = {node: i for i, node in enumerate(order)}
        digest.add([[place[parent] for parent in node.parents] for node in order])
        root.backward()
        digest.add(root.data, [node.grad for node in order], [leaf.grad for leaf in leaves])
        second = sg.grad(sg.grad(root, leaves, create_graph=True)[0], leaves)
        digest.add([x.data if isinstance(x, Value) else x for x in second])
    return digest


def compiled(backend, count):
    digest = Digest()
    for seed in range(count):
        root, leaves = random_graph(Value, 40, seed)
        program = sg.record(root, inputs=leaves, backend=backend)
        digest.add(str(program), program.value_and_grad([leaf.data / 2 for leaf in leaves]))
        model = nn.MLP(2, [4, 1], activation="tanh", seed=seed)
        loss = sg.compile(lambda x, t: (model(x) - t) ** 2, parameters=model.parameters(), backend=backend)
        rng = random.Random(seed)
        X, y = [[rng.random(), rng.random()] for _ in range(9)], [rng.random() for _ in range(9)]
        digest.add(loss.value_and_grad(X, y))
        with loss.training(nn.Adam(model.parameters(), lr=0.1)) as step:
            digest.add([step(X, y) for _ in range(5)])
        digest.add([p.data for p in model.parameters()])
        f = sg.compile(sg.hessian(lambda v: sg.exp(v[0] * v[1]) + sg.relu(v[0])), backend=backend)
        digest.add(f([rng.random(), rng.random()]))
    return digest


def texts():
    digest = Digest()
    g, _, _ = readme_example(Value)
    for root in (g, (Value(1.0, label="x") * Value(2.0, label="y") + 3).tanh(), nn.MLP(2, [3, 1], seed=1)([0.5, 1.0])):
        root.backward()
        digest.add(root.formula(), sg.to_python(root), str(sg.trace(root)), [step.why for step in sg.trace(root)])
        digest.add(root.draw().text, repr(root), [repr(node._backward) for node in topological_order(root)])
    digest.add([op.function.__doc__ for op in TABLE.values() if not op.is_users])
    return digest


def errors():
    digest = Digest()
    x = Value(-1.0, label="x")
    for attempt in (
        lambda: sg.log(x), lambda: 1 / (x + 1), lambda: x ** 0.5, lambda: float(x), lambda: bool(x), lambda: Value("1"),
        lambda: x + "1", lambda: sg.dot([x], [x, x]), lambda: sg.max([]), lambda: sg.clip(x, 2, 1), lambda: x.nothing,
        lambda: sg.compile(lambda v: v.data)(1.0), lambda: nn.MLP(0, [1]), lambda: sg.record(3), lambda: sg.grad(3),
    ):  # fmt: skip
        with contextlib.suppress(AssertionError):
            try:
                attempt()
            except Exception as error:
                digest.add(type(error).__name__, [line for line in str(error).split("\n") if " at " not in line])
    return digest


def pictures():
    digest = Digest()
    for root in ((Value(1.0, label="x") * Value(2.0, label="y")).tanh(), nn.MLP(2, [3, 1], seed=1)([0.5, 1.0])):
        for style in ("cards", "circuit", "micrograd"):
            with contextlib.suppress(ValueError):
                digest.add(root.draw(style=style).svg)
                digest.add(*(root.draw(style=style, collapse=fold).svg for fold in ("neuron", "layer")))
        digest.add(sg.trace(root).html if hasattr(sg.trace(root), "html") else "")
    return digest


def main():
    warnings.simplefilter("ignore")
    print("rows", rows())
    print("graphs", graphs())
    print("python", compiled("python", 20))
    for backend in ("llvm", "jax"):
        try:
            print(backend, compiled(backend, 6))
        except ImportError as missing:
            print(backend, "not installed:", str(missing).split("\n", 1)[0])
    print("texts", texts())
    print("errors", errors())
    print("pictures", pictures())
    # Which rooms of the house have been loaded is not promised; those that are, are in __all__.
    rooms = {name.rsplit(".", 1)[-1] for name in sys.modules if name.startswith("scalargrad.")}
    names = sorted({name for name in dir(sg) if not name.startswith("_")} - rooms | {*sg.__all__})
    print("names", Digest().add(names), len(names))


if __name__ == "__main__":
    main()
