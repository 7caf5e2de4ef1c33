"""The format of model files: what is written, and every check of what is read, which may come from anywhere."""

from __future__ import annotations

import hashlib
import json
import math
import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

from scalargrad.nn.descent.resuming import ENTRIES
from scalargrad.nn.modules.states import name_mismatch, quoted

FORMAT = "scalargrad-model"
VERSION = 2
"""Version 2 may hold "frozen" and "optimizer"; a file without them is written as version 1, for older readers."""
MAX_BYTES = 64 * 2**20
MAX_COMMAS = 1_200_000
"""The largest file that is written or read, about a million numbers: each takes far more memory than it has bytes."""
MAX_DEPTH = 64
MAX_BRACKETS = 20_000
"""How deep objects and lists may be nested, and how many there may be; the numbers are all in one."""

ANOTHER = "Give a file that save() wrote, save the model again, or take an older copy of the file"


class ModelFile(NamedTuple):
    """What a file says.

    Attributes:
        settings: how the model is built, as plain JSON, or None.
        state: its numbers.
        frozen: the names of those that are not to be trained.
        optimizer: an optimizer's `state_dict()`, and under "names" what its parameters are called; or None.
    """

    settings: dict[str, Any] | None
    state: dict[str, float]
    frozen: list[str] = []  # noqa: RUF012  (never changed)
    optimizer: dict[str, Any] | None = None


def encode(file: ModelFile) -> bytes:
    """Return the content of a file.

    Raises:
        ValueError: if a number is nan, infinite or no float, or there are too many.
    """
    settings, state, frozen, optimizer = file
    for name, x in state.items():
        if not isinstance(x, float) or not math.isfinite(x):
            raise ValueError(
                f"cannot save the model: {name!r} is {x!r}, and a model file holds finite floats only. "
                "Put the model back to where it was good, or keep its state_dict()"
            )
    if optimizer is not None:
        try:
            check_optimizer(optimizer, state)
        except ValueError as problem:
            raise ValueError(f"cannot save the optimizer: {problem}") from None
    checksum = _checksum(file)
    version = VERSION if frozen or optimizer is not None else 1
    lines = [f'"format": "{FORMAT}"', f'"version": {version}', f'"sha256": "{checksum}"']
    if settings is not None:
        lines.append(f'"model": {json.dumps(settings, allow_nan=False)}')
    numbers = json.dumps(state, allow_nan=False, separators=(",\n    ", ": "))[1:-1]
    lines.append(f'"state": {{\n    {numbers}\n  }}')
    if frozen:
        lines.append(f'"frozen": {json.dumps(frozen)}')
    if optimizer is not None:
        lines.append(f'"optimizer": {json.dumps(optimizer, allow_nan=False)}')
    content = ("{\n  " + ",\n  ".join(lines) + "\n}\n").encode("ascii")
    if len(content) > MAX_BYTES or content.count(b",") > MAX_COMMAS:
        raise ValueError(
            f"cannot save the model: its {len(state)} numbers need {len(content)} bytes, and a model file has at most "
            f"{MAX_BYTES}, and {MAX_COMMAS} entries. Save its parts one by one"
        )
    return content


def _checksum(file: ModelFile) -> str:
    content: dict[str, Any] = {"model": file.settings, "state": file.state}
    if file.frozen:
        content["frozen"] = file.frozen
    if file.optimizer is not None:
        content["optimizer"] = file.optimizer
    text = json.dumps(content, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("ascii")).hexdigest()


def decode(content: bytes, check_settings: Callable[[Any, str], object]) -> ModelFile:
    """Return what a file says.

    Args:
        content: the file.
        check_settings: called with the settings, if there are any, and with what to call them; raises ValueError if
            they describe no model.

    Raises:
        ValueError: if anything in it is wrong; the message says what, and what to do.
    """
    if not content.strip():
        raise ValueError("it is empty: save the model again, or take an older copy of the file")
    if content.count(b",") > MAX_COMMAS:
        raise ValueError(f"it has more than {MAX_COMMAS} entries, so it is no model file: give one that save() wrote")
    check_brackets(content)
    try:
        document = json.loads(
            content.decode("utf-8-sig"),
            object_pairs_hook=_object,
            parse_int=_integer,
            parse_constant=_refuse_constant,
        )
    except json.JSONDecodeError as error:
        raise ValueError(
            f"it is damaged or no JSON (line {error.lineno}, column {error.colno}: {error.msg}). {ANOTHER}"
        ) from None
    except UnicodeDecodeError:
        raise ValueError(f"it is damaged or no text. {ANOTHER}") from None
    except RecursionError:
        raise ValueError("there is no room left on the stack to read it: call load() from a shallower place") from None
    file = _checked(document)
    if "model" in document:
        check_settings(file.settings, '"model"')
    return file


