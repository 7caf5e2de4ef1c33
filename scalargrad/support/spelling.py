"""Names that do not exist: which one was meant, and what to say where a call does not fit its function."""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from opcode import opname
from typing import Any, NoReturn, TypeVar

F = TypeVar("F", bound=Callable[..., Any])


def nearest(name: str, choices: Iterable[str], n: int = 1) -> list[str]:
    """The choices that are written most like the name, the nearest first; capitals make no difference.

    >>> nearest("Sofmax", ["softmax", "softplus", "tanh"])
    ['softmax']
    """
    import difflib  # here, as `import scalargrad` reads this file

    choices = list(dict.fromkeys(choices))
    if name in choices:
        return [name]
    by_folded: dict[str, list[str]] = {}
    for choice in choices:
        by_folded.setdefault(_folded(choice), []).append(choice)
    # 0.7 is one wrong letter in four: less alike are words that nobody mixes up.
    folded = difflib.get_close_matches(_folded(name), by_folded, n=n, cutoff=0.7)
    return [choice for text in folded for choice in by_folded[text]][:n]


def _folded(name: str) -> str:
    return name.casefold().replace("_", "")


def did_you_mean(given: Any, choices: Iterable[str]) -> str:
    """What a message says behind a name that is none of the choices; empty if none of them is near.

    >>> did_you_mean("rlu", ["relu", "tanh"])
    " (did you mean 'relu'?)"
    """
    near = nearest(given, (choice for choice in choices if isinstance(choice, str))) if isinstance(given, str) else []
    return f" (did you mean {near[0]!r}?)" if near else ""


def no_attribute(owner: str, name: str, meant: Callable[[str], str]) -> AttributeError | ImportError:
    """What a module's `__getattr__`, which calls this, raises for a name that the module does not have.

    `from module import name` would hide an AttributeError with its text, so it gets an ImportError.

    Args:
        owner: the module's name.
        name: what was asked for.
        meant: says what to write in its place; empty if it does not know.
    """
    frame = sys._getframe(2)
    looks_for_a_file = frame.f_globals.get("__name__") == "importlib._bootstrap"
    hint = "" if name.startswith("_") or looks_for_a_file else meant(name)
    if not hint:
        return AttributeError(f"module {owner!r} has no attribute {name!r}")
    if opname[frame.f_code.co_code[frame.f_lasti]] == "IMPORT_FROM":
        return ImportError(f"cannot import name {name!r} from {owner!r}: {hint}", name=owner)
    # With a name and no object Python does not add a guess of its own.
    return AttributeError(f"module {owner!r} has no attribute {name!r}: {hint}", name=name)


class Misnomer:
    """What stands in a class for a name that its objects do not have: asking for it says which name they have.

    `hasattr` is False all the same, and a subclass or an object may have the name for itself.
    """

    def __init__(self, advice: str) -> None:
        self.advice = advice
        self.name = ""
        self.__doc__ = f"No such name: {advice}."  # what help() shows

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name

    def __get__(self, asked: Any, owner: type) -> NoReturn:
        who = f"{owner.__name__!r} object" if asked is not None else f"type object {owner.__name__!r}"
        raise AttributeError(f"{who} has no attribute {self.name!r}: {self.advice}", name=self.name)


def misnomers(owner: Any, advice: Mapping[str, str]) -> None:
    """Give a class a Misnomer for each of these names that it does not have; `dir` of its objects hides them."""
    for name, text in advice.items():
        if not any(name in vars(kind) for kind in owner.__mro__):
            misnomer = Misnomer(text)
            misnomer.__set_name__(owner, name)
            setattr(owner, name, misnomer)
    list_all = owner.__dir__

    def names(self: Any) -> list[str]:
        return [name for name in list_all(self) if not is_misnomer(type(self), name)]

    owner.__dir__ = names


def is_misnomer(owner: type, name: str) -> bool:
    """Whether a class has this name only to say that it does not."""
    return isinstance(next((vars(kind)[name] for kind in owner.__mro__ if name in vars(kind)), None), Misnomer)


_SYNONYMS = {
    "learning_rate": "lr", "eta": "lr", "step_size": "lr", "alpha": "lr", "params": "parameters", "act": "activation",
    "nonlinearity": "activation", "n_inputs": "nin", "in_features": "nin", "n_outputs": "nout", "out_features": "nout",
    "layers": "nouts", "hidden": "nouts", "n_epochs": "epochs", "num_epochs": "epochs", "iterations": "epochs",
    "opt": "optimizer", "criterion": "loss", "loss_fn": "loss", "verbose": "progress", "random_state": "seed",
    "hidden_size": "hidden", "input_size": "nin", "normalized_shape": "nin", "embed_dim": "width", "num_heads": "heads",
    "is_causal": "causal",
    "direction": "rankdir", "format": "style", "limit": "max_nodes", "use_bias": "bias", "nonlin": "activation",
}  # fmt: skip
"""What arguments are called elsewhere, and here."""
_NEEDLESS = {
    "retain_graph": "a graph is never freed, so leave it out",
    "inputs": "scalargrad.grad(y, xs) gives the gradients of these alone",
    "device": "all is computed with Python's floats, so leave it out",
    "dtype": "all is computed with Python's floats, so leave it out",
}
"""What PyTorch's functions take and ours do without."""
_UNEXPECTED = re.compile(r"unexpected keyword argument '(\w+)'")


def explained(example: str | Callable[..., str]) -> Callable[[F], F]:
    """A decorator: what a call raises that does not fit the function's parameters says how to call it.

    Args:
        example: a call that works; or a function of the arguments given that makes one.
    """

    def decorate(function: F) -> F:
        @wraps(function)
        def called(*arguments: Any, **options: Any) -> Any:
            try:
                return function(*arguments, **options)
            except TypeError as error:
                traceback = error.__traceback__
                if traceback is None or traceback.tb_next is not None:  # raised inside, not by the call
                    raise
                raise TypeError(_misfit(function, str(error), example, arguments, options)) from None

        return called  # type: ignore[return-value]

    return decorate


def _misfit(function: Any, reason: str, example: Any, arguments: Any, options: Any) -> str:
    import inspect

    text = (
        reason.lstrip("_").replace(".__init__()", "()").replace(f"{function.__qualname__}()", f"{function.__name__}()")
    )
    if found := _UNEXPECTED.search(reason):
        text = text.split(". Did you mean", 1)[0].split("; did you mean", 1)[0]
        names = inspect.signature(function).parameters
        synonym = _SYNONYMS.get(found[1].lower())
        if found[1] in _NEEDLESS:
            return f"{text}: {_NEEDLESS[found[1]]}"
        meant = f" (did you mean {synonym!r}?)" if synonym in names else did_you_mean(found[1], names)
        return f"{text}{meant}" if meant else f"{text}; it takes {', '.join(name for name in names if name != 'self')}"
    shown = example if isinstance(example, str) else example(*arguments, **options)
    return f"{text}: write {shown}"
