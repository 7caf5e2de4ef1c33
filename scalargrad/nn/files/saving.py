"""Models in files: versioned JSON that holds names and numbers, and nothing that could run."""

from __future__ import annotations

import json
import os
import stat
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar, overload

from scalargrad.nn.descent.optimizers import Optimizer
from scalargrad.nn.descent.resuming import ENTRIES, changes
from scalargrad.nn.files.architecture import build, describe, difference, numbers_in
from scalargrad.nn.files.fileformat import ANOTHER, MAX_BYTES, ModelFile, check_brackets, decode, encode
from scalargrad.nn.modules.module import Module, state_values
from scalargrad.nn.modules.states import frozen_rule, matching_numbers, name_mismatch, numbers_of, set_all
from scalargrad.support.arguments import place
from scalargrad.support.files import replace_file

if TYPE_CHECKING:
    from scalargrad.nn.modules.known_module import Settings

M = TypeVar("M", bound=Module)


class ModelFileError(ValueError):
    """A file is no model file, is damaged or too new, or does not fit the model. The model is what it was.

    Attributes:
        path: the file.
        reason: what is wrong with it and what to do.
    """

    def __init__(self, path: str, reason: str) -> None:
        super().__init__(path, reason)
        self.path = path
        self.reason = reason

    def __str__(self) -> str:
        return f"cannot load the model file {self.path!r}: {self.reason}"


def save(
    model: Module | str | os.PathLike[str],
    path: str | os.PathLike[str] | Module,
    *,
    optimizer: Optimizer | None = None,
) -> Path:
    """Write a model's numbers, and how it is built, to a file; returns the path.

    The file is JSON with "format": "scalargrad-model", "version", the numbers of `model.state_dict()` by name as
    "state", and, if the model is made of this package's modules and activations, their settings as "model". Each
    number comes back to the last bit. The names of frozen parameters are in it as "frozen", and, if an optimizer is
    given, its `state_dict()` as "optimizer", so that training goes on from the file as if it had not stopped; such a
    file has version 2, one without either version 1. Not in it are gradients, labels, whether the model is in training,
    and where Dropout's random numbers come from. "sha256" is the checksum of {"model": ..., "state": ...} and the two,
    where there are any, written as JSON with sorted keys and without spaces; whoever edits the file by hand deletes
    that line.

    The file is replaced as a whole: killed at any moment, or with a full disk, the old file or the new one is there. A
    symbolic link stays one and its target is replaced; permissions stay what they were.

    Args:
        model: a Module.
        path: the file; its folder must exist. The suffix is free, ".json" is usual.
        optimizer: the one that trains parameters of the model. With it the path may also come first, as in `load`.

    Raises:
        TypeError: if model is not a Module, or optimizer no Optimizer.
        ValueError: if a number is nan or infinite (JSON has none, and a file that was good is worth more), is not a
            float, or the model is too large; if the optimizer trains something that is not in the model.
        OSError: with the path, if the file cannot be written: no such folder, a read-only one, a full disk.

    >>> import tempfile
    >>> from scalargrad.nn import MLP
    >>> model = MLP(2, [4, 1], activation="tanh", seed=1)
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = model.save(f"{folder}/model.json")
    ...     again = load(path)
    >>> again
    MLP(2, [4, 1]), 17 parameters
      layer 0: Layer(2, 4, activation='tanh')
      layer 1: Layer(4, 1, activation='linear')
    >>> again.state_dict() == model.state_dict()
    True
    """
    if optimizer is not None and isinstance(path, Module):
        model, path = path, model
    if not isinstance(model, Module):
        its = ", optimizer=optimizer" if isinstance(model, Optimizer) else ""
        raise TypeError(f"save takes a Module, not {type(model).__name__}: save(model, path{its})")
    path = place(path, "save: path")
    replace_file(path, model_file(model, optimizer))
    return path


def model_file(model: Module, optimizer: Optimizer | None = None) -> bytes:
    """What `save` writes."""
    content = _content(model, optimizer, "save")
    if content.settings is not None and not _brings_back(content.settings, content.state):
        content = content._replace(settings=None)
    return encode(content)


