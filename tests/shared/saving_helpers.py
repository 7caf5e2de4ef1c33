"""What the tests of saving share: models of every kind, their bits, and files with any content."""

import json
import struct
import tempfile
from contextlib import contextmanager
from pathlib import Path

import scalargrad
from scalargrad import Value, nn

_FOLDER = tempfile.TemporaryDirectory()  # one for all examples of a property; removed at exit


def bits(source):
    """The numbers of a model or state by name, bit for bit: -0.0 is not 0.0, and nan is itself."""
    state = source.state_dict() if isinstance(source, nn.Module) else source
    return {name: struct.pack("<d", x) for name, x in state.items()}


def set_numbers(model, rng):
    """Every number different, none a round one."""
    model.load_state_dict({name: rng.uniform(0.1, 2.0) for name in model.state_dict()})
    return model


@contextmanager
def file_with(content):
    """The path of a file with this content; not to be nested."""
    path = Path(_FOLDER.name, "model.json")
    path.write_bytes(content.encode() if isinstance(content, str) else content)
    try:
        yield path
    finally:
        path.unlink()


def refusal(content, model):
    """The error that loading the content into the model gives, having changed nothing; None if it loads."""
    before = bits(model)
    with file_with(content) as path:
        try:
            loaded = model.load(path)
        except nn.ModelFileError as problem:
            error = problem
        else:
            assert loaded is model
            return None
    assert bits(model) == before
    assert error.path == str(path)
    assert repr(str(path)) in str(error)
    assert error.reason
    assert str(error).isprintable()
    return error


def built(content):
    """The model that a file with this content builds, None if it is refused."""
    with file_with(content) as path:
        try:
            return nn.load(path)
        except nn.ModelFileError:
            return None


def content_of(model, optimizer=None):
    """What `save` writes."""
    with file_with("") as path:
        return nn.save(model, path, optimizer=optimizer).read_bytes()


def trained(model):
    """An optimizer of the model's parameters that has made a step; the first of them is frozen now."""
    optimizer = nn.Adam(model.parameters(), lr=0.01)
    for i, parameter in enumerate(optimizer.parameters):
        parameter.grad = 0.5 / (i + 1)
    optimizer.step()
    optimizer.parameters[0].requires_grad = False
    return optimizer


def document_of(model):
    """The file as Python objects, without the checksum, to edit by hand."""
    document = json.loads(content_of(model))
    del document["sha256"]
    return document


class Zoo(nn.Module):
    """A module of the user's own with everything a state may hold, and what it must not."""

    def __init__(self):
        self.scale = Value(2.0)
        self.parts = {"first": nn.Neuron(1, seed=0), 'é["\\': [nn.Neuron(1, seed=1), (Value(1.0), "text", 3)]}
        self.again = self.parts["first"]
        self.constant = Value(5.0, requires_grad=False)
        self.computed = self.scale * 2
        self._cache = Value(7.0, requires_grad=False)
        self._hidden = Value(8.0)
        self.myself = self

    def __call__(self, x):
        return self.scale * x + self.constant


KNOWN = {
    "neuron": lambda: nn.Neuron(3, activation="tanh"),
    "linear neuron": lambda: nn.Neuron(2, nonlin=False, bias=False, fused=False),
    "layer": lambda: nn.Layer(2, 3, activation="leaky_relu"),
    "one neuron": lambda: nn.Layer(2, 1, False, bias=False),
    "mlp": lambda: nn.MLP(2, [4, 3, 1], activation="gelu"),
    "mlp with a list": lambda: nn.MLP(2, [2, 2], activation=["tanh", scalargrad.sigmoid], bias=False, fused=False),
    "maxout neuron": lambda: nn.MaxoutNeuron(2, 3, bias=False),
    "maxout": lambda: nn.Maxout(2, 3, pieces=4),
    "batch norm": lambda: nn.BatchNorm(2, eps=1e-3, momentum=0.25),
    "dropout": lambda: nn.Dropout(0.25, seed=1),
    "elementwise": lambda: nn.Elementwise("tanh"),
    "sequential": lambda: nn.Sequential(
        nn.Layer(2, 4, nonlin=False), nn.BatchNorm(4), "tanh", nn.Sequential(nn.Maxout(4, 2), scalargrad.square),
        nn.MLP(2, [2, 1]),
    ),
    "sequential with dropout": lambda: nn.Sequential(nn.Layer(2, 3), nn.Dropout(0.5), nn.Layer(3, 1)),
}  # fmt: skip


def shared():
    layer = nn.Layer(2, 2, seed=0)
    return nn.Sequential(layer, "tanh", layer)


def tied():
    model = nn.MLP(2, [2, 1])
    model.layers[0].neurons[1].w = model.layers[0].neurons[0].w
    return model


def rearranged():
    """As many numbers as without the changes."""
    model = nn.MLP(2, [2, 1])
    model.layers[0].neurons[1].b = model.layers[0].neurons[0].b
    model.scale = Value(1.0)
    return model


def mixed():
    model = nn.MLP(2, [2, 1])
    model.layers[0].neurons[1] = nn.Neuron(2, activation="tanh")
    return model


def tanh(v):
    """Not the op of that name."""
    return v * v


class Twin(nn.MLP):
    pass


OF_ITS_OWN = {
    "own module": Zoo,
    "own module inside": lambda: nn.Sequential(nn.Layer(2, 1), Zoo()),
    "subclass": lambda: Twin(2, [2, 1]),
    "own function": lambda: nn.Sequential(nn.Layer(2, 2), lambda outs: outs[0]),
    "own activation": lambda: nn.MLP(2, [2, 1], activation=tanh),
    "own elementwise": lambda: nn.Sequential(nn.Layer(2, 2), nn.Elementwise(tanh)),
    "shared layer": shared,
    "tied weights": tied,
    "rearranged": rearranged,
    "mixed layer": mixed,
}
ALL = {**KNOWN, **OF_ITS_OWN}
