"""Expressions in text, as the command line takes them: parsed, checked against a whitelist and built from Values.

Nothing is evaluated as Python. The text is capped before it is parsed; only arithmetic, numbers, variables and the
functions of the op table are accepted; constants become floats at once, so that 9**9**9 is inf and not a long wait.
"""

from __future__ import annotations

import ast
import difflib
import math
import unicodedata
import warnings
from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

from scalargrad.engine import Value
from scalargrad.node.misnamed import MATHEMATICS
from scalargrad.table.operators import OPERATORS
from scalargrad.table.row import INFIX, TABLE, functions
from scalargrad.words.misread import rewritten

MAX_LENGTH, MAX_DEPTH, MAX_NODES = 1000, 200, 400


def _syntax(text: str) -> type[ast.operator]:
    """What the parser makes of an operator."""
    return type(ast.parse(f"x {text} y", mode="eval").body.op)  # type: ignore[attr-defined]


_TEXT_OF = {_syntax(text): text for text in OPERATORS}
_FUNCTIONS = {name: function for name, function in functions().items() if not function.op.takes_lists}  # type: ignore[attr-defined]
_CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


class ExpressionError(ValueError):
    """Text that is no expression; the message is one line and names the place.

    Attributes:
        meant: the text as Python writes it, where it was in another notation and can be read; else empty.
    """

    meant: str = ""


class _MisreadError(ExpressionError):
    """Text that may mean something in a notation other than Python's."""


def parse_expression(text: str, variables: Mapping[str, float]) -> tuple[Value, dict[str, Value]]:
    """Build the graph of an expression in text.

    Args:
        text: arithmetic over numbers, variables and functions of the op table, as in `"tanh(w*x + b)"`.
        variables: the number of each variable.

    Returns:
        The root, and the leaf Value of each variable, labelled with its name.

    Raises:
        ExpressionError: if the text is too long, too deep, or anything but such an expression; if a variable has no
            number, or a number no variable.
        ValueError, ZeroDivisionError: outside an op's domain.

    >>> root, leaves = parse_expression("(x + y) * z", {"x": -2, "y": 5, "z": -4})
    >>> root.backward()
    >>> root.data, leaves["x"].grad
    (-12.0, -4.0)
    """
    compute = expression_function(text, variables)
    leaves = {unicodedata.normalize("NFKC", name): Value(x) for name, x in variables.items()}
    for name, leaf in leaves.items():
        leaf.label = name
    result = compute(*leaves.values())
    return (result if isinstance(result, Value) else Value(result)), leaves


def expression_function(text: str, names: Iterable[str]) -> Callable[..., Any]:
    """The function of these variables that an expression in text computes: of Values a Value, of floats a float.

    Raises:
        ExpressionError: as `parse_expression`, when it is made or first called.

    >>> expression_function("x**2 + y", ["x", "y"])(3.0, 1.0)
    10.0
    """
    if len(text) > MAX_LENGTH:
        raise ExpressionError(f"the expression has {len(text)} characters; at most {MAX_LENGTH} are allowed")
    variables = [unicodedata.normalize("NFKC", name) for name in names]  # as Python reads names
    for i, name in enumerate(variables):
        _check_name(name)
        if name in variables[:i]:
            raise ExpressionError(f"{name!r} is given twice")
    if not text.strip():
        raise ExpressionError("the expression is empty")
    try:
        tree = parsed(text)
    except (SyntaxError, ValueError, MemoryError, RecursionError) as error:
        meant = _hint(text, variables)
        column = f" at column {error.offset}" if isinstance(error, SyntaxError) and error.offset else ""
        reason = error.msg if isinstance(error, SyntaxError) else "too deeply nested, or an illegal character"
        said = f"not an expression{column}: {reason}{meant and f'; write {meant}'}"
        raise _with_meaning(ExpressionError(said), meant) from None
    if (count := sum(isinstance(part, ast.expr) for part in ast.walk(tree))) > MAX_NODES:
        raise ExpressionError(f"the expression has {count} parts; at most {MAX_NODES} are allowed")

    def compute(*numbers: Any) -> Any:
        used: set[str] = set()
        _check_missing(tree, variables)
        try:
            result = _build(tree, dict(zip(variables, numbers, strict=True)), used, 0)
        except _MisreadError as error:
            meant = _hint(text, variables)
            glue = ", or " if str(error).endswith("=NUMBER") else "; "
            said = f"{error}{f'{glue}write {meant}' if meant else ''}"
            raise _with_meaning(ExpressionError(said), meant) from None
        if unused := sorted(set(variables) - used):
            raise ExpressionError(f"{', '.join(unused)} has a value but does not occur in the expression")
        return result

    return compute


def expression_names(text: str) -> list[str]:
    """The names of the variables in an expression, in the order in which they occur.

    Raises:
        ExpressionError: as `expression_function`, if it is too long or cannot be parsed.

    >>> expression_names("tanh(w*x + b) + w*pi")
    ['w', 'x', 'b']
    """
    expression_function(text, [])  # says what is wrong with a text that is none
    tree = parsed(text)
    called = {id(part.func) for part in ast.walk(tree) if isinstance(part, ast.Call)}
    found = [part for part in ast.walk(tree) if isinstance(part, ast.Name) and id(part) not in called]
    found.sort(key=lambda part: (part.lineno, part.col_offset))
    names = [unicodedata.normalize("NFKC", part.id) for part in found]
    return list(dict.fromkeys(name for name in names if name not in _CONSTANTS and name not in _FUNCTIONS))


