"""Command lines for test_bad_input.py: expressions grown from a grammar, damaged, made of noise, or written by hand.

`evaluated` says what an expression is worth without asking scalargrad: Python's parser, floats and its math module.
"""

import ast
import math
import operator
import unicodedata
from functools import reduce

VARIABLES = {"x": 0.75, "y": -2.5, "z": 3.0}
CONSTANTS = {"pi": math.pi, "e": math.e, "inf": math.inf, "nan": math.nan}


def _overflowing(function, at_overflow):
    def safe(x):
        try:
            return function(x)
        except OverflowError:
            return at_overflow(x)

    return safe


def _endless(x):
    return math.inf


def _power(x, y):
    if y in (2.0, 3.0):  # a product, as docs/hard-points.md has it
        return x * x if y == 2.0 else x * x * x
    try:
        z = x**y
    except OverflowError:
        if x < 0 and y % 1:
            raise ValueError("not real") from None
        return -math.inf if x < 0 and y % 2 == 1 else math.inf
    if isinstance(z, complex):
        raise ValueError("not real")
    return z


def _extreme(choose):
    return lambda *xs: math.nan if any(x != x for x in xs) else choose(xs)


def _whole(function):
    return lambda x: math.copysign(function(x), x) if math.isfinite(x) else x


UNARY = {
    "sin": math.sin, "cos": math.cos, "tan": math.tan, "tanh": math.tanh, "arctan": math.atan, "arcsin": math.asin, "arccos": math.acos,
    "exp": _overflowing(math.exp, _endless), "expm1": _overflowing(math.expm1, _endless), "cosh": _overflowing(math.cosh, _endless),
    "sinh": _overflowing(math.sinh, lambda x: math.copysign(math.inf, x)), "sqrt": math.sqrt, "log": math.log, "log2": math.log2,
    "log10": math.log10, "log1p": math.log1p, "erf": math.erf, "erfc": math.erfc, "abs": abs, "square": lambda x: x * x,
    "floor": _whole(math.floor), "ceil": _whole(math.ceil), "relu": lambda x: 0.0 if x <= 0 else x, "reciprocal": lambda x: 1.0 / x,
}  # fmt: skip
BINARY = {"hypot": math.hypot, "arctan2": math.atan2, "add": operator.add, "multiply": operator.mul}
MANY = {
    "max": _extreme(max), "min": _extreme(min), "sum": lambda *xs: reduce(operator.add, xs), "prod": lambda *xs: reduce(operator.mul, xs),
    "mean": lambda *xs: reduce(operator.add, xs) / len(xs),
}  # fmt: skip
OPERATORS = {
    ast.Add: operator.add, ast.Sub: operator.sub, ast.Mult: operator.mul, ast.Div: operator.truediv, ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod, ast.Pow: _power,
}  # fmt: skip


class UnknownError(Exception):
    """Not something that this evaluator knows."""


def evaluated(text):
    """What the expression is worth.

    Raises:
        UnknownError: if there is more in it than is known here.
        ValueError, ArithmeticError: if it has no value.
    """
    try:
        tree = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, MemoryError, RecursionError):
        raise UnknownError from None
    nodes = list(ast.walk(tree))
    if len(text) > 1000 or sum(isinstance(node, ast.expr) for node in nodes) > 400:
        raise UnknownError
    return _value(tree)


def _value(node):
    match node:
        case ast.Constant(value=int() | float() as x) if not isinstance(x, bool):
            return float(x)
        case ast.Name(id=name) if name in VARIABLES or name in CONSTANTS:
            return VARIABLES.get(name, CONSTANTS.get(name))
        case ast.UnaryOp(op=ast.USub() | ast.UAdd(), operand=inner):
            return -_value(inner) if isinstance(node.op, ast.USub) else _value(inner)
        case ast.BinOp(left=left, op=op, right=right) if type(op) in OPERATORS:
            return OPERATORS[type(op)](_value(left), _value(right))
        case ast.Call(func=ast.Name(id=name), args=[x], keywords=[]) if name in UNARY:
            return UNARY[name](_value(x))
        case ast.Call(func=ast.Name(id=name), args=[x, y], keywords=[]) if name in BINARY:
            return BINARY[name](_value(x), _value(y))
        case ast.Call(func=ast.Name(id=name), args=[_, *_] as xs, keywords=[]) if name in MANY:
            return MANY[name](*map(_value, xs))
    raise UnknownError


# -------------------------------------------------------------------- what is typed


def grown(rng, depth=0):
    """An expression of the grammar."""
    kind = rng.random()
    if depth > 6 or kind < 0.25:
        return rng.choice(
            [
                "x",
                "y",
                "z",
                "1",
                "2",
                "0.5",
                "3",
                "1e3",
                "0",
                "7.25",
                ".5",
                "1_000",
                "pi",
                "e",
                "0x1f",
                "1e999",
                "nan",
                "2.5e-3",
            ]
        )
    inner = [grown(rng, depth + 1) for _ in range(3)]
    if kind < 0.65:
        return f"{inner[0]} {rng.choice('+ - * / // % **'.split())} {inner[1]}"
    if kind < 0.75:
        return f"({inner[0]})"
    if kind < 0.8:
        return f"{rng.choice('+-')}{inner[0]}"
    if kind < 0.92:
        return f"{rng.choice(list(UNARY))}({inner[0]})"
    if kind < 0.96:
        return f"{rng.choice(list(BINARY))}({inner[0]}, {inner[1]})"
    return f"{rng.choice(list(MANY))}({', '.join(inner[: rng.randint(1, 3)])})"


