"""What may be typed: the commands with their options, and what is said of anything else."""

from __future__ import annotations

import argparse
import re
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NoReturn

from scalargrad.cli.commands import check, demo, draw, grad, playground, step, worksheet

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

MOST = 800
"""Characters of a message, enough for every one of the package; what was typed may be longer."""


class Parser(argparse.ArgumentParser):
    """A parser whose errors are one line, which says what to type.

    Attributes:
        commands: the parser of each command.
    """

    commands: Mapping[str, Parser] = MappingProxyType({})

    def error(self, message: str) -> NoReturn:
        """End with status 2, and say what is wrong."""
        from scalargrad.support.spelling import did_you_mean

        if message.endswith("required: COMMAND"):
            message = f"write one of {', '.join(self.commands)} behind it"
        if found := re.search(r"invalid choice: '([^']*)' \(choose from (.*)\)", message):
            message += did_you_mean(found[1], re.findall(r"\w+", found[2])) or _command_left_out(found[1])
        self.exit(2, f"{self.prog}: {one_line(message)} (see {self.prog} --help)\n")


def _command_left_out(typed: str) -> str:
    """What to write where an expression stands in the place of a command."""
    return "" if typed.isidentifier() else '; an expression comes after a command: scalargrad grad "x*y" x=2 y=3'


def one_line(message: str, limit: int = MOST) -> str:
    """A message as a terminal may show it, whatever was typed: one line, without control characters, cut."""
    from scalargrad.support.labels import clean_label

    return clean_label(message, limit)


def _version() -> str:
    """What --version prints: the version, and which engine runs."""
    import scalargrad

    engine = "its engine's plain case compiled to C" if scalargrad.engine_in_c else "its engine in Python alone"
    return f"scalargrad {scalargrad.__version__}, {engine}"


def make_parser(arguments: Sequence[str]) -> Parser:
    """Return the parser of the command line; its namespace holds in `run` the function that does the command."""
    styles: Sequence[str] = ()
    if "draw" in arguments:  # the other commands start without what draws
        from scalargrad.drawing.styles import STYLES

        styles = tuple(STYLES)
    parser = Parser(prog="scalargrad", description="Scalar automatic differentiation to learn from, look at and trust.")
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    parser.commands = commands.choices

    made: Parser = commands.add_parser("demo", help="train a small network on two moons and draw it")
    made.add_argument("-o", "--output", type=Path, default=Path("scalargrad-demo"), help="folder for the pictures")
    made.add_argument("--open", action="store_true", help="open index.html in a browser at the end")
    made.add_argument("--seed", type=int, default=1, help="of the data and the initial weights")
    made.set_defaults(run=demo)

    made = _of_expression(commands, draw, "draw the graph of an expression, with values and gradients")
    made.add_argument("-o", "--output", type=Path, help="a file ending in .svg .png .pdf .dot .mmd .json .txt")
    made.add_argument("--style", choices=styles, default="card")

    _of_expression(commands, grad, "show the value of an expression and its gradients")

    made = _of_expression(commands, step, "step through value and gradients, in the terminal or as a page")
    made.add_argument("--html", type=Path, metavar="FILE", help="write a page to step through in a browser instead")
    made.add_argument("--expand", action="store_true", help="spell out sums and other fused operations")

    made = _of_expression(commands, worksheet, "make an exercise to print: gradients left blank, and an answer key")
    made.add_argument("-o", "--output", type=Path, metavar="FILE", help="write pages to print, ending in .html")
    made.add_argument("--key", type=Path, metavar="FILE", help="write the answer key to this file, ending in .html")
    made.add_argument("--variants", type=int, metavar="N", help="N sheets, each with numbers of its own")
    made.add_argument("--hide", choices=["gradients", "values", "both"], default="gradients", help="what is asked")
    made.add_argument("--fields", action="store_true", help="a page to fill in on a screen instead of one to print")
    made.add_argument("--expand", action="store_true", help="spell out sums and other fused operations")
    made.add_argument("--title", help="the heading")
    made.add_argument("--seed", type=int, default=0, help="picks the numbers of variants")

    made = _of_expression(commands, playground, "open a graph whose inputs are dragged, as a local page", nargs="?")
    made.add_argument("--port", type=int, default=0, help="on which to listen; by default a free one")
    made.add_argument("--no-browser", action="store_true", help="write the address and open no browser")

    made = _of_expression(commands, check, "check the gradient of an expression against finite differences")
    made.add_argument("--order", type=int, choices=[1, 2], default=1, help="2 checks second derivatives too")
    return parser


def _of_expression(
    commands: Any, run: Callable[[argparse.Namespace], int], text: str, nargs: str | None = None
) -> Parser:
    """The parser of a command, called as its function is, that takes an expression and numbers for its variables."""
    made: Parser = commands.add_parser(run.__name__, help=text)
    made.add_argument("expression", nargs=nargs, default="", help='an expression in quotes, as "tanh(w*x + b)"')
    made.add_argument("variables", nargs="*", metavar="x=NUMBER", help="a number for each variable, as x=-2 or x=pi/2")
    made.set_defaults(run=run)
    return made


def protect_minus(arguments: list[str], parser: Parser) -> list[str]:
    """Keep argparse from taking the expression `-x*y` for an option: it leaves arguments with a space alone."""
    parsers = [parser, *parser.commands.values()]
    known = {"--", *(option for one in parsers for action in one._actions for option in action.option_strings)}
    return [
        f" {argument}" if argument.startswith("-") and argument.split("=")[0] not in known else argument
        for argument in arguments
    ]
