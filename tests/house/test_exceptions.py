"""Every exception and warning of the package survives pickle and copy, so that process pools can hand it on."""

from __future__ import annotations

import copy
import importlib
import inspect
import pickle
import pkgutil
import sys
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context

import pytest

import scalargrad
from scalargrad import Value, nn
from scalargrad.checking import GradientError, check_gradients
from scalargrad.nn.files.saving import ModelFileError
from scalargrad.nn.training.fitting import DivergenceError
from scalargrad.tracing.explanation import TooManyPathsError


def every_exception() -> list[type[BaseException]]:
    """All exception classes that a module of the package defines, also inside other classes."""
    for module in pkgutil.walk_packages(scalargrad.__path__, "scalargrad."):
        if not module.name.endswith("__main__"):
            try:
                importlib.import_module(module.name)
            except ImportError:  # a part that needs an extra
                continue
    found = set()
    waiting = [BaseException]
    while waiting:
        kind = waiting.pop()
        waiting += type.__subclasses__(kind)
        if kind.__module__.split(".")[0] == "scalargrad":
            found.add(kind)
    return sorted(found, key=lambda kind: kind.__qualname__)


def an_example(kind: type[BaseException]) -> BaseException:
    """One of the class, as the package raises it; those that take more than a message are listed."""
    history = nn.History()
    history.append({"loss": 0.5, "lr": 0.1})
    examples = {
        DivergenceError: lambda: DivergenceError("the loss became inf", 3, history),
        ModelFileError: lambda: ModelFileError("model.json", "it is empty"),
        TooManyPathsError: lambda: TooManyPathsError("too many paths", 1000, 20, None),
        GradientError: lambda: GradientError(check_gradients(lambda x: x * x, [2.0], gradient=lambda x: [3.0])),
    }
    return examples.get(kind, lambda: kind("what went wrong"))()


def pickled(error, protocol=pickle.DEFAULT_PROTOCOL):
    return pickle.loads(pickle.dumps(error, protocol))  # noqa: S301  (our own)


def the_same(one, other):
    assert type(one) is type(other)
    assert str(one) == str(other) != ""
    assert vars(one).keys() == vars(other).keys()
    for name, x in vars(one).items():
        assert repr(vars(other)[name]) == repr(x)


@pytest.mark.parametrize("kind", every_exception(), ids=lambda kind: kind.__qualname__)
def test_an_exception_survives_pickle_and_copy(kind):
    error = an_example(kind)
    if sys.version_info >= (3, 11):
        error.add_note("in the second fold")
    for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
        the_same(error, pickled(error, protocol))
    the_same(error, copy.copy(error))
    the_same(error, copy.deepcopy(error))
    the_same(error, pickled(pickled(error)))


def test_the_walk_finds_what_is_known():
    names = {kind.__qualname__ for kind in every_exception()}
    assert {"DivergenceError", "GradientError", "ModelFileError", "BranchError", "RuleOfThumbWarning"} <= names
    assert all(inspect.isclass(kind) for kind in every_exception())


def test_too_many_paths_keeps_its_value_in_a_copy_and_leaves_it_behind_in_a_pickle():
    x = Value(2.0, label="x")
    error = TooManyPathsError("too many paths", 1000, 20, x)
    assert copy.copy(error).split is x
    assert copy.deepcopy(error).split is not x
    assert copy.deepcopy(error).split.data == 2.0
    again = pickled(error)
    assert (str(again), again.count, again.edges, again.split) == ("too many paths", 1000, 20, None)


def diverge(lr):
    nn.fit(nn.MLP(1, [1], seed=0), [[1.0], [2.0]], [1.0, 2.0], loss="mse", lr=lr, epochs=50, progress=False)


def test_a_divergence_in_a_process_pool_reaches_the_caller():
    with ProcessPoolExecutor(1, mp_context=get_context("spawn")) as pool:
        error = pool.submit(diverge, 1e200).exception(timeout=120)
    assert isinstance(error, DivergenceError)
    assert error.epoch >= 1
    assert "put back" in str(error)
    assert error.history.epochs == error.epoch - 1