PIECES = [
    "(", ")", "[", "]", "{", "}", ",", ":", ":=", ";", ".", "...", "'", '"', '"""', "#", "\n", "\t", "\\", "@", "!", "?", "$", "`", "^", "&", "|", "~", "<<", "==", "<", "!=", "=",
    "lambda", "lambda:", "if", "else", "for x in", "in", "is", "not", "and", "or", "await", "yield", "import os", "__import__('os')", ".real", "[0]", "f'{x}'", "b'a'", "True", "None",
    "...", "0b", "0o8", "1e", "1__0", "09", "1j", "**kw", "*x", "x=1", "()", "\0", "\x1b[31m", "\u202e", "\ud800", "\N{GREEK SMALL LETTER ALPHA}", "\N{MATHEMATICAL ITALIC SMALL X}",
    "\N{FULLWIDTH DIGIT ONE}", "\N{SUPERSCRIPT TWO}", "\N{MINUS SIGN}", "\N{MULTIPLICATION SIGN}", "\ufeff", "\u2028", "\x85", "\x0c", "tanh", "dot", "where", "nosuch", "gelu", "clip",
    "--help", "-o", "x" * 200, "9" * 60, "(" * 60, "-" * 60, "None", "exec", "eval", "open", "x.__class__", "__builtins__", "%s", "{x}", "log", "sigmoid", "print(x)",
]  # fmt: skip
"""What is put into an expression to damage it."""


def damaged(rng):
    """An expression with something cut out, doubled or put in."""
    text = grown(rng)
    for _ in range(rng.randint(1, 3)):
        i, j = sorted((rng.randint(0, len(text)), rng.randint(0, len(text))))
        text = rng.choice(
            [
                text[:i] + text[j:],
                text[:j] + text[i:],
                text[:i] + rng.choice(PIECES) + text[i:],
                text[:i] + rng.choice(PIECES) + text[j:],
            ]
        )
    return text[:1500]


def noise(rng):
    """Any characters at all."""
    ranges = [
        (0x20, 0x7E),
        (0, 0x1F),
        (0x80, 0x2FFF),
        (0xD800, 0xDFFF),
        (0xFF00, 0xFFEF),
        (0x1D400, 0x1D7FF),
        (0, 0x10FFFF),
    ]
    return "".join(chr(rng.randint(*rng.choice(ranges))) for _ in range(rng.randint(1, 40)))


def typed(rng):
    """Another expression."""
    return rng.choice((grown, grown, damaged, damaged, noise))(rng)


CANARY = "canary"
BY_HAND = [
    "9**9**9", "10**10**10", "-9**9**9", "2**0.5**99999", "1e308*10", "1e999", "-1e999", "9" * 5000, "9" * 400, "1" + "0" * 309, "a" * 10**6, "(" * 10000 + "x" + ")" * 10000,
    "(" * 190 + "x" + ")" * 190, "-" * 900 + "x", "x" + "+x" * 450, "tanh(" * 150 + "x" + ")" * 150, "[" * 500, "{" * 500, "lambda: 1", "(lambda: 1)()", "lambda x: x", "(x := 3)", "x := 3",
    f"__import__('os').system('touch {CANARY}')", "__import__('os')", f"open('{CANARY}', 'w')", f"exec('open(\"{CANARY}\", \"w\")')", f"eval('open(\"{CANARY}\", \"w\")')", "breakpoint()", "exit()", "quit()", "input()",
    f"f'{{open(\"{CANARY}\", \"w\")}}'", "f'{x}'", "f'{x!r:>{y}}'", "[i for i in range(10**9)]", "(i for i in x)", "{i: i for i in x}", "sum(i for i in (1, 2))", "x.real", "x.__class__", "x.data", "().__class__.__bases__[0].__subclasses__()",
    "x[0]", "x()", "x(1)", "tanh.op", "tanh", "tanh()", "tanh(x, x)", "tanh(x=x)", "max(*x)", "max(**x)", "max(x, *y)", "dot(x, y)", "dot", "where(x, y)", "clip(x, 3, 1)", "0x", "0x1f", "0b101", "0o17", "1_000", "1__0", "1e", "1.", ".5",
    "..5", "00", "007", "1if x else 2", "1 if x else 2", "x and y", "x or y", "not x", "x < y", "x == y", "x is y", "x in y", "x @ y", "x ^ y", "x & y", "x | y", "x << y", "~x", "x!", "x?", "x;y", "x; import os", "x\ny", "x\\\ny", "x # comment", "# comment",
    "\n", "\t", "", " ", "\0", "x\0y", "\ufeffx", "x\u00a0+ y", "x\u2028y", "x\x85y", "x\x0cy", "\x1b[31mx", "\x1b]0;title\x07", "\ud800", "x\udcff", "\N{MATHEMATICAL ITALIC SMALL X}", "\N{FULLWIDTH LATIN SMALL LETTER X}", "tan\N{LATIN SMALL LETTER H}(x)", "\N{MATHEMATICAL BOLD SMALL T}anh(x)",
    "\N{FULLWIDTH DIGIT ONE}", "x\N{SUPERSCRIPT TWO}", "\N{MINUS SIGN}x", "x \N{MULTIPLICATION SIGN} y", "\N{GREEK SMALL LETTER PI}", "\N{KELVIN SIGN}", "\N{LATIN SMALL LIGATURE FI}", "'a'", "'a' * 10**9", "b'a'", "'" * 3, '"', "True", "None", "...", "1j", "1+1j", "__debug__", "__builtins__", "__name__", "print", "nan", "inf", "-inf", "nan*x", "inf-inf", "1/0",
    "0/0", "x % 0", "x // 0", "0**-1", "(-8)**(1/3)", "log(0)", "log(-1)", "sqrt(-1)", "arcsin(2)", "arccosh(0)", "exp(1000)", "cosh(1000)", "x**y**z", "yield x", "await x", "return x", "del x", "pass", "import os", "from os import *", "x = 1", "x += 1", "x if", "*x", "*x,", "x,", "x, y", "[x]", "{x}", "{}",
    "${x}", "`id`", "$(id)", "x | id", "-o", "--help me", "-x", "--x", "- - x", "+x", "x=1", "%s%n", "{0}", "../../etc/passwd", "<script>", "&amp;", "x -- y", "e", "pi", "e*x", "abs(-x)", "round(x)", "floor(y)", "sum(x)", "sum(x, y, z)", "mean(x, y)", "pow(x, 2)", "neg(x)", "where(x, y, z)", "leaky_relu(y)", "elu(y, 2)",
]  # fmt: skip
"""What somebody would try."""


