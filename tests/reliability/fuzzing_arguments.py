"""What the texts speak of that fuzzing.py evaluates: objects as a caller has them, and hostile ones.

A call that fails is printed as text, so that it can be typed again: `from fuzzing_arguments import *` has the names.
"""

import math
import random
import types
from decimal import Decimal  # noqa: F401
from fractions import Fraction  # noqa: F401

import numpy as np  # noqa: F401

import scalargrad as sg
from scalargrad import Value, nn

nan, inf = math.nan, math.inf


class PlantedError(Exception):
    """What an object of the caller's raises: it must reach the caller as it is."""


def raising(method, base=object, *arguments):
    """An object that raises PlantedError in a special method."""

    def planted(self, *_, **__):
        raise PlantedError(method)

    return type("Raising", (base,), {method: planted, "__hash__": base.__hash__} | {method: planted})(*arguments)


def lying(base=object, /, *arguments, **answers):
    """An object whose special methods answer what they are told to."""
    methods = {f"__{name}__": (lambda self, *_, _answer=answer, **__: _answer) for name, answer in answers.items()}
    return type("Lying", (base,), {"__hash__": base.__hash__} | methods)(*arguments)


def endless():
    """A list that holds itself."""
    found = [1.0]
    found.append(found)
    return found


def deep(levels):
    """A list in a list in a list."""
    found = 1.0
    for _ in range(levels):
        found = [found]
    return found


def spoiled(thing, wrong, place):
    """A copy of nested lists, tuples and dicts in which one part, found by a number, is another."""
    if not (type(thing) in (list, tuple, dict) and thing and place):
        return wrong
    place, i = divmod(place, len(thing))
    key = list(thing)[i] if type(thing) is dict else i
    parts = dict(thing) if type(thing) is dict else list(thing)
    parts[key] = spoiled(thing[key], wrong, place)
    return tuple(parts) if type(thing) is tuple else parts


def graph():
    """A small graph with labels."""
    x, y = Value(2.0, label="x"), Value(-3.0, label="y")
    z = (x * y + x).tanh() * sg.dot([x, y], [y, 1.0]) + y**2
    z.label = "z"
    return z


def long_graph(count=3000):
    """A chain, longer than Python's stack is deep."""
    v = Value(1.0)
    for _ in range(count):
        v = v * 1.0
    return v


def edited():
    """A graph with a number that was assigned afterwards."""
    v = graph()
    v.data = 1.0
    return v


def hand_written():
    """A node made micrograd's way."""
    x = Value(3.0, label="x")
    out = Value(x.data**2, (x,), "square")

    def _backward():
        x.grad += 2 * x.data * out.grad

    out._backward = _backward
    return out


def backed():
    """A graph after backward()."""
    v = graph()
    v.backward()
    return v


def mlp(*nouts, **options):
    """A small network, always the same."""
    return nn.MLP(2, list(nouts or (2, 1)), activation="tanh", seed=1, **options)


def model_file():
    """The path of a saved model."""
    return str(mlp().save("model.json"))


def saved(model, optimizer=None):
    """The path of a file that this very model was saved to."""
    return str(model.save("own.json", optimizer=optimizer))


def sgd(model):
    """An optimizer for a module; None for one without parameters."""
    return nn.SGD(model, momentum=0.9) if model.parameters() else None


def sample(model):
    """An input of the shape that a module takes."""
    image = [[[1.0, 2.0, 0.5], [0.0, Value(-1.0), 3.0]]]
    shapes = {
        nn.Conv2d: image, nn.MaxPool2d: image, nn.AvgPool2d: image, nn.LocalResponseNorm: image, nn.Flatten: image,
        nn.Embedding: 1, nn.MultiHeadAttention: [[1.0, 2.0], [Value(0.5), -1.0]], nn.BatchNorm: [[1.0, 2.0], [0.5, -1.0]],
    }  # fmt: skip
    return shapes.get(type(model), [1.0, Value(-2.0)])


def samples(model):
    """A batch of two such inputs."""
    one = sample(model)
    return one if isinstance(model, nn.BatchNorm) else [one, one]


def moved(optimizer):
    """An optimizer after a step."""
    for parameter in optimizer.parameters:
        parameter.grad = 1.0
    optimizer.step()
    return optimizer


def compiled_loss(backend="python"):
    """The compiled loss of a model, that knows its parameters."""
    model = mlp()
    return sg.compile(lambda x: model(x) ** 2, parameters=model.parameters(), backend=backend)


def training(kind=nn.SGD, **options):
    """A compiled step of training."""
    model = mlp()
    return sg.compile(lambda x: model(x) ** 2, backend="python").training(kind(model, **options))


def circuit():
    """The circuit of the lecture, after its forward pass."""
    made = sg.circuit.ComputationalGraph()
    made.gate(sg.circuit.MultiplyGate(), "x", "y", name="q")
    made.gate(sg.circuit.AddGate(), "q", "z", name="f")
    made.forward({"x": 2.0, "y": 3.0, "z": 4.0})
    return made


def passed(layer, rows=((1.0, 2.0),)):
    """A layer after its forward pass."""
    layer.forward([list(row) for row in rows])
    return layer


def gone_back(layer, rows=((1.0, 2.0),), DY=((1.0,),)):
    """A layer after its backward pass."""
    passed(layer, rows).backward([list(row) for row in DY])
    return layer


def used(gate, *inputs):
    """A gate, or a loss, after its forward pass."""
    gate.forward(*inputs)
    return gate


def fed(gate):
    """A gate after its forward pass on as many numbers as it takes."""
    return used(gate, *[1.5, 0.5][: gate.nin])


class Line(nn.Module):
    """A module of the caller's."""

    def __init__(self):
        self.slope, self.offset = Value(2.0), Value(1.0)

    def __call__(self, x):
        return self.slope * (x[0] if isinstance(x, list) else x) + self.offset


class Chain(nn.Module):
    """A module of the caller's of layers one after another."""

    def __init__(self):
        self.first, self.last = nn.Layer(2, 2, seed=1), nn.Layer(2, 1, seed=2)

    def __call__(self, x):
        return self.last(self.first(x))


class Plain(nn.Optimizer):
    """An optimizer of the caller's."""

    def update(self, p, g, state):
        """A step against the gradient."""
        return p - self.lr * g, state


class Doubling(sg.layers.Layer):
    """A layer of plain numbers of the caller's."""

    def forward(self, X):
        """Twice the rows."""
        return [[2 * x for x in row] for row in X]

    backward = forward


class Cube(sg.Function):
    """A Function of the caller's."""

    @staticmethod
    def forward(ctx, x):
        ctx.save_for_backward(x)
        return x**3

    @staticmethod
    def backward(ctx, upstream):
        return upstream * 3 * ctx.saved_values[0] ** 2


def square(x):
    """A function of one number."""
    return x * x


def applied(**methods):
    """A subclass of Function with these static methods."""
    return type("Applied", (sg.Function,), {name: staticmethod(method) for name, method in methods.items()})


NAMES = {
    name: value for name, value in globals().items() if not name.startswith("__") and not name.isupper()
} | {"random": random, "types": types}  # fmt: skip
