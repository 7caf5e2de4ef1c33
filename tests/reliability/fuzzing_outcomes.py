"""What a call may do, for fuzzing.py: which errors, in which words, and what it must leave as it was."""

import contextlib
import dis
import inspect
import locale
import os
import random
import re
import signal
import sys
import traceback
import types
import warnings
from decimal import getcontext
from pathlib import Path

import fuzzing_arguments
import numpy as np
from fuzzing_arguments import PlantedError

import scalargrad as sg
from scalargrad import Value
from scalargrad.compiling.recordings import Recordings
from scalargrad.node.mode import mode, standing_watches
from scalargrad.table import INFIX, TABLE

PACKAGE = Path(sg.__file__).parent


class HangError(BaseException):
    """The call took too long."""


NEVER = (RecursionError, MemoryError, AssertionError, SystemError, NameError, HangError, SystemExit, KeyboardInterrupt)
DOCUMENTED = (
    ValueError,
    TypeError,
    ZeroDivisionError,
    OverflowError,
    AttributeError,
    KeyError,
    IndexError,
    OSError,
    NotImplementedError,
)
INTERNAL = re.compile(
    r"'NoneType' object|not subscriptable|unsupported operand type|object is not (iterable|callable)|has no len\(\)|has no attribute"
    r"|must be (str|int|real number|a string), not|unhashable type|not all arguments|expected at (least|most)|unpack|list index out of range"
    r"|indices must be|invalid literal|could not convert|truth value|zip\(\) argument|not supported between|object cannot be interpreted"
    r"|can't multiply|descriptor|internal|strict"
)
REFUSED_CALL = re.compile(r"([\w.<>]+)\(\) (?:takes|missing|got|argument)|keyword argument for ([\w.]+)\(\)")
"""How Python says that a function was called with wrong arguments: it names the function."""
CALLERS_OWN = re.compile(
    r"__\w+__(\(\))? (returned|should|must|method|requires)|returned non-|iter\(\) returned|truth value of an|Cannot compare structured|[Ff]ormat (specifier|code)|int too large to convert to float"  # what an object answers that lies
)
FUNCTIONS = (types.FunctionType, types.BuiltinFunctionType, types.MethodType)
HANDS_ON = {"sg.assert_gradients": "check_gradients", "sg.checking.assert_gradients": "check_gradients"}
"""The function that a call gives its options to, and that refuses them in its own name."""
OWN_WORDS = re.compile(r"must be|takes|choose|give")
RAISE = {dis.opmap["RAISE_VARARGS"], dis.opmap.get("RERAISE", -1)}


def judged(how, error, call, given):
    """What is wrong with an outcome of a call with these arguments: (kind, message, place), or None."""
    if how == "returned" or isinstance(error, PlantedError):
        return None
    frames = [frame for frame, _ in traceback.walk_tb(error.__traceback__)]
    lines = [(frame.f_code.co_filename, line) for frame, line in traceback.walk_tb(error.__traceback__)]
    inside = [f"{Path(f).relative_to(PACKAGE)}:{n}" for f, n in lines if f.startswith(str(PACKAGE))]
    place = inside[-1] if inside else ""
    try:
        message = str(error)
    except Exception:  # it holds an object of the caller's that cannot be shown, as a KeyError does
        return None
    name = type(error).__name__
    if (
        isinstance(error, NEVER)
        and not type(error).__module__.startswith("scalargrad")
        and (inside or isinstance(error, HangError))
    ):
        return f"never {name}", message[:300], place
    if not frames[1:] or not inside:  # Python itself refused the call, or a built-in the object
        return None
    last = lines[-1][0]
    if last in ("<argument>", fuzzing_arguments.__file__):  # the caller's own code
        return None
    if not isinstance(error, DOCUMENTED) and not type(error).__module__.startswith("scalargrad"):
        return f"undocumented {name}", message[:300], place
    if isinstance(error, OSError) and error.filename is not None:
        return None if of_a_given_path(error, given) else (f"path that was not given {name}", message[:300], place)
    if not message.strip():
        return f"no message {name}", message, place
    if len(message) > 2000 and not CALLERS_OWN.search(message[:100]):
        return "long message", f"{len(message)} characters: {message[:100]}", place
    tb = error.__traceback__
    while tb.tb_next:
        tb = tb.tb_next
    on_purpose = last.startswith(str(PACKAGE)) and tb.tb_frame.f_code.co_code[tb.tb_lasti] in RAISE
    if on_purpose:
        return (
            ("internal words", message[:300], place)
            if INTERNAL.search(message) and error.__cause__ is None and not OWN_WORDS.search(message)
            else None
        )
    if isinstance(error, TypeError) and (refused := REFUSED_CALL.match(message)):
        return (
            None
            if (refused[1] or refused[2]) in names_of_functions(call, given)
            else (f"internal {name}", message[:300], place)
        )
    if CALLERS_OWN.search(message):
        return None
    if call.name.endswith(("__getitem__", "operator.getitem")):  # a lookup, in Python's words
        return None
    return f"internal {name}", message[:300], place


def reachable(things):
    """The things, what containers among them hold, and the attributes of objects; each once."""
    found, stack = {}, [things]
    while stack:
        thing = stack.pop()
        kind = type(thing)
        if id(thing) in found or isinstance(thing, types.ModuleType):
            continue
        found[id(thing)] = thing
        if issubclass(kind, dict):
            stack += dict.values(thing)
        elif issubclass(kind, (list, tuple)):
            stack += (list if issubclass(kind, list) else tuple).__iter__(thing)
        elif issubclass(kind, np.ndarray) and thing.dtype == object:
            stack += thing.flat
        elif kind.__module__ != "builtins" and not inspect.isclass(thing):
            with contextlib.suppress(AttributeError):
                stack += object.__getattribute__(thing, "__dict__").values()
    return found.values()


