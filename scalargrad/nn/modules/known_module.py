"""KnownModule: a module that a file can describe. It says what its settings are, and is built from them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from math import isfinite
from typing import TYPE_CHECKING, Any, ClassVar, NamedTuple

from scalargrad.nn.modules.module import Module
from scalargrad.support.learning import settings_changed

if TYPE_CHECKING:
    from typing_extensions import Self

Settings = dict[str, Any]
"""The arguments that build a module, by name."""


class OfItsOwnError(Exception):
    """The module has a part or a function of the user's own, which no file can describe."""


class Field(NamedTuple):
    """What one of the settings must be, as it comes from a file.

    Attributes:
        what: it in words.
        is_right: whether something is that.
    """

    what: str
    is_right: Callable[[Any], bool]


class KnownModule(Module):
    """A module of this package that a file can describe; a subclass is of the user's own, and not known."""

    _fields: ClassVar[Mapping[str, Field]] = {}
    """The names of the settings in a file, in this order."""
    _blank: ClassVar[Mapping[str, Any]] = {}
    """The arguments by which weights start at 0, so that no random number is drawn."""

    _says_when_it_is_set: ClassVar[bool] = True

    def __setattr__(self, name: str, value: Any) -> None:
        object.__setattr__(self, name, value)
        settings_changed()

    def _settings(self) -> Settings:
        """Return the settings that build a module like this one; those that are `MODULES`, as the modules themselves.

        There may be more than `_fields` names.

        Raises:
            OfItsOwnError: if none would.
        """
        return {name: getattr(self, name) for name in self._fields}

    @classmethod
    def _built(cls, settings: Settings) -> Self:
        """Return a module of these settings, its weights 0."""
        return cls(**settings, **cls._blank)

    @classmethod
    def _size(cls, settings: Settings) -> int:  # noqa: ARG003  (some keep none)
        """Return how many numbers a module of these settings keeps, those of modules inside it apart."""
        return 0


def alike(kind: type[KnownModule], modules: Iterable[Module]) -> Settings:
    """Return the settings that all the modules, exactly of this kind, have in common, which must be all settings.

    Raises:
        OfItsOwnError: if they differ.
    """
    modules = list(modules)
    if not modules or any(type(module) is not kind for module in modules):
        raise OfItsOwnError
    first, *others = [kind._settings(module) for module in modules]  # type: ignore[arg-type]
    if any(settings != first for settings in others):
        raise OfItsOwnError
    return first


def _is_size(x: Any) -> bool:
    return type(x) is int and x >= 1


def _is_name(x: Any) -> bool:
    return isinstance(x, str)


def _is_list(is_right: Callable[[Any], bool]) -> Callable[[Any], bool]:
    return lambda x: isinstance(x, list) and bool(x) and all(map(is_right, x))


SIZE = Field("a whole number from 1 up", _is_size)
SIZES = Field("a list of whole numbers from 1 up", _is_list(_is_size))
NAME = Field("a name", _is_name)
NAMES = Field("a list of names", _is_list(_is_name))
FLAG = Field("true or false", lambda x: isinstance(x, bool))
NUMBER = Field("a finite number", lambda x: type(x) in (int, float) and isfinite(x))
MODULES = Field("a list of models", _is_list(lambda _: True))