def check_brackets(content: bytes) -> None:
    """Refuse what is nested so deep, or in so many pieces, that to parse it would take the stack or the memory."""
    unescaped = content.replace(b"\\\\", b"").replace(b'\\"', b"")  # now every quote begins or ends a string
    marks = unescaped.translate(None, _NO_MARKS).replace(b'""', b"")  # what is inside a string stays inside one
    depth = count = 0
    for found in re.finditer(rb'"[^"]*"?|[\[{]|[\]}]', marks):
        mark = found[0]
        depth += (mark in b"[{") - (mark in b"]}")
        count += mark[0] != _QUOTE
        if depth > MAX_DEPTH or count > 2 * MAX_BRACKETS:
            raise ValueError(f"it is nested too deep or in too many brackets for a model file. {ANOTHER}")


_QUOTE = ord('"')
_NO_MARKS = bytes(byte for byte in range(256) if byte not in b'"[]{}')


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) != len(pairs):
        seen: set[str] = set()
        twice = next(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        raise ValueError(f"it says {quoted(twice)} twice. {ANOTHER}")
    return found


def _integer(text: str) -> int | float:
    # Sizes are short. Long integers are read as floats, in linear time, and so is -0, which has a sign there.
    return int(text) if len(text) < 17 and text != "-0" else float(text)


def _refuse_constant(name: str) -> None:
    raise ValueError(f"it holds {name}, which is no JSON and no number to compute with. {ANOTHER}")


def _checked(document: Any) -> ModelFile:
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise ValueError(f'it is JSON, but no model file: it does not say "format": "{FORMAT}". {ANOTHER}')
    version = document.get("version")
    if type(version) is not int or version < 1:
        raise ValueError(f'its "version" is {quoted(version)}, which never was one. {ANOTHER}')
    if version > VERSION:
        raise ValueError(
            f"it has version {version}, and this scalargrad reads versions up to {VERSION}: update scalargrad, or save "
            "the model again with this one"
        )
    optional = ("model", "sha256") if version == 1 else ("model", "sha256", "frozen", "optimizer")
    problem = name_mismatch(["format", "version", "state"], [name for name in document if name not in optional])
    if problem:
        raise ValueError(f"its entries are wrong: {problem}. {ANOTHER}")
    state = document["state"]
    if not isinstance(state, dict):
        raise ValueError(f'its "state" must be an object of numbers by name. {ANOTHER}')
    for name, x in state.items():
        if type(x) not in (int, float) or not math.isfinite(x):
            raise ValueError(f'in its "state", {quoted(name)} is {quoted(x)}, which is no finite number. {ANOTHER}')
    numbers = {name: float(x) for name, x in state.items()}
    frozen, optimizer = document.get("frozen", []), document.get("optimizer")
    if "frozen" in document and not (_are_names(frozen, numbers) and frozen):
        raise ValueError(f'its "frozen" must be a list of names of its "state". {ANOTHER}')
    if "optimizer" in document:
        try:
            check_optimizer(optimizer, numbers)
        except ValueError as wrong:
            raise ValueError(f'its "optimizer" is wrong: {wrong}. {ANOTHER}') from None
    file = ModelFile(document.get("model"), numbers, frozen, optimizer)
    if "sha256" in document and document["sha256"] != _checksum(file):
        raise ValueError(
            'it is damaged: its numbers do not give its checksum. If you edited it by hand, delete the line "sha256"; '
            "if not, save the model again, or take an older copy of the file"
        )
    return file


def check_optimizer(optimizer: Any, state: Mapping[str, float]) -> None:
    """Check the shape of what a file says of an optimizer; what its numbers mean is for the optimizer to check.

    Raises:
        ValueError: if it is no state of an optimizer of parameters among these; the message says what is wrong.
    """
    if not isinstance(optimizer, dict):
        raise ValueError("it must be an object")
    problem = name_mismatch((*ENTRIES, "names"), optimizer)
    if problem:
        raise ValueError(problem)
    if not _are_names(optimizer["names"], state):
        raise ValueError('"names" must be a list of different names of the "state"')
    n = len(optimizer["names"])
    rows = [optimizer["counts"], *(optimizer["averages"] if isinstance(optimizer["averages"], list) else [None])]
    if not all(isinstance(row, list) and len(row) == n for row in rows):
        raise ValueError(f'"counts" and each of "averages" must be a list of {n}, one for each name')
    if not all(type(x) is int for x in (optimizer["steps"], *optimizer["counts"])):
        raise ValueError('"steps" and "counts" must be whole numbers')
    if not all(_is_finite(x) for row in rows for x in row):
        raise ValueError('"averages" must be finite numbers')
    settings = optimizer["settings"]
    if not isinstance(settings, dict) or not isinstance(optimizer["kind"], str):
        raise ValueError('"kind" must be a name and "settings" an object')
    for name, x in settings.items():
        if not all(isinstance(part, bool) or _is_finite(part) for part in (x if isinstance(x, list) else [x])):
            raise ValueError(f"the setting {quoted(name)} must be a finite number, true, false or a list of numbers")


def _are_names(names: Any, state: Mapping[str, float]) -> bool:
    if not isinstance(names, list) or not all(isinstance(name, str) and name in state for name in names):
        return False
    return len(set(names)) == len(names)


def _is_finite(x: Any) -> bool:
    return type(x) in (int, float) and math.isfinite(x)
