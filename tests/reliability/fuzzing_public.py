"""What is public, for fuzzing.py: every function, class, method, property and operator, read from the reference and `__all__`."""

import contextlib
import fnmatch
import importlib
import inspect
import re
import types
from pathlib import Path

import numpy as np
from fuzzing_instances import INSTANCES, RESULTS

REFERENCE = Path(__file__).parents[2] / "docs" / "reference"


def public_names():
    """(module, name) of all that the reference lists or a module of it exports."""
    found, modules = {}, {}
    for page in sorted(REFERENCE.glob("*.rst")):
        module = ""
        for kind, name in re.findall(r"^\.\. (\w+):: ([\w.]+)", page.read_text(encoding="utf-8"), re.MULTILINE):
            if kind in ("module", "currentmodule", "automodule"):
                module = name
                modules[name] = None
            elif kind in ("autofunction", "autoclass"):
                found[module, name] = None
    modules.pop("None", None)
    for module in modules:
        exported = getattr(importlib.import_module(module), "__all__", ())
        found.update(dict.fromkeys((module, name) for name in exported))
    found.update(
        dict.fromkeys(("scalargrad", name) for name in ("sum", "max", "min", "abs", "pow", "round", "compile"))
    )
    return found


NOT_FOR_CALLERS = {
    "nn.*.update": "a formula of floats that subclasses write and step() calls",
    "nn.*.decayed_update": "as update",
    "*.place": "a network calls it on its parts",
    "sg.function.Context.standing_for": "the sweep calls it",
    "sg.circuit.Node.*": "the graph makes and calls them",
    "sg.mistakes.Mistake.gradients": "a sweep for the comparison",
    "sg.checking.Verdict": "an enumeration",
    "nn.NumpyRandom.*": "formulas of floats, as random.Random's of the same names",
    "*.Live.serve": "waits for Ctrl-C",
    "*.Live.show": "starts a server and a browser",
    "*.Live.widget": "needs the extra `live`, without which it raises ImportError",
    "sg.compiling.Training.step": "called by Training and fit, with samples that these prepared",
}

NO_NETWORK = (
    "BatchNorm Dropout Elementwise Embedding GRUCell LayerNorm LSTMCell MultiHeadAttention RMSNorm RNNCell".split()
)
OF_IMAGES = "AvgPool2d Conv2d Flatten LocalResponseNorm MaxPool2d Unflatten".split()

NEVER_RETURN = {
    **{f"nn.{kind}.draw": "it is no network by itself" for kind in NO_NETWORK},
    **{f"nn.{kind}.live": "it has no two inputs and one output" for kind in NO_NETWORK + OF_IMAGES},
    "nn.Optimizer": "abstract",
    "sg.compiling.Compiled.to_jax": "jax, whose first trace takes seconds, is taken for not installed",
    "sg.compiling.Program.to_jax": "as Compiled.to_jax",
}
"""What refuses whatever it is given, and why."""

OPERATORS = "add sub mul truediv floordiv mod pow matmul lt le gt ge eq ne contains getitem iadd".split()
UNARY = "neg pos abs index invert not_ truth".split()
BUILT_IN = "float int bool complex round repr str hash len iter divmod format list dict set copy.copy copy.deepcopy math.floor math.ceil math.sin pickle.dumps".split()


class Call:
    """One public callable: its name, how to get it, and its parameters."""

    def __init__(self, name, get, parameters, instances=()):
        self.name, self.get, self.parameters, self.instances = name, get, parameters, instances


def callables():
    """Every public callable, methods included, by name."""
    found = {}

    def add(name, get, function, instances=(), skip=0):
        if any(fnmatch.fnmatchcase(name, pattern) for pattern in NOT_FOR_CALLERS):
            return
        with contextlib.suppress(ValueError, TypeError):
            parameters = list(inspect.signature(function).parameters.values())[skip:]
            found.setdefault(name, Call(name, get, parameters, instances))

    for module, name in public_names():
        thing = getattr(importlib.import_module(module), name)
        text = f"{'sg' + module.removeprefix('scalargrad')}.{name}".replace("sg.nn.", "nn.")
        if inspect.ismodule(thing) or not callable(thing) or isinstance(thing, types.GenericAlias):
            continue
        if not inspect.isclass(thing):
            add(text, lambda thing=thing: thing, thing)
            continue
        if issubclass(thing, BaseException):
            continue
        if name not in RESULTS:
            add(text, lambda thing=thing: thing, thing)
        own = ".".join(text.split(".")[-2:])
        instances = INSTANCES.get(own, INSTANCES.get(name))
        if instances is None:
            made = f"{text}({'2.0' if 'Constant' in name else ''})"
            instances = [made, f"fed({made})"] if name.endswith("Gate") else [made]
        if instances:
            add_members(add, text, thing, instances)
    any_value = [parameter("x"), parameter("y")]
    for name in OPERATORS:
        found[f"operator.{name}"] = Call(
            f"operator.{name}", lambda n=name: getattr(importlib.import_module("operator"), n), any_value
        )
    for name in UNARY:
        found[f"operator.{name}"] = Call(
            f"operator.{name}", lambda n=name: getattr(importlib.import_module("operator"), n), any_value[:1]
        )
    for name in BUILT_IN:
        module, _, last = name.rpartition(".")
        function = getattr(importlib.import_module(module or "builtins"), last)
        found[name] = Call(name, lambda f=function: f, any_value[: 2 if name in ("round", "divmod", "format") else 1])
    for name in "tanh add power dot sum where maximum isnan".split():
        count = {"tanh": 1, "sum": 1, "isnan": 1, "where": 3}.get(name, 2)
        found[f"np.{name}"] = Call(f"np.{name}", lambda n=name: getattr(np, n), [parameter(n) for n in "xyz"[:count]])
    return found


def parameter(name):
    return inspect.Parameter(name, inspect.Parameter.POSITIONAL_ONLY)


def add_members(add, text, thing, instances):
    """The methods and properties of a class that the package defines."""
    for member in dir(thing):
        if member.startswith("_") and member not in (
            "__call__",
            "__getitem__",
            "__len__",
            "__iter__",
            "__eq__",
            "__str__",
            "__repr__",
        ):
            continue
        static = inspect.getattr_static(thing, member)
        owner = next((kind for kind in thing.__mro__ if member in vars(kind)), object)
        if not owner.__module__.startswith("scalargrad"):
            continue
        name = f"{text}.{member}"
        if isinstance(static, property):
            add(name, lambda self, m=member: lambda: getattr(self, m), lambda: None, instances)
            if static.fset:
                add(
                    f"{name} =",
                    lambda self, m=member: lambda data: setattr(self, m, data),
                    lambda data: None,
                    instances,
                )
        elif callable(getattr(thing, member, None)):  # a name that only says what to write raises
            bound = isinstance(static, (classmethod, staticmethod))
            add(name, lambda self, m=member: getattr(self, m), getattr(thing, member), instances, skip=not bound)
