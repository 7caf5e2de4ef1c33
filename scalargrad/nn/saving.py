"""Models in files: versioned JSON that holds names and numbers, and nothing that could run."""

from __future__ import annotations

import os
import stat
from pathlib import Path
from typing import TypeVar, overload

from scalargrad.arguments import place
from scalargrad.nn.architecture import build, describe, difference, numbers_in
from scalargrad.nn.fileformat import ANOTHER, MAX_BYTES, ModelFile, decode, encode
from scalargrad.nn.module import Module
from scalargrad.nn.states import name_mismatch
from scalargrad.replacing import replace_file

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


def save(model: Module, path: str | os.PathLike[str]) -> Path:
    """Write a model's numbers, and how it is built, to a file; returns the path.

    The file is JSON with "format": "scalargrad-model", "version": 1, the numbers of `model.state_dict()` by name as
    "state", and, if the model is made of this package's modules and activations, their settings as "model". Each
    number comes back to the last bit. Not in it are gradients, optimizers, labels, whether the model is in training,
    and where Dropout's random numbers come from. "sha256" is the checksum of {"model": ..., "state": ...}, written as
    JSON with sorted keys and without spaces; whoever edits the file by hand deletes that line.

    The file is replaced as a whole: killed at any moment, or with a full disk, the old file or the new one is there. A
    symbolic link stays one and its target is replaced; permissions stay what they were.

    Args:
        model: a Module.
        path: the file; its folder must exist. The suffix is free, ".json" is usual.

    Raises:
        TypeError: if model is not a Module.
        ValueError: if a number is nan or infinite (JSON has none, and a file that was good is worth more), is not a
            float, or the model is too large.
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
    if not isinstance(model, Module):
        raise TypeError(f"save takes a Module, not {type(model).__name__}: save(model, path)")
    path = place(path, "save: path")
    replace_file(path, encode(describe(model), model.state_dict()))
    return path


@overload
def load(path: str | os.PathLike[str], model: M) -> M: ...


@overload
def load(path: str | os.PathLike[str], model: None = None) -> Module: ...


def load(path: str | os.PathLike[str], model: Module | None = None) -> Module:
    """Set a model's numbers from a file that `save` wrote; returns the model.

    Without a model a new one is built, in training mode, if the file says how. Only modules and activations of this
    package are built, found in a table. Nothing in a file is ever run or imported.

    The whole file is checked before the first number is set.

    Args:
        path: the file.
        model: a Module built as the saved one was; or none.

    Raises:
        ModelFileError: if the file is no model file, is damaged, was made by a newer scalargrad, or does not fit the
            model: other names, another activation, another rate of dropout.
        OSError: with the path, if there is no file or it cannot be read.
        TypeError: if model is not a Module.

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
    ours = None if model is None else ModelFile(describe(model), model.state_dict())
    place(path, "load: path")
    name = os.fspath(path)
    try:
        file = decode(_read(name))
        if model is None or ours is None:
            model = _built(file)
        else:
            _check_fit(file, ours, type(model).__name__)
        model.load_state_dict(file.state)
    except ValueError as problem:
        raise ModelFileError(name, str(problem)) from None
    return model


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