def _build(node: ast.expr, leaves: Mapping[str, Any], used: set[str], depth: int) -> Any:
    """The Value of a part of the expression, or a float if no variable is in it."""
    if depth > MAX_DEPTH:  # the cap is what allows recursion here
        raise ExpressionError(f"{_place(node)}: nested deeper than {MAX_DEPTH} levels")

    def build(part: ast.expr) -> Any:
        return _build(part, leaves, used, depth + 1)

    match node:
        case ast.Constant(value=bool()):
            raise ExpressionError(f"{_place(node)}: {node.value!r} is not a real number")
        case ast.Constant(value=int() | float() as constant):
            try:
                return float(constant)
            except OverflowError:
                raise ExpressionError(f"{_place(node)}: the number is too large") from None
        case ast.Constant():
            raise ExpressionError(f"{_place(node)}: {node.value!r} is not a real number")
        case ast.Name(id=name) if name in leaves:
            used.add(name)
            return leaves[name]
        case ast.Name(id=name) if name in _CONSTANTS:
            return _CONSTANTS[name]
        case ast.Name(id=name):
            hint = f"it is a function: call it, {name}(...)" if name in _FUNCTIONS else f"add {name}=NUMBER"
            raise _MisreadError(f"{_place(node)}: {name} has no value; {hint}")
        case ast.UnaryOp(op=ast.USub()):
            return TABLE["negative"].function(build(node.operand))
        case ast.UnaryOp(op=ast.UAdd()):
            return build(node.operand)
        case ast.BinOp() if type(node.op) in _TEXT_OF:
            x, y = build(node.left), build(node.right)
            return INFIX[_TEXT_OF[type(node.op)]].function(x, y)
        case ast.Call(func=ast.Name(id=name), keywords=[]) if name in _FUNCTIONS:
            if not node.args or any(isinstance(argument, ast.Starred) for argument in node.args):
                raise ExpressionError(f"{_place(node)}: {name} needs its operands listed")
            arguments = [build(argument) for argument in node.args]
            try:
                return _FUNCTIONS[name](*arguments)
            except TypeError:
                raise ExpressionError(f"{_place(node)}: {name} does not take {len(arguments)} operands") from None
        case ast.Call(func=ast.Name(id=name), keywords=[]):
            near = difflib.get_close_matches(name, _FUNCTIONS, n=3, cutoff=0.5)
            hint = ""
            if near and name not in (*leaves, *MATHEMATICS):
                hint = f"; near it {'is' if len(near) == 1 else 'are'} {', '.join(near)}"
            raise _MisreadError(f"{_place(node)}: there is no function {name}{hint}")
        case ast.BinOp(op=ast.BitXor()):
            raise _MisreadError(f"{_place(node)}: ^ is no power in Python")
    known = " ".join(OPERATORS)
    raise _MisreadError(f"{_place(node)}: only {known}, numbers, variables and functions are understood")


def _check_missing(tree: ast.expr, variables: Iterable[str]) -> None:
    """Raise ExpressionError if several names have no number, so that all of them are named at once."""
    called = {id(part.func) for part in ast.walk(tree) if isinstance(part, ast.Call)}
    known = {*variables, *_CONSTANTS, *_FUNCTIONS}
    names = [part.id for part in ast.walk(tree) if isinstance(part, ast.Name) and id(part) not in called]
    missing = sorted({name for name in names if name not in known})
    if len(missing) > 1 and all(isinstance(part, _UNDERSTOOD) for part in ast.walk(tree)):
        add = " ".join(f"{name}=NUMBER" for name in missing)
        raise ExpressionError(f"{', '.join(missing[:-1])} and {missing[-1]} have no value; add {add}")


_UNDERSTOOD = (ast.BinOp, ast.UnaryOp, ast.Constant, ast.Name, ast.Call, ast.operator, ast.unaryop, ast.Load)


def parsed(text: str) -> ast.expr:
    """The tree of an expression. What the parser warns of, as of 1if, is no error, whatever warnings are made.

    Raises:
        SyntaxError, ValueError, MemoryError, RecursionError: as Python's parser does.
    """
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return ast.parse(text.strip(), mode="eval").body


def _hint(text: str, variables: Collection[str]) -> str:
    """The text in Python's notation, if it is in another one and can be read; else empty."""
    meant = rewritten(text, _FUNCTIONS, variables)
    try:
        tree = parsed(meant)
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        return ""
    calls = [part for part in ast.walk(tree) if isinstance(part, ast.Call)]
    called = {id(call.func) for call in calls}
    readable = (
        all(isinstance(part, _UNDERSTOOD) for part in ast.walk(tree))
        and all(isinstance(call.func, ast.Name) and call.func.id in _FUNCTIONS for call in calls)
        and not any(
            part.id in _FUNCTIONS for part in ast.walk(tree) if isinstance(part, ast.Name) and id(part) not in called
        )
    )
    return meant if readable and meant != text.strip() else ""


def _with_meaning(error: ExpressionError, meant: str) -> ExpressionError:
    error.meant = meant
    return error


def _check_name(name: str) -> None:
    if not name.isidentifier() or name in _FUNCTIONS:
        raise ExpressionError(f"{name!r} cannot be the name of a variable")


def _place(node: ast.expr) -> str:
    return f"at column {node.col_offset + 1}"
