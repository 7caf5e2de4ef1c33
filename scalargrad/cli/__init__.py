"""The command line: `scalargrad demo`, `draw`, `grad`, `step`, `worksheet`, `playground` and `check`.

Bad input gives one line on standard error and exit status 2. demo.py is the demo, index_page.py its page; invocation.py
says how the command was called.
"""

from __future__ import annotations

import argparse
import re
import sys
import warnings
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from scalargrad.support.console import ERRORS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from scalargrad import Value

_EXPRESSION_HELP = 'an expression in quotes, as "tanh(w*x + b)"'
_VARIABLES_HELP = "a number for each variable, as x=-2 or x=pi/2"
MOST = 800
"""Characters of a message, enough for every one of the package; what was typed may be longer."""


class _Parser(argparse.ArgumentParser):
    commands: Mapping[str, argparse.ArgumentParser] = MappingProxyType({})

    def error(self, message: str) -> NoReturn:
        from scalargrad.support.spelling import did_you_mean

        if message.endswith("required: COMMAND"):
            message = f"write one of {', '.join(self.commands)} behind it"
        if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            message += did_you_mean(found[1], re.findall(r"\w+", found[2])) or _command_left_out(found[1])
        self.exit(2, f"{self.prog}: {_one_line(message)} (see {self.prog} --help)\n")