@overload
def load(path: str | os.PathLike[str], model: M, *, optimizer: Optimizer | None = None) -> M: ...


@overload
def load(path: str | os.PathLike[str], model: None = None) -> Module: ...


def load(path: str | os.PathLike[str], model: Module | None = None, *, optimizer: Optimizer | None = None) -> Module:
    """Set a model's numbers from a file that `save` wrote; returns the model.

    Without a model a new one is built, in training mode, if the file says how. Only modules and activations of this
    package are built, found in a table. Nothing in a file is ever run or imported.

    Parameters that were frozen when the file was written are frozen then; those that you froze stay so, too.

    The whole file is checked before the first number is set.

    Args:
        path: the file.
        model: a Module built as the saved one was; or none.
        optimizer: one of the model's parameters, of the kind that was saved, to go on as that would have.

    Raises:
        ModelFileError: if the file is no model file, is damaged, was made by a newer scalargrad, or does not fit the
            model: other names, another activation, another rate of dropout; or if it holds no optimizer, or one that
            does not fit.
        OSError: with the path, if there is no file or it cannot be read.
        TypeError: if model is not a Module, or optimizer no Optimizer.
        ValueError: if there is an optimizer but no model, or it trains something that is not in the model.

    >>> import tempfile
    >>> from scalargrad.nn import BatchNorm, Neuron
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = save(Neuron(2, seed=1), f"{folder}/neuron.json")
    ...     load(path, Neuron(2)).state_dict() == Neuron(2, seed=1).state_dict()
    ...     try:
    ...         load(path, Neuron(3))
    ...     except ModelFileError as error:
    ...         print(error.reason)
    True
    it does not fit this Neuron: missing 1 name: 'w.2'; model.nin is 2 in the file, 3 here. Build the model as it was when it was saved, or load(path) without a model
    """  # noqa: E501
    if model is not None and not isinstance(model, Module):
        raise TypeError(f"load sets the numbers of a Module, not of {type(model).__name__}: load(path, model)")
    if optimizer is not None and model is None:
        raise ValueError("load: an optimizer trains the parameters of a model: load(path, model, optimizer=optimizer)")
    ours = None if model is None else _content(model, optimizer, "load")
    place(path, "load: path")
    name = os.fspath(path)
    try:
        file = decode(_read(name), numbers_in)
        if model is None or ours is None:
            model = _built(file)
        else:
            _check_fit(file, ours, type(model).__name__)
        _take_over(file, model, optimizer)
    except ValueError as problem:
        raise ModelFileError(name, str(problem)) from None
    return model


def _save(module: Module, path: str | os.PathLike[str], *, optimizer: Optimizer | None = None) -> Path:
    """Write the module's numbers to a file and return its path: `nn.save(self, path)`, which describes it."""
    return save(module, path, optimizer=optimizer)


def _load(module: M, path: str | os.PathLike[str], *, optimizer: Optimizer | None = None) -> M:
    """Set the module's numbers from a file and return the module: `nn.load(path, self)`, which describes it."""
    return load(path, module, optimizer=optimizer)


for _name, _method in {"save": _save, "load": _load}.items():
    _method.__name__, _method.__qualname__ = _name, f"Module.{_name}"
    setattr(Module, _name, _method)


def _brings_back(settings: Settings, state: dict[str, float]) -> bool:
    """Whether the description builds a model with just these names: weights may be shared or replaced."""
    try:
        check_brackets(json.dumps(settings).encode())
        return numbers_in(settings) == len(state) and list(build(settings).state_dict()) == list(state)
    except ValueError:
        return False