OPTIONS = [
    "", "-", "--", "---", "-o", "--output", "-o=", "--output=", "--style", "--style=", "--style=card", "--style=cubist", "--style=a\nb", "--frob", "--frob=1", "-f", "--html", "--html=", "--html=x.html", "--html=none/x.html",
    "--html=x.pdf", "--expand", "--expand=1", "--order", "--order=1", "--order=2", "--order=3", "--order=x", "--order=1e9", "--seed", "--version=2", "x=1", "x", "x=", "=1", "=", "x==1", "x=a", "x=1e999", "x=-inf", "x=nan",
    "x=1_000", "x=0x1f", "x= 2 ", "x=1\n", "y=2", "x=1,y=2", "z=9**9", "lambda=1", "tanh=2", "x y=1", "\N{MATHEMATICAL ITALIC SMALL X}=1", "x=\N{FULLWIDTH DIGIT ONE}", "x=" + "9" * 5000, "a" * 5000 + "=1", "x\0=1", "x=\0", "\ud800=1", "x=\ud800",
    "pi=3", "e=2", "--set", "--set=x=1", "a\nb", "--a\nb", "a\x1b[31mb=c", "\u2028", "-1", "-1=1", "--seed=a\nb", "x=True", "x=1j", "x=None", "é=1", "x=0.5", "y=-2.5", "z=3.0",
]  # fmt: skip
PATHS = [
    "f.svg", "f.png", "f.pdf", "f.dot", "f.mmd", "f.json", "f.txt", "f.SVG", "f", "f.", ".svg", "", ".", "..", "folder", "folder.svg", "none/f.svg", "f.svg/g.svg", "f.jpeg", "f.svg.exe", "x" * 300 + ".svg", "a\nb.svg", "a\nb.bad", "\ud800.svg",
    "f\0.svg", "-.svg", "é.svg", "\u202egvs.exe", " .svg", "f.svg ", "~/f.bad", "$HOME.svg", "*.svg", "none/" * 500 + "f.svg", "none/" * 500 + "f.html",
]  # fmt: skip


def command_line(rng):
    """Another command with its options, most of them wrong."""
    command = rng.choice(
        ["grad", "draw", "step", "check", "grad", "draw", "step", "check", "demo --help", "", "frob", "-h", "--version"]
    ).split()
    expression = (
        [rng.choice(["x*y + z", "x", "tanh(x)", "x**y", "1", rng.choice(BY_HAND)])] if rng.random() < 0.9 else []
    )
    rest = [f"{name}={value}" for name, value in VARIABLES.items() if rng.random() < 0.6]
    for _ in range(rng.choice([0, 1, 1, 2, 3])):
        rest.insert(rng.randint(0, len(rest)), rng.choice(OPTIONS))
    if rng.random() < 0.4:
        rest += [rng.choice(["-o", "--output", "--html"]), rng.choice(PATHS)]
    return [*command, *expression, *rest] if rng.random() < 0.8 else [*rest, *command, *expression]


def names_in(text):
    """The variables that an expression mentions, as far as can be told."""
    return [name for name in VARIABLES if name in unicodedata.normalize("NFKC", text)]