def _command_left_out(typed: str) -> str:
    """What to write where an expression stands in the place of a command."""
    return "" if typed.isidentifier() else '; an expression comes after a command: scalargrad grad "x*y" x=2 y=3'


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status: 0, 1 for a failed check, 2 for bad input, 130 for Ctrl-C."""
    arguments = sys.argv[1:] if arguments is None else arguments
    parser = _make_parser(arguments)
    options = parser.parse_args(_protect_minus(arguments, parser))
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):  # where an encoding lacks −, it is written -
            stream.reconfigure(errors=ERRORS)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("always")
            warnings.showwarning = _note_once()
            return int(options.run(options))
    except BrokenPipeError:  # the reader, `head` say, has seen enough
        sys.stderr.close()
        return 0
    except (ValueError, ArithmeticError, TypeError, OSError, ImportError, RuntimeError, MemoryError) as error:
        text = str(error)
        if isinstance(error, OSError) and error.strerror:  # without its number
            text = error.strerror if error.strerror.startswith("cannot") else f"{error.strerror}: {error.filename!r}"
        lines = text.split("\n", 1)  # the source line below would be one of this package
        limit = 5000 if isinstance(error, OSError) else MOST  # a path may have 4096 characters: it is shown whole
        print(f"scalargrad {options.command}: {_one_line(lines[0] or repr(error), limit)}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interrupted", file=sys.stderr)
        return 130


def _one_line(message: str, limit: int = MOST) -> str:
    """A message as a terminal may show it, whatever was typed: one line, without control characters, cut."""
    from scalargrad.support.labels import clean_label

    return clean_label(message, limit)


def _note_once() -> Callable[..., None]:
    """Shows each warning as a line on standard error; the same warning of a second sweep is no news."""
    seen: set[str] = set()

    def note(message: Warning | str, *_: object) -> None:
        if str(message) not in seen:
            seen.add(str(message))
            print(f"scalargrad: note: {_one_line(str(message))}", file=sys.stderr)

    return note


def _version() -> str:
    """What --version prints: the version, and which engine runs."""
    import scalargrad

    engine = "its engine's plain case compiled to C" if scalargrad.engine_in_c else "its engine in Python alone"
    return f"scalargrad {scalargrad.__version__}, {engine}"


def _make_parser(arguments: Sequence[str]) -> _Parser:
    styles: Sequence[str] = ()
    if "draw" in arguments:  # the other commands start without what draws
        from scalargrad.drawing.styles import STYLES

        styles = tuple(STYLES)
    parser = _Parser(
        prog="scalargrad", description="Scalar automatic differentiation to learn from, look at and trust."
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parser.commands = commands.choices

    demo = commands.add_parser("demo", help="train a small network on two moons and draw it")
    demo.add_argument("-o", "--output", type=Path, default=Path("scalargrad-demo"), help="folder for the pictures")
    demo.add_argument("--open", action="store_true", help="open index.html in a browser at the end")
    demo.add_argument("--seed", type=int, default=1, help="of the data and the initial weights")
    demo.set_defaults(run=_demo)

    draw = commands.add_parser("draw", help="draw the graph of an expression, with values and gradients")
    draw.add_argument("expression", help=_EXPRESSION_HELP)
    draw.add_argument("variables", nargs="*", metavar="x=NUMBER", help=_VARIABLES_HELP)
    draw.add_argument("-o", "--output", type=Path, help="a file ending in .svg .png .pdf .dot .mmd .json .txt")
    draw.add_argument("--style", choices=styles, default="card")
    draw.set_defaults(run=_draw)

    grad = commands.add_parser("grad", help="show the value of an expression and its gradients")
    grad.add_argument("expression", help=_EXPRESSION_HELP)
    grad.add_argument("variables", nargs="*", metavar="x=NUMBER", help=_VARIABLES_HELP)
    grad.set_defaults(run=_grad)

    step = commands.add_parser("step", help="step through value and gradients, in the terminal or as a page")
    step.add_argument("expression", help=_EXPRESSION_HELP)
    step.add_argument("variables", nargs="*", metavar="x=NUMBER", help=_VARIABLES_HELP)
    step.add_argument("--html", type=Path, metavar="FILE", help="write a page to step through in a browser instead")
    step.add_argument("--expand", action="store_true", help="spell out sums and other fused operations")
    step.set_defaults(run=_step)

    sheet = commands.add_parser("worksheet", help="make an exercise to print: gradients left blank, and an answer key")
    sheet.add_argument("expression", help=_EXPRESSION_HELP)
    sheet.add_argument("variables", nargs="*", metavar="x=NUMBER", help=_VARIABLES_HELP)
    sheet.add_argument("-o", "--output", type=Path, metavar="FILE", help="write pages to print, ending in .html")
    sheet.add_argument("--key", type=Path, metavar="FILE", help="write the answer key to this file, ending in .html")
    sheet.add_argument("--variants", type=int, metavar="N", help="N sheets, each with numbers of its own")
    sheet.add_argument("--hide", choices=["gradients", "values", "both"], default="gradients", help="what is asked")
    sheet.add_argument("--fields", action="store_true", help="a page to fill in on a screen instead of one to print")
    sheet.add_argument("--expand", action="store_true", help="spell out sums and other fused operations")
    sheet.add_argument("--title", help="the heading")
    sheet.add_argument("--seed", type=int, default=0, help="picks the numbers of variants")
    sheet.set_defaults(run=_worksheet)

    playground = commands.add_parser("playground", help="open a graph whose inputs are dragged, as a local page")
    playground.add_argument("expression", nargs="?", default="", help=_EXPRESSION_HELP)
    playground.add_argument("variables", nargs="*", metavar="x=NUMBER", help=_VARIABLES_HELP)
    playground.add_argument("--port", type=int, default=0, help="on which to listen; by default a free one")
    playground.add_argument("--no-browser", action="store_true", help="write the address and open no browser")
    playground.set_defaults(run=_playground)

    check = commands.add_parser("check", help="check the gradient of an expression against finite differences")
    check.add_argument("expression", help=_EXPRESSION_HELP)
    check.add_argument("variables", nargs="*", metavar="x=NUMBER", help=_VARIABLES_HELP)
    check.add_argument("--order", type=int, choices=[1, 2], default=1, help="2 checks second derivatives too")
    check.set_defaults(run=_check)
    return parser


def _protect_minus(arguments: list[str], parser: _Parser) -> list[str]:
    """Keep argparse from taking the expression `-x*y` for an option: it leaves arguments with a space alone."""
    parsers = [parser, *parser.commands.values()]
    known = {"--", *(option for one in parsers for action in one._actions for option in action.option_strings)}
    return [
        f" {argument}" if argument.startswith("-") and argument.split("=")[0] not in known else argument
        for argument in arguments
    ]


def _expression(options: argparse.Namespace) -> tuple[Value, dict[str, Value]]:
    from scalargrad.words.expressions import parse_expression

    root, leaves = parse_expression(options.expression, _numbers(options))
    if not root.label and "f" not in leaves:
        root.label = "f"
    return root, leaves


def _numbers(options: argparse.Namespace) -> dict[str, float]:
    from scalargrad.words.expressions import ExpressionError

    numbers: dict[str, float] = {}
    for assignment in _assignments(options.variables):
        name, equals, text = (part.strip() for part in assignment.partition("="))
        if not equals:
            words = [options.expression.strip(), *(word.strip() for word in options.variables if "=" not in word)]
            raise ExpressionError(
                f"{assignment.strip()!r} is not of the form x=NUMBER: an expression with spaces or * needs quotes, as "
                f'"{" ".join(words)}"'
            )
        if name in numbers:
            raise ExpressionError(f"{name!r} is given twice")
        numbers[name] = _number(name, text)
    return numbers


def _assignments(words: Sequence[str]) -> list[str]:
    """One text for each variable, whether `x=1 y=2` was typed, `x = 1` or `x=1, y=2`."""
    joined: list[str] = []
    for word in words:
        if joined and (word.strip().startswith("=") or joined[-1].rstrip().endswith("=")):
            joined[-1] += word
        else:
            joined.append(word)
    return [part for text in joined for part in re.split(r",\s*(?=[^\W\d]\w*\s*=)|,\s*$", text) if part]


def _number(name: str, text: str) -> float:
    """The number in a text: digits, or an expression without variables, as pi/2."""
    from scalargrad.support.arguments import brief
    from scalargrad.words.expressions import ExpressionError, expression_function

    try:
        return float(text)
    except ValueError:
        pass
    try:
        return float(expression_function(text, [])())
    except ExpressionError as error:
        if re.fullmatch(r"[+-]?\d+,\d+", text):
            hint = f"; write {text.replace(',', '.')}"
        else:
            reason = "it may hold numbers, pi and e" if "=NUMBER" in str(error) else error
            hint = f": {reason}" if re.search(r"[^\w\s.]|\d[^\W\d]", text) else ""
        raise ExpressionError(f"the value of {name!r}, {brief(text)}, is not a number{hint}") from None
    except (ValueError, ArithmeticError) as error:
        raise ExpressionError(
            f"the value of {name!r}, {brief(text)}, is not a number: {str(error).splitlines()[0]}"
        ) from None


def _grad(options: argparse.Namespace) -> int:
    from scalargrad.words.texts import columns

    root, leaves = _expression(options)
    if leaves:
        root.backward()
    print(f"{options.expression.strip()} = {root.data!r}")
    if leaves:
        rows = [("", "value", "gradient"), *((name, repr(v.data), repr(v.grad)) for name, v in leaves.items())]
        print("\n".join(columns(rows)))
    return 0


def _draw(options: argparse.Namespace) -> int:
    import scalargrad

    root, leaves = _expression(options)
    if leaves:
        root.backward()
    as_text = options.output is None or options.output.suffix.lower() in (".txt", ".json", ".mmd", ".dot")
    drawing = scalargrad.draw(root, style=options.style, max_nodes=500 if as_text else None)
    if options.output is None:
        print(drawing.text.rstrip())
    else:
        drawing.save(options.output)
        print(f"wrote {options.output}")
    return 0


def _step(options: argparse.Namespace) -> int:
    import scalargrad
    from scalargrad.drawing.engines import available, no_engine
    from scalargrad.tracing import TraceTooLongError

    root, _ = _expression(options)
    steps = scalargrad.trace(root, expand=options.expand)
    if options.html is None:
        steps.play()
    else:
        try:
            steps.save(options.html)
        except TraceTooLongError:
            raise ValueError(
                f"{len(steps)} steps are too many for a page: leave out --html for a table or steps in the terminal"
            ) from None
        print(f"wrote {options.html}")
        if available() == "text":
            warnings.warn(f"it has a table and no pictures: {no_engine()}", stacklevel=1)
    return 0


def _worksheet(options: argparse.Namespace) -> int:
    import scalargrad
    from scalargrad.drawing.engines import available, no_engine

    root, _ = _expression(options)
    title = None if options.title is None else options.title.strip()
    given = {"hide": options.hide, "seed": options.seed, "expand": options.expand, "title": title, "names": False}
    made = scalargrad.worksheet(root, variants=options.variants, **given)
    if options.output is None:
        if options.key is not None or options.fields:
            raise ValueError("say where the sheet goes, too: -o sheet.html")
        print(made)
        return 0
    key = False if options.key is None else options.key
    if options.fields and options.variants is not None:
        raise ValueError("--fields is for one sheet: leave out --variants, or --fields")
    if options.fields:
        made.save(options.output, key=key, fields=True)
    else:
        made.save(options.output, key=key)
    for path in [options.output] + [options.key] * (options.key is not None):
        print(f"wrote {path}")
    if available() == "text":
        warnings.warn(f"it has the graph as text and no pictures: {no_engine()}", stacklevel=1)
    return 0


def _playground(options: argparse.Namespace) -> int:
    from scalargrad.playground.whole import whole

    given: dict[str, Any] = {**_numbers(options)}
    whole(options.expression, **given).serve(options.port, browser=not options.no_browser)
    return 0


def _check(options: argparse.Namespace) -> int:
    import scalargrad
    from scalargrad.words.expressions import expression_function

    numbers = _numbers(options)
    function = expression_function(options.expression, numbers)
    report = scalargrad.check_gradients(function, list(numbers.values()), order=options.order, names=list(numbers))
    print(report)
    return 0 if report.ok else 1


def _demo(options: argparse.Namespace) -> int:
    from scalargrad.cli.demo import run

    run(options.output, options.seed, show=options.open)
    return 0