def _content(model: Module, optimizer: Optimizer | None, who: str) -> ModelFile:
    """What a file of the model, and of the optimizer, would say now."""
    saved = None
    if optimizer is not None:
        if not isinstance(optimizer, Optimizer):
            raise TypeError(f"{who}: optimizer must be an Optimizer, not {type(optimizer).__name__}")
        saved = {**optimizer.state_dict(), "names": _names(model, optimizer, who)}
    settings, values = describe(model), state_values(model, who)
    # In a model of the user's own a frozen parameter and a constant cannot be told apart; frozen they both are.
    frozen = [name for name, v in values.items() if not v.requires_grad and (settings is None or v.is_parameter)]
    return ModelFile(settings, numbers_of(values), frozen, saved)


def _names(model: Module, optimizer: Optimizer, who: str) -> list[str]:
    """What the optimizer's parameters are called in the model."""
    names = {value: name for name, value in state_values(model, who).items()}
    for i, parameter in enumerate(optimizer.parameters):
        if parameter not in names:
            raise ValueError(
                f"{who}: parameter {i} of the optimizer, {parameter!r}, is not in this {type(model).__name__}: give "
                "the optimizer that trains this model"
            )
    return [names[parameter] for parameter in optimizer.parameters]


def _take_over(file: ModelFile, model: Module, optimizer: Optimizer | None) -> None:
    """Set all that the file says, at once, when all of it is checked."""
    values = state_values(model, "load")
    new: list[tuple[Any, str, Any]] = [
        (value, "_data", x)
        for value, x in zip(values.values(), matching_numbers(values, file.state, type(model).__name__), strict=True)
    ]
    new += [(values[name], "_rule", frozen_rule(values[name])) for name in file.frozen]
    if optimizer is not None:
        if file.optimizer is None:
            raise ValueError(
                "it holds no optimizer: load(path, model) without one, or save(model, path, optimizer=...)"
            )
        try:
            new += changes(optimizer, _in_order(file.optimizer, _names(model, optimizer, "load")))
        except (TypeError, ValueError, OverflowError) as problem:
            raise ValueError(f"its optimizer does not fit: {problem}") from None
        optimizer._memories.settle()
    if new:
        set_all(new)
    if optimizer is not None:
        optimizer._memories.read_again()


def _in_order(saved: dict[str, Any], names: list[str]) -> dict[str, Any]:
    """The state of the saved optimizer, its parameters in the order of these names."""
    problem = name_mismatch(names, saved["names"])
    if problem:
        raise ValueError(f"it trains other parameters: {problem}")
    places = {name: i for i, name in enumerate(saved["names"])}
    order = [places[name] for name in names]
    return {
        **{entry: saved[entry] for entry in ENTRIES},
        "counts": [saved["counts"][i] for i in order],
        "averages": [[column[i] for i in order] for column in saved["averages"]],
    }


def _read(path: str) -> bytes:
    """The file's content, unless it is too large, or has no end, as a pipe or device."""
    with open(path, "rb", opener=_open_without_waiting) as file:
        if not stat.S_ISREG(os.fstat(file.fileno()).st_mode):
            raise ValueError("it is a pipe or device, no file: give the path of a file that save() wrote")
        try:
            content = file.read(MAX_BYTES + 1)
        except OSError as error:
            raise OSError(error.errno, error.strerror, path) from error
    if len(content) > MAX_BYTES:
        raise ValueError(f"it has more than {MAX_BYTES} bytes, so it is no model file: give one that save() wrote")
    return content


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _built(file: ModelFile) -> Module:
    if file.settings is None:
        raise ValueError(
            "it holds numbers, but not how the model is built, because it has parts of your own: build the model as it "
            "was when it was saved and call model.load(path)"
        )
    count = numbers_in(file.settings)
    if count != len(file.state):
        raise ValueError(f'its "model" needs {count} numbers, but its "state" has {len(file.state)}. {ANOTHER}')
    return build(file.settings)


def _check_fit(file: ModelFile, ours: ModelFile, who: str) -> None:
    problems = [name_mismatch(ours.state, file.state)]
    if file.settings is not None and ours.settings is not None:
        problems.append(difference(file.settings, ours.settings))
    if any(problems):
        raise ValueError(
            f"it does not fit this {who}: {'; '.join(filter(None, problems))}. Build the model as it was when it was "
            "saved, or load(path) without a model"
        )