def names_of_functions(call, given):
    """The names that Python gives, in its messages, the callables given to a call: they are the caller's to get right.

    So are the call itself, what it hands its options to, an op that was given by its name, and what a class of the
    caller's defines.
    """
    found = {call.name.rpartition(".")[2], HANDS_ON.get(call.name)}
    for thing in reachable(given):
        kind = type(thing)
        if isinstance(thing, FUNCTIONS):
            found |= {thing.__qualname__, f"{thing.__module__}.{thing.__name__}"}
        elif inspect.isclass(thing):
            found |= {thing.__name__, f"{thing.__qualname__}.__init__", f"{thing.__qualname__}.__new__"}
        elif kind is str and thing in TABLE:
            found.add(thing)
        elif (method := getattr(kind, "__call__", None)) is not None:  # noqa: B004
            found.add(method.__qualname__)
        for owner in {kind, thing if isinstance(thing, type) else kind}:
            if owner.__module__ == fuzzing_arguments.__name__:
                found |= {
                    m.__qualname__
                    for m in (getattr(m, "__func__", m) for m in vars(owner).values())
                    if isinstance(m, types.FunctionType)
                }
    return found


def of_a_given_path(error, given):
    """Whether the error of the system names a path that was given."""
    paths = set()
    for thing in reachable(given):
        with contextlib.suppress(Exception):  # it is no path, or its special methods raise
            path = str.__str__(os.fsdecode(thing))
            paths |= {path, str(Path(path))}
    with contextlib.suppress(TypeError):
        return str.__str__(os.fsdecode(error.filename)) in paths
    return False


def fingerprints(things):
    """What the Values, modules, containers and plain objects reachable from here are like, each by identity."""
    found, stack = {}, [things]
    while stack:
        thing = stack.pop()
        if id(thing) in found:
            continue
        if isinstance(thing, Value):
            parents = () if thing._a is None else [x for x in (thing._x, thing._y) if x is not None]
            stack += [p for x in parents for p in (x if type(x) is tuple else (x,)) if p is not None]
            found[id(thing)] = (
                thing,
                (
                    repr(thing._data),
                    repr(thing.grad) if type(thing.grad) is float else id(thing.grad),
                    thing.label,
                    id(thing._rule),
                ),
            )
        elif type(thing) in (list, tuple, set):
            found[id(thing)] = (thing, tuple(map(id, thing)))
            stack += thing
        elif type(thing) is dict:
            found[id(thing)] = (
                thing,
                tuple((key if type(key) in (str, int) else id(key), id(x)) for key, x in thing.items()),
            )
            stack += thing.values()
        elif type(thing) is np.ndarray:
            found[id(thing)] = (thing, thing.tobytes() if thing.dtype != object else tuple(map(id, thing.flat)))
        elif (
            type(thing).__module__.split(".")[0] in ("scalargrad", "fuzzing_arguments")
            and hasattr(thing, "__dict__")
            and not inspect.isclass(thing)
            and not inspect.isroutine(thing)
        ):
            kept = {k: x for k, x in vars(thing).items() if not k.startswith("_") or k in ("_states", "_lr")}
            kept = {} if isinstance(thing, Recordings) else kept  # a cache: of programs, by the kind of arguments
            found[id(thing)] = (thing, {k: id(x) for k, x in kept.items()})
            stack += kept.values()
    return found


def changed(before, things):
    after = fingerprints(things)
    for key, (thing, was) in before.items():
        if key not in after:
            continue
        now = after[key][1]
        if isinstance(was, dict):  # of an object; what is new there is a cache
            now = {name: now.get(name) for name in was}
        if now != was:
            return "changed argument", f"{type(thing).__name__}: {str(was)[:150]} became {str(now)[:150]}", ""
    return None


def surroundings():
    """The state outside the arguments."""
    umask = os.umask(0)
    os.umask(umask)
    return {
        "table": tuple(TABLE.items()), "infix": tuple(INFIX.items()), "methods": dict(vars(Value)), "random": random.getstate(),
        "numpy random": [x.tobytes() if hasattr(x, "tobytes") else x for x in np.random.get_state()], "numpy errors": np.geterr(), "umask": umask, "cwd": os.getcwd(),
        "recursion": sys.getrecursionlimit(), "decimal": repr(getcontext()), "locale": locale.setlocale(locale.LC_ALL),
        "streams": (sys.stdin, sys.stdout, sys.stderr), "signals": signal.getsignal(signal.SIGINT), "warnings": list(warnings.filters),
        "modes": mode.get(), "hooks": (sys.excepthook, sys.displayhook, sys.gettrace()),
    }  # fmt: skip


def moved(before, after, how, random_too):
    """What is different outside the arguments: (kind, message, place), or None."""
    allowed = set() if random_too else {"random"}
    for name, was in before.items():
        if name == "table" and how == "returned":  # a primitive is a row more
            continue
        if name == "methods" and how == "returned":
            continue
        if name not in allowed and after[name] != was:
            return f"moved {name}", f"{str(was)[:100]} became {str(after[name])[:100]}"[:300], ""
    return None


def restore(around):
    """Take out what a successful primitive has added."""
    known = dict(around["table"])
    for name in [name for name in TABLE if name not in known]:
        del TABLE[name]
    TABLE.update(known)
    for name in [name for name in vars(Value) if name not in around["methods"]]:
        delattr(Value, name)
    standing_watches[:] = standing_watches[:1]
    os.chdir(around["cwd"])
